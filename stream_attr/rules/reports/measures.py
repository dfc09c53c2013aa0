"""What is reported of a reception: its figures, and the outcome of its inquiry (RULEBOOK 7, 8)."""

from __future__ import annotations

from msgspec import Struct


class AdditiveFigures(Struct, array_like=True, frozen=True, gc=False):
    """Figures that are added up over buyers, and stored as an array.

    Those that derive from it are compiled, and have its options: a compiled class passes on none of its own.
    """


class Fact(Struct, frozen=True, gc=False):
    """The figures of one reception. Times are epoch milliseconds."""

    first_ts: int
    last_ts: int
    by_buyer: bool
    """Whether the buyer initiated it."""
    buyer_messages: int
    agent_messages: int
    """Effective ones."""
    agent_characters: int
    rounds: int
    replied: bool
    first_response_ms: int | None
    response_ms_sum: int
    response_count: int
    slow: bool
    product_page: bool
    transferred: bool
    filtered: str | None
    role: str
    last_effective_ts: int | None
    """Of the agent's last effective message in this reception."""
    may_be_offline: bool
    """Whether ``agent_offline`` depends on the agent's messages to other buyers that day."""
    presence: tuple[int, ...]
    """When the buyer was present: closed intervals as begin, end, begin, end, …, sorted."""
    handed_over: bool = False
    """Whether it has a handed-over question."""
    rating: int | None = None
    """The score of the last rating."""


class Inquiry(Struct, frozen=True, gc=False):
    """The outcome of one inquiry."""

    kind: str
    outcome: str
    exempt: str | None
    order_ids: tuple[str, ...]
    """Sorted."""
    final_at: int
    final: bool
