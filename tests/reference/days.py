"""Days of a shop (RULEBOOK 1): which day an instant lies on, and where a day begins and ends.

A day begins at the shop's day cut by the clock of its time zone, and lasts until the next day begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class ShopDays:
    """What says where a shop's days begin: its time zone, and the time of the clock at which they do."""

    zone: ZoneInfo
    cut: time = time(0)


def local_time(ts: int, zone: ZoneInfo) -> datetime:
    """Return what the clocks of a time zone show at an instant (epoch milliseconds)."""
    return (_EPOCH + ts * _MILLISECOND).astimezone(zone)


@cache
def at_clock(day: date, clock: time, zone: ZoneInfo) -> int:
    """Return the first instant, epoch milliseconds, at which clocks have come to a time of a calendar day.

    Where they show it twice, that is the first time; where they jump over it, the jump.
    """
    asked = datetime.combine(day, clock)
    by_one, by_other = (_instant(asked.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    ts = min(by_one, by_other)
    while local_time(ts, zone).replace(tzinfo=None) < asked:  # the clocks jump: search for where
        ts += MINUTE_MS
    return ts


def _instant(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def first_instant(day: date, days: ShopDays) -> int:
    """Return the first instant of a day, epoch milliseconds."""
    return at_clock(day, days.cut, days.zone)


def day_of(ts: int, days: ShopDays) -> date:
    """Return the day of an instant (epoch milliseconds): the last that has begun by then."""
    by_calendar = local_time(ts, days.zone).date()
    near = [by_calendar + timedelta(days=n) for n in (-1, 0, 1)]
    return max(day for day in near if first_instant(day, days) <= ts)


def end_of_day(ts: int, days: ShopDays) -> int:
    """Return the instant that ends the day of an instant, epoch milliseconds."""
    return end_after(day_of(ts, days), 0, days)


def end_after(day: date, more: int, days: ShopDays) -> int:
    """Return the instant that ends the day ``more`` days after a day, epoch milliseconds."""
    return first_instant(day + timedelta(days=more + 1), days)


def passed(watermark: int | None, instant: int) -> bool:
    """Say whether a watermark has reached an instant; None is the end of time."""
    return watermark is None or watermark >= instant
