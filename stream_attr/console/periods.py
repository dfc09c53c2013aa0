"""Periods of the trade (今天, 昨天, 近7天, 近30天, 本月, 上月), and the one that a query string asks for."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.console.accounts import now_ms
from stream_attr.console.visit import Asked
from stream_attr.errors import UnusableError
from stream_attr.ledger.periods import Period, period, shop_zone
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import Zone, day_name, day_number

__all__ = ["Today", "chosen", "named", "today"]

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


def today(connection: Connection[Any], shop_id: str) -> Today:
    """Return the shop's day of now, or its last one in the ledger where that is over a week ago."""
    zone = shop_zone(connection, shop_id)
    now = zone.day_of(now_ms())
    row = connection.execute(
        "SELECT max(day) FROM agent_day WHERE shop_id = %s AND day <= %s::date", (shop_id, day_name(now))
    ).fetchone()
    last = None if row is None or row[0] is None else day_number(row[0].isoformat())
    if last is None or last >= now - _FRESH_DAYS:
        return Today(now, zone, is_now=True)
    return Today(last, zone, is_now=False)


def named(day: int) -> list[tuple[Text, Period]]:
    """Return the periods that have a name, as seen from a day."""
    first = date.fromisoformat(day_name(day)[:8] + "01")
    month = day_number(first.isoformat())
    return [
        (Text("today", "今天"), Period(day, day)),
        (Text("yesterday", "昨天"), Period(day - 1, day - 1)),
        (Text("7 days", "近7天"), Period(day - 6, day)),
        (Text("30 days", "近30天"), Period(day - 29, day)),
        (Text("this month", "本月"), period(day_name(month)[:7], None)),
        (Text("last month", "上月"), period(day_name(month - 1)[:7], None)),
    ]


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
