"""What of closed months is paid or taken back in this one: now + still owed + paid = due (docs/pay.md).

``due`` is what a closed month comes to by all that is known today (late events, refunds, rulings), ``paid``
what closed runs have paid for it: its own, and true-ups since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from msgspec import Struct

from stream_attr.pay.lines import Line, Statement

__all__ = ["Account", "Change", "ClosedRun", "OrderChange", "TrueUp", "changes", "paid_for", "settle"]


class Account(NamedTuple):
    """A person's closed month."""

    month: str
    due: int
    paid: int


class TrueUp(Struct, frozen=True):
    """What a closed month pays (or, below 0, takes back) in this run: now + owed + paid = due."""

    month: str
    due: int
    paid: int
    now: int
    owed: int
    """What remains for later runs; below 0: to be taken back."""


class ClosedRun(NamedTuple):
    """What a closed run paid a person: for its own month, and for earlier ones."""

    month: str
    pay: int
    true_ups: tuple[TrueUp, ...] = ()


class OrderChange(Struct, frozen=True):
    """What an order adds to the figure of a line, beside what it added."""

    shop_id: str
    order_id: str
    before: int
    after: int


class Change(Struct, frozen=True):
    """What a component of a closed month has come to, beside what it was."""

    component: str
    before: int
    after: int
    orders: tuple[OrderChange, ...] = ()
    """Those that changed."""


def settle(accounts: Iterable[Account], pay: int, take_at_most: Fraction) -> tuple[TrueUp, ...]:
    """Return the true-ups of a run, by month.

    What is owed to the person is paid at once. What is to be taken back is taken from that, and from
    ``take_at_most`` of ``pay``, the run's own month; the oldest month first. So all true-ups together never
    take more than that share.
    """
    found = sorted(accounts)
    room = int(max(pay, 0) * take_at_most) + sum(max(one.due - one.paid, 0) for one in found)
    true_ups = []
    for one in found:
        now = max(one.due - one.paid, -room)
        room += min(now, 0)
        if one.due != one.paid:
            true_ups.append(TrueUp(one.month, one.due, one.paid, now, one.due - one.paid - now))
    return tuple(true_ups)


def paid_for(month: str, runs: Iterable[ClosedRun]) -> int:
    """Return what closed runs have paid a person for a month."""
    return sum(
        (run.pay if run.month == month else 0) + sum(one.now for one in run.true_ups if one.month == month)
        for run in runs
    )


def changes(before: Statement, after: Statement) -> Sequence[Change]:
    """Return which components of a month have changed, and by which orders: why there is a true-up.

    ``before``: as it was closed; ``after``: as it is now. What one of them lacks counts as 0.
    """
    old, new = ({line.component: line for line in one.lines} for one in (before, after))
    found = []
    for name in {**old, **new}:
        was, has = old.get(name), new.get(name)
        amounts = (was.amount if was else 0, has.amount if has else 0)
        orders = _changed_orders(was, has)
        if orders or amounts[0] != amounts[1]:
            found.append(Change(name, *amounts, orders))
    return found


def _changed_orders(before: Line | None, after: Line | None) -> tuple[OrderChange, ...]:
    old, new = (
        {(one.shop_id, one.order_id): one.portion for one in line.orders} if line else {}
        for line in (before, after)
    )
    return tuple(
        OrderChange(*order, old.get(order, 0), new.get(order, 0))
        for order in sorted({**old, **new})
        if old.get(order, 0) != new.get(order, 0)
    )
