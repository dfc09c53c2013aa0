"""Outcomes of inquiries: what one buyer adds to a day of an agent, or of the shop (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from stream_attr.rules.reports.measures import AdditiveFigures, Inquiry
from stream_attr.rules.reports.sums import summed
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
)

_ORDERED: Final = frozenset({ORDERED, PAID, PAYMENT_LOST})


class Inquiries(AdditiveFigures, frozen=True):
    """Outcomes of inquiries."""

    inquiries: int = 0
    open: int = 0
    ordered: int = 0
    lost: int = 0
    assists: int = 0
    follow_ups: int = 0
    after_sales: int = 0
    exempt: int = 0
    paid: int = 0
    payment_lost: int = 0
    self_ordered: int = 0


NO_INQUIRIES: Final = Inquiries()


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


def combined_inquiries(some: Iterable[Inquiries | None]) -> Inquiries | None:
    """Return the inquiries of one buyer with the shop; each figure is 0 or 1."""
    there = [found for found in some if found is not None]
    if len(there) < 2:
        return there[0] if there else None
    most = Inquiries(*[1 if count else 0 for count in summed(there)])
    is_open = most.open if not most.ordered else 0
    return replace(
        most,
        open=is_open,
        lost=1 if most.inquiries and not most.ordered and not is_open else 0,
        payment_lost=1 if most.ordered and all(one.payment_lost for one in there if one.ordered) else 0,
    )
