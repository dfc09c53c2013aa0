"""Which days have the rows of a page, so that those of other days need not be read."""

from __future__ import annotations

from collections.abc import Mapping

from stream_attr.ledger.periods import Period

__all__ = ["days_of_rows"]


def days_of_rows(counted: Mapping[int, int], rows: range) -> tuple[Period | None, int]:
    """Return the days that have these rows of a list by day, and how many rows come before them there.

    ``counted``: how many rows each day has, by its number, in their order. None: there are no such rows.
    """
    first = last = None
    begin, skipped = 0, 0
    for day, number in counted.items():
        end = begin + number
        if end > rows.start and begin < rows.stop:
            if first is None:
                first, skipped = day, rows.start - begin
            last = day
        begin = end
    return (None if first is None or last is None else Period(first, last)), skipped
