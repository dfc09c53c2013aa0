"""How long work shows that it goes on: one line on standard error, rewritten in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

__all__ = ["Progress"]

_EVERY_S_TERMINAL = 0.2
_EVERY_S_LOG = 5.0


class Progress:
    """``published 120,000 records, 48,000/s``; told how far it is, it shows it now and then."""

    def __init__(
        self,
        verb: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verb = verb
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._rewrites = self._stream.isatty()
        self._every_s = _EVERY_S_TERMINAL if self._rewrites else _EVERY_S_LOG
        self._begun = self._shown = clock()

    def __call__(self, records: int) -> None:
        """``records`` are done so far."""
        now = self._clock()
        if now - self._shown < self._every_s:
            return
        self._shown = now
        text = f"{self._verb} {records:,} records, {records / (now - self._begun):,.0f}/s"
        self._stream.write(f"\r{text}\x1b[K" if self._rewrites else f"{text}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Make room for what is said at the end."""
        if self._rewrites:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
