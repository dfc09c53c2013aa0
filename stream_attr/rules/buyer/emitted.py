"""What was emitted last of a buyer's orders, reports and tasks, and what has changed since (RULEBOOK 6)."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct

from stream_attr.rules.order.decision import Verdict


class Emitted(NamedTuple):
    """The last revision emitted of an order under one profile."""

    revision: int
    reason: str
    verdict: Verdict


class EmittedTask(NamedTuple):
    """The last revision emitted of a service task."""

    revision: int
    is_open: bool
    agent_id: str | None
    due_ts: int | None = None
    """None: it was emitted before this was kept."""


class LastEmitted(Struct, array_like=True, frozen=True, gc=False):
    """The last revision emitted of a fact, an inquiry or an agent's day."""

    revision: int
    digest: int
    """Of its content."""
    final: bool


EVERY_DAY: Final = 0
"""Stands for all days: settings or roster have changed."""


class PendingChanges(Struct, array_like=True, frozen=True, gc=False):
    """Changes that no report shows yet."""

    since: int
    """The earliest day that they bear on."""
    reason: str
    """Of the last one."""
    late: bool
    """Whether some were older than the watermark."""
    orders: bool = True
    """Whether some are of orders, their verdicts, or settings, which bear on all receptions."""
