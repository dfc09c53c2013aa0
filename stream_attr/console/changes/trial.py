"""What a change would have done to a period: judged by the lab as it was and with the change.

A change is tried as if it had held on every day: its settings in place of the shop's, or its role of the
agent in place of all that the roster has of this agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import orjson

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.console.changes.drafts import Change
from stream_attr.console.changes.previews import Progress, Trial
from stream_attr.contract.topics import SETTINGS
from stream_attr.errors import UnusableError
from stream_attr.explain.roster_names import names_from_files
from stream_attr.files.jsonl import LinesFile
from stream_attr.lab.event_folder import EventFolder
from stream_attr.lab.judge import judge
from stream_attr.lab.judging import Task, count_events, judged
from stream_attr.lab.result import JudgedOrder, LabResult, contested_of, money_of
from stream_attr.lab.rule_sets import AS_IT_STOOD, FIRST_DAY, RuleSet, composed
from stream_attr.ledger.periods import Period
from stream_attr.rules.shop.days import day_name

__all__ = ["CHANGED", "trial_of", "tried"]

CHANGED: Final = "changed"
"""The rule set's name."""
_PROCESSES: Final = 2
"""At least so many judge, so that pages are answered meanwhile."""


def trial_of(folder: Path) -> Trial:
    """Return what tries changes on a folder; raise UnusableError where it holds no stored events."""
    EventFolder(folder)
    return partial(tried, folder)


def tried(folder: Path, change: Change, period: Period, progress: Progress) -> LabResult:
    """Judge the orders that were paid in a period by the rules as they were, and with a change.

    ``folder``: stored events, see `EventFolder`. ``progress``: see `judge`.

    Raises:
        UnusableError: nothing is stored of the shop, or no order was paid in the period.
        ProcessLostError: a process dies.
    """
    if change.topic == SETTINGS:
        rule_sets = (AS_IT_STOOD, RuleSet(CHANGED, change.document))
        result = judge(folder, change.shop_id, rule_sets, period, processes=_PROCESSES, progress=progress)
    else:
        result = _with_roster(folder, change, period, progress)
    if not result.money:
        raise UnusableError(
            f"no order that was paid from {result.first_day} to {result.last_day} is among the stored events"
        )
    return result


def _with_roster(folder: Path, change: Change, period: Period, progress: Progress) -> LabResult:
    """Judge with the roster as it is, and with the change."""
    stored = EventFolder(folder).shop(change.shop_id)
    rules = composed(change.shop_id, (AS_IT_STOOD,), stored.settings_and_roster.settings)
    start, end = period.instants(rules.zone)
    found = stored.bearing_on(start, end, rules.settings)
    events = count_events(found.inputs)
    answers: list[dict[str, JudgedOrder]] = []
    with TemporaryDirectory(prefix="stream-attr-preview-") as scratch:
        settings, roster = Path(scratch) / "settings.jsonl", Path(scratch) / "roster.jsonl"
        settings.write_bytes(b"\n".join(rules.lines))
        roster.write_bytes(b"\n".join(_roster(found.inputs.roster, change)))
        for number, rosters in enumerate((found.inputs.roster, (str(roster),))):
            inputs = replace(found.inputs, settings=(str(settings),), roster=rosters)

            def tell(read: int, done: int = number * events) -> None:
                progress(done + read, 2 * events)

            task = Task(change.shop_id, inputs, rules.profiles, start, end)
            answers.append({one.order_id: one for one in judged(task, _PROCESSES, tell)})
    before, after = answers
    orders = [_both(one, after[name]) for name, one in before.items() if name in after]
    return LabResult(
        change.shop_id,
        rules.zone.name,
        day_name(period.first),
        day_name(period.last),
        (AS_IT_STOOD.name, CHANGED),
        money_of(orders, 2),
        contested_of(orders),
        tuple(one for one in orders if one.is_contested),
        names_from_files(found.inputs.roster, change.shop_id),
        sum(one.is_ruled for one in orders),
        events,
        found.first_chat,
        found.needed_from,
    )


def _roster(files: Iterable[str], change: Change) -> Iterator[bytes]:
    """Yield the roster with a change in place of all that it has of the agent."""
    for name in files:
        with LinesFile(name) as lines:
            for _, value in lines:
                try:
                    given = decode_roster(value)
                except RefusedRecord:  # as in a replay, it changes nothing
                    continue
                if (given.shop_id, given.agent_id) != (change.shop_id, change.agent_id):
                    yield value
    yield orjson.dumps({**change.document, "effective_from": FIRST_DAY})


def _both(before: JudgedOrder, after: JudgedOrder) -> JudgedOrder:
    """Return an order with both verdicts."""
    return msgspec.structs.replace(before, verdicts=(*before.verdicts, *after.verdicts))
