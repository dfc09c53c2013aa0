"""Service tasks, recomputed from scratch from all that is known (RULEBOOK 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.days import DAY_MS, MINUTE_MS, at_clock, day_of, end_of_day, local_time, passed
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
    due: int
    ends: list[int]
    """When something happened by which it need not be done any more, by whatever is known."""
    ends_at: int | None = None
    """When it need not be done any more, if nothing happens."""
    from_due_on: bool = False
    """Whether it is to be done once it is due; else as soon as its cause is known."""


def tasks(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int,
    rulings: Sequence[Event] = (),
) -> dict[tuple[str, str, str], Task]:
    """Return the tasks per (shop_id, order_id, kind) when the watermark stands at ``watermark``.

    Those that are closed are here, too, though a worker need not have emitted one that closed before it was
    known. All records are valid and accepted. Tasks lack what distinguishes emissions: revision, reason,
    watermark.
    """
    found = {}
    for judged in official_orders(chat, orders, settings, roster, watermark, rulings):
        order = judged.order
        shop = ShopSettings([r for r in settings if r["shop_id"] == order.shop_id])
        for cause in causes_of(judged, shop):
            ends = list(cause.ends)
            if cause.ends_at is not None and (ends or passed(watermark, cause.ends_at)):
                ends.append(cause.ends_at)
            if cause.from_due_on and (watermark < cause.due or min(ends, default=watermark + 1) <= cause.due):
                continue
            found[order.shop_id, order.order_id, cause.kind] = {
                "task_id": f"{order.shop_id}|{order.order_id}|{cause.kind}",
                "shop_id": order.shop_id,
                "order_id": order.order_id,
                "buyer_id": order.buyer_id,
                "kind": cause.kind,
                "agent_id": cause.agent_id,
                "status": "closed" if ends else "open",
                "due_ts": cause.due,
                "closed_ts": min(ends, default=None),
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
    ends = [ts for ts in (order.paid_ts, order.cancelled_ts, deposit_ts) if ts is not None]
    agent_id = agent_of(judged, "placing") or on_duty(due, rules["duty"], shop.days.zone)
    yield Cause(kind, agent_id, due, ends, ends_at=judged.deadline, from_due_on=True)


def address_checks_of(judged: Judged, shop: ShopSettings) -> Iterator[Cause]:
    """The buyer has paid: the payment agent checks the address, unless nobody served the buyer.

    Of an order that has a placing agent alone, that one does. There is nothing to send once the order is
    cancelled or all of it refunded; the next day is too late.
    """
    order = judged.order
    if order.paid_ts is None or judged.decision["silence"] == "full":
        return
    ends = [] if order.cancelled_ts is None else [order.cancelled_ts]
    refunded = 0
    for event in order.refunds:
        if event["type"] == "refund_completed":
            refunded += event["amount"]
            if refunded >= order.amount:
                ends.append(event["ts"])
    ends_at = end_of_day(max(order.created_ts, order.paid_ts), shop.days)
    agent_id = agent_of(judged, "payment") or agent_of(judged, "placing")
    yield Cause("address_check", agent_id, order.paid_ts, ends, ends_at)


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
    yield Cause("parcel_inspection", on_duty(came, rules["duty"], zone), due, inspected)


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
    agent_id = named or agent_of(judged, "credit")
    yield Cause("review_follow_up", agent_id, due=complaint + DAY_MS, ends=good)


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
