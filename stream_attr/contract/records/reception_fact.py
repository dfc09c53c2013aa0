"""A record of ``reception-facts`` (RULEBOOK 8), but for its revision."""

from __future__ import annotations

from msgspec import Struct


class ReceptionFact(Struct, gc=False):
    """A record of ``reception-facts``."""

    shop_id: str
    buyer_id: str
    agent_id: str
    day: str
    status: str
    first_ts: int
    last_ts: int
    initiator: str
    buyer_messages: int
    agent_messages: int
    agent_characters: int
    rounds: int
    replied: bool
    first_response_ms: int | None
    response_ms_sum: int
    response_count: int
    slow: bool
    duration_ms: int
    effective_conversation: bool
    product_page: bool
    transferred: bool
    filtered: str | None
    role: str
    final_at: int
