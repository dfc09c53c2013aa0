"""Orders and refunds: what one buyer adds to a day of an agent, or of the shop (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from stream_attr.rules.order.decision import Verdict
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.measures import AdditiveFigures
from stream_attr.rules.reports.sums import summed

NOBODY: Final = ""
"""Stands for the agent of what belongs to no agent: silent sales, and refunds of sales without credit."""


class Deals(AdditiveFigures, frozen=True):
    """Orders and refunds that fall on the day; amounts in minor units."""

    placed_buyers: int = 0
    placed_orders: int = 0
    placed_amount: int = 0
    paid_buyers: int = 0
    paid_orders: int = 0
    paid_amount: int = 0
    sales_buyers: int = 0
    sales_orders: int = 0
    sales_quantity: int = 0
    sales_amount: int = 0
    silent_buyers: int = 0
    silent_orders: int = 0
    silent_quantity: int = 0
    silent_amount: int = 0
    refunds: int = 0
    requested: int = 0
    completed: int = 0


NO_DEALS: Final = Deals()


def deals_of(
    verdict: Verdict, order: Order, start: int, end: int
) -> list[tuple[str, Deals, tuple[str, ...]]]:
    """Return an order's deals of a day: (agent id, deals, the groups of figures that they are in)."""
    found: list[tuple[str, Deals, tuple[str, ...]]] = []
    seller = verdict.credit or NOBODY
    amount = order.amount
    if verdict.placing is not None and start <= verdict.created_ts < end:
        placed = Deals(placed_buyers=1, placed_orders=1, placed_amount=amount)
        found.append((verdict.placing, placed, ("placed",)))
    if verdict.paid_ts is not None and start <= verdict.paid_ts < end:
        if verdict.payment is not None:
            paid = Deals(paid_buyers=1, paid_orders=1, paid_amount=amount)
            found.append((verdict.payment, paid, ("paid",)))
        sale = (1, 1, order.quantity, amount)
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


def combined_deals(some: Iterable[Deals | None]) -> Deals | None:
    """Return the deals of one buyer with the shop, where there are any."""
    there = [deals for deals in some if deals is not None]
    if len(there) < 2:
        return there[0] if there else None
    return sum_of_deals(there)


def sum_of_deals(some: list[Deals]) -> Deals:
    """Return the sum of one buyer's deals: the buyer counts once."""
    sums = Deals(*summed(some))
    return replace(
        sums,
        placed_buyers=min(sums.placed_buyers, 1),
        paid_buyers=min(sums.paid_buyers, 1),
        sales_buyers=min(sums.sales_buyers, 1),
        silent_buyers=min(sums.silent_buyers, 1),
    )
