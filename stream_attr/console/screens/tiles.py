"""Figures of a shop or an agent, each by itself: what it is, can still come to, and was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from stream_attr.console.rates import change_text, parts_text, range_text, until_day
from stream_attr.console.rendering import shown, unit_of
from stream_attr.ledger.asked import Way
from stream_attr.ledger.reports.report import Cell, Report
from stream_attr.ledger.texts import Text

__all__ = ["Tile", "row_of", "tiles"]


class Tile(NamedTuple):
    """One figure."""

    key: str
    name: Text
    value: str
    unit: str
    note: str
    """What a rate is made of."""
    between: str
    """Between what it can still come to lie, by what is known."""
    until: str
    """The day with which it is final; empty: it is."""
    before: str
    change: str
    """By how much it changed, and which way; empty: there is nothing to compare with, or it is not asked."""
    link: str | None


def row_of(report: Report) -> dict[str, Cell]:
    """Return the first row of a report by column; empty: it has none."""
    row = next(iter(report.rows), None)
    return {} if row is None else dict(zip((one.key for one in report.columns), row, strict=True))


def tiles(
    figures: Iterable[str],
    report: Report,
    row: Mapping[str, Cell],
    links: Mapping[str, str | None],
    language: str,
) -> Iterator[Tile]:
    """Yield a tile for each figure of a report's row, which has what it was in the period before."""
    columns = {column.key: column for column in report.columns}
    for key in figures:
        column, change = columns[key], columns.get(f"{key}:{Way.CHANGE}")
        yield Tile(
            key,
            column.name,
            shown(row.get(key), column.kind, language),
            unit_of(column, language),
            parts_text(key, row, language),
            range_text(key, column.kind, row, language),
            until_day(key, row),
            shown(row.get(f"{key}:{Way.BEFORE}"), column.kind, language),
            "" if change is None else change_text(change, row.get(change.key), language),
            links.get(key),
        )
