"""The outcome of every inquiry, recomputed from scratch from all that is known (RULEBOOK 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.reference.days import HOUR_MS, MINUTE_MS, day_of, end_after, passed
from tests.reference.model import Decision, judge
from tests.reference.offline import settled_receptions
from tests.reference.receptions import Event, Reception
from tests.reference.settings import OFFICIAL
from tests.reference.shops import Shop, shops_of

Inquiry = dict[str, Any]

DAY_MS = 24 * HOUR_MS
OVERNIGHT_WAIT_MINUTES = 10
"""The longest pause of a chat that runs past midnight, where the longest wait is off."""


def inquiries(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
) -> dict[tuple[str, str, str, str], Inquiry]:
    """Return the outcome per (shop_id, buyer_id, agent_id, day) when the watermark stands at ``watermark``.

    All records are valid and accepted. Outcomes lack what distinguishes emissions: revision, reason,
    watermark.
    """
    decisions = official_decisions(chat, orders, settings, roster, watermark)
    records = {}
    for shop in shops_of(chat, orders, settings, roster):
        receptions = settled_receptions(shop, watermark)
        for reception in filter(is_recorded, receptions):
            buyer_id, agent_id = reception.buyer_id, reception.agent_id
            bought = [d for d in decisions if (d["shop_id"], d["buyer_id"]) == (shop.shop_id, buyer_id)]
            pair = [r for r in receptions if (r.buyer_id, r.agent_id) == (buyer_id, agent_id)]
            record = inquiry_of(reception, pair, bought, shop, watermark)
            records[shop.shop_id, buyer_id, agent_id, record["day"]] = record
    return records


def official_decisions(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
) -> list[Decision]:
    """Return the decisions on all orders of which a creation is known, under the official settings."""
    decisions = judge(chat, orders, settings, roster, watermark)
    return [d for (_, _, profile), d in decisions.items() if profile == OFFICIAL]


def is_recorded(reception: Reception) -> bool:
    """Say whether there is a record of a reception: it is unfiltered, its agent ``presale``."""
    return reception.filtered is None and reception.role == "presale"


@dataclass(frozen=True)
class Row:
    """One row of the table of RULEBOOK 7, as it is found to hold."""

    kind: str
    outcome: str
    orders: list[Decision]
    final_at: int
    exempt: str | None = None


def inquiry_of(
    reception: Reception, pair: list[Reception], bought: list[Decision], shop: Shop, watermark: int | None
) -> Inquiry:
    """Say what came of one reception; ``bought`` are the buyer's orders, ``pair`` its receptions here."""
    row = (
        _ordered(reception, bought, shop, watermark)
        or _not_counted(reception, bought, shop)
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
        "order_ids": sorted(d["order_id"] for d in row.orders),
        "final_at": row.final_at,
    }


def _ordered(reception: Reception, bought: list[Decision], shop: Shop, watermark: int | None) -> Row | None:
    """Row 1: the agent is the placing agent of an order that followed."""
    placed = [
        d
        for d in _following(reception, bought, shop)
        if d["placing"] is not None and d["placing"]["agent_id"] == reception.agent_id
    ]
    if not placed:
        return None
    payable_until = end_after(reception.day, 2, shop.settings.zone)
    if any(d["paid_ts"] is not None and d["paid_ts"] < payable_until for d in placed):
        outcome = "paid"
    elif passed(watermark, payable_until):
        outcome = "payment_lost"
    else:
        outcome = "ordered"
    return Row("inquiry", outcome, placed, payable_until)


def _not_counted(reception: Reception, bought: list[Decision], shop: Shop) -> Row | None:
    """Rows 2 to 4: others' orders followed, or the reception is about an order placed before."""
    f = reception.first_ts
    final_at = end_after(reception.day, 1, shop.settings.zone)
    after_sales_ms = shop.settings.rules_on(reception.day, OFFICIAL)["after_sales_days"] * DAY_MS
    rows = {
        "assist": _following(reception, bought, shop),
        "follow_up": [d for d in bought if d["created_ts"] < f and _is_open(d, f, shop)],
        "after_sales": [
            d
            for d in bought
            if d["paid_ts"] is not None and d["paid_ts"] <= f < d["paid_ts"] + after_sales_ms
        ],
    }
    for kind, orders in rows.items():
        if orders:
            return Row(kind, "not_counted", orders, final_at)
    return None


def _without_order(reception: Reception, pair: list[Reception], shop: Shop, watermark: int | None) -> Row:
    """Row 5: no order has to do with the reception."""
    final_at = end_after(reception.day, 1, shop.settings.zone)
    exempt = exemption_of(reception, pair, shop)
    if exempt is not None:
        return Row("inquiry", "not_counted", [], final_at, exempt)
    return Row("inquiry", "lost" if passed(watermark, final_at) else "open", [], final_at)


def _following(reception: Reception, bought: list[Decision], shop: Shop) -> list[Decision]:
    """Return the buyer's orders that could have followed from a reception."""
    end = end_after(reception.day, 1, shop.settings.zone)
    return [d for d in bought if reception.first_ts <= d["created_ts"] < end]


def _is_open(decision: Decision, ts: int, shop: Shop) -> bool:
    """Say whether an order was at an instant neither paid nor cancelled nor past its payment deadline."""
    rules = shop.settings.rules_on(day_of(decision["created_ts"], shop.settings.zone), OFFICIAL)
    deadline = decision["created_ts"] + rules["payment_deadline_hours"] * HOUR_MS
    ends = [deadline, decision["paid_ts"], decision["cancelled_ts"]]
    return all(end is None or ts < end for end in ends)


def exemption_of(reception: Reception, pair: list[Reception], shop: Shop) -> str | None:
    """Return why a reception without an order is no lost inquiry, if so."""
    rules = shop.settings.rules_on(reception.day, OFFICIAL)
    exempt = rules["agent_initiated_exempt"]
    if exempt["enabled"] and _is_agent_initiated(reception, pair, exempt["first_reply_days"]):
        return "agent_initiated"
    longest = rules["max_wait_minutes"]
    pause_ms = (OVERNIGHT_WAIT_MINUTES if longest is None else longest) * MINUTE_MS
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
