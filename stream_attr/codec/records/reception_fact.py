"""Reception facts as JSON bytes (RULEBOOK 8)."""

from __future__ import annotations

from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records.reception_fact import ReceptionFact
from stream_attr.rules.reports.measures import Fact
from stream_attr.rules.reports.reception_fact import EFFECTIVE_CONVERSATION_MS
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.vocabulary import FINAL, PENDING


def encode_fact(
    shop_id: str, buyer_id: str, agent_id: str, day: int, fact: Fact, final_at: int, *, final: bool
) -> bytes:
    """Return the content of a reception fact."""
    duration_ms = fact.last_ts - fact.first_ts
    return encode_json(
        ReceptionFact(
            shop_id,
            buyer_id,
            agent_id,
            day_name(day),
            FINAL if final else PENDING,
            fact.first_ts,
            fact.last_ts,
            "buyer" if fact.by_buyer else "agent",
            fact.buyer_messages,
            fact.agent_messages,
            fact.agent_characters,
            fact.rounds,
            fact.replied,
            fact.first_response_ms,
            fact.response_ms_sum,
            fact.response_count,
            fact.slow,
            duration_ms,
            duration_ms >= EFFECTIVE_CONVERSATION_MS,
            fact.product_page,
            fact.transferred,
            fact.handed_over,
            fact.rating,
            list(zip(fact.presence[::2], fact.presence[1::2], strict=True)),
            fact.filtered,
            fact.role,
            final_at,
        )
    )
