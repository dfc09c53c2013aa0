"""Facts of an order as they are kept: placement, payment, records that wait for the creation (RULEBOOK 2)."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Placed(NamedTuple):
    """A ``created`` or ``paid`` event; of a group the smallest counts (by ``ts``, then event id)."""

    ts: int
    event_id: str
    amount: int
    quantity: int | None
    currency: str | None
    product_ids: tuple[str, ...]
    created_ts: int | None = None
    """On a ``paid``: when the order was placed, for platforms that send one record only."""
    payment_id: str | None = None
    """On a ``paid``: which instalment it is; None: the only one, or it does not say."""


class Deposit(NamedTuple):
    """A ``deposit_paid`` event; the smallest counts."""

    ts: int
    event_id: str
    amount: int
    balance_until: int | None
    """Until when the balance can be paid; None: it does not say."""
    currency: str | None


class Cancelled(NamedTuple):
    """A ``cancelled`` event; the smallest counts."""

    ts: int
    event_id: str
    currency: str | None


class Refund(NamedTuple):
    """A refund, requested or completed; of those with one ``refund_id`` the smallest counts."""

    ts: int
    event_id: str
    amount: int
    completed: bool
    """Else requested."""
    refund_id: str | None = None
    currency: str | None = None


class Exclusion(NamedTuple):
    """An ``excluded`` or ``included`` event; the greatest holds (by ``ts``, then event id)."""

    ts: int
    event_id: str
    excluded: bool
    """Else included."""


class Ruling(NamedTuple):
    """A ruling on an order's credit; the greatest holds (by ``ts``, then event id)."""

    ts: int
    event_id: str
    agent_id: str | None
    """Who gets the credit; None: nobody."""
    ruled_by: str
    withdrawn: bool
    """It says only that those before it hold no longer."""


class Reviewed(NamedTuple):
    """A ``reviewed`` event."""

    ts: int
    event_id: str
    good: bool
    """Else neutral or bad."""


class RareFacts(Struct, array_like=True, gc=False):
    """Facts that few orders have. Stored as it is: new fields come last, with a default."""

    payments: dict[str, Placed] = {}
    """The instalments by payment id (the one without an id: ``""``); empty: at most one."""
    several_payments: bool = False
    """Whether a payment that does not count differs from the one of its group that does."""
    deposit: Deposit | None = None
    exclusion: Exclusion | None = None
    closed_refunds: dict[str, None] = {}
    """Ids of the refunds whose requests are taken back."""
    ruling: Ruling | None = None
    """The last one; it may be one that withdraws those before it."""
    times: dict[str, list[int]] = {}
    """By type, the times of the events of which these alone are kept, in no order."""
    reviews: list[Reviewed] = []
    """In no order."""


class Waiting(NamedTuple):
    """A record that waits for its order's creation; it becomes a dead letter if that never comes."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes
    is_ruling: bool = False
    """It is of ``rulings``, else of ``order-events``."""


class Horizon(NamedTuple):
    """Which events may still bear on an order, and when it changes by itself; over all profiles."""

    interest_from: int
    """Chat from here on may bear on it."""
    interest_until: int
    """Chat before this may bear on it."""
    deadlines: tuple[int, ...]
    """Watermarks at which a verdict changes by itself, past ones too."""
