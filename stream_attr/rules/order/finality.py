"""When a verdict is pending, and when final; which deadlines an order still has (RULEBOOK 6)."""

from __future__ import annotations

from collections.abc import Iterator

from stream_attr.rules.order.decision import Judgement, Verdict
from stream_attr.rules.order.facts import Ruling
from stream_attr.rules.order.notices import notices_of
from stream_attr.rules.order.order import Order
from stream_attr.rules.vocabulary import (
    AWAITING_PAYMENT,
    CANCELLED,
    CREDITED,
    EXCLUDED,
    FINAL,
    PENDING,
    SILENT,
    UNPAID,
)


def outcome(order: Order, judgement: Judgement, watermark: int) -> str:
    """Return the outcome of an order at a watermark."""
    if order.rare is not None and order.is_excluded:
        return EXCLUDED
    if order.paid is not None:
        return SILENT if judgement.credit is None else CREDITED
    if order.cancelled is not None and order.cancelled.ts < judgement.deadline:
        return CANCELLED
    return UNPAID if watermark >= judgement.deadline else AWAITING_PAYMENT


def verdict(order: Order, judgement: Judgement, watermark: int, ruling: Ruling | None = None) -> Verdict:
    """Return the verdict on an order, whose creation is known, at a watermark.

    ``ruling``: the one that holds under the profile; ``judgement``: with it.
    """
    created_ts = order.created_ts
    assert created_ts is not None
    credit = judgement.credit
    return Verdict(
        FINAL if watermark >= judgement.final_at else PENDING,
        outcome(order, judgement, watermark),
        judgement.silence,
        None if judgement.placing is None else judgement.placing.agent_id,
        None if judgement.payment is None else judgement.payment.agent_id,
        None if credit is None else credit.agent_id,
        None if credit is None else credit.basis,
        judgement.assists,
        order.amount,
        order.quantity,
        order.refund_requested,
        order.refund_completed,
        created_ts,
        order.paid_ts,
        order.cancelled_ts,
        judgement.final_at,
        None if order.deposit is None else order.deposit.ts,
        notices_of(order),
        None if ruling is None else ruling.event_id,
    )


def without_agents(judgement: Judgement, final_at: int) -> Judgement:
    """Return the judgement on an order that is excluded: nobody has served it."""
    return judgement._replace(
        silence=None,
        placing=None,
        payment=None,
        credit=None,
        assists=(),
        candidates=(),
        discarded=(),
        final_at=final_at,
    )


def deadlines(order: Order, judgement: Judgement) -> Iterator[int]:
    """Yield the watermarks at which the verdict changes by itself, past ones too."""
    if (
        order.paid is None
        and (order.cancelled is None or order.cancelled.ts >= judgement.deadline)
        and not order.is_excluded
    ):
        yield judgement.deadline
    yield judgement.final_at
