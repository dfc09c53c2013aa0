"""Figures by day as lines, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from stream_attr.ledger.reports.report import Cell, Column, Money, Report, Row
from stream_attr.ledger.texts import Text

__all__ = ["Line", "Trend", "trend"]

MOST_FIGURES: Final = 3
MOST_AGENTS: Final = 6
"""Who each have a line of their own; more of them are drawn together."""
_MOST_DAYS: Final = 100


class Line(NamedTuple):
    """One figure by day: of a shop, or of each of some agents."""

    name: Text
    unit: Text | None
    drawn: str
    """JSON for the script: days, kind, and of each whose line it is the name (empty: there is one line),
    values in units of the axis, and their texts as the table has them."""


class Trend(NamedTuple):
    """Some figures by day."""

    lines: list[Line]
    report: Report
    rows: list[list[Shown]]
    together: int = 0
    """How many agents are drawn together; 0: each by itself, or the shop."""


def trend(
    visit: Visit, shop_id: str, period: Period, figures: Sequence[str], agents: tuple[str, ...] = ()
) -> Trend | None:
    """Return figures of a shop by day, or of some agents: of each, and of many together.

    None: there are fewer than two days or too many, or amounts of several currencies. A figure that is
    nothing on all days, or there on one alone, has no line. The figures are of agents' days, so that a
    million orders are not read for it.
    """
    if not 1 < period.days <= _MOST_DAYS:
        return None
    keys = [one for one in figures if one in FIGURES][:MOST_FIGURES]
    if not keys:
        return None
    each = 1 < len(agents) <= MOST_AGENTS
    by = ("agent", "day") if each else ("day",)
    report = made(visit, "agents", shop_id, period, by=by, figures=with_parts(keys), agents=agents)
    if any(note.is_warning for note in report.notes):
        return None
    rows = list(report.rows)
    columns = {column.key: index for index, column in enumerate(report.columns)}
    days = list(dict.fromkeys(str(row[columns["day"]]) for row in rows))
    if len(days) < 2 or "currency" in columns:
        return None
    hidden = frozenset(set(with_parts(keys)) - set(keys))
    lines = [
        line
        for key in keys
        if (line := _line(report.columns[columns[key]], columns, days, rows, visit.language)) is not None
    ]
    pairs = [("from", days[0]), ("to", days[-1]), *(("agent", one) for one in agents)]
    return Trend(
        lines,
        replace(report, columns=[one for one in report.columns if one.key not in hidden]),
        shown_rows(report, rows, visit, shop_id, pairs, hidden),
        0 if each else len(agents),
    )


def _line(
    column: Column, columns: Mapping[str, int], days: list[str], rows: Sequence[Row], language: str
) -> Line | None:
    """Return a figure by day; None: there is no more to draw than a single day, or nothing at all."""
    values: dict[str, dict[str, Cell]] = {}
    for row in rows:
        own = values.setdefault(_name(row, columns), {})
        own[str(row[columns["day"]])] = row[columns[column.key]]
    series = [
        {
            "name": name,
            "values": [_size(own.get(day), column.kind) for day in days],
            "texts": [shown(own.get(day), column.kind, language) for day in days],
        }
        for name, own in values.items()
    ]
    if not any(_is_line([_size(one, column.kind) for one in own.values()]) for own in values.values()):
        return None
    drawn = {"days": days, "kind": column.kind, "series": series}
    unit = column.unit if column.kind in (Kind.MONEY, Kind.SECONDS) else None
    return Line(column.name, unit, orjson.dumps(drawn).decode())


def _name(row: Row, columns: Mapping[str, int]) -> str:
    """Return whose a row is, by id and name; empty: rows are of nobody by name."""
    if "agent" not in columns:
        return ""
    return " ".join(str(one) for key in ("agent", "name") if (one := row[columns[key]]) is not None)


def _is_line(sizes: Sequence[float | None]) -> bool:
    return any(sizes) and sum(one is not None for one in sizes) > 1


def _size(value: Cell, kind: Kind) -> float | None:
    """Return a value in the unit of its axis; None: a gap."""
    if isinstance(value, Money):
        return float(value.amount / 10 ** shown_digits(value.currency or ""))
    if not isinstance(value, int | float):
        return None
    return value / 1000 if kind is Kind.SECONDS else value
