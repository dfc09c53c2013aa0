"""The figures of one shop and day, per agent and in all, from what each buyer adds to them (RULEBOOK 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import add, sub
from typing import NamedTuple

from stream_attr.core.inquiry import (
    AFTER_SALES,
    ASSIST,
    FOLLOW_UP,
    INQUIRY,
    OPEN,
    ORDERED,
    PAID,
    PAYMENT_LOST,
)
from stream_attr.core.part import NOBODY, Deal, Ends, Part

TOTAL = "*"
"""Stands for the agent of a shop's totals."""

GROUPS = ("workload", "inquiries", "payments", "placed", "paid", "sales", "silent", "refunds")
"""Figures that become final together."""


class Tally(NamedTuple):
    """What can be added up over buyers, each counted once."""

    consults: int
    receptions: int
    unreplied: int
    buyer_messages: int
    agent_messages: int
    agent_characters: int
    first_response_ms: int
    first_responses: int
    response_ms: int
    responses: int
    slow: int
    inquiries: int
    open: int
    ordered: int
    lost: int
    assists: int
    follow_ups: int
    after_sales: int
    exempt: int
    paid: int
    payment_lost: int
    placed_buyers: int
    placed_orders: int
    placed_amount: int
    paid_buyers: int
    paid_orders: int
    paid_amount: int
    sales_buyers: int
    sales_orders: int
    sales_quantity: int
    sales_amount: int
    silent_buyers: int
    silent_orders: int
    silent_quantity: int
    silent_amount: int
    requested: int
    completed: int
    unanswered: int
    """Buyers who wait to know when an agent spoke last: the workload and inquiries can still change."""
    present: int
    """Parts of any kind: 0 where nothing is known of the agent any more."""


NOTHING = Tally(*[0] * len(Tally._fields))
_ON_RECEPTIONS = frozenset({"workload", "inquiries", "payments"})
_ORDERED = frozenset({ORDERED, PAID, PAYMENT_LOST})


def tally_of(parts: Mapping[str, Part]) -> Tally:
    """Return what one buyer is to the figures: of one agent's part, or of all parts for the shop."""
    works = [part.work for part in parts.values() if part.work is not None]
    received = [work for work in works if work.received]
    firsts = [work.first_response_ms for work in received if work.first_response_ms is not None]
    found = [part.inquiry for part in parts.values() if part.inquiry is not None]
    kinds = {one.kind for one in found}
    counted = [one.outcome for one in found if one.kind == INQUIRY and not one.exempt]
    ordered = [outcome for outcome in counted if outcome in _ORDERED]
    is_open = not ordered and OPEN in counted
    placed, paid, sales = (
        _together(deals)
        for deals in zip(*[(part.placed, part.paid, part.sales) for part in parts.values()], strict=True)
    )
    silent = parts[NOBODY].sales if NOBODY in parts else Deal()
    return Tally(
        any(work.counts for work in works),
        bool(received),
        any(work.asked for work in received) and not any(work.replied for work in received),
        sum([work.buyer_messages for work in received]),
        sum([work.agent_messages for work in received]),
        sum([work.agent_characters for work in received]),
        sum(firsts),
        len(firsts),
        sum([work.response_ms_sum for work in received]),
        sum([work.response_count for work in received]),
        sum([work.slow for work in received]),
        bool(counted),
        is_open,
        bool(ordered),
        bool(counted) and not ordered and not is_open,
        ASSIST in kinds,
        FOLLOW_UP in kinds,
        AFTER_SALES in kinds,
        any(one.exempt for one in found),
        PAID in ordered,
        bool(ordered) and set(ordered) == {PAYMENT_LOST},
        placed.orders > 0,
        placed.orders,
        placed.amount,
        paid.orders > 0,
        paid.orders,
        paid.amount,
        sales.orders > 0,
        sales.orders,
        sales.quantity,
        sales.amount,
        silent.orders > 0,
        silent.orders,
        silent.quantity,
        silent.amount,
        sum([part.refunds.requested for part in parts.values()]),
        sum([part.refunds.completed for part in parts.values()]),
        any(work.waits and work.closed_ts is None for work in works),
        any(_is_seen(part) for part in parts.values()),
    )


def _is_seen(part: Part) -> bool:
    """Whether a part makes the agent's day exist; the reception of a frozen agent does not."""
    return (part.work is not None and part.work.counts) or part[2:] != _UNSEEN


_UNSEEN = Part()[2:]


def _together(deals: Iterable[Deal]) -> Deal:
    orders = quantity = amount = 0
    for deal in deals:
        orders += deal.orders
        quantity += deal.quantity
        amount += deal.amount
    return Deal(orders, quantity, amount)


def finals_of(parts: Mapping[str, Part]) -> Iterable[tuple[str, int]]:
    """Yield when decisions in a group are final, beyond what holds for the whole day."""
    for agent_id, part in parts.items():
        if part.placed.orders:
            yield "placed", part.placed.final_at
        if part.paid.orders:
            yield "paid", part.paid.final_at
        if part.sales.orders:
            yield "sales", part.sales.final_at
            if agent_id == NOBODY:
                yield "silent", part.sales.final_at
        if part.refunds.final_at:
            yield "refunds", part.refunds.final_at


def most_present(presences: Iterable[Sequence[int]]) -> int:
    """Return the most buyers present at one time; of each the closed stretches, sorted."""
    edges: list[tuple[int, int]] = []
    for bounds in presences:
        for index in range(0, len(bounds), 2):
            edges += ((bounds[index], 0), (bounds[index + 1], 1))  # who comes at an instant meets who goes
    most = now = 0
    for _, leaves in sorted(edges):
        now += -1 if leaves else 1
        most = max(most, now)
    return most


def presence(parts: Collection[Part]) -> tuple[int, ...]:
    """Return when a buyer is present in any of some parts: stretches that touch are one."""
    if len(parts) == 1:
        [part] = parts
        return () if part.work is None else part.work.presence
    stretches = sorted(
        (bounds[index], bounds[index + 1])
        for part in parts
        if part.work is not None and (bounds := part.work.presence)
        for index in range(0, len(bounds), 2)
    )
    merged: list[int] = []
    for begin, end in stretches:
        if merged and begin <= merged[-1]:
            merged[-1] = max(merged[-1], end)
        else:
            merged += (begin, end)
    return tuple(merged)


class Added(NamedTuple):
    """What one buyer is to the figures of an agent, or of the shop."""

    tally: Tally
    finals: tuple[tuple[str, int], ...]
    """Groups, and when decisions in them are final."""
    presence: tuple[int, ...]

    @classmethod
    def of(cls, parts: Mapping[str, Part]) -> Added:
        """Return what some parts of a buyer's day come to."""
        if not parts:
            return NOTHING_ADDED
        return cls(tally_of(parts), tuple(finals_of(parts)), presence(parts.values()))


NOTHING_ADDED = Added(NOTHING, (), ())


class AgentDay:
    """The figures of one agent, or of the shop, as they stand."""

    __slots__ = ("added", "finals", "most", "presences", "tally")

    def __init__(self) -> None:
        self.added: dict[str, Added] = {}
        """By buyer, what is in the figures of it."""
        self.tally = NOTHING
        self.finals: Counter[tuple[str, int]] = Counter()
        self.presences: dict[str, tuple[int, ...]] = {}
        """By buyer."""
        self.most: int | None = 0
        """Most buyers present at one time; None: not known since something has changed."""

    def put(self, buyer_id: str, new: Added) -> bool:
        """Take back what a buyer added before and add what it adds now; return whether anything changed."""
        old = self.added.get(buyer_id, NOTHING_ADDED)
        before, after, stretches = old.tally, new.tally, new.presence
        changed = before != after or old.finals != new.finals
        if before != after:
            self.tally = Tally(*map(add, map(sub, self.tally, before), after))
        if old.finals != new.finals:
            self.finals.update(new.finals)
            self.finals.subtract(old.finals)
            self.finals = +self.finals
        if new is NOTHING_ADDED:
            self.added.pop(buyer_id, None)
        else:
            self.added[buyer_id] = new
        if stretches != self.presences.get(buyer_id, ()):
            changed = True
            self.most = None
            if stretches:
                self.presences[buyer_id] = stretches
            else:
                del self.presences[buyer_id]
        return changed

    @property
    def max_simultaneous(self) -> int:
        """Most buyers present at one time."""
        if self.most is None:
            self.most = most_present(self.presences.values())
        return self.most

    def is_final(self, group: str, ends: Ends, watermark: int) -> bool:
        """Whether a group of figures can no longer be changed by what comes in time."""
        if group in _ON_RECEPTIONS and self.tally.unanswered:
            return False
        return watermark >= self.final_at(ends)[group]

    def final_at(self, ends: Ends) -> dict[str, int]:
        """Return when each group of figures is final."""
        at = {
            "workload": ends.workload,
            "inquiries": ends.inquiries,
            "payments": ends.payments,
            "placed": ends.placed,
            **dict.fromkeys(("paid", "sales", "silent", "refunds"), ends.sales),
        }
        for group, final_at in self.finals:
            at[group] = max(at[group], final_at)
        return at
