"""A platform's sheet of orders against the ledger: matched, differs, only there, only here (LEDGER 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from psycopg import Connection

from stream_attr.contract.topics import DEAD_LETTERS, DECISIONS
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.reconcile.compare_orders import (
    Days,
    Difference,
    differences,
    their_money,
)
from stream_attr.ledger.reports.reconcile.lost_ids import pairs_of
from stream_attr.ledger.reports.reconcile.names import AgentNames
from stream_attr.ledger.reports.reconcile.notes import on_causes, on_sheet
from stream_attr.ledger.reports.reconcile.order_causes import OrderCauses
from stream_attr.ledger.reports.reconcile.order_sums import OrderSums, on_totals, totals
from stream_attr.ledger.reports.reconcile.our_orders import OurOrder, by_ids, in_days, refusals, watermark
from stream_attr.ledger.reports.reconcile.sheet import TheirSheet
from stream_attr.ledger.reports.reconcile.their_orders import TheirOrder, TheirOrders, read_orders
from stream_attr.ledger.reports.reconcile.words import CAUSES, RESULTS, Cause, Finding, Result
from stream_attr.ledger.reports.report import Column, Money, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, agents_of, as_of, asked_for
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import zone

__all__ = ["report"]

_AT_ONCE: Final = 5_000
_CURRENCY: Final = (
    "SELECT currency FROM decision WHERE shop_id = %s AND profile = 'official' GROUP BY 1"
    " ORDER BY count(*) DESC, 1 LIMIT 1"
)
_COLUMNS: Final = (
    Column("result", Text("result", "结果")),
    Column("row", Text("row", "行"), Kind.COUNT),
    Column("order", Text("order", "订单")),
    Column("field", Text("what", "项目")),
    Column("theirs", Text("theirs", "平台"), Kind.FIGURE),
    Column("ours", Text("ours", "本系统"), Kind.FIGURE),
    Column("difference", Text("difference", "差额"), Kind.MONEY),
    Column("currency", Text("currency", "币种")),
    Column("cause", Text("cause", "原因")),
    Column("agent", Text("credit", "业绩归属")),
    Column("detail", Text("detail", "说明")),
)
_TITLE: Final = Text("Orders of a sheet against the ledger", "订单对账")
_AMOUNT: Final = Text("amount", "金额")
_ORDER: Final = Text("order", "订单")
_BASIS: Final = {
    "paid": Text(
        "Ours are the orders paid in these days, as in the report sales; an unpaid order is set beside the "
        "sheet where that has it.",
        "本系统为这些日期内付款的订单，与 sales 报表相同；未付款订单仅在平台表中有时比较。",
    ),
    "created": Text(
        "Ours are the orders created in these days, excluded ones not; their amounts count, paid or not.",
        "本系统为这些日期内创建的订单（不含已排除的）；金额含未付款。",
    ),
}
_OUTSIDE: Final = Text(
    "{orders} orders of the sheet are of other days, there and here: they are not compared.",
    "平台表中有 {orders} 单属于其他日期，不参与比较。",
)


_MOST_NAMED: Final = 10
_REPEATED: Final = Text(
    "{rows} rows of the sheet are there twice, all cells alike: each counts once.",
    "平台表中有 {rows} 行完全重复，只计一次。",
)
_EMPTY: Final = Text(
    "These columns are empty in all rows, and are not compared: {fields}.", "以下列全为空，不比较：{fields}。"
)
_STATUSES: Final = Text(
    "Statuses that are not known, and not compared: {words}.", "未识别的订单状态，不比较：{words}。"
)


def report(connection: Connection[Any], options: Options, shop: ShopScope, sheet: TheirSheet) -> Report:
    """Return the orders of a sheet beside those of the ledger; see `words` for results and causes.

    Raises SheetError for a cell that cannot be read.
    """
    read = read_orders(sheet, shop.zone.name)
    fields = frozenset(sheet.positions) - read.without
    days = Days(fields, options.days_of)
    causes = OrderCauses(
        connection,
        shop,
        options.period.instants(shop.zone),
        options.period.instants(zone(shop.zone.name)),
        watermark(connection),
        AgentNames(agents_of(connection, shop).values()),
        {},
    )
    sums = OrderSums()
    run = _Run(connection, shop, sheet, read, days, causes, sums, _currency(connection, shop))
    wanted = set(options.results or (Result.DIFFERS, Result.ONLY_THERE, Result.ONLY_HERE))
    rows = [row for result, row in run.rows() if result in wanted]
    return Report(
        "reconcile",
        _TITLE,
        _COLUMNS,
        rows,
        as_of(connection, shop.zone, (DECISIONS, DEAD_LETTERS)),
        totals(sums, _COLUMNS),
        [
            *on_sheet(sheet, read.dropped, read.rows, shop.zone.name),
            *_on_orders(read, sums, options.days_of),
            *(on_totals(sums) if "amount" in fields else ()),
            *on_causes(sums.causes),
        ],
        asked_for(options, (shop,)),
    )


def _currency(connection: Connection[Any], shop: ShopScope) -> str:
    """Return the currency of most orders of a shop: that of orders which the ledger does not have."""
    row = connection.execute(_CURRENCY, (shop.shop_id,)).fetchone()
    return "CNY" if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class _Run:
    """One comparison."""

    connection: Connection[Any]
    shop: ShopScope
    sheet: TheirSheet
    read: TheirOrders
    days: Days
    causes: OrderCauses
    sums: OrderSums
    currency: str

    @property
    def _file(self) -> str:
        of = self.sheet.columns.sheet
        return of.file if of.name is None else f"{of.file}, sheet {of.name!r}"

    def rows(self) -> Iterator[tuple[Result, Row]]:
        """Yield the rows of orders on both sides, as the sheet has them, then only there, then only here."""
        missing: list[TheirOrder] = []
        for batch in _parts(list(self.read.orders.values())):
            ids = [one.order_id for one in batch]
            ours = by_ids(self.connection, self.shop.shop_id, ids)
            self._learn_refusals(ids)
            for theirs in batch:
                known = ours.get(theirs.order_id)
                if known is None:
                    missing.append(theirs)
                else:
                    yield from self._both(theirs, known)
        only_here = [
            one
            for one in in_days(self.connection, self.shop, self.causes.own, self.days.of)
            if one.order_id not in self.read.orders
        ]
        pairs = pairs_of([one.order_id for one in missing], [one.order_id for one in only_here])
        here = {one.order_id: one for one in only_here}
        for batch in _parts(missing):
            self._learn_refusals([one.order_id for one in batch])
            for theirs in batch:
                own = pairs.get(theirs.order_id)
                yield from self._only_there(theirs) if own is None else self._lost(theirs, here.pop(own))
        for part in _parts(list(here.values())):
            self._learn_refusals([one.order_id for one in part])
            for ours_alone in part:
                yield self._only_here(ours_alone)

    def _learn_refusals(self, ids: Sequence[str]) -> None:
        self.causes.refused.clear()
        self.causes.refused.update(refusals(self.connection, self.shop.shop_id, ids))

    def _counts_there(self, theirs: TheirOrder) -> bool | None:
        """Whether an order of the sheet counts there in these days; None: it does not say when it was."""
        at = self.days.theirs(theirs)
        return None if at is None else self.causes.natural[0] <= at.ts < self.causes.natural[1]

    def _is_unsold_there(self, theirs: TheirOrder) -> bool:
        """Whether the sheet says when orders were, and not of this one: it is not paid there."""
        return self.days.of in self.days.fields and self.days.theirs(theirs) is None

    def _counts_here(self, ours: OurOrder) -> bool:
        at = self.days.ours(ours)
        counts = ours.is_sold if self.days.of == "paid" else ours.outcome != "excluded"
        return counts and at is not None and self.causes.own[0] <= at < self.causes.own[1]

    def _both(self, theirs: TheirOrder, ours: OurOrder) -> Iterator[tuple[Result, Row]]:
        there, here = self._counts_there(theirs), self._counts_here(ours)
        at = self.days.ours(ours)
        if not here and (there is False or (there is None and at is not None and not self._is_near(at))):
            self.sums.outside += 1
            return
        found = list(differences(theirs, ours, self.days, self.causes, self._file))
        result = Result.DIFFERS if found else Result.MATCHED
        own = Money(ours.amount, ours.currency)
        money = their_money(theirs, "amount", ours.currency, self._file)
        shown = here if there is None else there
        if self._is_unsold_there(theirs):
            shown = False
        self.sums.add(result, ours.currency, money if shown else None, own if here else None)
        if not found:
            yield result, self._row(result, theirs, ours, Difference(_AMOUNT, money, own, None, _NO_FINDING))
        for one in found:
            self.sums.causes[one.finding.cause] += 1
            yield result, self._row(result, theirs, ours, one)

    def _is_near(self, at: int) -> bool:
        """Whether an instant of ours is of the period, by either of the two kinds of days."""
        return any(start <= at < end for start, end in (self.causes.own, self.causes.natural))

    def _only_there(self, theirs: TheirOrder) -> Iterator[tuple[Result, Row]]:
        if self._counts_there(theirs) is False:
            self.sums.outside += 1
            return
        at = theirs.paid or theirs.created
        finding = self.causes.only_there(theirs.order_id, None if at is None else at.ts)
        money = their_money(theirs, "amount", self.currency, self._file)
        self.sums.add(
            Result.ONLY_THERE, self.currency, None if self._is_unsold_there(theirs) else money, None
        )
        self.sums.causes[finding.cause] += 1
        one = Difference(_AMOUNT, money, None, money, finding)
        yield Result.ONLY_THERE, self._row(Result.ONLY_THERE, theirs, None, one)

    def _lost(self, theirs: TheirOrder, ours: OurOrder) -> Iterator[tuple[Result, Row]]:
        money = their_money(theirs, "amount", ours.currency, self._file)
        self.sums.add(Result.DIFFERS, ours.currency, money, Money(ours.amount, ours.currency))
        self.sums.causes[Cause.ID_LOST] += 1
        one = Difference(_ORDER, theirs.order_id, ours.order_id, None, Finding(Cause.ID_LOST))
        yield Result.DIFFERS, self._row(Result.DIFFERS, theirs, ours, one)

    def _only_here(self, ours: OurOrder) -> tuple[Result, Row]:
        at = self.days.ours(ours)
        assert at is not None
        finding = self.causes.only_here(ours, at)
        own = Money(ours.amount, ours.currency)
        self.sums.add(Result.ONLY_HERE, ours.currency, None, own)
        self.sums.causes[finding.cause] += 1
        one = Difference(_AMOUNT, None, own, Money(-own.amount, own.currency), finding)
        return Result.ONLY_HERE, self._row(Result.ONLY_HERE, None, ours, one)

    def _row(self, result: Result, theirs: TheirOrder | None, ours: OurOrder | None, one: Difference) -> Row:
        either = theirs or ours
        return (
            RESULTS[result],
            None if theirs is None else theirs.row,
            None if either is None else either.order_id,
            one.field,
            one.theirs,
            one.ours,
            one.difference,
            self.currency if ours is None else ours.currency,
            None if result is Result.MATCHED else CAUSES[one.finding.cause],
            None if ours is None else ours.agent_id,
            one.finding.detail,
        )


_NO_FINDING: Final = Finding(Cause.UNKNOWN)
_Item = TypeVar("_Item")


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Yield items in parts that one query takes."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _on_orders(read: TheirOrders, sums: OrderSums, days_of: str) -> Iterator[Note]:
    yield Note(_BASIS[days_of])
    if read.repeated:
        yield Note(_REPEATED.filled(rows=f"{read.repeated:,}"))
    if sums.outside:
        yield Note(_OUTSIDE.filled(orders=f"{sums.outside:,}"))
    if read.without:
        yield Note(_EMPTY.filled(fields=", ".join(sorted(read.without))))
    if read.unknown_statuses:
        yield Note(_STATUSES.filled(words="、".join(sorted(read.unknown_statuses)[:_MOST_NAMED])))
