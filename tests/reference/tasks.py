"""Service tasks, recomputed from scratch from all that is known (RULEBOOK 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.days import DAY_MS, MINUTE_MS, at_clock, day_of, end_of_day, local_time
from tests.reference.inquiries import official_orders
from tests.reference.model import Judged
from tests.reference.receptions import Event
from tests.reference.settings import OFFICIAL, Rules, ShopSettings

Task = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """Why something is to be done for an order; times are epoch milliseconds."""

    kind: str
    agent_id: str | None
    began: int
    """From when on it is to be done, or to be known that it will be."""
    due: int
    ended: int | None
    """When it need not be done any more; None: it still has to."""


def tasks(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int,
    rulings: Sequence[Event] = (),
) -> dict[tuple[str, str, str], Task]:
    """Return the tasks per (shop_id, order_id, kind) when the watermark stands at ``watermark``.

    Here are those too that a worker need not have emitted: closed by the time at which they became known.
    All records are valid and accepted. Tasks lack what distinguishes emissions: revision, reason, watermark.
    """
    found = {}
    for judged in official_orders(chat, orders, settings, roster, watermark, rulings):
        order = judged.order
        shop = ShopSettings([r for r in settings if r["shop_id"] == order.shop_id])
        for cause in causes_of(judged, shop):
            if cause.began > watermark or (cause.ended is not None and cause.ended <= cause.began):
                continue
            ended = cause.ended if cause.ended is not None and cause.ended <= watermark else None
            found[order.shop_id, order.order_id, cause.kind] = {
                "task_id": f"{order.shop_id}|{order.order_id}|{cause.kind}",
                "shop_id": order.shop_id,
                "order_id": order.order_id,
                "buyer_id": order.buyer_id,
                "kind": cause.kind,
                "agent_id": cause.agent_id,
                "status": "open" if ended is None else "closed",
                "due_ts": cause.due,
                "closed_ts": ended,
            }
    return found


def causes_of(judged: Judged, shop: ShopSettings) -> Iterator[Cause]:
    """Yield what is to be done for an order, by the official settings of the day on which it was created."""
    if judged.order.excluded:
        return
    day = day_of(judged.order.created_ts, shop.days)
    rules = shop.rules_on(day, OFFICIAL)["tasks"]
    for kind in ("payment_reminder_sms", "payment_reminder"):
        if rules[kind]["enabled"]:
            yield from reminders_of(judged, kind, rules, shop)
    if rules["address_check"]["enabled"]:
        yield from address_checks_of(judged, shop)
    if rules["parcel_inspection"]["enabled"]:
        yield from parcel_inspections_of(judged, rules, shop)
    if rules["review_follow_up"]["enabled"]:
        yield from review_follow_ups_of(judged, rules, shop)


def reminders_of(judged: Judged, kind: str, rules: Rules, shop: ShopSettings) -> Iterator[Cause]:
    """The buyer has not paid for so long: the placing agent reminds, else who is on duty then."""
    order = judged.order
    placed = [e for e in order.events if e["type"] == "created"]
    if kind == "payment_reminder_sms" and placed and placed[0]["amount"] <= rules[kind]["min_amount"]:
        return
    due = order.created_ts + rules[kind]["minutes"] * MINUTE_MS
    deposit_ts = None if order.deposit is None else order.deposit["ts"]
    ends = [order.paid_ts, order.cancelled_ts, deposit_ts, judged.deadline]
    agent_id = agent_of(judged, "placing") or on_duty(due, rules["duty"], shop.days.zone)
    yield Cause(kind, agent_id, began=due, due=due, ended=min(ts for ts in ends if ts is not None))


def address_checks_of(judged: Judged, shop: ShopSettings) -> Iterator[Cause]:
    """The buyer has paid: the payment agent checks the address, unless nobody served the buyer.

    There is nothing to send once the order is cancelled or all of it refunded; the next day is too late.
    """
    order = judged.order
    if order.paid_ts is None or judged.decision["silence"] == "full":
        return
    ends = [end_of_day(order.paid_ts, shop.days)]
    if order.cancelled_ts is not None:
        ends.append(order.cancelled_ts)
    refunded = 0
    for event in order.refunds:
        if event["type"] == "refund_completed":
            refunded += event["amount"]
            if refunded >= order.amount:
                ends.append(event["ts"])
    agent_id = agent_of(judged, "payment")
    yield Cause("address_check", agent_id, began=order.paid_ts, due=order.paid_ts, ended=min(ends))


def parcel_inspections_of(judged: Judged, rules: Rules, shop: ShopSettings) -> Iterator[Cause]:
    """A parcel came back: who is on duty when it comes inspects it by a time of the clock."""
    returned = [e["ts"] for e in judged.order.events if e["type"] == "parcel_returned"]
    if not returned:
        return
    came, zone = returned[0], shop.days.zone
    day = local_time(came, zone).date()
    by = time.fromisoformat(rules["parcel_inspection"]["by"])
    due = at_clock(day, by, zone)
    if came > due:
        due = at_clock(day + timedelta(days=1), by, zone)
    inspected = [e["ts"] for e in judged.order.events if e["type"] == "parcel_inspected" and e["ts"] >= came]
    agent_id = on_duty(came, rules["duty"], zone)
    yield Cause("parcel_inspection", agent_id, began=came, due=due, ended=min(inspected, default=None))


def review_follow_ups_of(judged: Judged, rules: Rules, shop: ShopSettings) -> Iterator[Cause]:
    """The buyer is not content: who has the day of the first review follows up, else the credited agent."""
    reviews = [e for e in judged.order.events if e["type"] == "reviewed"]
    complaints = [n for n, e in enumerate(reviews) if e["review"] != "good"]
    if not complaints:
        return
    complaint = reviews[complaints[0]]["ts"]
    day = local_time(reviews[0]["ts"], shop.days.zone).day
    named = rules["review_follow_up"]["odd" if day % 2 else "even"]
    good = [e["ts"] for e in reviews[complaints[0] :] if e["review"] == "good"]
    yield Cause(
        "review_follow_up",
        named or agent_of(judged, "credit"),
        began=complaint,
        due=complaint + DAY_MS,
        ended=good[0] if good else None,
    )


def agent_of(judged: Judged, part: str) -> str | None:
    return None if judged.decision[part] is None else str(judged.decision[part]["agent_id"])


def on_duty(ts: int, duty: list[dict[str, Any]], zone: ZoneInfo) -> str | None:
    """Return whose shift an instant falls into by the shop's clock, the first of the list; None: nobody's."""
    local = local_time(ts, zone)
    weekday, clock = local.isoweekday(), f"{local:%H:%M}"
    holding = [
        shift for shift in duty if shift["weekday"] == weekday and shift["from"] <= clock < shift["to"]
    ]
    return str(holding[0]["agent_id"]) if holding else None
