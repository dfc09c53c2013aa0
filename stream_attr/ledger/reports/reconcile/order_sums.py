"""Orders and amounts of a reconciliation by result, and whether both sides come to the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from stream_attr.codec.money import format_money
from stream_attr.ledger.reports.reconcile.words import RESULTS, Cause, Result
from stream_attr.ledger.reports.report import Cell, Column, Money, Note, Row
from stream_attr.ledger.texts import Text

__all__ = ["OrderSums", "on_totals", "totals"]

_ORDERS: Final = Text("{orders} orders", "{orders} 单")
_TOTAL: Final = Text("total", "合计")
_AGREE: Final = Text(
    "Totals agree: {theirs} in {orders} orders, there and here.",
    "合计一致：双方均为 {theirs}，共 {orders} 单。",
)
_DIFFER: Final = Text(
    "Totals differ: there {theirs} in {there} orders, here {ours} in {here} orders, difference {difference}: "
    "only there {only_there}, only here {only_here}, of orders on both sides {both}.",
    "合计不一致：平台 {theirs}（{there} 单），本系统 {ours}（{here} 单），差额 {difference}："
    "仅平台有 {only_there}，仅本系统有 {only_here}，双方都有的订单 {both}。",
)


@dataclass(slots=True)
class OrderSums:
    """What has been compared; amounts of what counts in the days, on each side, in minor units."""

    orders: Counter[tuple[Result, str]] = field(default_factory=Counter)
    """By result and currency, and so on below."""
    there: Counter[tuple[Result, str]] = field(default_factory=Counter)
    """Orders that count there."""
    here: Counter[tuple[Result, str]] = field(default_factory=Counter)
    theirs: dict[tuple[Result, str], int] = field(default_factory=lambda: defaultdict(int))
    ours: dict[tuple[Result, str], int] = field(default_factory=lambda: defaultdict(int))
    causes: Counter[Cause] = field(default_factory=Counter)
    outside: int = 0
    """Orders of the sheet that are of other days on both sides."""

    def add(self, result: Result, currency: str, theirs: Money | None, ours: Money | None) -> None:
        """Add an order, with the amount that counts on each side, if one does."""
        key = (result, currency)
        self.orders[key] += 1
        for money, orders, sums in ((theirs, self.there, self.theirs), (ours, self.here, self.ours)):
            if money is not None:
                orders[key] += 1
                sums[key] += money.amount

    @property
    def currencies(self) -> list[str]:
        """Return the currencies of all orders."""
        return sorted({currency for _, currency in self.orders})


def totals(sums: OrderSums, columns: Sequence[Column]) -> list[Row]:
    """Return for each result its orders and amounts, and all of them together; by currency."""
    rows = []
    for currency in sums.currencies:
        keys = [(result, currency) for result in Result if sums.orders[result, currency]]
        rows += [_total(RESULTS[key[0]], sums, [key], columns) for key in keys]
        rows.append(_total(_TOTAL, sums, keys, columns))
    return rows


def _total(
    label: Text, sums: OrderSums, keys: Sequence[tuple[Result, str]], columns: Sequence[Column]
) -> Row:
    currency = keys[0][1]
    theirs, ours = (
        Money(sum(of[key] for key in keys if key in of), currency) if any(key in of for key in keys) else None
        for of in (sums.theirs, sums.ours)
    )
    cells: dict[str, Cell] = {
        "result": label,
        "order": _ORDERS.filled(orders=f"{sum(sums.orders[key] for key in keys):,}"),
        "theirs": theirs,
        "ours": ours,
        "difference": Money((theirs.amount if theirs else 0) - (ours.amount if ours else 0), currency),
        "currency": currency,
    }
    return tuple(cells.get(column.key) for column in columns)


def on_totals(sums: OrderSums) -> Iterator[Note]:
    """Yield whether the amounts agree, and what makes the difference; by currency."""
    for currency in sums.currencies:
        theirs, ours, there, here = (
            sum(of[result, currency] for result in Result)
            for of in (sums.theirs, sums.ours, sums.there, sums.here)
        )
        if (theirs, there) == (ours, here):
            yield Note(_AGREE.filled(theirs=format_money(theirs, currency), orders=f"{there:,}"))
            continue
        only_there = sums.theirs[Result.ONLY_THERE, currency]
        only_here = sums.ours[Result.ONLY_HERE, currency]
        text = _DIFFER.filled(
            theirs=format_money(theirs, currency),
            there=f"{there:,}",
            ours=format_money(ours, currency),
            here=f"{here:,}",
            difference=format_money(theirs - ours, currency),
            only_there=format_money(only_there, currency),
            only_here=format_money(-only_here, currency),
            both=format_money(theirs - ours - only_there + only_here, currency),
        )
        yield Note(text)
