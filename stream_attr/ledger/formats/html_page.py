"""A report as a page to be printed: one file that loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import BinaryIO, Final

from stream_attr.codec.visible import visible
from stream_attr.ledger.formats.cells import as_text, heads
from stream_attr.ledger.formats.summary import as_of_lines, note_lines
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Report, Row

__all__ = ["write"]

_STYLE: Final = (
    "@page{size:A4;margin:15mm}"
    "body{font:10pt/1.4 system-ui,sans-serif;color:#000;background:#fff}"
    "h1{font-size:15pt}table{border-collapse:collapse;width:100%}thead{display:table-header-group}"
    "th,td{padding:2pt 5pt;border-bottom:.5pt solid #999;text-align:left;vertical-align:top}"
    "tr{break-inside:avoid}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "tfoot td{font-weight:bold;border-top:1pt solid #000}"
)
_LEFT: Final = {Kind.TEXT, Kind.DAY, Kind.MOMENT}


def write(report: Report, language: str, out: BinaryIO) -> None:
    """Write the page."""
    out.writelines(f"{line}\n".encode(errors="backslashreplace") for line in _lines(report, language))


def _lines(report: Report, language: str) -> Iterator[str]:
    title = _text(report.title.of(language))
    tag = "zh-CN" if language == "zh" else "en"
    yield f'<!doctype html><html lang="{tag}"><head><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
    for name, text in report.asked(language).items():
        yield f"<div>{_text(name)}: {_text(text)}</div>"
    yield "<table><thead><tr>"
    for column, head in zip(report.columns, heads(report, language), strict=True):
        yield f'<th scope="col"{_class(column.kind)}>{_text(head)}</th>'
    yield "</tr></thead><tbody>"
    yield from _rows(report, report.rows, language)
    yield "</tbody><tfoot>"
    yield from _rows(report, report.totals, language)
    yield "</tfoot></table>"
    for note in note_lines(report, language):
        yield f"<p>{_text(note)}</p>"
    for label, text in as_of_lines(report.as_of, language):
        yield f"<div>{_text(label)}: {_text(text)}</div>"
    yield "</body></html>"


def _rows(report: Report, rows: Iterable[Row], language: str) -> Iterator[str]:
    for row in rows:
        cells = (
            f"<td{_class(column.kind)}>{_text(as_text(cell, column.kind, language, grouped=True))}</td>"
            for cell, column in zip(row, report.columns, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>"


def _class(kind: Kind) -> str:
    return "" if kind in _LEFT else ' class="n"'


def _text(text: str) -> str:
    return escape(visible(text))
