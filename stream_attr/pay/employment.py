"""Days of a month on which a person is employed, and on probation."""

from __future__ import annotations

import calendar
from datetime import date
from typing import NamedTuple

from stream_attr.rules.shop.days import day_name, day_number

__all__ = ["Employment", "days_of_month", "month_of"]


class Employment(NamedTuple):
    """From when to when a person is employed; days are ``YYYY-MM-DD``."""

    first_day: str
    last_day: str | None = None
    """None: no end is known."""
    probation_until: str | None = None
    """The last day of probation; None: there is none."""

    def days_in(self, month: str) -> tuple[int, int]:
        """Return how many days of a month the person is employed, and how many of these on probation."""
        begin, end = day_number(f"{month}-01"), day_number(f"{month}-01") + days_of_month(month) - 1
        begin = max(begin, day_number(self.first_day))
        if self.last_day is not None:
            end = min(end, day_number(self.last_day))
        employed = max(end - begin + 1, 0)
        if self.probation_until is None:
            return employed, 0
        return employed, max(min(end, day_number(self.probation_until)) - begin + 1, 0)


def days_of_month(month: str) -> int:
    """Return how many days a month ``YYYY-MM`` has; raise ValueError unless it is one."""
    first = date.fromordinal(date(1970, 1, 1).toordinal() + day_number(f"{month}-01"))
    return calendar.monthrange(first.year, first.month)[1]


def month_of(day: str) -> str:
    """Return the month ``YYYY-MM`` of a day; raise ValueError unless it is ``YYYY-MM-DD``."""
    return day_name(day_number(day))[:7]
