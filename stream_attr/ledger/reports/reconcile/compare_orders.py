"""One order of a sheet beside the ledger's: what differs, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from stream_attr.codec.money import shown_digits
from stream_attr.ledger.reports.orders import worded
from stream_attr.ledger.reports.reconcile.order_causes import OrderCauses
from stream_attr.ledger.reports.reconcile.our_orders import OurOrder
from stream_attr.ledger.reports.reconcile.their_orders import TheirOrder
from stream_attr.ledger.reports.reconcile.words import Finding
from stream_attr.ledger.reports.report import Cell, Moment, Money
from stream_attr.ledger.texts import Text
from stream_attr.rules.vocabulary import OUTCOMES
from stream_attr.sheets.cells import Instant
from stream_attr.sheets.places import SheetError
from stream_attr.sheets.statuses import State

__all__ = ["Days", "Difference", "differences", "their_money"]

_FIELDS: Final = {
    "day": Text("day", "日期"),
    "paid": Text("paid", "付款时间"),
    "amount": Text("amount", "金额"),
    "refund": Text("refunded", "完成退款"),
    "status": Text("status", "状态"),
    "agent": Text("credit", "业绩归属"),
}


_NOBODY: Final = Text("(silent)", "（静默）")


class Difference(NamedTuple):
    """What differs of an order."""

    field: Text
    theirs: Cell
    ours: Cell
    difference: Money | None
    """Theirs less ours, of amounts."""
    finding: Finding


class Days(NamedTuple):
    """Which of the sheet's columns say something, and by which instant an order is of a day."""

    fields: frozenset[str]
    of: str
    """``paid`` or ``created``."""

    def theirs(self, order: TheirOrder) -> Instant | None:
        """Return the instant by which an order of the sheet is of a day."""
        return order.paid if self.of == "paid" else order.created

    def ours(self, order: OurOrder) -> int | None:
        """Likewise of an order of the ledger."""
        return order.paid_ts if self.of == "paid" else order.created_ts


def their_money(order: TheirOrder, name: str, currency: str, file: str) -> Money | None:
    """Return the amount or refund of an order of the sheet.

    Raises SheetError for a part of a minor unit.
    """
    major = getattr(order, name)
    if major is None:
        return None
    minor = major.scaleb(shown_digits(currency))
    if minor != minor.to_integral_value():
        raise SheetError(
            f"{file}, row {order.row}: the {name} of order {order.order_id} is {major}, and {currency} has "
            f"{shown_digits(currency)} decimals"
        )
    return Money(int(minor), currency)


def differences(
    theirs: TheirOrder, ours: OurOrder, days: Days, causes: OrderCauses, file: str
) -> Iterator[Difference]:
    """Yield what differs, the day first."""
    zone = causes.shop.zone.name
    is_paid_late = False
    their_at, our_at = days.theirs(theirs), days.ours(ours)
    if their_at is not None and our_at is not None and their_at.holds(our_at):
        is_there = causes.natural[0] <= our_at < causes.natural[1]
        if is_there != (causes.own[0] <= our_at < causes.own[1]):
            moment = Moment(our_at, zone)
            yield Difference(_FIELDS["day"], moment, moment, None, causes.day(our_at))
    if "paid" in days.fields and _paid_differs(theirs, ours):
        is_paid_late = ours.paid_ts is None
        there = None if theirs.paid is None else Moment(theirs.paid.ts, zone)
        here = None if ours.paid_ts is None else Moment(ours.paid_ts, zone)
        finding = causes.paid(ours, None if theirs.paid is None else theirs.paid.ts)
        yield Difference(_FIELDS["paid"], there, here, None, finding)
    money = their_money(theirs, "amount", ours.currency, file)
    if money is not None and money.amount != ours.amount:
        yield _of_money("amount", money, ours.amount, causes.amount(ours, money.amount))
    money = their_money(theirs, "refund", ours.currency, file)
    if money is not None and money.amount != ours.refund_completed:
        yield _of_money("refund", money, ours.refund_completed, causes.refund(ours, money.amount))
    elif money is None and theirs.is_refunded and not ours.refund_completed:
        words, nothing = "、".join(theirs.after_sales), Money(0, ours.currency)
        yield Difference(_FIELDS["refund"], words, nothing, None, causes.refunded_there(ours))
    if ours.outcome == "excluded" and theirs.state not in (State.UNPAID, State.CLOSED):
        statuses = "、".join(theirs.statuses) or None
        yield Difference(_FIELDS["status"], statuses, worded(OUTCOMES, ours.outcome), None, causes.excluded())
    elif "status" in days.fields and not is_paid_late:
        why = _status(theirs, ours, causes)
        if why is not None:
            known = "、".join(theirs.statuses)
            yield Difference(_FIELDS["status"], known, worded(OUTCOMES, ours.outcome), None, why)
    if "agent" in days.fields and ours.is_sold:
        agent_id = causes.names.find(theirs.agent) if theirs.agent else None
        if agent_id != ours.agent_id or (theirs.agent and agent_id is None):
            finding = causes.agent(ours, theirs.agent)
            names = (theirs.agent or _NOBODY, ours.agent_id or _NOBODY)
            yield Difference(_FIELDS["agent"], *names, None, finding)


def _paid_differs(theirs: TheirOrder, ours: OurOrder) -> bool:
    if theirs.paid is None or ours.paid_ts is None:
        return (theirs.paid is None) != (ours.paid_ts is None)
    return not theirs.paid.holds(ours.paid_ts)


def _of_money(name: str, theirs: Money, ours: int, finding: Finding) -> Difference:
    here = Money(ours, theirs.currency)
    return Difference(_FIELDS[name], theirs, here, Money(theirs.amount - ours, theirs.currency), finding)


def _status(theirs: TheirOrder, ours: OurOrder, causes: OrderCauses) -> Finding | None:
    """Return why the status differs; None: it does not, or nobody knows what theirs says."""
    state = theirs.state
    if state is State.PAID:
        return None if ours.is_sold else causes.paid(ours, None if theirs.paid is None else theirs.paid.ts)
    if state is State.UNPAID:
        return causes.paid(ours, None) if ours.paid_ts is not None else None
    if state is State.CLOSED:
        is_closed = ours.outcome in ("cancelled", "unpaid", "excluded")
        if not is_closed and not ours.refund_requested and not ours.refund_completed:
            return causes.not_closed(ours, was_paid=theirs.paid is not None)
    return None
