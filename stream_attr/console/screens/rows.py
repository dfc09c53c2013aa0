"""Rows of a report as a page shows them: text, links, what a rate is made of, heat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from stream_attr.console.links import link_of
from stream_attr.console.rates import change_words, parts_text, range_text, until_day
from stream_attr.console.rendering import NUMERIC, shown
from stream_attr.console.visit import Visit
from stream_attr.ledger.asked import Way
from stream_attr.ledger.reports.report import Cell, Moment, Money, Number, Report, Row
from stream_attr.ledger.texts import Text

__all__ = ["Shown", "shown_rows", "sorted_rows"]

_HEATED: Final = ("most", "usual", "receptions")


class Shown(NamedTuple):
    """A cell as a page shows it."""

    text: str
    link: str | None
    is_number: bool
    heat: int | None = None
    """Of a heat map: 0 to 9."""
    note: str = ""
    """What stands below it: numerator and denominator of a rate, or whether a change is up or down."""
    between: str = ""
    """Between what it can still come to lie, by what is known."""
    until: str = ""
    """The day with which it is final; empty: it is already, or that is not known."""


def shown_rows(
    report: Report,
    rows: Sequence[Row],
    visit: Visit,
    shop_id: str,
    pairs: Sequence[tuple[str, str]],
    hidden: frozenset[str] = frozenset(),
) -> list[list[Shown]]:
    """Return rows of a report as a page shows them, without the columns that are ``hidden``."""
    most = {
        index: max((_size(row[index]) for row in rows), default=0.0)
        for index, column in enumerate(report.columns)
        if report.name == "pressure" and column.key in _HEATED
    }
    has_currency = any(column.key == "currency" for column in report.columns)
    own = visit.agents(shop_id)
    found = []
    for row in rows:
        by_key = {column.key: value for column, value in zip(report.columns, row, strict=True)}
        found.append(
            [
                Shown(
                    shown(
                        value,
                        column.kind,
                        visit.language,
                        has_currency=has_currency,
                        signed=column.key.endswith(f":{Way.CHANGE}"),
                    ),
                    link_of(column, value, by_key, pairs, shop_id, own),
                    column.kind in NUMERIC,
                    round(9 * _size(value) / most[index]) if most.get(index) else None,
                    parts_text(column.key, by_key, visit.language)
                    or change_words(column.key, value, visit.language),
                    range_text(column.key, column.kind, by_key, visit.language),
                    until_day(column.key, by_key),
                )
                for index, (column, value) in enumerate(zip(report.columns, row, strict=True))
                if column.key not in hidden
            ]
        )
    return found


def sorted_rows(report: Report, rows: Sequence[Row], by: str | None, language: str) -> list[Row]:
    """Return rows sorted by a column, ``-`` before its key: the greatest first; empty cells come last."""
    key = (by or "").removeprefix("-")
    index = next((n for n, column in enumerate(report.columns) if column.key == key), None)
    if index is None:
        return list(rows)

    def order(row: Row) -> Any:
        value = row[index]
        if isinstance(value, Text):
            return value.of(language)
        return value if isinstance(value, str) else _size(value)

    there = [row for row in rows if row[index] is not None]
    there.sort(key=order, reverse=(by or "").startswith("-"))
    return there + [row for row in rows if row[index] is None]


def _size(value: Cell) -> float:
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, Moment):
        return value.ts
    if isinstance(value, Number):
        return value.value
    return value if isinstance(value, int | float) else 0.0
