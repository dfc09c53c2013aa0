"""The layout of a buyer in state: compact MessagePack arrays.

Messages are stored as columns, times as differences: a message takes some 15 bytes instead of 24. Words are
stored as their numbers in `stream_attr.rules.vocabulary`.
"""

from __future__ import annotations

from msgspec import Raw, Struct

from stream_attr.rules.buyer.emitted import EmittedTask, LastEmitted, PendingChanges
from stream_attr.rules.chat.reception import Rating
from stream_attr.rules.order.decision import Judgement
from stream_attr.rules.order.facts import Cancelled, Horizon, Placed, RareFacts, Refund, Waiting


class Header(Struct, array_like=True, gc=False):
    """The first elements of a state, which can be read without decoding all of it."""

    version: int
    due: int | None
    """The next watermark at which something of the buyer is due."""
    pending: int
    """Official decisions that are pending."""
    reports_due: int | None
    """The watermark at which reports are emitted next."""


class Messages(Struct, array_like=True, gc=False):
    """Messages of one agent, sorted: one column per field."""

    since: list[int]
    """Milliseconds since the message before; for the first one since the epoch."""
    marks: list[int]
    """The flags that have names, shifted by one for the side."""
    prefix: str
    """What all event ids begin with."""
    event_ids: list[str]
    """The rest of each."""
    characters: list[int]
    product_ids: dict[int, str]
    """By index; most messages name none."""
    matched: dict[int, bytes]
    """Flags of the text patterns, by index; most messages match none."""


class EmittedReception(Struct, array_like=True, gc=False):
    """What was emitted of a reception last, and the closing of its day."""

    day: int
    closed_ts: int | None
    fact: LastEmitted | None
    inquiry: LastEmitted | None


class LastVerdict(Struct, array_like=True, gc=False):
    """The last revision that was emitted of an order under a profile. Words are numbers."""

    revision: int
    reason: int
    status: int
    outcome: int
    silence: int
    placing: str | None
    payment: str | None
    credit: str | None
    basis: int
    assists: list[tuple[int, str]]
    amount: int
    quantity: int
    refund_requested: int
    refund_completed: int
    created_ts: int
    paid_after: int | None
    """Milliseconds after the creation, as the other ``_after``."""
    cancelled_after: int | None
    final_after: int
    deposit_after: int | None = None
    notices: list[int] = []
    ruling: str | None = None


class StoredOrder(Struct, array_like=True, gc=False):
    """An order."""

    order_id: str
    created: Placed | None
    paid: Placed | None
    cancelled: Cancelled | None
    refunds: list[Refund]
    event_ids: list[str]
    """Those that ``created`` and ``paid`` do not have."""
    last_ts: int
    waiting: list[Waiting]
    emitted: dict[str, LastVerdict]
    horizon: Horizon | None
    sealed: dict[str, Judgement] | None
    created_by_payment: Placed | None = None
    tasks: dict[str, EmittedTask] = {}
    rare: RareFacts | None = None


class State(Struct, array_like=True, gc=False):
    """A buyer; begins as `Header`."""

    version: int
    due: int | None
    pending: int
    reports_due: int | None
    messages: dict[str, Raw]
    """`Messages` by agent id, encoded: those of an agent without new messages need not be encoded again."""
    transfers: dict[str, list[tuple[int, str]]]
    orders: list[StoredOrder]
    emitted: dict[str, list[EmittedReception]]
    day_digests: dict[int, int]
    pending_changes: PendingChanges | None
    handed_over: dict[str, list[int]] = {}
    """By receiving agent id, the times of transfers."""
    ratings: dict[str, list[Rating]] = {}
    """By agent id."""
