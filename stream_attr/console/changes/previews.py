"""The preview of a change: a trial of the lab, by the rules as they were and with the change."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from psycopg import Connection

from stream_attr.console.changes.drafts import Change, Drafts
from stream_attr.contract.topics import ROSTER
from stream_attr.lab.result import LabResult
from stream_attr.lab.rule_sets import AS_IT_STOOD, RuleSet
from stream_attr.lab.trials import State, Trial, Trials
from stream_attr.ledger.periods import Period

__all__ = ["Found", "Preview", "ask_preview", "preview_of"]


class Preview(StrEnum):
    """How far the preview of a change's content is."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    EMPTY = "empty"
    """No order was paid in the period, so it says nothing."""
    FAILED = "failed"

    @property
    def says_nothing(self) -> bool:
        """Whether it has ended and nobody knows what the change would have done."""
        return self in (Preview.EMPTY, Preview.FAILED)


class Found(NamedTuple):
    """The preview of a change."""

    state: Preview
    trial: Trial | None = None
    result: LabResult | None = None


def preview_of(connection: Connection[Any], change: Change) -> Found:
    """Return the preview of a change's content; one that was cancelled is none."""
    if change.trial_id is None or change.trial_digest != change.digest:
        return Found(Preview.NONE)
    trials = Trials(connection)
    trial = trials.find(change.shop_id, change.trial_id)
    if trial is None or trial.state is State.CANCELLED:
        return Found(Preview.NONE)
    if trial.is_open:
        return Found(Preview.RUNNING, trial)
    result = trials.result(trial)
    if result is None:
        return Found(Preview.FAILED, trial)
    return Found(Preview.DONE if result.money else Preview.EMPTY, trial, result)


def ask_preview(connection: Connection[Any], change: Change, period: Period, login: str) -> None:
    """Have the lab try a change over a period, unless it is at it."""
    if preview_of(connection, change).state is Preview.RUNNING:
        return
    is_roster = change.topic == ROSTER
    changed = RuleSet(f"change {change.number}", None if is_roster else change.document)
    with connection.transaction():
        trial_id = Trials(connection).ask(
            change.shop_id,
            (AS_IT_STOOD, changed),
            period,
            login,
            roster=change.document if is_roster else None,
        )
        Drafts(connection, change.shop_id).note_trial(change, trial_id)
