"""Reconciliation: a sheet that a platform exported, sent by form, beside the ledger."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from stream_attr.console.periods import chosen, month_of, named, today
from stream_attr.console.refusals import refusal
from stream_attr.console.roles import WHOLE_SHOP
from stream_attr.console.screens.exports import EXPORTS, file_of
from stream_attr.console.screens.filters import Choice, known
from stream_attr.console.screens.made import made
from stream_attr.console.screens.rows import shown_rows
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit
from stream_attr.errors import UnusableError
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.reconcile.words import RESULTS
from stream_attr.ledger.reports.report import Report, Row
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.sheets.exports import EXPORTS as KNOWN_SHEETS

__all__ = ["SCREEN"]

TITLE: Final = Text("Reconcile", "对账")
LARGEST: Final = 20 * 1024 * 1024
"""Bytes of a file."""
MOST_ROWS: Final = 500
"""On the page; a file has all of them."""
_AT_ONCE: Final = threading.BoundedSemaphore(2)
"""A workbook is in memory while it is compared."""
_WAIT_S: Final = 10.0
_CHUNK: Final = 1024 * 1024
_DAYS_OF: Final = {"paid": Text("of payment", "付款"), "created": Text("of creation", "下单")}
_OPTIONS: Final = {
    "--map ": "",
    "--map": "what columns say",
    "按 --map": "按列的含义",
    "--sheet": "the field below",
    "--agent, --group and --person": "agents",
}
"""What messages call the fields of the form."""
_RESULT: Final = Text("results", "结果")


def show(visit: Visit) -> Response:
    """Show the form."""
    with visit.reading():
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        return _page(visit, shop_id, None, "")


def act(visit: Visit) -> Response:
    """Compare the sheet that was sent, and show the differences, or write them as a file.

    What was sent is written to a folder of its own for as long as that takes.
    """
    with visit.reading():
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        period = _period(visit, shop_id)
        try:
            report = _compared(visit, shop_id, period)
        except UnusableError as error:
            return _page(visit, shop_id, None, str(error), 400)
        assert visit.file is not None
        name = visit.file.filename
        visit.note("reconcile", shop_id, f"{name} {period.name}")
        if (format_ := visit.form.one("format")) is not None:
            return file_of(visit, report, format_, shop_id, period)
        return _page(visit, shop_id, report, "")


def _period(visit: Visit, shop_id: str) -> Period:
    asked = visit.form if visit.form.pairs else visit.asked
    return chosen(asked, month_of(today(visit.connection, shop_id).day))


def _compared(visit: Visit, shop_id: str, period: Period) -> Report:
    """Return the comparison. Raises UnusableError, which says what is wrong with the file or the form."""
    form = visit.form
    if visit.file is None or not visit.file.filename:
        raise UnusableError("no file was chosen: choose the sheet that the platform exported")
    days_of = form.one("days_of") or "paid"
    results = known("result", form.all("result"), RESULTS)
    known("days_of", (days_of,), _DAYS_OF)
    maps = tuple(line.strip() for text in form.all("map") for line in text.splitlines() if line.strip())
    if not _AT_ONCE.acquire(timeout=_WAIT_S):
        raise HTTPException(503, "two sheets are being compared already: try again in a minute")
    try:
        with _kept(visit.file) as path:
            try:
                report = made(
                    visit,
                    "reconcile",
                    shop_id,
                    period,
                    file=path,
                    maps=maps,
                    sheet=form.one("sheet"),
                    days_of=days_of,
                    results=results,
                )
            except UnusableError as error:
                why = refusal(str(error), visit.language)
                raise UnusableError(_in_form_terms(why, path, visit.file.filename)) from error
            return _renamed(report, path, visit.file.filename)
    finally:
        _AT_ONCE.release()


@contextmanager
def _kept(file: UploadFile) -> Iterator[Path]:
    """Keep what was sent as a file, which is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="stream_attr-") as folder:
        path = Path(folder) / "sheet"
        with path.open("wb") as kept:
            while chunk := file.file.read(_CHUNK):
                kept.write(chunk)
        yield path


def _in_form_terms(text: str, path: Path, name: str) -> str:
    """Return a sentence as somebody before the form knows the file and its fields."""
    text = text.replace(str(path), name)
    for option, field in _OPTIONS.items():
        text = text.replace(option, field)
    return text


def _renamed(report: Report, path: Path, name: str) -> Report:
    """Return a report that calls the file what it is called where it came from."""

    def text(one: Text) -> Text:
        return Text(*(_in_form_terms(words, path, name) for words in one))

    def row(cells: Row) -> Row:
        return tuple(text(one) if isinstance(one, Text) else one for one in cells)

    notes = [note._replace(text=text(note.text)) for note in report.notes]
    return replace(
        report, rows=list(map(row, report.rows)), totals=list(map(row, report.totals)), notes=notes
    )


def _page(visit: Visit, shop_id: str, report: Report | None, wrong: str, status: int = 200) -> Response:
    """Return the form as it was sent, and what came of it."""
    now, period, form = today(visit.connection, shop_id), _period(visit, shop_id), visit.form
    rows = [] if report is None else list(report.rows)
    pairs = [("from", day_name(period.first)), ("to", day_name(period.last))]
    return shop_page(
        visit,
        "reconcile.html",
        TITLE,
        status,
        shop_id=shop_id,
        now=now,
        period=period,
        periods=named(now.day),
        first=day_name(period.first),
        last=day_name(period.last),
        report=report,
        rows=[] if report is None else shown_rows(report, rows[:MOST_ROWS], visit, shop_id, pairs),
        totals=[] if report is None else shown_rows(report, list(report.totals), visit, shop_id, pairs),
        all_rows=len(rows),
        most_rows=MOST_ROWS,
        largest=LARGEST >> 20,
        file_name="" if report is None or visit.file is None else visit.file.filename,
        wrong=wrong,
        days_of=form.one("days_of") or "paid",
        all_days_of=_DAYS_OF,
        results=Choice(
            "result", _RESULT, tuple((str(one), text) for one, text in RESULTS.items()), form.all("result")
        ),
        maps="\n".join(form.all("map")),
        sheet=form.one("sheet") or "",
        known_sheets=[one.name for one in KNOWN_SHEETS],
        exports=[one for one in EXPORTS if one != "json"],
    )


SCREEN: Final = Screen(
    "/reconcile", TITLE, show, WHOLE_SHOP, act=act, acting=WHOLE_SHOP, largest_file=LARGEST
)
