"""What is kept of an order beside its own facts: events, waiting records, what was said (RULEBOOK 2, 6)."""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.core.decision import Verdict


class Placed(NamedTuple):
    """A ``created`` or ``paid`` event; the smallest counts (by ``ts``, then event id)."""

    ts: int
    event_id: str
    amount: int
    quantity: int | None
    currency: str | None
    product_ids: tuple[str, ...]
    created_ts: int | None = None
    """On a ``paid``: when the order was placed, for platforms that send one record only."""


class Waiting(NamedTuple):
    """A record that waits for its order's creation, as it came, should it have to go to the dead letters."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes


class Horizon(NamedTuple):
    """Which events may still bear on an order, and when it changes by itself; over all profiles."""

    interest_from: int
    """Chat from here on may bear on it."""
    interest_until: int
    """Chat before this may bear on it."""
    deadlines: tuple[int, ...]
    """Watermarks at which a verdict changes by itself, past ones too."""


class Emitted(NamedTuple):
    """The last revision emitted of an order under one profile."""

    revision: int
    reason: str
    verdict: Verdict


class ToldTask(NamedTuple):
    """What was last told of a service task."""

    revision: int
    is_open: bool
    agent_id: str | None
