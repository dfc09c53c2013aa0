"""Figures by day as lines, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import orjson

from stream_attr.codec.money import shown_digits
from stream_attr.console.rates import with_parts
from stream_attr.console.rendering import shown
from stream_attr.console.screens.made import made
from stream_attr.console.screens.rows import Shown, shown_rows
from stream_attr.console.visit import Visit
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.report import Cell, Column, Money, Report
from stream_attr.ledger.texts import Text

__all__ = ["Line", "Trend", "trend"]

MOST_LINES: Final = 3
_MOST_DAYS: Final = 100


class Line(NamedTuple):
    """One figure by day."""

    name: Text
    unit: Text | None
    drawn: str
    """JSON for the script: days, values in units of the axis, their texts as the table has them, kind."""


class Trend(NamedTuple):
    """Some figures by day."""

    lines: list[Line]
    report: Report
    rows: list[list[Shown]]


def trend(
    visit: Visit, shop_id: str, period: Period, figures: Sequence[str], agents: tuple[str, ...] = ()
) -> Trend | None:
    """Return figures of a shop, or of some agents together, by day.

    None: there are fewer than two days or too many, or amounts of several currencies. A figure that is
    nothing on all days, or there on one alone, has no line. The figures are of agents' days, so that a
    million orders are not read for it.
    """
    if not 1 < period.days <= _MOST_DAYS:
        return None
    keys = [one for one in figures if one in FIGURES][:MOST_LINES]
    if not keys:
        return None
    report = made(visit, "agents", shop_id, period, by=("day",), figures=with_parts(keys), agents=agents)
    if any(note.is_warning for note in report.notes):
        return None
    rows = list(report.rows)
    columns = {column.key: index for index, column in enumerate(report.columns)}
    if len(rows) < 2 or "currency" in columns:
        return None
    hidden = frozenset(set(with_parts(keys)) - set(keys))
    days = [str(row[columns["day"]]) for row in rows]
    by_key = {key: [row[columns[key]] for row in rows] for key in keys}
    lines = [
        _line(report.columns[columns[key]], days, values, visit.language)
        for key, values in by_key.items()
        if _is_line([_size(value, report.columns[columns[key]].kind) for value in values])
    ]
    pairs = [("from", days[0]), ("to", days[-1]), *(("agent", one) for one in agents)]
    return Trend(
        lines,
        replace(report, columns=[one for one in report.columns if one.key not in hidden]),
        shown_rows(report, rows, visit, shop_id, pairs, hidden),
    )


def _is_line(sizes: Sequence[float | None]) -> bool:
    """Whether there is more to draw than a single day, or nothing at all."""
    return any(sizes) and sum(one is not None for one in sizes) > 1


def _line(column: Column, days: list[str], values: list[Cell], language: str) -> Line:
    drawn = {
        "days": days,
        "values": [_size(value, column.kind) for value in values],
        "texts": [shown(value, column.kind, language) for value in values],
        "kind": column.kind,
    }
    unit = column.unit if column.kind in (Kind.MONEY, Kind.SECONDS) else None
    return Line(column.name, unit, orjson.dumps(drawn).decode())


def _size(value: Cell, kind: Kind) -> float | None:
    """Return a value in the unit of its axis; None: a gap."""
    if isinstance(value, Money):
        return float(value.amount / 10 ** shown_digits(value.currency or ""))
    if not isinstance(value, int | float):
        return None
    return value / 1000 if kind is Kind.SECONDS else value
