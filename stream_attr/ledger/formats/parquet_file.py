"""A report as a Parquet file: typed columns, with the digits that CSV has, in bounded memory.

Amounts are decimals and not minor units: they mean the same to every reader, which need not know how many
digits a currency has. So are durations in seconds, and rates. Nothing is a float.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, Final

import orjson

from stream_attr.codec.money import shown_digits
from stream_attr.errors import UnusableError
from stream_attr.ledger.formats.cells import as_text, heads, is_end
from stream_attr.ledger.formats.summary import as_of_lines, note_lines
from stream_attr.ledger.formulas import DECIMALS, Kind
from stream_attr.ledger.reports.report import Cell, Column, Moment, Report, Row

__all__ = ["write"]

_ROWS: Final = 10_000
"""In memory at one time."""
_PRECISION: Final = 38
_MOST_DIGITS: Final = 4
"""Of any currency, by ISO 4217: where a column has several, or its currency stands in another column."""


def write(report: Report, language: str, out: BinaryIO) -> None:
    """Write the rows; what was asked, notes and as-of are in the file's metadata, names in the columns'.

    Raises UnusableError where the library is not installed.
    """
    try:
        arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ModuleNotFoundError as error:
        raise UnusableError(
            "--format parquet needs the library pyarrow: pip install 'stream-attr[parquet]'"
        ) from error
    about = {
        "report": report.name,
        "title": report.title.of(language),
        "asked": report.asked(language),
        "notes": note_lines(report, language),
        "as_of": [f"{label}: {text}" for label, text in as_of_lines(report.as_of, language)],
    }
    schema = arrow.schema(
        [
            arrow.field(column.key, _type(arrow, column, report.as_of.zone), metadata=_about(column, head))
            for column, head in zip(report.columns, heads(report, language), strict=True)
        ],
        metadata={"stream_attr": orjson.dumps(about)},
    )
    with parquet.ParquetWriter(out, schema, compression="zstd") as file:
        for rows in _batches(report.rows):
            columns = [
                arrow.array(
                    [_value(row[number], column.kind, language) for row in rows], schema.field(number).type
                )
                for number, column in enumerate(report.columns)
            ]
            file.write_batch(arrow.record_batch(columns, schema=schema))


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, _ROWS)):
        yield batch


def _about(column: Column, head: str) -> dict[str, str]:
    return {"name": head, **({} if column.unit is None else {"unit": column.unit.english})}


def _type(arrow: Any, column: Column, zone: str) -> Any:
    """Return a column's type; of several figures it is text, as CSV has it."""
    match column.kind:
        case Kind.COUNT:
            return arrow.int64()
        case Kind.MONEY:
            digits = _MOST_DIGITS if column.unit is None else shown_digits(column.unit.english)
            return arrow.decimal128(_PRECISION, digits)
        case Kind.SECONDS | Kind.RATE | Kind.POINTS | Kind.RATIO:
            return arrow.decimal128(_PRECISION, DECIMALS[column.kind])
        case Kind.DAY:
            return arrow.date32()
        case Kind.MOMENT:
            return arrow.timestamp("ms", zone)
        case Kind.TEXT | Kind.FIGURE:
            return arrow.string()
    raise AssertionError(column.kind)  # pragma: no cover -- all kinds are named above


def _value(cell: Cell, kind: Kind, language: str) -> Any:
    """Return a cell as the type of its column takes it; the end of all input is null."""
    if cell is None or (isinstance(cell, Moment) and is_end(cell.ts)):
        return None
    if isinstance(cell, Moment) and kind is Kind.MOMENT:
        return datetime.fromtimestamp(cell.ts // 1000, UTC)
    if kind is Kind.COUNT:
        return cell
    text = as_text(cell, kind, language, grouped=False)
    if kind is Kind.DAY:
        return date.fromisoformat(text)
    return text if kind in (Kind.TEXT, Kind.FIGURE) else Decimal(text)
