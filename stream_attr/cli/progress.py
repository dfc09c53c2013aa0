"""How long work shows that it goes on: one line on standard error, rewritten in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from stream_attr.cli.terminal import unfiltered

__all__ = ["Progress", "of_sending"]

_EVERY_S_TERMINAL = 0.2
_EVERY_S_LOG = 5.0
_SILENT_S = 5.0
"""A broker that has acknowledged nothing for so long is spoken of."""


class Progress:
    """``published 120,000 records, 48,000/s``; told how far it is, it shows it now and then."""

    def __init__(
        self,
        verb: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verb = verb
        self._stream = unfiltered(sys.stderr) if stream is None else stream
        self._clock = clock
        self._rewrites = self._stream.isatty()
        self._every_s = _EVERY_S_TERMINAL if self._rewrites else _EVERY_S_LOG
        self._begun = self._shown = clock()

    def __call__(self, records: int, waiting: str = "") -> None:
        """``records`` are done so far; ``waiting``: for what it waits instead of getting on."""
        now = self._clock()
        if now - self._shown < self._every_s:
            return
        self._shown = now
        text = f"{self._verb} {records:,} records, {waiting or f'{records / (now - self._begun):,.0f}/s'}"
        self._stream.write(f"\r{text}\x1b[K" if self._rewrites else f"{text}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Make room for what is said at the end."""
        if self._rewrites:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def of_sending(progress: Progress, broker: str, delivery_timeout_ms: int) -> Callable[[int, float], None]:
    """Make a ``broker.publish.Progress`` that shows records as they are acknowledged, and waiting for it."""
    most_s = delivery_timeout_ms / 1000

    def show(acknowledged: int, silent_s: float) -> None:
        waiting = f"no answer from {broker} for {silent_s:,.0f} s, waiting up to {most_s:,.0f} s"
        progress(acknowledged, waiting if silent_s >= _SILENT_S else "")

    return show
