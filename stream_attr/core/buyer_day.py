"""What one buyer adds to a shop's figures of one day (RULEBOOK 8).

It is stated whole, and replaces what was stated of that buyer and day before: a roll-up takes the old back
and adds the new, so nothing is counted twice, however often it is stated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from stream_attr.core.fact import Fact
from stream_attr.core.inquiry import (
    AFTER_SALES,
    ASSIST,
    FOLLOW_UP,
    INQUIRY,
    OPEN,
    ORDERED,
    PAID,
    PAYMENT_LOST,
    Inquiry,
)
from stream_attr.core.order import Order
from stream_attr.core.part import (
    NO_DEALS,
    NO_INQUIRIES,
    NO_WORKLOAD,
    NOBODY,
    NOTHING,
    TOTAL,
    Deals,
    Inquiries,
    Part,
    Workload,
)
from stream_attr.core.reception import Reception
from stream_attr.core.settings import OFFICIAL, Role
from stream_attr.core.shop import Shop

_ORDERED = frozenset({ORDERED, PAID, PAYMENT_LOST})


def buyer_day(
    day: int,
    receptions: Iterable[tuple[str, Fact, Reception, Inquiry | None]],
    orders: Iterable[Order],
    shop: Shop,
) -> dict[str, Part]:
    """Return what a buyer adds to a day, by agent id, in its order; empty: nothing.

    What several parts come to is there under `TOTAL`: the buyer counts once for the shop. Of a single one it
    is the same, and is left out.

    ``receptions``: those of the day, by agent id; ``orders``: all of the buyer's.
    """
    parts: dict[str, Part] = {}
    for agent_id, fact, reception, inquiry in receptions:
        closed_ts = reception.closed_ts
        parts[agent_id] = Part(
            workload_of(fact, closed_ts),
            NO_INQUIRIES if inquiry is None else inquiries_of(inquiry),
            NO_DEALS,
            (),
            fact.presence if fact.filtered is None and fact.role != Role.FROZEN else (),
            fact.last_effective_ts,
            fact.may_be_offline,
            closed_ts,
        )
    deals: dict[str, Deals] = {}
    finals: dict[str, dict[str, int]] = {}
    start, end = shop.zone.start_of(day), shop.zone.start_of(day + 1)
    for order in orders:
        if order.created_ts is not None and OFFICIAL in order.emitted:
            _add_order(deals, finals, order, start, end)
    for agent_id, some in deals.items():
        parts[agent_id] = parts.get(agent_id, NOTHING)._replace(
            deals=some, finals=tuple(finals[agent_id].items())
        )
    if len(parts) < 2:
        return parts
    ordered = dict(sorted(parts.items()))
    ordered[TOTAL] = _together(ordered.values())
    return ordered


def whole(parts: Mapping[str, Part]) -> Part:
    """Return what the parts of a buyer's day come to for the shop."""
    total = parts.get(TOTAL)
    if total is not None:
        return total
    for part in parts.values():
        return part
    return NOTHING


def workload_of(fact: Fact, closed_ts: int | None) -> Workload:
    """Return what a reception is of the workload; ``closed_ts``: what a closing has told of its agent."""
    unanswered = 1 if fact.may_be_offline and closed_ts is None else 0
    if fact.role == Role.FROZEN:
        return Workload(unanswered=1) if unanswered else NO_WORKLOAD
    if fact.filtered is not None:
        return Workload(consults=1, unanswered=unanswered)
    first = fact.first_response_ms
    return Workload(
        1,
        1,
        1 if fact.buyer_messages and not fact.replied else 0,
        fact.buyer_messages,
        fact.agent_messages,
        fact.agent_characters,
        first or 0,
        0 if first is None else 1,
        fact.response_ms_sum,
        fact.response_count,
        1 if fact.slow else 0,
        unanswered,
    )


def inquiries_of(inquiry: Inquiry) -> Inquiries:
    """Return what an inquiry is of the figures."""
    exempt = 0 if inquiry.exempt is None else 1
    kind, outcome = inquiry.kind, inquiry.outcome
    if kind != INQUIRY or exempt:
        return Inquiries(
            assists=1 if kind == ASSIST else 0,
            follow_ups=1 if kind == FOLLOW_UP else 0,
            after_sales=1 if kind == AFTER_SALES else 0,
            exempt=exempt,
        )
    ordered = outcome in _ORDERED
    return Inquiries(
        1,
        1 if outcome == OPEN else 0,
        1 if ordered else 0,
        0 if ordered or outcome == OPEN else 1,
        paid=1 if outcome == PAID else 0,
        payment_lost=1 if outcome == PAYMENT_LOST else 0,
    )


def _add_order(
    deals: dict[str, Deals], finals: dict[str, dict[str, int]], order: Order, start: int, end: int
) -> None:
    """Add what an order is to the day from ``start`` to ``end``."""
    verdict = order.emitted[OFFICIAL].verdict
    seller = verdict.credit or NOBODY

    def add(agent_id: str, more: Deals, *groups: str) -> None:
        known = deals.get(agent_id)
        deals[agent_id] = more if known is None else _deals_together((known, more))
        until = finals.setdefault(agent_id, {})
        for group in groups:
            until[group] = max(until.get(group, 0), verdict.final_at)

    if verdict.placing is not None and start <= verdict.created_ts < end:
        add(verdict.placing, Deals(placed_buyers=1, placed_orders=1, placed_amount=order.amount), "placed")
    if verdict.paid_ts is not None and start <= verdict.paid_ts < end:
        if verdict.payment is not None:
            add(verdict.payment, Deals(paid_buyers=1, paid_orders=1, paid_amount=order.amount), "paid")
        sale = (1, 1, order.quantity, order.amount)
        if seller == NOBODY:
            add(NOBODY, Deals(0, 0, 0, 0, 0, 0, *sale, *sale), "sales", "silent")
        else:
            add(seller, Deals(0, 0, 0, 0, 0, 0, *sale), "sales")
    for ts, amount, completed in order.refunds:
        if start <= ts < end:
            refund = Deals(
                refunds=1, requested=0 if completed else amount, completed=amount if completed else 0
            )
            add(seller, refund, "refunds")


def _deals_together(some: Iterable[Deals]) -> Deals:
    """Return what deals of one buyer come to: the buyer counts once."""
    sums = Deals(*map(sum, zip(*some, strict=True)))
    return sums._replace(
        placed_buyers=min(sums.placed_buyers, 1),
        paid_buyers=min(sums.paid_buyers, 1),
        sales_buyers=min(sums.sales_buyers, 1),
        silent_buyers=min(sums.silent_buyers, 1),
    )


def _together(parts: Collection[Part]) -> Part:
    """Return what all parts of a buyer's day come to: the buyer counts once, whoever they are with."""
    works = [part.workload for part in parts]
    asked = [one for one in works if one.buyer_messages]
    workload = Workload(*map(sum, zip(*works, strict=True)))._replace(
        consults=max([one.consults for one in works]),
        receptions=max([one.receptions for one in works]),
        unreplied=1 if asked and all(one.unreplied for one in asked) else 0,
        unanswered=max([one.unanswered for one in works]),
    )
    found = [part.inquiries for part in parts]
    most = Inquiries(*map(max, zip(*found, strict=True)))
    is_open = most.open if not most.ordered else 0
    inquiries = most._replace(
        open=is_open,
        lost=1 if most.inquiries and not most.ordered and not is_open else 0,
        payment_lost=1 if most.ordered and all(one.payment_lost for one in found if one.ordered) else 0,
    )
    return Part(
        workload,
        inquiries,
        _deals_together([part.deals for part in parts]),
        tuple([final for part in parts for final in part.finals]),
        _presence([part.presence for part in parts if part.presence]),
    )


def _presence(some: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return when a buyer is present in any of some stretches: those that touch are one."""
    if len(some) < 2:
        return some[0] if some else ()
    merged: list[int] = []
    for begin, end in sorted(
        [(bounds[index], bounds[index + 1]) for bounds in some for index in range(0, len(bounds), 2)]
    ):
        if merged and begin <= merged[-1]:
            merged[-1] = max(merged[-1], end)
        else:
            merged += (begin, end)
    return tuple(merged)
