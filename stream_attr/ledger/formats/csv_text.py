"""A report as CSV for spreadsheets: UTF-8 with a byte order mark, and no text that can be a formula."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO, Final

from stream_attr.ledger.formats.cells import as_text, heads
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Cell, Report
from stream_attr.ledger.texts import Text

__all__ = ["write"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for a formula, when a text begins with it; full-width forms too."""


def write(report: Report, language: str, out: BinaryIO) -> None:
    """Write the head and the rows; sums and notes are not rows, so they are left out."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", errors="backslashreplace")
    rows = csv.writer(text)
    rows.writerow(map(_quoted, heads(report, language)))
    kinds = [column.kind for column in report.columns]
    for row in report.rows:
        rows.writerow([_shown(cell, kind, language) for cell, kind in zip(row, kinds, strict=True)])
    text.flush()
    text.detach()


def _shown(cell: Cell, kind: Kind, language: str) -> str:
    text = as_text(cell, kind, language, grouped=False)
    return _quoted(text) if isinstance(cell, str | Text) else text


def _quoted(text: str) -> str:
    """Return text after an apostrophe where it begins like a formula, with blanks before it or not."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text
