"""Days of a shop as instants: decisions carry instants alone, reports are asked for by days (RULEBOOK 1)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import orjson
from psycopg import Connection

from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.errors import UnusableError
from stream_attr.ledger.by import TIMES
from stream_attr.rules.shop.days import (
    EARLIEST_TS,
    HOUR_MS,
    LATEST_TS,
    MIDNIGHT,
    MINUTE_MS,
    Zone,
    day_name,
    day_number,
    zone,
)
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE

__all__ = ["Period", "Slice", "period", "shop_zone", "slices"]

_MONTH: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_FIRST, _LAST = EARLIEST_TS // (24 * HOUR_MS), LATEST_TS // (24 * HOUR_MS) - 1


class Period(NamedTuple):
    """Days of a shop, both included, as day numbers."""

    first: int
    last: int

    @property
    def days(self) -> int:
        """How many there are."""
        return self.last - self.first + 1

    @property
    def name(self) -> str:
        """Return both days as text; one of a single day."""
        first, last = day_name(self.first), day_name(self.last)
        return first if first == last else f"{first} – {last}"

    @property
    def before(self) -> Period:
        """Return the period before: of whole months as many months, else as many days."""
        first, end = _date(self.first), _date(self.last + 1)
        if first.day == end.day == 1:
            months = (end.year - first.year) * 12 + end.month - first.month
            month = first.year * 12 + first.month - 1 - months
            begin = day_number(f"{month // 12:04}-{month % 12 + 1:02}-01")
            return Period(begin, self.first - 1)
        return Period(self.first - self.days, self.first - 1)

    def instants(self, of: Zone) -> tuple[int, int]:
        """Return its first instant, and the one that ends it."""
        return of.start_of(self.first), of.start_of(self.last + 1)


class Slice(NamedTuple):
    """A part of a period, half-open; several of one label are one row."""

    labels: tuple[str, ...]
    """One for each kind of time asked for."""
    start: int
    end: int
    day: int
    """The first day that it has of the period."""


def period(first: str, last: str | None, names: tuple[str, str] = ("--from", "--to")) -> Period:
    """Return the period from one day or month to another, both included; ``last`` None: ``first`` alone.

    ``names``: of the two, for messages.

    Raises UnusableError where one is neither ``YYYY-MM-DD`` nor ``YYYY-MM``, or the last is before the first.
    """
    begin, end = _days(first, names[0]), _days(first if last is None else last, names[1])
    if end[1] < begin[0]:
        raise UnusableError(
            f"{names[1]} {last} is before {names[0]} {first}: name the later day with {names[1]}"
        )
    return Period(begin[0], end[1])


def _days(text: str, option: str) -> tuple[int, int]:
    """Return the first and the last day of a day or a month."""
    found = _MONTH.fullmatch(text)
    try:
        first = day_number(f"{text}-01" if found else text)
    except ValueError:
        raise UnusableError(
            f"{option} {text!r} is neither a day like 2026-11-01 nor a month like 2026-11"
        ) from None
    if not _FIRST <= first <= _LAST:
        raise UnusableError(f"{option} {text!r} is not in the years 2000 to 2099")
    if found is None:
        return first, first
    return first, first + calendar.monthrange(int(found[1]), int(found[2]))[1] - 1


def _date(day: int) -> date:
    return date.fromisoformat(day_name(day))


def shop_zone(connection: Connection[Any], shop_id: str) -> Zone:
    """Return a shop's time zone and day cut: those of its first settings record that can be used."""
    rows = connection.execute(
        "SELECT record FROM shop_settings WHERE shop_id = %s ORDER BY source_partition, source_offset",
        (shop_id,),
    )
    for (record,) in rows:
        try:
            given = decode_settings(orjson.dumps(record))
        except RefusedRecord:
            continue
        return zone(given.timezone or DEFAULT_TIMEZONE, given.day_cut or MIDNIGHT)
    return zone(DEFAULT_TIMEZONE)


def slices(of: Zone, asked: Period, by: Sequence[str]) -> list[Slice]:
    """Return the parts of a period, in order and without gaps; ``by``: some of ``TIMES``; none: one part.

    Exact on days on which clocks are changed: an hour that there is twice has two parts of one label, one
    that is jumped over has none, nor has such a day.
    """
    if not by:
        start, end = asked.instants(of)
        return [Slice((), start, end, asked.first)]
    fine = max(by, key=TIMES.index)
    found: list[Slice] = []
    for day in range(asked.first, asked.last + 1):
        start, end = of.start_of(day), of.start_of(day + 1)
        named = {name: _named(name, day, asked) for name in by if name != "hour"}
        for hour, begin, finish in _hours(of, start, end) if fine == "hour" else [(None, start, end)]:
            if begin == finish:  # a day that the zone's calendar jumps over
                continue
            labels = tuple(named[name] if name != "hour" else f"{hour:02}:00" for name in by)
            if found and found[-1].labels == labels:
                found[-1] = found[-1]._replace(end=finish)
            else:
                found.append(Slice(labels, begin, finish, day))
    return found


def _named(by: str, day: int, asked: Period) -> str:
    """Return what a day's month, week or the day itself is called; weeks begin on Mondays."""
    if by == "month":
        return day_name(day)[:7]
    if by == "day":
        return day_name(day)
    monday = day - _date(day).weekday()
    return Period(max(monday, asked.first), min(monday + 6, asked.last)).name


def _hours(of: Zone, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the hours of the clock in a day: which, from and to."""
    _, minute = of.clock(start)
    plain = end - start == 24 * HOUR_MS and of.clock(end)[1] == minute
    begin, hour = start, minute // 60
    step = HOUR_MS - minute % 60 * MINUTE_MS if plain else MINUTE_MS
    at = start + step
    while at < end:
        now = of.clock(at)[1] // 60
        if now != hour or (not plain and of.clock(at)[1] < of.clock(at - MINUTE_MS)[1]):
            yield hour, begin, at
            begin, hour = at, now
        at += HOUR_MS if plain else MINUTE_MS
    yield hour, begin, end
