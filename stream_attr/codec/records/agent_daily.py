"""Agents' and shops' days as JSON bytes (RULEBOOK 8)."""

from __future__ import annotations

from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records.agent_daily import (
    AgentDaily,
    InquiryFigures,
    OrderFigures,
    PaymentFigures,
    RefundFigures,
    SalesFigures,
    SilentFigures,
    WorkloadFigures,
)
from stream_attr.rules.reports.contribution import TOTAL, Ends
from stream_attr.rules.reports.day_totals import AgentDay
from stream_attr.rules.shop.days import Zone, day_name
from stream_attr.rules.vocabulary import FINAL, PENDING


def encode_agent_day(
    shop_id: str, agent_id: str, day: int, figures: AgentDay, ends: Ends, zone: Zone, watermark: int
) -> bytes:
    """Return the content of the record of an agent's, or with `TOTAL` a shop's, day."""
    work, found, deals = figures.workload, figures.inquiries, figures.deals
    final_at = figures.final_at(ends)
    is_final = {group: figures.is_final(group, at, watermark) for group, at in final_at.items()}
    if agent_id != TOTAL:
        del is_final["silent"]

    def when(group: str) -> tuple[str, str]:
        return FINAL if is_final[group] else PENDING, day_name(zone.day_of(final_at[group]))

    return encode_json(
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


def rate(part: int, total: int) -> float | None:
    """Return a ratio to four digits; None where the denominator is 0."""
    return round(part / total, 4) if total else None


def mean(total: int, count: int) -> int | None:
    """Return a mean, rounded half up; None where there are no values."""
    return (2 * total + count) // (2 * count) if count else None
