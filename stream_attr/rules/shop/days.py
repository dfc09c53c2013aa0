"""Days of a shop over integer milliseconds (RULEBOOK 1).

A *day* is numbered from 1970-01-01 in the shop's own calendar. It begins when the clocks of the shop's time
zone come to the day cut: midnight, unless the shop says another time. All instants are epoch milliseconds.
"""

from __future__ import annotations

import errno
import re
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

EARLIEST_TS: Final = 946_684_800_000
"""2000-01-01, UTC: no event lies before it (RULEBOOK 2)."""
LATEST_TS: Final = 4_102_444_800_000
"""2100-01-01, UTC: every event lies before it."""
END_OF_TIME: Final = 2**62
"""After every instant: the watermark where no more events can come, and when what never happens is due."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OF_A_MACHINE: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside the zones whose content differs from machine to machine."""
_NO_SUCH_FILE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})
"""What the system answers where a name is not that of a file; all else is the machine's own trouble."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_FIRST_DAY: Final = date(1999, 12, 1).toordinal() - _EPOCH
_LAST_DAY: Final = date(2100, 2, 1).toordinal() - _EPOCH
"""Days that events and their deadlines can lie in."""


def day_name(day: int) -> str:
    """Return a day number as ``YYYY-MM-DD``."""
    return _name(day)


@lru_cache(maxsize=4096)
def _name(day: int) -> str:
    return date.fromordinal(day + _EPOCH).isoformat()


def day_number(name: str) -> int:
    """Return the day number of ``YYYY-MM-DD``; raise ValueError for anything else."""
    if not _DATE.fullmatch(name):
        raise ValueError(f"{name!r} is not a date YYYY-MM-DD")
    return date.fromisoformat(name).toordinal() - _EPOCH


MIDNIGHT: Final = "00:00"
"""The day cut of a shop that says none."""
_CUT: Final = re.compile(r"(?:0[0-9]|1[01]):[0-5][0-9]|12:00", re.ASCII)


def clock_name(minute: int) -> str:
    """Return a minute of the day as ``HH:MM``."""
    return f"{minute // 60:02}:{minute % 60:02}"


def day_of_month(day: int) -> int:
    """Return which day of its month a day number is, from 1."""
    return date.fromordinal(day + _EPOCH).day


class Zone:
    """A time zone and a day cut, as far as days go. Get one from :func:`zone`, which shares them."""

    __slots__ = ("_cut", "_fixed", "_info", "_offset_ms", "_starts", "day_cut", "name")

    def __init__(self, name: str, day_cut: str = MIDNIGHT) -> None:
        """Read the zone's data; ``day_cut``: when its days begin, by its clocks, ``HH:MM``.

        Raises:
            ValueError: ``name`` is not an IANA time zone, or ``day_cut`` not 00:00 to 12:00.
            OSError: the data cannot be read now, as when the process is out of file descriptors.
        """
        if not _CUT.fullmatch(day_cut):
            raise ValueError(f"{day_cut[:32]!r} is not a time HH:MM from 00:00 to 12:00")
        self.name = name
        self.day_cut = day_cut
        self._cut = time.fromisoformat(day_cut)
        self._info, self._fixed, offset_ms = _data(name)
        self._offset_ms = offset_ms - (self._cut.hour * 60 + self._cut.minute) * MINUTE_MS
        """The least that is to be added to an instant to find its day."""
        self._starts: dict[int, int] = {}

    def start_of(self, day: int) -> int:
        """Return the first instant of a day: when the clocks come to its cut.

        If they show that time twice, the first time; if they jump over it, the jump.
        """
        if self._fixed:
            return day * DAY_MS - self._offset_ms
        start = self._starts.get(day)
        if start is None:
            start = self._starts[day] = _first_instant(date.fromordinal(day + _EPOCH), self._cut, self._info)
        return start

    def day_of(self, ts: int) -> int:
        """Return the day that an instant lies in."""
        day = (ts + self._offset_ms) // DAY_MS
        if self._fixed:
            return day
        while ts < self.start_of(day):
            day -= 1
        while ts >= self.start_of(day + 1):
            day += 1
        return day

    def end_of_day(self, ts: int) -> int:
        """Return the instant that ends the day of ``ts``."""
        return self.start_of(self.day_of(ts) + 1)

    def clock(self, ts: int) -> tuple[int, int]:
        """Return what calendar and clock show at an instant: the date as a day number, the minute of the day.

        The day cut does not matter here.
        """
        shown = datetime.fromtimestamp(ts // 1000, self._info)
        return shown.toordinal() - _EPOCH, shown.hour * 60 + shown.minute

    def at_clock(self, day: int, minute: int) -> int:
        """Return when the clocks come to a minute of a calendar day; see :meth:`start_of`."""
        return _first_instant(date.fromordinal(day + _EPOCH), time(*divmod(minute, 60)), self._info)


@lru_cache(maxsize=1024)
def _data(name: str) -> tuple[ZoneInfo, bool, int]:
    """Return a zone's data, whether its offset never changes, and its smallest offset in milliseconds."""
    if name in _OF_A_MACHINE:
        raise ValueError(f"{name!r} is not an IANA time zone")
    try:
        info = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_SUCH_FILE:
            raise
        raise ValueError(f"{name!r} is not an IANA time zone") from error
    offsets = {_offset_on(day, info) for day in range(_FIRST_DAY, _LAST_DAY)}
    return info, len(offsets) == 1, min(offsets)


def _offset_on(day: int, info: ZoneInfo) -> int:
    offset = datetime.combine(date.fromordinal(day + _EPOCH), time(12), info).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * 1000


def _first_instant(day: date, clock: time, info: ZoneInfo) -> int:
    """Return the first instant at which the clocks of a zone have come to a time of a calendar day."""
    asked = datetime.combine(day, clock)
    late = int(asked.replace(tzinfo=info).timestamp())
    if _shown(late, info) == asked:
        return late * 1000
    early = int(asked.replace(tzinfo=info, fold=1).timestamp())  # the clocks jump over it, between these two
    while early < late:
        middle = (early + late) // 2
        if _shown(middle, info) < asked:
            early = middle + 1
        else:
            late = middle
    return late * 1000


def _shown(seconds: int, info: ZoneInfo) -> datetime:
    """Return what the clocks of a zone show."""
    return datetime.fromtimestamp(seconds, info).replace(tzinfo=None)


@lru_cache(maxsize=1024)
def zone(name: str, day_cut: str = MIDNIGHT) -> Zone:
    """Return the zone of an IANA name; raise what ``Zone`` raises, and try again at the next call."""
    return Zone(name, day_cut)
