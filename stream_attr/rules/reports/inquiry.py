"""Inquiry outcomes: what each pre-sales reception led to (RULEBOOK 7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from stream_attr.rules.chat.message import AGENT, BUYER
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.shop.days import DAY_MS, MINUTE_MS
from stream_attr.rules.shop.settings import OFFICIAL, Settings
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import (
    AFTER_SALES,
    ASSIST,
    FOLLOW_UP,
    INQUIRY,
    LOST,
    NOT_COUNTED,
    OPEN,
    ORDERED,
    PAID,
    PAYMENT_LOST,
    SELF_ORDERED,
    Role,
)

_PRESALE: Final = Role.PRESALE.value


def inquiry_of(
    agent_id: str,
    day: int,
    fact: Fact,
    receptions: Mapping[int, Reception],
    after: Fact | None,
    soon: Iterable[Order],
    orders: Collection[Order],
    shop: Shop,
    watermark: int,
) -> Inquiry:
    """Return what a reception led to at a watermark.

    ``fact``: its figures, of which an inquiry is recorded. ``receptions``: those of the buyer with this
    agent, by day. ``after``: the figures of the next day's. ``soon``: the orders of this day and the
    next, and perhaps others. ``orders``: all of the buyer's.
    """
    waits = fact.may_be_offline and receptions[day].closed_ts is None
    end_of_next = shop.zone.start_of(day + 2)
    settings = shop.settings_on(day)
    if orders:
        inquiry = _ordered(
            agent_id,
            day,
            fact,
            receptions[day],
            soon,
            orders,
            shop,
            settings,
            watermark,
            end_of_next,
            waits=waits,
        )
        if inquiry is not None:
            return inquiry
    over = watermark >= end_of_next and not waits
    exempt = _exemption(day, fact, receptions, after, settings, shop)
    if exempt is not None:
        return Inquiry(INQUIRY, NOT_COUNTED, exempt, (), end_of_next, over)
    return Inquiry(INQUIRY, LOST if over else OPEN, None, (), end_of_next, over)


def is_recorded(fact: Fact) -> bool:
    """Whether an inquiry is recorded of a reception (RULEBOOK 7)."""
    return fact.filtered is None and fact.role == _PRESALE


def _ordered(
    agent_id: str,
    day: int,
    fact: Fact,
    reception: Reception,
    soon: Iterable[Order],
    orders: Iterable[Order],
    shop: Shop,
    settings: Settings,
    watermark: int,
    end_of_next: int,
    *,
    waits: bool,
) -> Inquiry | None:
    """Return what a reception led to where an order decides it; None: no order does."""
    f = fact.first_ts
    following = [
        order
        for order in soon
        if order.created_ts is not None and f <= order.created_ts < end_of_next and not order.is_excluded
    ]
    placed = [order for order in following if _placed_by(order) == agent_id]
    if placed:
        payable_until = max([shop.zone.start_of(day + 3), *_balances_until(placed, shop)])
        over = watermark >= payable_until and not waits
        if any(order.paid_ts is not None and order.paid_ts < payable_until for order in placed):
            outcome = PAID
        else:
            outcome = PAYMENT_LOST if over else ORDERED
        return Inquiry(INQUIRY, outcome, None, _ids(placed), payable_until, over)
    over = watermark >= end_of_next and not waits
    if following:
        kind = ASSIST if _has_assisted(agent_id, day, reception, following, shop) else SELF_ORDERED
        return Inquiry(kind, NOT_COUNTED, None, _ids(following), end_of_next, over)
    known = [order for order in orders if order.created_ts is not None and not order.is_excluded]
    unpaid = [order for order in known if (order.created_ts or 0) < f < _open_until(order, shop)]
    if unpaid:
        return Inquiry(FOLLOW_UP, NOT_COUNTED, None, _ids(unpaid), end_of_next, over)
    after_sales_ms = settings.after_sales_days * DAY_MS
    served = [
        order
        for order in known
        if order.paid_ts is not None and order.paid_ts <= f < order.paid_ts + after_sales_ms
    ]
    if served:
        return Inquiry(AFTER_SALES, NOT_COUNTED, None, _ids(served), end_of_next, over)
    return None


def _has_assisted(
    agent_id: str, day: int, reception: Reception, following: Iterable[Order], shop: Shop
) -> bool:
    """Whether the agent spoke in a reception before an order was created that another agent placed."""
    others = [order.created_ts or 0 for order in following if _placed_by(order) not in (None, agent_id)]
    if not others:
        return False
    latest = max(others)
    ineffective = shop.reception_rules(day).ineffective_flags
    for message in reception.messages:
        if message.side == AGENT and not message.flags & ineffective:
            return message.ts < latest
    return False


def _placed_by(order: Order) -> str | None:
    emitted = order.emitted.get(OFFICIAL)
    return None if emitted is None else emitted.verdict.placing


def _open_until(order: Order, shop: Shop) -> int:
    """Return when an order stopped waiting for its payment."""
    created_ts = order.created_ts or 0
    hours = _deadline_hours(created_ts, shop)
    ends = (order.deadline(created_ts, hours), order.paid_ts, order.cancelled_ts)
    return min([end for end in ends if end is not None])


def _balances_until(orders: list[Order], shop: Shop) -> list[int]:
    """Return the ends of the days until which the balances of the orders with a deposit can be paid."""
    return [
        shop.zone.end_of_day(order.deadline(created_ts, _deadline_hours(created_ts, shop)))
        for order in orders
        if order.deposit is not None and (created_ts := order.created_ts) is not None
    ]


def _deadline_hours(created_ts: int, shop: Shop) -> int:
    return shop.settings_on(shop.zone.day_of(created_ts)).payment_deadline_hours


def _ids(orders: list[Order]) -> tuple[str, ...]:
    return tuple(sorted([order.order_id for order in orders]))


def _exemption(
    day: int,
    fact: Fact,
    receptions: Mapping[int, Reception],
    after: Fact | None,
    settings: Settings,
    shop: Shop,
) -> str | None:
    exempt = settings.agent_initiated_exempt
    if exempt.enabled and _is_agent_initiated(day, fact, receptions, exempt.first_reply_days, shop):
        return "agent_initiated"
    pause_ms = settings.pause_minutes * MINUTE_MS
    if (
        settings.overnight_once
        and after is not None
        and is_recorded(after)
        and after.first_ts - fact.last_ts < pause_ms
    ):
        return "overnight"
    return None


def _is_agent_initiated(
    day: int, fact: Fact, receptions: Mapping[int, Reception], first_reply_days: int, shop: Shop
) -> bool:
    """Whether the agent contacted the buyer first, on this day or on one to which this is the first reply."""
    if not fact.by_buyer:
        return True
    for before in range(day - 1, day - first_reply_days - 1, -1):
        reception = receptions.get(before)
        if reception is None or not reception.messages:
            continue
        if any(message.side == BUYER for message in reception.messages):
            return False  # nor is it a reply to a day before that one
        if not reception.is_by_buyer(before, shop):
            return True
    return False
