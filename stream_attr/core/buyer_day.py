"""What one buyer adds to a shop's figures of one day (RULEBOOK 8).

It is stated whole, and replaces what was stated of that buyer and day before: a roll-up takes the old back
and adds the new, so nothing is counted twice, however often it is stated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from stream_attr.core.days import HOUR_MS, MINUTE_MS
from stream_attr.core.fact import Fact
from stream_attr.core.inquiry import Inquiry
from stream_attr.core.order import Order
from stream_attr.core.reception import Reception
from stream_attr.core.settings import OFFICIAL, Role
from stream_attr.core.shop import Shop

NOBODY = ""
"""Stands for the agent of what is nobody's: silent sales, refunds of what nobody is credited with."""
PRESENT_MS = 2 * MINUTE_MS
"""A buyer is present from so long before to so long after each message."""


class Work(NamedTuple):
    """A reception, as far as the workload goes."""

    counts: bool
    """Not of a frozen agent: the buyer consulted somebody."""
    received: bool
    """Counts, and no filter matched; the figures below are of such receptions alone."""
    asked: bool
    replied: bool
    buyer_messages: int
    agent_messages: int
    agent_characters: int
    first_response_ms: int | None
    response_ms_sum: int
    response_count: int
    slow: bool
    presence: tuple[int, ...]
    """Closed stretches, the first's begin and end, the second's, …, sorted, none touching another."""
    last_effective_ts: int | None
    """Whatever became of the reception."""
    waits: bool
    """Whether ``agent_offline`` hangs on what the agent said to others."""
    closed_ts: int | None
    """What a closing has told of that."""


class Outcome(NamedTuple):
    """An inquiry."""

    kind: str
    outcome: str
    exempt: bool


class Deal(NamedTuple):
    """Orders of one kind that fall on the day."""

    orders: int = 0
    quantity: int = 0
    amount: int = 0
    final_at: int = 0
    """When the last of their decisions is final."""

    def plus(self, order: Order, final_at: int) -> Deal:
        """Return it with one more order."""
        return Deal(
            self.orders + 1,
            self.quantity + order.quantity,
            self.amount + order.amount,
            max(self.final_at, final_at),
        )


NO_DEAL = Deal()


class Refunds(NamedTuple):
    """Refunds that fall on the day, by request and by completion."""

    requested: int = 0
    completed: int = 0
    final_at: int = 0


NO_REFUNDS = Refunds()


class Part(NamedTuple):
    """What an agent, or `NOBODY`, did for the buyer that day."""

    work: Work | None = None
    inquiry: Outcome | None = None
    placed: Deal = NO_DEAL
    paid: Deal = NO_DEAL
    sales: Deal = NO_DEAL
    refunds: Refunds = NO_REFUNDS


class Ends(NamedTuple):
    """When a day's figures are final at the earliest: watermarks by group."""

    workload: int
    inquiries: int
    payments: int
    placed: int
    sales: int


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
