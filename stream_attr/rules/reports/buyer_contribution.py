"""What one buyer adds to a shop's figures of one day (RULEBOOK 8).

A contribution is complete and replaces the one before it of that buyer and day: a roll-up subtracts the old
and adds the new, so nothing is counted twice, however often it is emitted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import astuple, replace

from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.decision import Verdict
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.contribution import (
    NOBODY,
    NOTHING,
    TOTAL,
    Contribution,
    Deals,
    Inquiries,
    Workload,
)
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import (
    AFTER_SALES,
    ASSIST,
    FOLLOW_UP,
    INQUIRY,
    OPEN,
    ORDERED,
    PAID,
    PAYMENT_LOST,
    SELF_ORDERED,
    Role,
)

_FROZEN: Final = Role.FROZEN.value
SATISFIED: Final = 4
"""The least score with which a buyer is satisfied (RULEBOOK 2)."""
_ORDERED: Final = frozenset({ORDERED, PAID, PAYMENT_LOST})


def contributions_to(
    day: int,
    receptions: Iterable[tuple[str, Fact, Reception, Inquiry | None]],
    orders: Iterable[Order],
    shop: Shop,
) -> dict[str, Contribution]:
    """Return what a buyer adds to a day, sorted by agent id; empty: nothing.

    Several agents' contributions are followed by the shop's, under `TOTAL`: the buyer counts once for the
    shop. A single one is the shop's, too.

    ``receptions``: those of the day, by agent id; ``orders``: the buyer's of that day, and perhaps others.
    """
    deals, finals = _deals_on(shop.zone.start_of(day), shop.zone.start_of(day + 1), orders)
    payments_end = shop.zone.start_of(day + 3)
    contributions: dict[str, Contribution] = {}
    replied = False
    for agent_id, fact, reception, inquiry in receptions:
        closed_ts = reception.closed_ts
        until = finals.get(agent_id, ())
        if inquiry is not None and inquiry.kind == INQUIRY and inquiry.final_at > payments_end:
            until += (("payments", inquiry.final_at),)  # an order with a deposit can be paid for long
        replied = replied or (fact.replied and fact.filtered is None and fact.role != _FROZEN)
        contributions[agent_id] = Contribution(
            workload_of(fact, closed_ts),
            None if inquiry is None else inquiries_of(inquiry),
            deals.pop(agent_id, None),
            until,
            fact.presence if fact.filtered is None and fact.role != _FROZEN else (),
            fact.last_effective_ts,
            fact.may_be_offline,
            closed_ts,
        )
    for agent_id, some in deals.items():
        contributions[agent_id] = Contribution(deals=some, finals=finals[agent_id])
    if len(contributions) < 2:
        return contributions
    ordered = dict(sorted(contributions.items()))
    ordered[TOTAL] = _combined(ordered.values(), replied=replied)
    return ordered


def shop_total(contributions: Mapping[str, Contribution]) -> Contribution:
    """Return the shop's contribution of a buyer's day; see `contributions_to`."""
    total = contributions.get(TOTAL)
    if total is not None:
        return total
    for contribution in contributions.values():
        return contribution
    return NOTHING


def workload_of(fact: Fact, closed_ts: int | None) -> Workload | None:
    """Return a reception's workload; ``closed_ts``: when its agent spoke last, from a closing, or None."""
    unanswered = 1 if fact.may_be_offline and closed_ts is None else 0
    if fact.role == _FROZEN:
        return Workload(unanswered=1) if unanswered else None
    if fact.filtered is not None:
        return Workload(consults=1, unanswered=unanswered)
    first, rating = fact.first_response_ms, fact.rating
    return Workload(
        1,
        1,
        1 if not fact.replied and is_answerable(fact) else 0,
        fact.buyer_messages,
        fact.agent_messages,
        fact.agent_characters,
        first or 0,
        0 if first is None else 1,
        fact.response_ms_sum,
        fact.response_count,
        1 if fact.slow else 0,
        unanswered,
        0 if rating is None else 1,
        1 if rating is not None and rating >= SATISFIED else 0,
    )


def is_answerable(fact: Fact) -> bool:
    """Whether the buyer said something or was handed over: such a reception is unreplied or replied."""
    return fact.buyer_messages > 0 or fact.handed_over


def inquiries_of(inquiry: Inquiry) -> Inquiries:
    """Return an inquiry's figures."""
    exempt = 0 if inquiry.exempt is None else 1
    kind, outcome = inquiry.kind, inquiry.outcome
    if kind != INQUIRY or exempt:
        return Inquiries(
            assists=1 if kind == ASSIST else 0,
            follow_ups=1 if kind == FOLLOW_UP else 0,
            after_sales=1 if kind == AFTER_SALES else 0,
            exempt=exempt,
            self_ordered=1 if kind == SELF_ORDERED else 0,
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


def _deals_on(
    start: int, end: int, orders: Iterable[Order]
) -> tuple[dict[str, Deals], dict[str, tuple[tuple[str, int], ...]]]:
    """Return the deals of the day from ``start`` to ``end``, by agent, and when their groups are final."""
    deals: dict[str, list[Deals]] = {}
    finals: dict[str, dict[str, int]] = {}
    for order in orders:
        emitted = order.emitted.get(OFFICIAL)
        if (
            emitted is not None
            and _falls_on(emitted.verdict, order, start, end)
            and not (order.rare is not None and order.is_excluded)
        ):
            final_at = emitted.verdict.final_at
            for agent_id, more, groups in _deals_of(emitted.verdict, order, start, end):
                some = deals.get(agent_id)
                if some is None:
                    deals[agent_id] = [more]
                    finals[agent_id] = dict.fromkeys(groups, final_at)
                else:
                    some.append(more)
                    until = finals[agent_id]
                    for group in groups:
                        until[group] = max(until.get(group, 0), final_at)
    if not deals:
        return {}, {}
    return (
        {agent_id: some[0] if len(some) == 1 else _sum_of(some) for agent_id, some in deals.items()},
        {agent_id: tuple(until.items()) for agent_id, until in finals.items()},
    )


def _falls_on(verdict: Verdict, order: Order, start: int, end: int) -> bool:
    """Whether anything of an order falls on the day from ``start`` to ``end``."""
    if start <= verdict.created_ts < end:
        return True
    paid_ts = verdict.paid_ts
    if paid_ts is not None and start <= paid_ts < end:
        return True
    return any(start <= refund.ts < end for refund in order.refunds) if order.refunds else False


def _deals_of(
    verdict: Verdict, order: Order, start: int, end: int
) -> list[tuple[str, Deals, tuple[str, ...]]]:
    """Return an order's deals of a day: (agent id, deals, the groups of figures that they are in)."""
    found: list[tuple[str, Deals, tuple[str, ...]]] = []
    seller = verdict.credit or NOBODY
    if verdict.placing is not None and start <= verdict.created_ts < end:
        placed = Deals(placed_buyers=1, placed_orders=1, placed_amount=order.amount)
        found.append((verdict.placing, placed, ("placed",)))
    if verdict.paid_ts is not None and start <= verdict.paid_ts < end:
        if verdict.payment is not None:
            paid = Deals(paid_buyers=1, paid_orders=1, paid_amount=order.amount)
            found.append((verdict.payment, paid, ("paid",)))
        sale = (1, 1, order.quantity, order.amount)
        if seller == NOBODY:
            found.append((seller, Deals(0, 0, 0, 0, 0, 0, *sale, *sale), ("sales", "silent")))
        else:
            found.append((seller, Deals(0, 0, 0, 0, 0, 0, *sale), ("sales",)))
    for refund in order.refunds:
        if start <= refund.ts < end:
            requested, done = (0, refund.amount) if refund.completed else (refund.amount, 0)
            refunded = Deals(refunds=1, requested=requested, completed=done)
            found.append((seller, refunded, ("refunds",)))
    return found


def _combined_deals(some: Iterable[Deals | None]) -> Deals | None:
    """Return the deals of one buyer with the shop, where there are any."""
    there = [deals for deals in some if deals is not None]
    if len(there) < 2:
        return there[0] if there else None
    return _sum_of(there)


def _sum_of(some: list[Deals]) -> Deals:
    """Return the sum of one buyer's deals: the buyer counts once."""
    sums = Deals(*_summed(some))
    return replace(
        sums,
        placed_buyers=min(sums.placed_buyers, 1),
        paid_buyers=min(sums.paid_buyers, 1),
        sales_buyers=min(sums.sales_buyers, 1),
        silent_buyers=min(sums.silent_buyers, 1),
    )


def add_up(sums: list[int], some: Workload | Inquiries | Deals | None, times: int = 1) -> None:
    """Add figures to sums, in the order of their fields; ``times`` -1: subtract them."""
    if some is None:
        return
    figures: tuple[int, ...] = astuple(some)
    for index, figure in enumerate(figures):
        if figure:
            sums[index] += times * figure


def _summed(some: Sequence[Workload] | Sequence[Inquiries] | Sequence[Deals]) -> list[int]:
    """Return the sums of some figures, in the order of their fields."""
    return [sum(column) for column in zip(*map(astuple, some), strict=True)]


def _combined_workload(some: Iterable[Workload | None], *, replied: bool) -> Workload | None:
    """Return the workload of one buyer with the shop; ``replied``: whether some agent replied."""
    there = [workload for workload in some if workload is not None]
    if len(there) < 2:
        return there[0] if there else None
    return replace(
        Workload(*_summed(there)),
        consults=max([one.consults for one in there]),
        receptions=max([one.receptions for one in there]),
        unreplied=0 if replied else max([one.unreplied for one in there]),
        unanswered=max([one.unanswered for one in there]),
    )


def _combined_inquiries(some: Iterable[Inquiries | None]) -> Inquiries | None:
    """Return the inquiries of one buyer with the shop; each figure is 0 or 1."""
    there = [found for found in some if found is not None]
    if len(there) < 2:
        return there[0] if there else None
    most = Inquiries(*[1 if count else 0 for count in _summed(there)])
    is_open = most.open if not most.ordered else 0
    return replace(
        most,
        open=is_open,
        lost=1 if most.inquiries and not most.ordered and not is_open else 0,
        payment_lost=1 if most.ordered and all(one.payment_lost for one in there if one.ordered) else 0,
    )


def _combined(contributions: Collection[Contribution], *, replied: bool) -> Contribution:
    """Return the shop's contribution of a buyer's day: the buyer counts once, with however many agents."""
    return Contribution(
        _combined_workload([contribution.workload for contribution in contributions], replied=replied),
        _combined_inquiries([contribution.inquiries for contribution in contributions]),
        _combined_deals([contribution.deals for contribution in contributions]),
        tuple([final for contribution in contributions for final in contribution.finals]),
        _presence([contribution.presence for contribution in contributions if contribution.presence]),
    )


def _presence(some: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the union of a buyer's intervals of presence: those that touch are one."""
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
