"""A run's persons beside each other, and beside the month before: what to look at before it is checked."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

from stream_attr.codec.records.agent_daily import rate
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.runs import RunId, Runs
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.pay.sheets import filters_of
from stream_attr.ledger.reports.report import Cell, Column, Money, Report, Row
from stream_attr.ledger.texts import Text
from stream_attr.pay.team import NET, ORDERS, portions_of

__all__ = ["comparison"]

_TITLE: Final = Text("The run's persons compared", "本次发薪人员对比")
_TOTAL: Final = Text("total", "合计")
_BEFORE: Final = (
    "SELECT person_id, total FROM pay_statement"
    " WHERE month = %(first)s::date - interval '1 month' AND person_id = ANY(%(persons)s)"
)


def comparison(connection: Connection[Any], run_id: RunId) -> Report:
    """Return each person's total, share of all and total of the month before, beside orders and net sales.

    The greatest total first. Raises UnusableError where there is no such run.
    """
    runs = Runs(connection)
    run = runs.get(run_id)
    scheme = Schemes(connection).version(run_id.scheme_id, run.version)
    kept = runs.statements(run_id)
    bound = {"first": run_id.first_day, "persons": list(kept)}
    before: dict[str, int] = dict(connection.execute(_BEFORE, bound).fetchall())
    portions = portions_of(run.basis.team, scheme)
    names = {one.person_id: one.name for one in run.basis.terms}
    whole = sum(one.total for one in kept.values())

    def cells(total: int, earlier: int | None, more: int | None, orders: int, net: int) -> Row:
        money: list[Cell] = [
            None if amount is None else Money(amount, scheme.currency)
            for amount in (total, earlier, more, net)
        ]
        of_all = rate(total, whole) if whole > 0 else None
        of_sales = rate(total, net) if net > 0 else None
        return (money[0], of_all, money[1], money[2], orders, money[3], of_sales)

    def row(person: str) -> Row:
        orders, net = (sum(portions[key].get(person, {}).values()) for key in (ORDERS, NET))
        total, earlier = kept[person].total, before.get(person)
        more = None if earlier is None else total - earlier
        return (person, names[person], *cells(total, earlier, more, orders, net))

    order = sorted(kept, key=lambda person: (-kept[person].total, person))
    sums = [sum(sum(portions[key].get(person, {}).values()) for person in kept) for key in (ORDERS, NET)]
    earlier = sum(before.values()) if before else None
    more = sum(kept[person].total - amount for person, amount in before.items()) if before else None
    unit = Text(scheme.currency, scheme.currency)
    return Report(
        "pay-comparison",
        _TITLE,
        [
            Column("person", Text("person", "人员")),
            Column("name", Text("name", "姓名")),
            Column("total", _TOTAL, Kind.MONEY, unit),
            Column("share", Text("share of all", "占比"), Kind.RATE),
            Column("before", Text("month before", "上月"), Kind.MONEY, unit),
            Column("difference", Text("difference", "差额"), Kind.MONEY, unit),
            Column("orders", Text("credited orders", "归属订单"), Kind.COUNT),
            Column("net", Text("net sales", "净销售额"), Kind.MONEY, unit),
            Column("of_sales", Text("pay per net sales", "薪酬/净销售额"), Kind.RATE),
        ],
        [row(person) for person in order],
        run.basis.as_of,
        [(_TOTAL, None, *cells(whole, earlier, more, *sums))],
        [],
        filters_of(run, scheme),
    )
