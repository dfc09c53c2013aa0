"""Facts, inquiry outcomes and agents' days as JSON bytes (RULEBOOK 7, 8, 10).

What a record says is encoded first, and alone: by its digest it is seen whether it says anything new. What
tells one emission from another (revision, reason, watermark) is put behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from stream_attr.core.days import Zone, day_name
from stream_attr.core.decision import FINAL, PENDING
from stream_attr.core.fact import EFFECTIVE_CONVERSATION_MS, Fact
from stream_attr.core.inquiry import NONE, NOT_COUNTED, Inquiry
from stream_attr.core.part import Ends
from stream_attr.core.shop_day import GROUPS, TOTAL, AgentDay
from stream_attr.core.task import Task

_dumps = msgspec.json.Encoder().encode


def digest_of(said: bytes) -> int:
    """Return a 63-bit digest of what a record says."""
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big") >> 1


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
        {
            "shop_id": shop_id,
            "buyer_id": buyer_id,
            "agent_id": agent_id,
            "day": day_name(day),
            "status": FINAL if final else PENDING,
            "first_ts": fact.first_ts,
            "last_ts": fact.last_ts,
            "initiator": "buyer" if fact.by_buyer else "agent",
            "buyer_messages": fact.buyer_messages,
            "agent_messages": fact.agent_messages,
            "agent_characters": fact.agent_characters,
            "rounds": fact.rounds,
            "replied": fact.replied,
            "first_response_ms": fact.first_response_ms,
            "response_ms_sum": fact.response_ms_sum,
            "response_count": fact.response_count,
            "slow": fact.slow,
            "duration_ms": duration_ms,
            "effective_conversation": duration_ms >= EFFECTIVE_CONVERSATION_MS,
            "product_page": fact.product_page,
            "transferred": fact.transferred,
            "filtered": fact.filtered,
            "role": fact.role,
            "final_at": final_at,
        }
    )


def say_inquiry(shop_id: str, buyer_id: str, agent_id: str, day: int, inquiry: Inquiry) -> bytes:
    """Return what an inquiry outcome says."""
    return _dumps(
        {
            "shop_id": shop_id,
            "buyer_id": buyer_id,
            "agent_id": agent_id,
            "day": day_name(day),
            "status": FINAL if inquiry.final else PENDING,
            "kind": inquiry.kind,
            "outcome": inquiry.outcome,
            "exempt": inquiry.exempt,
            "order_ids": inquiry.order_ids,
            "final_at": inquiry.final_at,
        }
    )


def say_task(
    task_id: str, shop_id: str, buyer_id: str, order_id: str, task: Task, ended_ts: int | None
) -> bytes:
    """Return what a service task says; ``ended_ts``: when its cause ended, None while it has not."""
    return _dumps(
        {
            "task_id": task_id,
            "shop_id": shop_id,
            "order_id": order_id,
            "buyer_id": buyer_id,
            "kind": task.kind,
            "agent_id": task.agent_id,
            "status": "open" if ended_ts is None else "closed",
            "due_ts": task.due_ts,
            "closed_ts": ended_ts,
        }
    )


def withdrawn(final_at: int, *, final: bool) -> Inquiry:
    """Return the outcome of a reception that no inquiry is recorded of any more."""
    return Inquiry(NONE, NOT_COUNTED, None, (), final_at, final)


def say_agent_day(
    shop_id: str, agent_id: str, day: int, figures: AgentDay, ends: Ends, zone: Zone, watermark: int
) -> bytes:
    """Return what the figures of an agent's, or with `TOTAL` a shop's, day say."""
    tally = figures.tally
    final_at = figures.final_at(ends)
    groups: dict[str, dict[str, Any] | None] = {
        group: {
            "status": FINAL if figures.is_final(group, ends, watermark) else PENDING,
            "final_from": day_name(zone.day_of(final_at[group])),
        }
        for group in GROUPS
        if group != "silent" or agent_id == TOTAL
    }

    def put(group: str, more: Mapping[str, Any]) -> None:
        known = groups[group]
        assert known is not None
        known.update(more)

    put(
        "workload",
        {
            "consults": tally.consults,
            "receptions": tally.receptions,
            "unreplied": tally.unreplied,
            "reply_rate": rate(tally.receptions - tally.unreplied, tally.receptions),
            "buyer_messages": tally.buyer_messages,
            "agent_messages": tally.agent_messages,
            "answer_question_ratio": rate(tally.agent_messages, tally.buyer_messages),
            "agent_characters": tally.agent_characters,
            "first_response_ms": mean(tally.first_response_ms, tally.first_responses),
            "response_ms": mean(tally.response_ms, tally.responses),
            "slow_receptions": tally.slow,
            "max_simultaneous": figures.max_simultaneous,
        },
    )
    put(
        "inquiries",
        {
            "inquiries": tally.inquiries,
            "open": tally.open,
            "ordered": tally.ordered,
            "lost": tally.lost,
            "assists": tally.assists,
            "follow_ups": tally.follow_ups,
            "after_sales": tally.after_sales,
            "exempt": tally.exempt,
            "inquiry_to_order": rate(tally.ordered, tally.inquiries),
        },
    )
    put(
        "payments",
        {
            "paid": tally.paid,
            "payment_lost": tally.payment_lost,
            "inquiry_to_payment": rate(tally.paid, tally.inquiries),
            "order_to_payment": rate(tally.paid, tally.ordered),
        },
    )
    put(
        "placed",
        {"buyers": tally.placed_buyers, "orders": tally.placed_orders, "amount": tally.placed_amount},
    )
    put("paid", {"buyers": tally.paid_buyers, "orders": tally.paid_orders, "amount": tally.paid_amount})
    put(
        "sales",
        {
            "buyers": tally.sales_buyers,
            "orders": tally.sales_orders,
            "quantity": tally.sales_quantity,
            "amount": tally.sales_amount,
            "amount_per_buyer": mean(tally.sales_amount, tally.sales_buyers),
            "quantity_per_buyer": rate(tally.sales_quantity, tally.sales_buyers),
        },
    )
    if agent_id == TOTAL:
        put(
            "silent",
            {
                "buyers": tally.silent_buyers,
                "orders": tally.silent_orders,
                "quantity": tally.silent_quantity,
                "amount": tally.silent_amount,
            },
        )
    put("refunds", {"requested": tally.requested, "completed": tally.completed})
    final = all(group["status"] == FINAL for group in groups.values() if group is not None)
    head = {
        "shop_id": shop_id,
        "agent_id": agent_id,
        "day": day_name(day),
        "status": FINAL if final else PENDING,
    }
    return _dumps({**head, "silent": None, **groups})


def rate(part: int, whole: int) -> float | None:
    """Return a ratio to four digits; None where the denominator is 0."""
    return round(part / whole, 4) if whole else None


def mean(total: int, count: int) -> int | None:
    """Return a mean, rounded half up; None where there is nothing to take it of."""
    return (2 * total + count) // (2 * count) if count else None
