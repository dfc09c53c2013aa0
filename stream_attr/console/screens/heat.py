"""Weekdays by hours as a table in ten colours, which prints and needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from stream_attr.console.screens.rows import Shown
from stream_attr.ledger.reports.pressure import WEEKDAYS
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.texts import Text

__all__ = ["HeatMap", "heat_maps"]

_DRAWN: Final = ("most", "receptions")


class HeatMap(NamedTuple):
    """One figure by weekday and hour."""

    name: Text
    hours: list[str]
    days: list[tuple[str, list[Shown | None]]]
    """A weekday, and its hours' cells; None: there is no such hour."""


def heat_maps(report: Report, rows: Sequence[Sequence[Shown]], language: str) -> list[HeatMap]:
    """Return the heat maps of a report by ``weekday`` and ``hour``; ``rows``: as a page shows them."""
    columns = {column.key: index for index, column in enumerate(report.columns)}
    hours = sorted({row[columns["hour"]].text for row in rows})
    there = {row[columns["weekday"]].text for row in rows}
    weekdays = [one.of(language) for one in WEEKDAYS if one.of(language) in there]
    found = []
    for key in _DRAWN:
        at = {(row[columns["weekday"]].text, row[columns["hour"]].text): row[columns[key]] for row in rows}
        days = [(day, [at.get((day, hour)) for hour in hours]) for day in weekdays]
        found.append(HeatMap(report.columns[columns[key]].name, hours, days))
    return found
