"""Progress of long work: one line on standard error, rewritten in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from stream_attr.cli.terminal import unfiltered

__all__ = ["Progress", "of_resending", "of_sending"]

_EVERY_S_TERMINAL = 0.2
_EVERY_S_LOG = 5.0
_BAR = 20
"""Characters of a bar."""
_SILENT_S = 5.0
"""Seconds without an acknowledgement after which the line says so."""


class Progress:
    """Shows ``published 120,000 records, 48,000/s`` now and then; with a total, its share as a bar."""

    def __init__(
        self,
        verb: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        total: int | None = None,
    ) -> None:
        """``total``: how many records there are, or about."""
        self._verb = verb
        self._total = total
        self._stream = unfiltered(sys.stderr) if stream is None else stream
        self._clock = clock
        self._rewrites = self._stream.isatty()
        self._every_s = _EVERY_S_TERMINAL if self._rewrites else _EVERY_S_LOG
        self._begun = self._shown = clock()

    def __call__(self, records: int, waiting: str = "") -> None:
        """``records`` are done so far; ``waiting``: what the work is waiting for, if it stands still."""
        if not records and not waiting:
            return  # there is no number yet
        now = self._clock()
        if now - self._shown < self._every_s:
            return
        self._shown = now
        text = f"{self._verb} {records:,} records, {waiting or f'{records / (now - self._begun):,.0f}/s'}"
        text += self._share(records)
        self._stream.write(f"\r{text}\x1b[K" if self._rewrites else f"{text}\n")
        self._stream.flush()

    def _share(self, records: int) -> str:
        """Return how much of the total is done, as a bar and in percent."""
        if not self._total:
            return ""
        share = min(records / self._total, 1)
        done = int(share * _BAR)
        return f" [{'#' * done}{'-' * (_BAR - done)}] {int(share * 100)}%"

    def clear(self) -> None:
        """Clear the line before other output."""
        if self._rewrites:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def of_sending(progress: Progress, broker: str, delivery_timeout_ms: int) -> Callable[[int, float], None]:
    """Make a ``kafka.publish.Progress`` that shows the records acknowledged, and how long none was."""

    def show(acknowledged: int, silent_s: float) -> None:
        progress(acknowledged, _waiting(broker, silent_s, delivery_timeout_ms))

    return show


def of_resending(
    progress: Progress, broker: str, delivery_timeout_ms: int
) -> tuple[Callable[[int], None], Callable[[int, float], None]]:
    """Make two callbacks, for records read and for records acknowledged, that share one line."""
    read = acknowledged = 0

    def show(waiting: str) -> None:
        sent = f"{acknowledged:,} sent" if acknowledged else ""
        progress(read, ", ".join(filter(None, (sent, waiting))))

    def on_read(records: int) -> None:
        nonlocal read
        read = records
        show("")

    def on_sent(records: int, silent_s: float) -> None:
        nonlocal acknowledged
        acknowledged = records
        show(_waiting(broker, silent_s, delivery_timeout_ms))

    return on_read, on_sent


def _waiting(broker: str, silent_s: float, delivery_timeout_ms: int) -> str:
    """How long the broker has acknowledged nothing; empty if that is not long."""
    if silent_s < _SILENT_S:
        return ""
    return f"no answer from {broker} for {silent_s:,.0f} s, waiting up to {delivery_timeout_ms / 1000:,.0f} s"
