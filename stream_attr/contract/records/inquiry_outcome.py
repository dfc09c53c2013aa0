"""A record of ``inquiry-outcomes`` (RULEBOOK 7), but for its revision."""

from __future__ import annotations

from msgspec import Struct


class InquiryOutcome(Struct, gc=False):
    """A record of ``inquiry-outcomes``."""

    shop_id: str
    buyer_id: str
    agent_id: str
    day: str
    status: str
    kind: str
    outcome: str
    exempt: str | None
    order_ids: tuple[str, ...]
    final_at: int
