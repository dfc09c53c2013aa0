"""What the screens of pay share: who looks is in the audit, what is asked for is there, tables with links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from starlette.responses import Response

from stream_attr.console.links import to
from stream_attr.console.pay.scope import PayScope
from stream_attr.console.screens.exports import file_of
from stream_attr.console.screens.rows import Shown, shown_rows
from stream_attr.console.visit import Visit, not_found
from stream_attr.errors import StreamAttrError
from stream_attr.ledger.pay.refused import Refused
from stream_attr.ledger.pay.runs import Run, RunId, Runs, month_asked
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports.report import Report, Row
from stream_attr.ledger.texts import Text

__all__ = [
    "TITLE",
    "asked_month",
    "asked_run",
    "exported",
    "linked",
    "looked",
    "reason_of",
    "statement_address",
]

TITLE: Final = Text("Pay", "薪酬")


def looked(visit: Visit, about: str) -> None:
    """Have the audit say that somebody looked at pay."""
    visit.note("look at pay", None, about)


def reason_of(visit: Visit, error: StreamAttrError) -> str:
    """Return why something is not done, in the reader's language where it is known in it."""
    return error.text.of(visit.language) if isinstance(error, Refused) else str(error)


def asked_month(visit: Visit) -> str:
    """Return the month that is asked for, or 404. Raises UnusableError for what is none."""
    asked = visit.asked.one("month")
    if asked is None:
        raise not_found()
    return month_asked(asked)


def asked_run(visit: Visit, scope: PayScope) -> Run:
    """Return the run that is asked for: 404 unless it is there, and each of its persons may be seen."""
    scheme_id = visit.asked.one("scheme")
    if scheme_id is None:
        raise not_found()
    found = Runs(visit.connection).find(RunId(scheme_id, asked_month(visit)))
    if found is None or not scope.sees(one.person_id for one in found.basis.terms):
        raise not_found()
    return found


def exported(visit: Visit, report: Report, month: str) -> Response | None:
    """Return a report as the file that is asked for; None: a page is."""
    format_ = visit.asked.one("format")
    return None if format_ is None else file_of(visit, report, format_, "", period(month, None))


def linked(
    visit: Visit, report: Report, rows: Sequence[Row], person: Callable[[str], str | None] | None = None
) -> list[list[Shown]]:
    """Return rows as a page shows them: orders lead to their receipts, persons where ``person`` says."""
    found = shown_rows(report, rows, visit, "", ())
    for cells, row in zip(found, rows, strict=True):
        if person is not None and isinstance(row[0], str):
            cells[0] = cells[0]._replace(link=person(row[0]))
    return found


def statement_address(person_id: str, month: str) -> str:
    """Return where a statement is."""
    return to("/pay/statement", person=person_id, month=month)
