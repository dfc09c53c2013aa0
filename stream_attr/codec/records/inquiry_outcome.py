"""Inquiry outcomes as JSON bytes (RULEBOOK 7)."""

from __future__ import annotations

from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records.inquiry_outcome import InquiryOutcome
from stream_attr.rules.reports.measures import Inquiry
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.vocabulary import FINAL, NONE, NOT_COUNTED, PENDING


def encode_inquiry(shop_id: str, buyer_id: str, agent_id: str, day: int, inquiry: Inquiry) -> bytes:
    """Return the content of an inquiry outcome."""
    return encode_json(
        InquiryOutcome(
            shop_id,
            buyer_id,
            agent_id,
            day_name(day),
            FINAL if inquiry.final else PENDING,
            inquiry.kind,
            inquiry.outcome,
            inquiry.exempt,
            inquiry.order_ids,
            inquiry.final_at,
        )
    )


def withdrawn(final_at: int, *, final: bool) -> Inquiry:
    """Return the outcome of a reception whose inquiry is not recorded any more."""
    return Inquiry(NONE, NOT_COUNTED, None, (), final_at, final)
