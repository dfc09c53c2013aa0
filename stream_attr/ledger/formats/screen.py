"""A report as a table in a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from stream_attr.codec.visible import visible
from stream_attr.ledger.formats.cells import as_text, heads
from stream_attr.ledger.formats.summary import as_of_lines, note_lines
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Report, Row
from stream_attr.ledger.texts import Text

__all__ = ["lines_of"]

_LEFT = {Kind.TEXT, Kind.DAY, Kind.MOMENT}
_EMPTY = Text("no rows", "没有数据")
_LEFT_OUT = Text(
    "The terminal is too narrow for {columns}: see them with --format csv, xlsx or json.",
    "终端宽度不足，未显示 {columns}：请用 --format csv、xlsx 或 json 查看。",
)
_PADDING = 3


def lines_of(report: Report, language: str, width: int | None) -> list[str]:
    """Return a report as lines: what was asked, rows, sums, notes, and as of when it is.

    ``width``: columns of the terminal; last columns that have no room are left out and named. None: no limit.
    """
    names = [visible(name) for name in heads(report, language)]
    rows = [_texts(report, row, language) for row in report.rows]
    totals = [_texts(report, row, language) for row in report.totals]
    widths = [
        max([*map(cell_len, names[number].split()), *(cell_len(row[number]) for row in (*rows, *totals))])
        for number in range(len(names))
    ]
    shown = _that_fit(widths, width)
    lines = [f"{name}: {text}" for name, text in report.asked(language).items()]
    lines += [
        "",
        report.title.of(language),
        *_table(report, names, [*rows, *totals], widths, shown, len(rows)),
    ]
    if not rows:
        lines.append(_EMPTY.of(language))
    if shown < len(names):
        separator = "、" if language == "zh" else ", "
        lines.append(_LEFT_OUT.filled(columns=separator.join(names[shown:])).of(language))
    lines += ["", *note_lines(report, language)]
    lines += [f"{label}: {text}" for label, text in as_of_lines(report.as_of, language)]
    return lines


def _table(
    report: Report,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    shown: int,
    sums_from: int,
) -> list[str]:
    """Return the lines of a table; its last rows, from ``sums_from``, are sums."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column, head, least in list(zip(report.columns, names, widths, strict=True))[:shown]:
        left = column.kind in _LEFT
        table.add_column(Line(head), justify="left" if left else "right", width=least, overflow="fold")
    for number, row in enumerate(rows):
        if number == sums_from:
            table.add_section()
        table.add_row(*map(Line, row[:shown]))
    console = Console(file=io.StringIO(), width=sum(widths[:shown]) + _PADDING * (shown + 2))
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def _that_fit(widths: Sequence[int], width: int | None) -> int:
    """Return how many columns have room, one at least."""
    if width is None:
        return len(widths)
    used = 0
    for number, one in enumerate(widths):
        used += one + _PADDING
        if used > width:
            return max(number, 1)
    return len(widths)


def _texts(report: Report, row: Row, language: str) -> list[str]:
    return [
        visible(as_text(cell, column.kind, language, grouped=True))
        for cell, column in zip(row, report.columns, strict=True)
    ]
