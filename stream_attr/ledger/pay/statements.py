"""A person's statement: every line with what it is made of and its orders, and what closed months changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection

from stream_attr.errors import UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.records import Correction
from stream_attr.ledger.pay.runs import RunId, Runs
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.pay.sheets import filters_of, name_of, refund_note, signatures
from stream_attr.ledger.pay.words import Words, kind_of
from stream_attr.ledger.reports.report import Cell, Column, Money, Number, Report, Row
from stream_attr.ledger.texts import Text
from stream_attr.pay.lines import CommissionWhy, Line, PerUnitWhy

__all__ = ["run_of", "statement_report"]

_TITLE: Final = Text("Statement", "工资单")
_PERSON: Final = Text("person", "人员")
_TOTAL: Final = Text("total", "合计")
_CORRECTION: Final = Text("correction of {month}", "{month} 更正")
_SETTLED: Final = Text(
    "due {due}, paid {paid}: now {now}, still owed {owed}", "应付 {due}，已付 {paid}：本次 {now}，尚欠 {owed}"
)
_CHANGE: Final = Text("{name}: {before} → {after}", "{name}：{before} → {after}")


def run_of(connection: Connection[Any], person_id: str, month: str) -> RunId:
    """Return the run that has a person's statement of a month. Raises UnusableError where there is none."""
    row = connection.execute(
        "SELECT scheme_id FROM pay_statement WHERE person_id = %s AND month = %s::date",
        (person_id, f"{month}-01"),
    ).fetchone()
    if row is None:
        raise UnusableError(f"there is no statement of {person_id} for {month}: see stream-attr pay run list")
    return RunId(row[0], month)


def statement_report(connection: Connection[Any], person_id: str, month: str) -> Report:
    """Return a person's statement of a month: of nobody else anything but what the lines rest on.

    Raises UnusableError where there is none.
    """
    runs = Runs(connection)
    run = runs.get(run_of(connection, person_id, month))
    scheme = Schemes(connection).version(run.id.scheme_id, run.version)
    kept = runs.statements(run.id)[person_id]
    names = {one.id: name_of(scheme, one.id) for one in scheme.components}
    sheet = _Sheet(
        scheme.currency,
        Words(scheme.currency, names),
        names,
        {(one.shop_id, one.order_id): one.revision for one in run.basis.read.orders},
    )
    rows: list[Row] = []
    for line in kept.statement.lines:
        rows += sheet.line(line)
    for correction in kept.corrections:
        rows += sheet.correction(correction)
    name = next(one.name for one in run.basis.terms if one.person_id == person_id)
    return Report(
        "statement",
        _TITLE,
        sheet.columns,
        rows,
        run.basis.as_of,
        [(_TOTAL, *[None] * (len(sheet.columns) - 2), Money(kept.total, scheme.currency))],
        [refund_note(scheme), *signatures(run)],
        [(_PERSON, f"{person_id}{f' {name}' if name else ''}"), *filters_of(run, scheme)],
    )


class _Sheet:
    """The rows of a statement."""

    def __init__(
        self, currency: str, words: Words, names: dict[str, Text], revisions: dict[tuple[str, str], int]
    ) -> None:
        self._currency, self._words, self._names, self._revisions = currency, words, names, revisions
        unit = Text(currency, currency)
        self.columns = (
            Column("line", Text("line", "项目")),
            Column("how", Text("how", "计算")),
            Column("shop", Text("shop", "店铺")),
            Column("order", Text("order", "订单")),
            Column("revision", Text("revision", "版本"), Kind.COUNT),
            Column("brings", Text("brings", "计入"), Kind.FIGURE),
            Column("share", Text("share", "分得"), Kind.MONEY, unit),
            Column("amount", Text("amount", "金额"), Kind.MONEY, unit),
        )

    def line(self, line: Line) -> Iterator[Row]:
        """Yield a line, and below it the orders that it rests on: their shares add up to its amount."""
        yield self._head(self._names[line.component], self._words.how(line.why), line.amount)
        key = line.why.figure.key if isinstance(line.why, CommissionWhy | PerUnitWhy) else ""
        for one in line.orders:
            revision = self._revisions[one.shop_id, one.order_id]
            brings = self._number(key, one.portion)
            share = Money(one.share, self._currency)
            yield (None, None, one.shop_id, one.order_id, revision, brings, share, None)

    def correction(self, one: Correction) -> Iterator[Row]:
        """Yield what a closed month pays or takes back, and below it what has changed of it."""
        its, money = one.true_up, self._words.money
        how = _SETTLED.filled(
            due=money(its.due), paid=money(its.paid), now=money(its.now), owed=money(its.owed)
        )
        yield self._head(_CORRECTION.filled(month=its.month), how, its.now)
        for change in one.changes:
            name = self._names.get(change.component, Text(change.component, change.component))
            text = _CHANGE.filled(name=name, before=money(change.before), after=money(change.after))
            yield (None, text, None, None, None, None, None, None)
            for order in change.orders:
                moved = f"{money(order.before)} → {money(order.after)}"
                yield (None, moved, order.shop_id, order.order_id, None, None, None, None)

    def _head(self, name: Text, how: Text, amount: int) -> Row:
        return (name, how, None, None, None, None, None, Money(amount, self._currency))

    def _number(self, key: str, number: int) -> Cell:
        return Money(number, self._currency) if kind_of(key) is Kind.MONEY else Number(number, Kind.COUNT)
