"""A report as one JSON object: amounts in minor units, durations in milliseconds, instants in epoch ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import orjson

from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Cell, Column, Moment, Money, Number, Report, Row
from stream_attr.ledger.texts import Text

__all__ = ["write"]

_UNITS: Final = {
    Kind.MONEY: "minor units",
    Kind.SECONDS: "ms",
    Kind.MOMENT: "epoch ms",
    Kind.RATE: "ratio",
    Kind.POINTS: "ratio",
    Kind.DAY: "date",
}


def write(report: Report, language: str, out: BinaryIO) -> None:
    """Write the report, one row on each line."""
    columns = [_column(column, language) for column in report.columns]
    head = {
        "report": report.name,
        "title": report.title.of(language),
        "asked": report.asked("en"),
        "columns": columns,
    }
    out.write(orjson.dumps(head)[:-1] + b',"rows":[')
    out.writelines(
        (b"," if number else b"") + b"\n" + orjson.dumps(_object(report, row))
        for number, row in enumerate(report.rows)
    )
    tail = {
        "totals": [_object(report, row) for row in report.totals],
        "notes": [{"text": note.text.of(language), "warning": note.is_warning} for note in report.notes],
        "as_of": {
            "zone": report.as_of.zone,
            "topics": [one._asdict() for one in report.as_of.topics],
            "inputs": [one._asdict() for one in report.as_of.inputs],
        },
    }
    out.write(b"\n]," + orjson.dumps(tail)[1:] + b"\n")


def _column(column: Column, language: str) -> dict[str, Any]:
    unit = _UNITS.get(column.kind) or (column.unit and column.unit.english)
    return {"key": column.key, "name": column.name.of(language), "kind": column.kind, "unit": unit}


def _object(report: Report, row: Row) -> dict[str, Any]:
    return dict(_fields(report, row))


def _fields(report: Report, row: Row) -> Iterator[tuple[str, Any]]:
    for column, cell in zip(report.columns, row, strict=True):
        yield column.key, _plain(cell)


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Money):
        return cell.amount
    if isinstance(cell, Moment):
        return cell.ts
    if isinstance(cell, Number):
        return cell.value
    return cell.english if isinstance(cell, Text) else cell
