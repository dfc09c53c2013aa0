"""Of a list by day, the days that have some rows are all that is read."""

from __future__ import annotations

import pytest

from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.paging import days_of_rows

COUNTED = {10: 3, 11: 0, 12: 2, 13: 4}


@pytest.mark.parametrize(
    ("rows", "days", "skipped"),
    [
        (range(1), Period(10, 10), 0),
        (range(2, 3), Period(10, 10), 2),
        (range(2, 4), Period(10, 12), 2),
        (range(3, 5), Period(12, 12), 0),
        (range(4, 6), Period(12, 13), 1),
        (range(8, 20), Period(13, 13), 3),
        (range(9, 20), None, 0),
    ],
)
def test_only_days_with_rows_of_the_page_are_read(rows: range, days: Period | None, skipped: int) -> None:
    assert days_of_rows(COUNTED, rows) == (days, skipped)


def test_a_list_without_rows_has_no_days() -> None:
    assert days_of_rows({}, range(5)) == (None, 0)
    assert days_of_rows({10: 0}, range(5)) == (None, 0)
