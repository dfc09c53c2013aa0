"""A report as a workbook of two sheets: about it, and its rows as typed cells, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO, Final

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from stream_attr.codec.money import shown_digits
from stream_attr.errors import UnusableError
from stream_attr.ledger.formats.cells import POINTS, as_text, heads, is_end, local
from stream_attr.ledger.formats.summary import as_of_lines, note_lines
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Cell, Moment, Money, Number, Report, Row
from stream_attr.ledger.texts import Text

__all__ = ["write"]

_MAX_ROWS: Final = 1_048_576
"""Of a sheet, its head included."""
_MAX_TEXT: Final = 32_767
_MAX_EXACT: Final = 10**15
"""Greater whole numbers lose digits in a spreadsheet: they are written as text."""
_FORMATS: Final = {
    Kind.COUNT: "#,##0",
    Kind.SECONDS: "#,##0.000",
    Kind.RATE: "0.00%",
    Kind.RATIO: "#,##0.00",
    Kind.MOMENT: "yyyy-mm-dd hh:mm:ss",
}
_ABOUT, _ROWS = Text("About", "说明"), Text("Rows", "数据")


class _Book:
    """A workbook being written, with the formats that its cells share."""

    def __init__(self, out: BinaryIO, language: str) -> None:
        self.book = Workbook(
            out,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": False,
            },
        )
        self.language = language
        self.bold = self.book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._formats: dict[str, Any] = {}

    def format(self, code: str) -> Any:
        found = self._formats.get(code)
        if found is None:
            found = self._formats[code] = self.book.add_format({"num_format": code})
        return found

    def cell(self, sheet: Any, row: int, column: int, cell: Cell, kind: Kind) -> None:
        """Write a typed cell; text is never a formula, a link or a number."""
        if cell is None:
            return
        if isinstance(cell, Number):
            cell, kind = cell
        if isinstance(cell, str | Text) or (isinstance(cell, Moment) and is_end(cell.ts)):
            text = as_text(cell, kind, self.language, grouped=True)
            sheet.write_string(row, column, text[:_MAX_TEXT])
        elif isinstance(cell, Moment):
            sheet.write_datetime(row, column, local(cell), self.format(_FORMATS[Kind.MOMENT]))
        elif isinstance(cell, Money):
            digits = shown_digits(cell.currency or "")
            code = "#,##0" + (f".{'0' * digits}" if digits else "")
            self._number(sheet, row, column, cell.amount, 10**digits, cell, kind, code)
        elif kind is Kind.POINTS:
            code = f'0.00" {POINTS.of(self.language)}"'
            self._number(sheet, row, column, cell, 0.01, cell, kind, code)
        elif kind is Kind.SECONDS:
            self._number(sheet, row, column, cell, 1000, cell, kind, _FORMATS[kind])
        else:
            self._number(sheet, row, column, cell, 1, cell, kind, _FORMATS.get(kind, "#,##0"))

    def _number(
        self, sheet: Any, row: int, column: int, number: float, by: float, cell: Cell, kind: Kind, code: str
    ) -> None:
        if abs(number) >= _MAX_EXACT:
            sheet.write_string(row, column, as_text(cell, kind, self.language, grouped=True))
        else:
            sheet.write_number(row, column, number if by == 1 else number / by, self.format(code))


def write(report: Report, language: str, out: BinaryIO) -> None:
    """Write the workbook.

    Raises UnusableError where a sheet cannot hold the rows.
    """
    book = _Book(out, language)
    try:
        _about(report, book)
        _rows(report, book)
    finally:
        book.book.close()


def _about(report: Report, book: _Book) -> None:
    """Write what was asked, as of when it is, the notes and the sums."""
    sheet = book.book.add_worksheet(_ABOUT.of(book.language))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 60)
    sheet.write_string(0, 0, report.title.of(book.language), book.bold)
    at = 2
    for name, text in report.asked(book.language).items():
        sheet.write_string(at, 0, name)
        sheet.write_string(at, 1, text[:_MAX_TEXT])
        at += 1
    for label, text in as_of_lines(report.as_of, book.language):
        sheet.write_string(at, 0, label)
        sheet.write_string(at, 1, text)
        at += 1
    for note in note_lines(report, book.language):
        sheet.write_string(at, 1, note)
        at += 1
    names = heads(report, book.language)
    for row in report.totals:
        at += 1
        for number, (column, cell) in enumerate(zip(report.columns, row, strict=True)):
            if cell is not None:
                sheet.write_string(at, 0, names[number])
                book.cell(sheet, at, 1, cell, column.kind)
                at += 1


def _rows(report: Report, book: _Book) -> None:
    """Write the rows below a head that stays, with a filter on each column."""
    sheet = book.book.add_worksheet(_ROWS.of(book.language))
    names = heads(report, book.language)
    kinds = [column.kind for column in report.columns]
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        sheet.set_column(number, number, 20 if kind is Kind.MOMENT else max(10, min(len(name) + 4, 28)))
    for number, name in enumerate(names):
        sheet.write_string(0, number, name, book.bold)
    sheet.freeze_panes(1, 0)
    last = 0
    for last, row in enumerate(report.rows, 1):
        if last >= _MAX_ROWS:
            raise UnusableError(
                f"a sheet holds {_MAX_ROWS - 1:,} rows and this report has more: take a shorter period, "
                "or --format csv"
            )
        _write_row(book, sheet, last, row, kinds)
    sheet.autofilter(0, 0, last, len(names) - 1)


def _write_row(book: _Book, sheet: Any, at: int, row: Row, kinds: Sequence[Kind]) -> None:
    for number, (cell, kind) in enumerate(zip(row, kinds, strict=True)):
        book.cell(sheet, at, number, cell, kind)
