"""Facts of an order as they are kept: placement, payment, records that wait for the creation (RULEBOOK 2)."""

from __future__ import annotations

from typing import NamedTuple


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
    """A record that waits for its order's creation; it becomes a dead letter if that never comes."""

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
