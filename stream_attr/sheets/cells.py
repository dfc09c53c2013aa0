"""Cells as values: ids, amounts, counts, rates, durations and instants, each as exports write them.

All return None for a cell that says that there is nothing, and raise SheetError, with its place, for what
they cannot read.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from stream_attr.codec.money import shown_digits
from stream_attr.rules.shop.days import DAY_MS, EARLIEST_TS, LATEST_TS, MINUTE_MS
from stream_attr.sheets.places import Cell

__all__ = ["Instant", "amount", "count", "duration", "instant", "is_nothing", "minor_units", "rate"]

_NOTHING: Final = frozenset(
    {"-", "--", "---", "—", "——", "–", "/", "nan", "n/a", "null", "none", "#div/0!", "#n/a", "#value!"}
    | {"--%", "--秒", "--分--秒", "--时--分--秒"}
)
_NOT_YET: Final = "0001-01-01"
"""A platform's way to write an instant that has not come."""
_NUMBER: Final = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?", re.ASCII)
_CURRENCIES: Final = re.compile(r"^(?:¥|cny|rmb|\$|usd)|(?:元|cny|rmb|usd)$", re.IGNORECASE)
_MOST: Final = Decimal(10) ** 15
_CLOCK: Final = re.compile(r"(\d+):([0-5]?\d)(?::([0-5]?\d))?", re.ASCII)
_UNITS: Final = re.compile(
    r"(?:(\d+)(?:天|d))?(?:(\d+)(?:小时|时|h))?(?:(\d+)(?:分钟|分|m|min))?(?:(\d+(?:\.\d+)?)(?:秒钟|秒|s))?",
    re.ASCII,
)
_INSTANT: Final = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[ T]*(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:\.(\d{1,6}))?\d*秒?|分)?)?"
    r" *(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


class Instant(NamedTuple):
    """An instant as precisely as a sheet says it."""

    ts: int
    """Epoch milliseconds, of its beginning."""
    unit: int
    """How long what it says is, in milliseconds: a millisecond, a second, a minute or a day."""

    def holds(self, ts: int) -> bool:
        """Whether an instant is what it says."""
        return self.ts <= ts < self.ts + self.unit


def is_nothing(cell: Cell) -> bool:
    """Whether a cell says that there is nothing."""
    return not cell.text or cell.text.casefold() in _NOTHING or cell.text.startswith(_NOT_YET)


def _plain(cell: Cell) -> str:
    """Return its text in half-width characters."""
    return unicodedata.normalize("NFKC", cell.text).replace("−", "-").strip()


def _number(cell: Cell, text: str, what: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise cell.unusable(f"is no {what}")
    number = Decimal(text.replace(",", ""))
    if abs(number) >= _MOST:
        raise cell.unusable(f"is no {what}: it is {_MOST:,} or more")
    return number


def amount(cell: Cell) -> Decimal | None:
    """Return an amount in major units, exactly as it stands there: ``¥5,970.00``."""
    if is_nothing(cell):
        return None
    return _number(cell, _CURRENCIES.sub("", _plain(cell)).strip(), "amount like 1,234.50")


def minor_units(cell: Cell, currency: str) -> int | None:
    """Return an amount in minor units of an ISO 4217 currency; one with a part of a unit cannot be read."""
    major = amount(cell)
    if major is None:
        return None
    digits = shown_digits(currency)
    minor = major.scaleb(digits)
    if minor != minor.to_integral_value():
        raise cell.unusable(f"has more decimals than {currency} has, which are {digits}")
    return int(minor)


def count(cell: Cell) -> int | None:
    """Return a whole number."""
    if is_nothing(cell):
        return None
    number = _number(cell, _plain(cell), "number")
    if number != number.to_integral_value():
        raise cell.unusable("is no whole number")
    return int(number)


def rate(cell: Cell) -> Decimal | None:
    """Return a ratio: ``28.33%`` is 0.2833, and so is ``0.2833``; above 1 it needs its percent sign."""
    if is_nothing(cell):
        return None
    text = _plain(cell)
    number = _number(cell, text.removesuffix("%").rstrip(), "rate like 28.33%")
    if text.endswith("%"):
        return number.scaleb(-2)
    if number > 1:
        raise cell.unusable("may be a percentage or not: write it with a percent sign")
    return number


def duration(cell: Cell) -> Decimal | None:
    """Return a duration in seconds, with the decimals that it has.

    ``23.5``, ``0分23秒``, ``00:00:23``, ``1:30``: what has one colon is minutes and seconds.
    """
    if is_nothing(cell):
        return None
    text = _plain(cell).replace(" ", "")
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        first, second, third = clock.groups()
        hours, minutes, seconds = (first, second, third) if third is not None else ("0", first, second)
        return Decimal(int(hours) * 3600 + int(minutes) * 60 + int(seconds))
    units = _UNITS.fullmatch(text)
    if units is not None and text:
        days, hours, minutes = (int(part or 0) for part in units.groups()[:3])
        return days * 86_400 + hours * 3_600 + minutes * 60 + Decimal(units[4] or 0)
    return _number(cell, text, "duration like 23.5, 0分23秒 or 00:00:23")


def instant(cell: Cell, zone: str) -> Instant | None:
    """Return an instant; one without an offset is by the clocks of an IANA zone.

    Of a time that the clocks show twice it is the first. Raises SheetError also for a bare number,
    and outside of the years 2000 to 2099.
    """
    if is_nothing(cell):
        return None
    found = _INSTANT.fullmatch(_plain(cell))
    if found is None or cell.is_number:
        why = "is no time like 2026-11-01 10:12:00"
        raise cell.unusable(f"{why}: give the column a date format" if cell.is_number else why)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    micros = int((fraction or "").ljust(6, "0"))
    try:
        shown = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micros, UTC
        )
    except ValueError as error:
        raise cell.unusable(f"is no time: {error}") from error
    if offset is None:
        shown = shown.replace(tzinfo=_zone(zone))
    elif offset != "Z":
        sign = -1 if offset[0] == "-" else 1
        shown -= sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    ts = (shown.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if not EARLIEST_TS <= ts < LATEST_TS:
        raise cell.unusable("is not in the years 2000 to 2099")
    unit = DAY_MS if hour is None else MINUTE_MS if second is None else 1 if fraction else 1000
    return Instant(ts, unit)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
