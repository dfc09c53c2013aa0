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


class DealSums:
    """One buyer's deals of a day with an agent, while they are added up; fields as of `Deals`."""

    def __init__(self) -> None:
        self.placed_orders = 0
        self.placed_amount = 0
        self.paid_orders = 0
        self.paid_amount = 0
        self.sales_orders = 0
        self.sales_quantity = 0
        self.sales_amount = 0
        self.silent_orders = 0
        self.silent_quantity = 0
        self.silent_amount = 0
        self.refunds = 0
        self.requested = 0
        self.completed = 0
        self.finals: dict[str, int] = {}
        """When each group of figures is final, epoch ms; without groups that have none."""

    def deals(self) -> Deals:
        """Return the deals: the buyer counts once."""
        return Deals(
            min(self.placed_orders, 1),
            self.placed_orders,
            self.placed_amount,
            min(self.paid_orders, 1),
            self.paid_orders,
            self.paid_amount,
            min(self.sales_orders, 1),
            self.sales_orders,
            self.sales_quantity,
            self.sales_amount,
            min(self.silent_orders, 1),
            self.silent_orders,
            self.silent_quantity,
            self.silent_amount,
            self.refunds,
            self.requested,
            self.completed,
        )


def add_deals(sums: dict[str, DealSums], verdict: Verdict, order: Order, start: int, end: int) -> None:
    """Add what of an order falls on the day from ``start`` to ``end`` to the sums by agent id."""
    seller = verdict.credit or NOBODY
    if verdict.placing is not None and start <= verdict.created_ts < end:
        placing = _of(verdict.placing, "placed", sums, verdict)
        placing.placed_orders += 1
        placing.placed_amount += order.amount
    if verdict.paid_ts is not None and start <= verdict.paid_ts < end:
        amount, quantity = order.amount, order.quantity
        if verdict.payment is not None:
            payment = _of(verdict.payment, "paid", sums, verdict)
            payment.paid_orders += 1
            payment.paid_amount += amount
        sale = _of(seller, "sales", sums, verdict)
        sale.sales_orders += 1
        sale.sales_quantity += quantity
        sale.sales_amount += amount
        if seller == NOBODY:
            sale.finals["silent"] = sale.finals["sales"]
            sale.silent_orders += 1
            sale.silent_quantity += quantity
            sale.silent_amount += amount
    for refund in order.refunds:
        if start <= refund.ts < end:
            refunded = _of(seller, "refunds", sums, verdict)
            refunded.refunds += 1
            if refund.completed:
                refunded.completed += refund.amount
            else:
                refunded.requested += refund.amount


def _of(agent_id: str, group: str, sums: dict[str, DealSums], verdict: Verdict) -> DealSums:
    """Return an agent's sums, of which a group is final no sooner than a verdict."""
    some = sums.get(agent_id)
    if some is None:
        some = sums[agent_id] = DealSums()
    if some.finals.get(group, -1) < verdict.final_at:
        some.finals[group] = verdict.final_at
    return some


def combined_deals(some: Iterable[Deals | None]) -> Deals | None:
    """Return the deals of one buyer with the shop, where there are any."""
    there = [deals for deals in some if deals is not None]
    if len(there) < 2:
        return there[0] if there else None
    sums = Deals(*summed(there))
    return replace(
        sums,
        placed_buyers=min(sums.placed_buyers, 1),
        paid_buyers=min(sums.paid_buyers, 1),
        sales_buyers=min(sums.sales_buyers, 1),
        silent_buyers=min(sums.silent_buyers, 1),
    )
