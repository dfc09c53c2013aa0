"""The outcome of every inquiry, recomputed from scratch from all that is known (RULEBOOK 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.reference.days import DAY_MS, MINUTE_MS, end_after, end_of_day, passed
from tests.reference.model import Judged, judge_orders
from tests.reference.offline import settled_receptions
from tests.reference.receptions import Event, Reception, pause_minutes
from tests.reference.settings import OFFICIAL
from tests.reference.shops import Shop, shops_of

Inquiry = dict[str, Any]


def inquiries(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
    rulings: Sequence[Event] = (),
) -> dict[tuple[str, str, str, str], Inquiry]:
    """Return the outcome per (shop_id, buyer_id, agent_id, day) when the watermark stands at ``watermark``.

    All records are valid and accepted. Outcomes lack what distinguishes emissions: revision, reason,
    watermark.
    """
    judged = official_orders(chat, orders, settings, roster, watermark, rulings)
    records = {}
    for shop in shops_of(chat, orders, settings, roster):
        receptions = settled_receptions(shop, watermark)
        for reception in filter(is_recorded, receptions):
            buyer_id, agent_id = reception.buyer_id, reception.agent_id
            bought = [
                one
                for one in judged
                if (one.order.shop_id, one.order.buyer_id) == (shop.shop_id, buyer_id)
                and not one.order.excluded
            ]
            pair = [r for r in receptions if (r.buyer_id, r.agent_id) == (buyer_id, agent_id)]
            record = inquiry_of(reception, pair, bought, shop, watermark)
            records[shop.shop_id, buyer_id, agent_id, record["day"]] = record
    return records


def official_orders(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
    rulings: Sequence[Event] = (),
) -> list[Judged]:
    """Return all orders of which a creation is known, judged under the official settings."""
    judged = judge_orders(chat, orders, settings, roster, watermark, rulings)
    return [one for (_, _, profile), one in judged.items() if profile == OFFICIAL]


def is_recorded(reception: Reception) -> bool:
    """Say whether there is a record of a reception: it is unfiltered, its agent ``presale``."""
    return reception.filtered is None and reception.role == "presale"


@dataclass(frozen=True)
class Row:
    """One row of the table of RULEBOOK 7, as it is found to hold."""

    kind: str
    outcome: str
    orders: list[Judged]
    final_at: int
    exempt: str | None = None


def inquiry_of(
    reception: Reception, pair: list[Reception], bought: list[Judged], shop: Shop, watermark: int | None
) -> Inquiry:
    """Say what came of one reception; ``bought`` are the buyer's orders, ``pair`` its receptions here."""
    row = (
        _ordered(reception, bought, shop, watermark)
        or _ordered_otherwise(reception, bought, shop)
        or _of_an_order_before(reception, bought, shop)
        or _without_order(reception, pair, shop, watermark)
    )
    return {
        "shop_id": shop.shop_id,
        "buyer_id": reception.buyer_id,
        "agent_id": reception.agent_id,
        "day": reception.day.isoformat(),
        "status": "final" if passed(watermark, row.final_at) else "pending",
        "kind": row.kind,
        "outcome": row.outcome,
        "exempt": row.exempt,
        "order_ids": sorted(one.order.order_id for one in row.orders),
        "final_at": row.final_at,
    }


def _ordered(reception: Reception, bought: list[Judged], shop: Shop, watermark: int | None) -> Row | None:
    """Row 1: the agent is the placing agent of an order that followed."""
    following = _following(reception, bought, shop)
    placed = [one for one in following if _placing_agent(one) == reception.agent_id]
    if not placed:
        return None
    days = shop.settings.days
    until = [end_of_day(one.deadline, days) for one in placed if one.order.deposit is not None]
    payable_until = max([end_after(reception.day, 2, days), *until])
    if any(one.order.paid_ts is not None and one.order.paid_ts < payable_until for one in placed):
        outcome = "paid"
    elif passed(watermark, payable_until):
        outcome = "payment_lost"
    else:
        outcome = "ordered"
    return Row("inquiry", outcome, placed, payable_until)


def _ordered_otherwise(reception: Reception, bought: list[Judged], shop: Shop) -> Row | None:
    """Rows 2 and 2a: orders followed that another agent, or nobody, is the placing agent of."""
    following = _following(reception, bought, shop)
    if not following:
        return None
    of_others = [one for one in following if _placing_agent(one) is not None]
    said = [m["ts"] for m in reception.counted if m["sender"] == "agent"]
    helped = any(ts < one.order.created_ts for ts in said for one in of_others)
    kind = "assist" if helped else "self_ordered"
    return Row(kind, "not_counted", following, end_after(reception.day, 1, shop.settings.days))


def _of_an_order_before(reception: Reception, bought: list[Judged], shop: Shop) -> Row | None:
    """Rows 3 and 4: the reception is about an order placed before."""
    f = reception.first_ts
    final_at = end_after(reception.day, 1, shop.settings.days)
    unpaid = [one for one in bought if one.order.created_ts < f and _is_open(one, f)]
    if unpaid:
        return Row("follow_up", "not_counted", unpaid, final_at)
    after_sales_ms = shop.settings.rules_on(reception.day, OFFICIAL)["after_sales_days"] * DAY_MS
    paid = [
        one
        for one in bought
        if one.order.paid_ts is not None and one.order.paid_ts <= f < one.order.paid_ts + after_sales_ms
    ]
    return Row("after_sales", "not_counted", paid, final_at) if paid else None


def _without_order(reception: Reception, pair: list[Reception], shop: Shop, watermark: int | None) -> Row:
    """Row 5: no order has to do with the reception."""
    final_at = end_after(reception.day, 1, shop.settings.days)
    exempt = exemption_of(reception, pair, shop)
    if exempt is not None:
        return Row("inquiry", "not_counted", [], final_at, exempt)
    return Row("inquiry", "lost" if passed(watermark, final_at) else "open", [], final_at)


def _following(reception: Reception, bought: list[Judged], shop: Shop) -> list[Judged]:
    """Return the buyer's orders that could have followed from a reception."""
    end = end_after(reception.day, 1, shop.settings.days)
    return [one for one in bought if reception.first_ts <= one.order.created_ts < end]


def _placing_agent(judged: Judged) -> str | None:
    placing = judged.decision["placing"]
    return None if placing is None else str(placing["agent_id"])


def _is_open(judged: Judged, ts: int) -> bool:
    """Say whether an order was at an instant neither paid nor cancelled nor past its payment deadline."""
    ends = [judged.deadline, judged.order.paid_ts, judged.order.cancelled_ts]
    return all(end is None or ts < end for end in ends)


def exemption_of(reception: Reception, pair: list[Reception], shop: Shop) -> str | None:
    """Return why a reception without an order is no lost inquiry, if so."""
    rules = shop.settings.rules_on(reception.day, OFFICIAL)
    exempt = rules["agent_initiated_exempt"]
    if exempt["enabled"] and _is_agent_initiated(reception, pair, exempt["first_reply_days"]):
        return "agent_initiated"
    pause_ms = pause_minutes(rules) * MINUTE_MS
    if rules["overnight_once"] and _runs_past_midnight(reception, pair, pause_ms):
        return "overnight"
    return None


def _is_agent_initiated(reception: Reception, pair: list[Reception], first_reply_days: int) -> bool:
    """Say whether the agent sought out the buyer, now or on a day before to which this is the first reply."""
    if reception.initiator == "agent":
        return True
    earliest = reception.day - timedelta(days=first_reply_days)
    asked = [m["ts"] for r in pair for m in r.messages if m["sender"] == "buyer"]
    return any(
        before.initiator == "agent" and not any(before.first_ts <= ts < reception.first_ts for ts in asked)
        for before in pair
        if earliest <= before.day < reception.day
    )


def _runs_past_midnight(reception: Reception, pair: list[Reception], pause_ms: int) -> bool:
    """Say whether the chat goes on the next day, in a reception that is recorded in its place."""
    next_day = reception.day + timedelta(days=1)
    return any(
        is_recorded(after) and after.first_ts - reception.last_ts < pause_ms
        for after in pair
        if after.day == next_day
    )
