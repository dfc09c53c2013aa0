"""A person's statement: every line with its formula and its orders, and what closed months changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from stream_attr.console.pay.scope import LOOKING, paying
from stream_attr.console.roles import Role
from stream_attr.console.screens.exports import EXPORTS
from stream_attr.console.screens.pay.looks import asked_month, exported, linked, looked, statement_address
from stream_attr.console.screens.rows import Shown
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit, not_found
from stream_attr.ledger.pay.runs import Runs
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.pay.sheets import STATES
from stream_attr.ledger.pay.statements import statement_report
from stream_attr.ledger.reports.report import Money, Report, Row
from stream_attr.ledger.texts import Text

__all__ = ["SCREEN"]

TITLE: Final = Text("Statement", "工资单")
_MOST_ORDERS: Final = 100
"""Rows of orders that a page shows unless all are asked for."""


def show(visit: Visit) -> Response:
    """Show a statement, or write it as a file; an agent sees own ones of closed runs alone."""
    with paying(visit) as scope:
        person = visit.asked.one("person") or scope.own
        if person is None or not scope.sees([person]):
            raise not_found()
        all_of = [
            one
            for one in Runs(visit.connection).of_person(person)
            if visit.account.role is not Role.AGENT or one.state == "closed"
        ]
        asked = None if visit.asked.one("month") is None else asked_month(visit)
        paid = next((one for one in all_of if asked in (None, one.run.month)), None)
        if paid is None:
            raise not_found()
        month = paid.run.month
        report = statement_report(visit.connection, person, month)
        if (file := exported(visit, report, month)) is not None:
            return file
        looked(visit, f"statement {person} {month}")
        kept = Runs(visit.connection).statements(paid.run)[person]
        scheme = Schemes(visit.connection).version(paid.run.scheme_id, paid.version)
        rows = list(report.rows)
        orders = sum(row[3] is not None for row in rows)
        is_whole = orders <= _MOST_ORDERS or visit.asked.one("orders") == "all"
        shown = [row for row in rows if is_whole or row[3] is None]
        return shop_page(
            visit,
            "pay_statement.html",
            TITLE,
            shop_id=visit.shop(),
            person=person,
            name=report.filters[0][1],
            month=month,
            paid=paid,
            state=STATES[paid.state],
            scheme=scheme,
            report=report,
            rows=_filled(visit, report, shown),
            heads=[row[7] is not None for row in shown],
            totals=_filled(visit, report, list(report.totals)),
            true_ups=[
                (
                    one.true_up.month,
                    *(
                        Money(amount, scheme.currency)
                        for amount in (one.true_up.now, one.true_up.owed, one.true_up.paid, one.true_up.due)
                    ),
                )
                for one in kept.corrections
            ],
            orders=orders,
            is_whole=is_whole,
            others=[(one.run.month, statement_address(person, one.run.month)) for one in all_of],
            sees_runs=visit.account.role in LOOKING,
            exports=list(EXPORTS),
        )


def _filled(visit: Visit, report: Report, rows: Sequence[Row]) -> list[list[Shown]]:
    """Return rows as the page shows them: what a line has not is empty, and no dash."""
    return [
        [one if cell is not None else one._replace(text="") for one, cell in zip(cells, row, strict=True)]
        for cells, row in zip(linked(visit, report, rows), rows, strict=True)
    ]


SCREEN: Final = Screen("/pay/statement", TITLE, show, LOOKING | {Role.AGENT}, in_menu=False)
