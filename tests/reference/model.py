"""The last decision on every order, recomputed from scratch from all that is known (RULEBOOK 5, 6, 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.reference.days import DAY_MS, HOUR_MS, MINUTE_MS, day_of, end_of_day, first_instant, passed
from tests.reference.intervals import (
    Figures,
    candidates_within,
    counted_within,
    pick,
    qualified_followups,
    spoke,
)
from tests.reference.orders import Event, Order, order_of
from tests.reference.receptions import Reception, Roster, receptions_of
from tests.reference.settings import OFFICIAL, Rules, ShopSettings

Decision = dict[str, Any]

PAYMENT_REACH_MS = 20 * DAY_MS
"""How far before the payment its interval reaches at most (RULEBOOK 5)."""

REFUNDS_SHOWN = 100
PRODUCTS_SHOWN = 100


@dataclass(frozen=True)
class Judged:
    """An order, judged under one profile."""

    order: Order
    deadline: int
    """Until when it can be paid, epoch milliseconds: ``d`` of the rulebook."""
    decision: Decision


def judge(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
    rulings: Sequence[Event] = (),
) -> dict[tuple[str, str, str], Decision]:
    """Return the last decision per (shop_id, order_id, profile) when the watermark stands at ``watermark``.

    All records are valid and accepted; of events with one id the first in the list is the event. ``None`` is
    the end of time. Decisions lack what distinguishes emissions: revision, reason, watermark, ids.
    """
    judged = judge_orders(chat, orders, settings, roster, watermark, rulings)
    return {key: one.decision for key, one in judged.items()}


def judge_orders(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
    rulings: Sequence[Event] = (),
) -> dict[tuple[str, str, str], Judged]:
    """Return the same as ``judge``, with the facts of each order."""
    chat, orders, rulings = once(chat), once(orders), once(rulings)
    found = {}
    for shop_id, buyer_id, order_id in sorted({_order(e) for e in orders}):
        order = order_of(
            [e for e in orders if _order(e) == (shop_id, buyer_id, order_id)],
            [e for e in rulings if _order(e) == (shop_id, buyer_id, order_id)],
        )
        if order is None:
            continue
        shop = ShopSettings([r for r in settings if r["shop_id"] == shop_id])
        agents = Roster([r for r in roster if r["shop_id"] == shop_id])
        messages = [e for e in chat if (e["shop_id"], e["buyer_id"]) == (shop_id, buyer_id)]
        for profile in shop.profiles_on(day_of(order.created_ts, shop.days)):
            receptions = receptions_of(buyer_id, messages, profile, shop, agents)
            found[shop_id, order_id, profile] = decide(order, profile, receptions, shop, watermark)
    return found


def decide(
    order: Order, profile: str, receptions: list[Reception], shop: ShopSettings, watermark: int | None
) -> Judged:
    """Judge one order under one profile."""
    day = day_of(order.created_ts, shop.days)
    rules, record = shop.rules_on(day, profile), shop.record_on(day)
    deadline = deadline_of(order, rules)
    ruling = order.ruling if profile == OFFICIAL else None
    if order.excluded:
        verdict = excluded_verdict(order, shop)
    else:
        verdict = verdict_on(order, ruling, deadline, rules, receptions, shop, watermark)
    decision = {
        "shop_id": order.shop_id,
        "order_id": order.order_id,
        "buyer_id": order.buyer_id,
        "profile": profile,
        "preset": rules["preset"],
        "settings_from": None if record is None else record["effective_from"],
        "status": "final" if passed(watermark, verdict["final_at"]) else "pending",
        "amount": order.amount,
        "quantity": order.quantity,
        "currency": order.currency,
        "product_ids": sorted(order.product_ids)[:PRODUCTS_SHOWN],
        "refund_requested": order.refund_requested,
        "refund_completed": order.refund_completed,
        "net_amount": order.amount - order.refund_completed,
        "created_ts": order.created_ts,
        "deposit_ts": None if order.deposit is None else order.deposit["ts"],
        "deposit_amount": None if order.deposit is None else order.deposit["amount"],
        "paid_ts": order.paid_ts,
        "cancelled_ts": order.cancelled_ts,
        "ruling": None
        if ruling is None
        else {
            "agent_id": ruling.get("agent_id"),
            "ruled_by": ruling["ruled_by"],
            "ts": ruling["ts"],
            "event_id": ruling["event_id"],
        },
        "notices": order.notices,
        "refunds": [
            {
                "refund_id": e.get("refund_id"),
                "ts": e["ts"],
                "amount": e["amount"],
                "completed": e["type"] == "refund_completed",
            }
            for e in order.refunds[:REFUNDS_SHOWN]
        ],
        "refunds_cut": len(order.refunds) > REFUNDS_SHOWN,
        **verdict,
    }
    return Judged(order, deadline, decision)


def deadline_of(order: Order, rules: Rules) -> int:
    """Return until when an order can be paid: what its deposit says, else so many hours."""
    if order.deposit is not None and "balance_until" in order.deposit:
        return int(order.deposit["balance_until"])
    return int(order.created_ts + rules["payment_deadline_hours"] * HOUR_MS)


def excluded_verdict(order: Order, shop: ShopSettings) -> Decision:
    """Return what is decided of an excluded order: that nobody has to do with it."""
    return {
        "outcome": "excluded",
        "silence": None,
        "placing": None,
        "payment": None,
        "credit": None,
        "assists": [],
        "final_at": end_of_day(order.created_ts, shop.days),
        "candidates": [],
        "discarded": [],
    }


def verdict_on(
    order: Order,
    ruling: Event | None,
    deadline: int,
    rules: Rules,
    receptions: list[Reception],
    shop: ShopSettings,
    watermark: int | None,
) -> Decision:
    """Say who brought about an order that is not excluded, who is credited, and what became of it."""
    c, p, x, d = order.created_ts, order.paid_ts, order.cancelled_ts, deadline
    start = validity_start(c, rules, shop)
    priority = rules["product_priority"]

    placing = candidates_within(receptions, start, c, order.product_ids, priority)
    payment: dict[str, Figures] = {}
    if p is not None:
        payment_start = max(start, p - PAYMENT_REACH_MS)
        payment = candidates_within(receptions, payment_start, p, order.product_ids, priority)
    placing_pick = pick(placing, rules["placing_rule"])
    payment_pick = pick(payment, rules["payment_rule"])

    full_silent = p is not None and placing_pick is None and payment_pick is None
    admitted = {side for side in ("buyer", "agent") if rules["silent_followup"][f"{side}_initiated"]}
    minutes_ms = rules["silent_followup"]["minutes"] * MINUTE_MS
    followed_up = p is not None and full_silent and bool(admitted)
    followup: dict[str, Figures] = {}
    if p is not None and followed_up:
        followup = qualified_followups(receptions, p, minutes_ms, admitted, order.product_ids)

    credit = None
    if p is not None:
        credit = credit_of(rules["credit_rule"], placing_pick, payment_pick, followup)
        if ruling is not None:
            credit = credit_by(ruling, rules["credit_rule"])

    if p is not None:
        outcome = "credited" if credit else "silent"
        final_at = end_of_day(max(c, p + minutes_ms if followed_up else p), shop.days)
    elif x is not None and x < d:
        outcome, final_at = "cancelled", end_of_day(max(c, x), shop.days)
    else:
        outcome = "unpaid" if passed(watermark, d) else "awaiting_payment"
        final_at = end_of_day(max(c, d), shop.days)

    kept = [(start, c, placing)]
    if p is not None:
        kept.append((payment_start, p, payment))
    if p is not None and followed_up:
        kept.append((p + 1, p + minutes_ms + 1, followup))
    return {
        "outcome": outcome,
        "silence": silence_of(p, placing_pick, payment_pick),
        "placing": _picked(placing_pick, rules["placing_rule"]),
        "payment": _picked(payment_pick, rules["payment_rule"]),
        "credit": credit,
        "assists": assists_of(order, receptions, placing, placing_pick, payment_pick, credit, d),
        "final_at": final_at,
        "candidates": candidates_receipt(placing, payment, followup),
        "discarded": discarded_receipt(receptions, kept, followed_up=followed_up),
    }


def validity_start(created_ts: int, rules: Rules, shop: ShopSettings) -> int:
    """Return where the chats begin that still count for an order."""
    validity = rules["validity"]
    if "hours" in validity:
        return int(created_ts - validity["hours"] * HOUR_MS)
    day = day_of(created_ts, shop.days)
    return first_instant(day - timedelta(days=validity["natural_days"]), shop.days)


def silence_of(paid_ts: int | None, placing: Figures | None, payment: Figures | None) -> str | None:
    if placing is not None:
        return "none"
    if paid_ts is None:
        return None
    return "full" if payment is None else "semi"


CREDIT_RULES = ("payment", "order", "order_first")
"""The rules that `credit_of` knows."""


def credit_of(
    rule: str, placing: Figures | None, payment: Figures | None, followup: dict[str, Figures]
) -> dict[str, str] | None:
    """Say who is credited with a paid order, and on what basis."""
    if rule != "payment" and placing is not None:
        return {"agent_id": placing.agent_id, "basis": "placing", "rule": rule}
    if rule != "order" and payment is not None:
        return {"agent_id": payment.agent_id, "basis": "payment", "rule": rule}
    if followup:
        earliest = min(followup.values(), key=lambda f: (f.first_ts, f.agent_id))
        return {"agent_id": earliest.agent_id, "basis": "followup", "rule": rule}
    return None


def credit_by(ruling: Event, rule: str) -> dict[str, str] | None:
    """Say who is credited by a person's ruling; None: nobody."""
    agent_id = ruling.get("agent_id")
    return None if agent_id is None else {"agent_id": agent_id, "basis": "ruling", "rule": rule}


def assists_of(
    order: Order,
    receptions: list[Reception],
    placing: dict[str, Figures],
    placing_pick: Figures | None,
    payment_pick: Figures | None,
    credit: dict[str, str] | None,
    deadline: int,
) -> list[dict[str, str]]:
    """Return who served the buyer for an order that is another's, sorted by kind, then agent."""

    def answering(from_ts: int, to_ts: int) -> set[str]:
        inside = counted_within(receptions, from_ts, to_ts)
        return {agent_id for agent_id, messages in inside.items() if spoke(messages, "agent")}

    placed_by = {placing_pick.agent_id} if placing_pick else set()
    paid_by = {payment_pick.agent_id} if payment_pick else set()
    credited = {credit["agent_id"]} if credit else set()
    found = {"order": set(placing) - placed_by}
    if order.paid_ts is not None:
        found["payment"] = answering(order.created_ts, order.paid_ts) - paid_by
    else:
        end = deadline if order.cancelled_ts is None else min(order.cancelled_ts, deadline)
        found["followup"] = answering(order.created_ts, end) - placed_by
    pairs = sorted((kind, agent_id) for kind, agents in found.items() for agent_id in agents - credited)
    return [{"agent_id": agent_id, "kind": kind} for kind, agent_id in pairs]


def candidates_receipt(
    placing: dict[str, Figures], payment: dict[str, Figures], followup: dict[str, Figures]
) -> list[dict[str, Any]]:
    """Return every candidate with its figures in each interval, null where it was none."""
    return [
        {
            "agent_id": agent_id,
            "placing": placing[agent_id].receipt() if agent_id in placing else None,
            "payment": payment[agent_id].receipt() if agent_id in payment else None,
            "followup": {**followup[agent_id].receipt(), "initiator": followup[agent_id].initiator}
            if agent_id in followup
            else None,
        }
        for agent_id in sorted({*placing, *payment, *followup})
    ]


def discarded_receipt(
    receptions: list[Reception], kept: list[tuple[int, int, dict[str, Figures]]], *, followed_up: bool
) -> list[dict[str, str]]:
    """Return every reception in the intervals that made nobody a candidate, and why.

    ``kept`` holds placing, payment and follow-up interval as far as they exist, with who counts in each.
    """
    discarded = []
    for reception in sorted(receptions, key=lambda r: (r.agent_id, r.day)):
        agent_id = reception.agent_id
        if not any(_inside(reception.messages, begin, end) for begin, end, _ in kept):
            continue
        counts = any(agent_id in agents and _inside(reception.counted, b, e) for b, e, agents in kept)
        if reception.creditable and counts:
            continue
        by_priority = kept[:-1] if followed_up else kept
        effective = [m for m in reception.counted if m["sender"] == "agent"]
        if reception.filtered is not None:
            reason = reception.filtered
        elif reception.role != "presale":
            reason = f"role_{reception.role}"
        elif any(_inside(effective, begin, end) for begin, end, _ in by_priority):
            reason = "other_product"
        elif followed_up and _inside(effective, *kept[-1][:2]):
            begin, end, _ = kept[-1]
            both_spoke = spoke(counted_within(receptions, begin, end)[agent_id], "buyer")
            reason = "followup_not_admitted" if both_spoke else "followup_one_sided"
        else:
            reason = "no_effective_message"
        discarded.append({"agent_id": agent_id, "day": reception.day.isoformat(), "reason": reason})
    return discarded


def _inside(messages: list[Event], from_ts: int, to_ts: int) -> bool:
    return any(from_ts <= m["ts"] < to_ts for m in messages)


def _picked(figures: Figures | None, rule: str) -> dict[str, Any] | None:
    if figures is None:
        return None
    return {
        "agent_id": figures.agent_id,
        "rule": rule,
        "last_ts": figures.last_ts,
        "rounds": figures.rounds,
    }


def _order(event: Event) -> tuple[str, str, str]:
    return event["shop_id"], event["buyer_id"], event["order_id"]


def once(events: Sequence[Event]) -> list[Event]:
    """Drop repeats: the first event of an id is the event."""
    first: dict[tuple[str, str], Event] = {}
    for event in events:
        first.setdefault((event["shop_id"], event["event_id"]), event)
    return list(first.values())
