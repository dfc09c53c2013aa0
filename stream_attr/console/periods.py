"""Periods of the trade (今天, 昨天, 近7天, 近30天, 本月, 上月), and the one that a query string asks for."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.console.visit import Asked
from stream_attr.errors import UnusableError
from stream_attr.ledger.periods import Period, period, shop_zone
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import Zone, day_name, day_number
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Today", "chosen", "last_days", "month_of", "named", "today"]

MOST_DAYS: Final = 400
"""Of a screen: a year and what it is set beside."""
_FRESH_DAYS: Final = 7
"""A ledger without a newer day is one of the past: its last day is what is looked at first."""


class Today(NamedTuple):
    """The day that screens begin with."""

    day: int
    """A day number of the shop."""
    zone: Zone
    is_now: bool
    """Whether it is the clock's; False: the ledger's last one, long ago."""

    @property
    def whole_month(self) -> Period:
        """Return the month before; of a ledger of the past that of its last day. Rules are tried on it."""
        month = month_of(self.day)
        return month_of(month.first - 1) if self.is_now else month


def today(connection: Connection[Any], shop_id: str) -> Today:
    """Return the shop's day of now, or its last one in the ledger where that is over a week ago."""
    zone = shop_zone(connection, shop_id)
    now = zone.day_of(wall_clock_ms())
    row = connection.execute(
        "SELECT max(day) FROM agent_day WHERE shop_id = %s AND day <= %s::date", (shop_id, day_name(now))
    ).fetchone()
    last = None if row is None or row[0] is None else day_number(row[0].isoformat())
    if last is None or last >= now - _FRESH_DAYS:
        return Today(now, zone, is_now=True)
    return Today(last, zone, is_now=False)


def last_days(day: int, days: int) -> Period:
    """Return so many days, of which a day is the last."""
    return Period(day - days + 1, day)


def month_of(day: int) -> Period:
    """Return the month in which a day is."""
    return period(day_name(day)[:7], None)


def named(day: int) -> list[tuple[Text, str, str]]:
    """Return the periods that have a name, as seen from a day, each with its first and last day."""
    month = month_of(day)
    found = (
        (Text("today", "今天"), Period(day, day)),
        (Text("yesterday", "昨天"), Period(day - 1, day - 1)),
        (Text("7 days", "近7天"), last_days(day, 7)),
        (Text("30 days", "近30天"), last_days(day, 30)),
        (Text("this month", "本月"), month),
        (Text("last month", "上月"), month_of(month.first - 1)),
    )
    return [(text, day_name(one.first), day_name(one.last)) for text, one in found]


def chosen(asked: Asked, default: Period) -> Period:
    """Return the period that is asked for, ``from`` and ``to``.

    Raises UnusableError for what is no day, and for more days than a screen has.
    """
    first, last = asked.one("from"), asked.one("to")
    if first is None and last is None:
        return default
    found = period(first or last or "", last or first, ("from", "to"))
    if found.days > MOST_DAYS:
        raise UnusableError(
            f"from … to are {found.days:,} days: a screen has at most {MOST_DAYS}, choose fewer"
        )
    return found
