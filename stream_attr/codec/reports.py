"""Facts, inquiry outcomes and agents' days as JSON bytes (RULEBOOK 7, 8, 10).

What a record says is encoded first, and alone: by its digest it is seen whether it says anything new. What
tells one emission from another (revision, reason, watermark) is put behind it.
"""

from __future__ import annotations

from typing import Final

import msgspec
from xxhash import xxh3_64_intdigest

from stream_attr.codec.shapes import (
    AgentDaily,
    InquiryFigures,
    InquiryOutcome,
    OrderFigures,
    PaymentFigures,
    ReceptionFact,
    RefundFigures,
    SalesFigures,
    ServiceTask,
    SilentFigures,
    WorkloadFigures,
)
from stream_attr.core.days import Zone, day_name
from stream_attr.core.decision import FINAL, PENDING
from stream_attr.core.fact import EFFECTIVE_CONVERSATION_MS
from stream_attr.core.figures import Fact, Inquiry
from stream_attr.core.inquiry import NONE, NOT_COUNTED
from stream_attr.core.part import TOTAL, Ends
from stream_attr.core.shop_day import AgentDay
from stream_attr.core.task import Task

_dumps: Final = msgspec.json.Encoder().encode


def digest_of(said: bytes) -> int:
    """Return a 63-bit digest of what a record says."""
    return xxh3_64_intdigest(said) >> 1


def emission(said: bytes, revision: int, reason: str, watermark: int) -> bytes:
    """Return a whole record: what it says, and of which revision it is."""
    return b'%b,"revision":%d,"reason":"%b","watermark":%d}' % (
        said[:-1],
        revision,
        reason.encode(),
        max(watermark, 0),
    )


def say_fact(
    shop_id: str, buyer_id: str, agent_id: str, day: int, fact: Fact, final_at: int, *, final: bool
) -> bytes:
    """Return what a reception fact says."""
    duration_ms = fact.last_ts - fact.first_ts
    return _dumps(
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
            fact.filtered,
            fact.role,
            final_at,
        )
    )


def say_inquiry(shop_id: str, buyer_id: str, agent_id: str, day: int, inquiry: Inquiry) -> bytes:
    """Return what an inquiry outcome says."""
    return _dumps(
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


def say_task(
    task_id: str, shop_id: str, buyer_id: str, order_id: str, task: Task, ended_ts: int | None
) -> bytes:
    """Return what a service task says; ``ended_ts``: when its cause ended, None while it has not."""
    return _dumps(
        ServiceTask(
            task_id,
            shop_id,
            order_id,
            buyer_id,
            task.kind,
            task.agent_id,
            "open" if ended_ts is None else "closed",
            task.due_ts,
            ended_ts,
        )
    )


def withdrawn(final_at: int, *, final: bool) -> Inquiry:
    """Return the outcome of a reception that no inquiry is recorded of any more."""
    return Inquiry(NONE, NOT_COUNTED, None, (), final_at, final)


def say_agent_day(
    shop_id: str, agent_id: str, day: int, figures: AgentDay, ends: Ends, zone: Zone, watermark: int
) -> bytes:
    """Return what the figures of an agent's, or with `TOTAL` a shop's, day say."""
    work, found, deals = figures.workload, figures.inquiries, figures.deals
    final_at = figures.final_at(ends)
    is_final = {group: figures.is_final(group, at, watermark) for group, at in final_at.items()}
    if agent_id != TOTAL:
        del is_final["silent"]

    def when(group: str) -> tuple[str, str]:
        return FINAL if is_final[group] else PENDING, day_name(zone.day_of(final_at[group]))

    return _dumps(
        AgentDaily(
            shop_id,
            agent_id,
            day_name(day),
            FINAL if all(is_final.values()) else PENDING,
            SilentFigures(
                *when("silent"),
                deals.silent_buyers,
                deals.silent_orders,
                deals.silent_quantity,
                deals.silent_amount,
            )
            if agent_id == TOTAL
            else None,
            WorkloadFigures(
                *when("workload"),
                work.consults,
                work.receptions,
                work.unreplied,
                rate(work.receptions - work.unreplied, work.receptions),
                work.buyer_messages,
                work.agent_messages,
                rate(work.agent_messages, work.buyer_messages),
                work.agent_characters,
                mean(work.first_response_ms, work.first_responses),
                mean(work.response_ms, work.responses),
                work.slow,
                figures.presence.most,
            ),
            InquiryFigures(
                *when("inquiries"),
                found.inquiries,
                found.open,
                found.ordered,
                found.lost,
                found.assists,
                found.follow_ups,
                found.after_sales,
                found.exempt,
                rate(found.ordered, found.inquiries),
            ),
            PaymentFigures(
                *when("payments"),
                found.paid,
                found.payment_lost,
                rate(found.paid, found.inquiries),
                rate(found.paid, found.ordered),
            ),
            OrderFigures(*when("placed"), deals.placed_buyers, deals.placed_orders, deals.placed_amount),
            OrderFigures(*when("paid"), deals.paid_buyers, deals.paid_orders, deals.paid_amount),
            SalesFigures(
                *when("sales"),
                deals.sales_buyers,
                deals.sales_orders,
                deals.sales_quantity,
                deals.sales_amount,
                mean(deals.sales_amount, deals.sales_buyers),
                rate(deals.sales_quantity, deals.sales_buyers),
            ),
            RefundFigures(*when("refunds"), deals.requested, deals.completed),
        )
    )


def rate(part: int, whole: int) -> float | None:
    """Return a ratio to four digits; None where the denominator is 0."""
    return round(part / whole, 4) if whole else None


def mean(total: int, count: int) -> int | None:
    """Return a mean, rounded half up; None where there is nothing to take it of."""
    return (2 * total + count) // (2 * count) if count else None
