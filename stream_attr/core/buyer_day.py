"""What one buyer adds to a shop's figures of one day (RULEBOOK 8).

It is stated whole, and replaces what was stated of that buyer and day before: a roll-up takes the old back
and adds the new, so nothing is counted twice, however often it is stated.
"""

from __future__ import annotations

from collections.abc import Iterable

from stream_attr.core.days import HOUR_MS, MINUTE_MS
from stream_attr.core.fact import Fact
from stream_attr.core.inquiry import Inquiry
from stream_attr.core.order import Order
from stream_attr.core.part import NOBODY, Ends, Outcome, Part, Refunds, Work
from stream_attr.core.reception import Reception
from stream_attr.core.settings import OFFICIAL, Role
from stream_attr.core.shop import Shop

PRESENT_MS = 2 * MINUTE_MS
"""A buyer is present from so long before to so long after each message."""


def ends_of(day: int, shop: Shop) -> Ends:
    """Return when the figures of a day are final, but for decisions that are final later."""
    zone, settings = shop.zone, shop.settings_on(day)
    end = zone.start_of(day + 1)
    followup = settings.silent_followup
    return Ends(
        end,
        zone.start_of(day + 2),
        zone.start_of(day + 3),
        zone.end_of_day(end - 1 + settings.payment_deadline_hours * HOUR_MS),
        zone.end_of_day(end - 1 + followup.minutes * MINUTE_MS) if followup.on else end,
    )


def work_of(fact: Fact, reception: Reception) -> Work:
    """Return what a reception is of the workload."""
    counts = fact.role != Role.FROZEN
    received = counts and fact.filtered is None
    waits = (fact.last_effective_ts, fact.may_be_offline, reception.closed_ts)
    if not received:
        return Work(counts, False, False, False, 0, 0, 0, None, 0, 0, False, (), *waits)
    return Work(
        True,
        True,
        fact.buyer_messages > 0,
        fact.replied,
        fact.buyer_messages,
        fact.agent_messages,
        fact.agent_characters,
        fact.first_response_ms,
        fact.response_ms_sum,
        fact.response_count,
        fact.slow,
        presence_of(reception),
        *waits,
    )


def presence_of(reception: Reception) -> tuple[int, ...]:
    """Return when the buyer was present: from before to after each message of any kind."""
    bounds: list[int] = []
    for message in reception.messages:
        begin = message.ts - PRESENT_MS
        if bounds and begin <= bounds[-1]:
            bounds[-1] = message.ts + PRESENT_MS
        else:
            bounds += (begin, message.ts + PRESENT_MS)
    return tuple(bounds)


def buyer_day(
    day: int,
    receptions: Iterable[tuple[str, Fact, Reception, Inquiry | None]],
    orders: Iterable[Order],
    shop: Shop,
) -> dict[str, Part]:
    """Return what a buyer adds to a day, by agent id, in its order; empty: nothing.

    ``receptions``: those of the day, by agent id; ``orders``: all of the buyer's.
    """
    parts: dict[str, Part] = {}
    for agent_id, fact, reception, inquiry in receptions:
        outcome = (
            None if inquiry is None else Outcome(inquiry.kind, inquiry.outcome, inquiry.exempt is not None)
        )
        parts[agent_id] = Part(work_of(fact, reception), outcome)
    start, end = shop.zone.start_of(day), shop.zone.start_of(day + 1)
    for order in orders:
        if order.created_ts is not None and OFFICIAL in order.emitted:
            _add_order(parts, order, start, end)
    return dict(sorted(parts.items()))


def _add_order(parts: dict[str, Part], order: Order, start: int, end: int) -> None:
    """Add what an order is to the day from ``start`` to ``end``."""
    verdict = order.emitted[OFFICIAL].verdict
    final_at = verdict.final_at
    none = Part()
    if verdict.placing is not None and start <= verdict.created_ts < end:
        part = parts.get(verdict.placing, none)
        parts[verdict.placing] = part._replace(placed=part.placed.plus(order, final_at))
    seller = verdict.credit or NOBODY
    if verdict.paid_ts is not None and start <= verdict.paid_ts < end:
        if verdict.payment is not None:
            part = parts.get(verdict.payment, none)
            parts[verdict.payment] = part._replace(paid=part.paid.plus(order, final_at))
        part = parts.get(seller, none)
        parts[seller] = part._replace(sales=part.sales.plus(order, final_at))
    for ts, amount, completed in order.refunds:
        if start <= ts < end:
            part = parts.get(seller, none)
            known = part.refunds
            parts[seller] = part._replace(
                refunds=Refunds(
                    known.requested + (0 if completed else amount),
                    known.completed + (amount if completed else 0),
                    max(known.final_at, final_at),
                )
            )
