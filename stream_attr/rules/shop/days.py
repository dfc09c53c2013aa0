"""Natural days of a shop's time zone over integer milliseconds (RULEBOOK 1).

A *day* is numbered from 1970-01-01 in the shop's own calendar. All instants are epoch milliseconds, UTC.
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


class Zone:
    """A time zone, as far as days go. Get one from :func:`zone`, which shares them."""

    __slots__ = ("_fixed", "_info", "_offset_ms", "_starts", "name")

    def __init__(self, name: str) -> None:
        """Read the zone's data.

        Raises:
            ValueError: ``name`` is not an IANA time zone.
            OSError: the data cannot be read now, as when the process is out of file descriptors.
        """
        if name in _OF_A_MACHINE:
            raise ValueError(f"{name!r} is not an IANA time zone")
        try:
            self._info = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_SUCH_FILE:
                raise
            raise ValueError(f"{name!r} is not an IANA time zone") from error
        self.name = name
        self._starts: dict[int, int] = {}
        offsets = {self._offset_on(day) for day in range(_FIRST_DAY, _LAST_DAY)}
        self._fixed = len(offsets) == 1
        self._offset_ms = min(offsets)

    def _offset_on(self, day: int) -> int:
        offset = datetime.combine(date.fromordinal(day + _EPOCH), time(12), self._info).utcoffset()
        assert offset is not None
        return int(offset.total_seconds()) * 1000

    def start_of(self, day: int) -> int:
        """Return the first instant of a day."""
        if self._fixed:
            return day * DAY_MS - self._offset_ms
        start = self._starts.get(day)
        if start is None:
            midnight = datetime.combine(date.fromordinal(day + _EPOCH), time(), self._info)
            start = self._starts[day] = int(midnight.timestamp()) * 1000
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
        """Return the midnight that ends the day of ``ts``."""
        return self.start_of(self.day_of(ts) + 1)


@lru_cache(maxsize=1024)
def zone(name: str) -> Zone:
    """Return the zone of an IANA name; raise what ``Zone`` raises, and try again at the next call."""
    return Zone(name)
