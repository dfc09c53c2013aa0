"""Natural days of a time zone (RULEBOOK 1): which day an instant lies on, and where a day begins and ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
MINUTE_MS = 60_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def day_of(ts: int, zone: ZoneInfo) -> date:
    """Return the natural day of an instant (epoch milliseconds) in a time zone."""
    return (_EPOCH + ts * _MILLISECOND).astimezone(zone).date()


def first_instant(day: date, zone: ZoneInfo) -> int:
    """Return the first instant of a day, epoch milliseconds.

    Where clocks jump over midnight, the day begins at the jump; where midnight comes twice, at the first.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight - _EPOCH) // _MILLISECOND


def end_of_day(ts: int, zone: ZoneInfo) -> int:
    """Return the midnight that ends the day of an instant, epoch milliseconds."""
    return first_instant(day_of(ts, zone) + timedelta(days=1), zone)


def end_after(day: date, days: int, zone: ZoneInfo) -> int:
    """Return the midnight that ends the day ``days`` days after a day, epoch milliseconds."""
    return first_instant(day + timedelta(days=days + 1), zone)


def passed(watermark: int | None, instant: int) -> bool:
    """Say whether a watermark has reached an instant; None is the end of time."""
    return watermark is None or watermark >= instant
