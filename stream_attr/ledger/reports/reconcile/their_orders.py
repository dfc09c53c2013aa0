"""The orders of a platform's sheet: sub-orders put together, ids that are sound, amounts exact."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from stream_attr.ledger.reports.reconcile.sheet import TheirSheet
from stream_attr.sheets.book import SheetRow
from stream_attr.sheets.cells import Instant, amount, instant, is_nothing
from stream_attr.sheets.columns import Dropped
from stream_attr.sheets.exports import NO_REFUND
from stream_attr.sheets.ids import IdColumn
from stream_attr.sheets.places import Cell, SheetError
from stream_attr.sheets.statuses import State, state_of

__all__ = ["TheirOrder", "TheirOrders", "read_orders"]


_FILLED: Final = frozenset({"amount", "refund", "paid", "created", "status", "agent"})


_REFUNDED: Final = ("退款成功", "退款完成", "已退款", "已全额退款")
"""Words of after-sales statuses."""


@dataclass(slots=True)
class TheirOrder:
    """An order as the sheet has it; of several sub-orders together."""

    order_id: str
    row: int
    """The first one."""
    amount: Decimal | None = None
    """Major units."""
    refund: Decimal | None = None
    created: Instant | None = None
    paid: Instant | None = None
    statuses: tuple[str, ...] = ()
    after_sales: tuple[str, ...] = ()
    agent: str = ""

    @property
    def state(self) -> State | None:
        """Return what its sub-orders' statuses say together: paid where one is, closed where all are."""
        states = {state_of(one) for one in self.statuses}
        if None in states or not states:
            return None
        return next(one for one in (State.PAID, State.UNPAID, State.CLOSED) if one in states)

    @property
    def is_refunded(self) -> bool:
        """Whether the after-sales status of one of its sub-orders says that money went back."""
        return any(word in one for one in self.after_sales for word in _REFUNDED)


@dataclass(slots=True)
class TheirOrders:
    """What a sheet of orders says."""

    orders: dict[str, TheirOrder] = field(default_factory=dict)
    """In the order of the sheet."""
    rows: int = 0
    repeated: int = 0
    """Rows that are there twice, all cells alike; they count once."""
    dropped: Dropped = field(default_factory=Dropped)
    unknown_statuses: set[str] = field(default_factory=set)
    without: set[str] = field(default_factory=set)
    """Fields whose column is empty in all rows: it says nothing."""


def read_orders(sheet: TheirSheet, zone: str) -> TheirOrders:
    """Return the orders of a sheet; times without an offset are by the clocks of ``zone``.

    Raises SheetError for a cell that cannot be read, a damaged id, and one order in two rows that differ.
    """
    found = TheirOrders()
    ids = IdColumn()
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    filled: set[str] = set()
    for row in sheet.rows(found.dropped):
        cell = sheet.cell(row, "order")
        assert cell is not None
        order_id = ids.read(cell)
        if not order_id:
            found.dropped.without_key += 1
            found.dropped.first_without_key = found.dropped.first_without_key or row.number
            continue
        line = sheet.cell(row, "line")
        key = (order_id, "" if line is None else IdColumn().read(line))
        content = hash(row.cells)
        if key in seen:
            _check_same(cell, line, seen[key], content)
            found.repeated += 1
            continue
        seen[key] = (row.number, content)
        found.rows += 1
        order = found.orders.setdefault(order_id, TheirOrder(order_id, row.number))
        filled |= _add(order, sheet, row, zone)
    ids.check()
    found.without = (sheet.positions.keys() & _FILLED) - filled
    found.unknown_statuses = {
        one for order in found.orders.values() for one in order.statuses if state_of(one) is None
    }
    return found


def _check_same(cell: Cell, line: Cell | None, known: tuple[int, int], content: int) -> None:
    row, before = known
    if content != before:
        what = f"order {cell.text}" if line is None else f"sub-order {line.text} of order {cell.text}"
        raise SheetError(
            f"{cell.place}: {what} is in row {row} too, and the rows differ: an order has one row, or "
            "several of sub-orders with ids of their own (--map 'their column=line')"
        )


def _add(order: TheirOrder, sheet: TheirSheet, row: SheetRow, zone: str) -> set[str]:
    """Add a row to its order; return the fields that it says something of."""
    filled = set()

    def cell_of(name: str) -> Cell | None:
        cell = sheet.cell(row, name)
        if cell is None or is_nothing(cell):
            return None
        filled.add(name)
        return cell

    cell = cell_of("amount")
    if cell is not None:
        order.amount = (order.amount or Decimal(0)) + (amount(cell) or 0)
    cell = cell_of("refund")
    if cell is not None:
        order.refund = (order.refund or Decimal(0)) + (0 if cell.text in NO_REFUND else amount(cell) or 0)
    cell = cell_of("paid")
    if cell is not None:
        order.paid = _earlier(order.paid, instant(cell, zone))
    cell = cell_of("created")
    if cell is not None:
        order.created = _earlier(order.created, instant(cell, zone))
    cell = cell_of("status")
    if cell is not None and cell.text not in order.statuses:
        order.statuses = (*order.statuses, cell.text)
    cell = cell_of("after_sales")
    if cell is not None and cell.text not in order.after_sales:
        order.after_sales = (*order.after_sales, cell.text)
    cell = cell_of("agent")
    if cell is not None:
        if order.agent and order.agent != cell.text:
            raise cell.unusable(f"is another agent than {order.agent!r} of the same order")
        order.agent = cell.text
    return filled


def _earlier(one: Instant | None, other: Instant | None) -> Instant | None:
    return min(filter(None, (one, other)), default=None)
