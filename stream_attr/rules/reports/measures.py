"""What a reception comes to: its figures, and what became of the inquiry (RULEBOOK 7, 8)."""

from __future__ import annotations

from msgspec import Struct


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
    """Of the agent's own words in this reception."""
    may_be_offline: bool
    """Whether ``agent_offline`` hangs on what the agent said to others that day."""
    presence: tuple[int, ...]
    """When the buyer was present: closed stretches, the first's begin and end, the second's, …, sorted."""


class Inquiry(Struct, frozen=True, gc=False):
    """What became of one reception."""

    kind: str
    outcome: str
    exempt: str | None
    order_ids: tuple[str, ...]
    """Sorted."""
    final_at: int
    final: bool
