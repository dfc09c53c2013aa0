"""What one buyer adds to a shop's figures of one day (RULEBOOK 8).

A contribution is complete and replaces the one before it of that buyer and day: a roll-up subtracts the old
and adds the new, so nothing is counted twice, however often it is emitted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.contribution import NOTHING, TOTAL, Contribution
from stream_attr.rules.reports.conversion import combined_inquiries, inquiries_of
from stream_attr.rules.reports.deals import DealSums, add_deals, combined_deals
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.reports.workload import combined_workload, workload_of
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import INQUIRY, Role

_FROZEN: Final = Role.FROZEN.value


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
    deals = _deals_on(shop.zone.start_of(day), shop.zone.start_of(day + 1), orders)
    payments_end = shop.zone.start_of(day + 3)
    contributions: dict[str, Contribution] = {}
    replied = False
    for agent_id, fact, reception, inquiry in receptions:
        closed_ts = reception.closed_ts
        some = deals.pop(agent_id, None)
        until = () if some is None else tuple(some.finals.items())
        if inquiry is not None and inquiry.kind == INQUIRY and inquiry.final_at > payments_end:
            until += (("payments", inquiry.final_at),)  # an order with a deposit can be paid for long
        replied = replied or (fact.replied and fact.filtered is None and fact.role != _FROZEN)
        contributions[agent_id] = Contribution(
            workload_of(fact, closed_ts),
            None if inquiry is None else inquiries_of(inquiry),
            None if some is None else some.deals(),
            until,
            fact.presence if fact.filtered is None and fact.role != _FROZEN else (),
            fact.last_effective_ts,
            fact.may_be_offline,
            closed_ts,
        )
    for agent_id, others in deals.items():
        contributions[agent_id] = Contribution(deals=others.deals(), finals=tuple(others.finals.items()))
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


def _deals_on(start: int, end: int, orders: Iterable[Order]) -> dict[str, DealSums]:
    """Return the deals of the day from ``start`` to ``end``, by agent."""
    sums: dict[str, DealSums] = {}
    for order in orders:
        emitted = order.emitted.get(OFFICIAL)
        if emitted is not None and not (order.rare is not None and order.is_excluded):
            add_deals(sums, emitted.verdict, order, start, end)
    return sums


def _combined(contributions: Collection[Contribution], *, replied: bool) -> Contribution:
    """Return the shop's contribution of a buyer's day: the buyer counts once, with however many agents."""
    return Contribution(
        combined_workload([contribution.workload for contribution in contributions], replied=replied),
        combined_inquiries([contribution.inquiries for contribution in contributions]),
        combined_deals([contribution.deals for contribution in contributions]),
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
