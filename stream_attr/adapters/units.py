"""Amounts and times of foreign payloads, each read by its documented unit or not at all.

Every function raises :class:`SkippedError` for what it cannot read without a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Final

from stream_attr.adapters.reading import WHOLE, Document
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.contract.currency import minor_digits
from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.rules.shop.days import EARLIEST_TS, LATEST_TS

__all__ = ["Fields", "Unit"]

_DECIMAL: Final = re.compile(r"-?\d{1,17}(?:\.\d{1,10})?", re.ASCII)
"""So short that no step of a ``Decimal`` rounds it."""
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_NEVER: Final = ("0001-01-01", "0000-00-00", "1970-01-01 00:00:00", "1970-01-01 08:00:00")
_GMT8: Final = timezone(timedelta(hours=8))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Unit(StrEnum):
    """What the number or text in a field stands for."""

    MAJOR = "major units of the currency (yuan), decimal"
    MINOR = "minor units of the currency (fen), whole"
    GMT8 = "local time, UTC+8, without saying so"
    UTC = "UTC, without saying so"
    OFFSET = "ISO 8601 with its offset"
    SECONDS = "seconds since 1970, UTC"
    MILLISECONDS = "milliseconds since 1970, UTC"


class Fields:
    """The amounts and times of a platform's payloads: by the name of the field its unit."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self.units = dict(units)

    def amount_or_none(self, parent: Document, name: str, currency: str = "CNY") -> int | None:
        """Return an amount in minor units; None where it is absent, null or empty. Never rounded."""
        value = parent.get(name)
        if value is None or value == "":
            return None
        number = _number(value, name)
        if self.units[name] is Unit.MAJOR:
            digits = minor_digits(currency)
            if digits is None:
                raise SkippedError(Reason.BAD_VALUE, "currency")
            number = number.scaleb(digits)
        else:
            assert self.units[name] is Unit.MINOR, name
        if not 0 <= number <= MAX_AMOUNT or number != number.to_integral_value():
            raise SkippedError(Reason.BAD_AMOUNT, name)
        return int(number)

    def amount(self, parent: Document, name: str, currency: str = "CNY") -> int:
        """Return an amount in minor units. Never rounded: more decimals than the currency has are refused."""
        value = self.amount_or_none(parent, name, currency)
        if value is None:
            raise SkippedError(Reason.MISSING_FIELD, name)
        return value

    def time_or_none(self, parent: Document, name: str) -> int | None:
        """Return a time in epoch milliseconds; None where it is absent, or says that it has not come yet."""
        value = parent.get(name)
        if value is None or value in ("", "0") or (value == 0 and not isinstance(value, bool)):
            return None
        unit = self.units[name]
        if unit in _SINCE_1970:
            ts = _since_1970(value, _SINCE_1970[unit], name)
        elif isinstance(value, str):
            value = value.strip()
            if not value or value.startswith(_NEVER):
                return None
            ts = _written(value, unit, name)
        else:
            raise SkippedError(Reason.BAD_TYPE, name)
        if not EARLIEST_TS <= ts < LATEST_TS:
            raise SkippedError(Reason.BAD_TIME, name)
        return ts

    def time(self, parent: Document, name: str) -> int:
        """Return a time in epoch milliseconds."""
        value = self.time_or_none(parent, name)
        if value is None:
            raise SkippedError(Reason.MISSING_FIELD, name)
        return value


_SINCE_1970: Final = {Unit.SECONDS: 1000, Unit.MILLISECONDS: 1}
_ZONES: Final = {Unit.GMT8: _GMT8, Unit.UTC: UTC}


def _number(value: object, name: str) -> Decimal:
    """Return a number exactly as it was written; a float as its shortest decimal."""
    if isinstance(value, bool):
        raise SkippedError(Reason.BAD_TYPE, name)
    if isinstance(value, int):
        value = str(value) if abs(value) <= MAX_AMOUNT else ""
    elif isinstance(value, float):
        value = str(value)
    elif isinstance(value, Decimal):
        value = format(value, "f") if _is_short(value) else ""
    elif isinstance(value, str):
        value = value.strip()
    else:
        raise SkippedError(Reason.BAD_TYPE, name)
    if not _DECIMAL.fullmatch(value):
        raise SkippedError(Reason.BAD_AMOUNT, name)
    return Decimal(value)


def _is_short(value: Decimal) -> bool:
    """Whether a decimal can be written out without an exponent in some digits."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -20 <= exponent <= 20


def _since_1970(value: object, factor: int, name: str) -> int:
    """Return a count since 1970 times ``factor``, cut to whole milliseconds."""
    if isinstance(value, bool):
        raise SkippedError(Reason.BAD_TYPE, name)
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, int):
        return value * factor
    if isinstance(value, (float, Decimal)) and 0 < value < LATEST_TS:
        return int(Decimal(str(value)) * factor)
    raise SkippedError(Reason.BAD_TIME if isinstance(value, (str, float, Decimal)) else Reason.BAD_TYPE, name)


def _written(value: str, unit: Unit, name: str) -> int:
    """Return a written time. An offset in it is believed; one that is missing is the unit's, or refused."""
    found = _TIME.fullmatch(value)
    if found is None:
        raise SkippedError(Reason.BAD_TIME, name)
    day, clock, fraction, offset = found.groups()
    try:
        if offset:
            moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in {'Z', 'UTC'} else offset}")
        elif unit in _ZONES:
            moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=_ZONES[unit])
        else:
            raise SkippedError(Reason.BAD_TIME, name)
    except ValueError:
        raise SkippedError(Reason.BAD_TIME, name) from None
    return (moment - _EPOCH) // _MILLISECOND + int((fraction or "0").ljust(3, "0")[:3])
