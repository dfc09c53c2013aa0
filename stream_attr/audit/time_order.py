"""Jumps in time from line to line."""

from __future__ import annotations

from typing import Final

from stream_attr.audit.warning import Place, Tally
from stream_attr.rules.shop.days import DAY_MS

MAX_STEP_MS: Final = 7 * DAY_MS
"""A longer step ahead from one line to the next is a jump: a shop has traffic every week."""
MAX_STEP_BACK_MS: Final = DAY_MS
"""A longer step back is a jump: what comes so late was put into the wrong order."""


class TimeOrder:
    """The times of the lines of files, in the order of the lines."""

    def __init__(self) -> None:
        self.ahead = Tally()
        self.back = Tally()
        self._file = -1
        self._ts = 0

    def add(self, ts: int, place: Place) -> None:
        """Add the next line."""
        if place.file == self._file:
            step = ts - self._ts
            if step > MAX_STEP_MS:
                self.ahead.add(place)
            elif step < -MAX_STEP_BACK_MS:
                self.back.add(place)
        self._file = place.file
        self._ts = ts
