"""Reports that took long, kept for a while: a hundred people who look at one page cost what a few cost."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Final

from stream_attr.ledger.reports.report import Report

__all__ = ["Kept"]


@dataclass(slots=True)
class _One:
    """One report, or the place of one that is being made."""

    making: threading.Lock = field(default_factory=threading.Lock)
    report: Report | None = None
    until: float = 0.0
    """Of the monotonic clock, seconds."""


class Kept:
    """The reports of late; each is kept for ten times what it took, at most a minute.

    So all together take a tenth of what they would, and none is made twice at once. What takes less than
    `SHORT_S` is made again each time. A page shows the as-of of its report, so what is kept is not taken for
    newer than it is.
    """

    SHORT_S: Final = 0.1
    FACTOR: Final = 10
    LONGEST_S: Final = 60.0
    MOST: Final = 64
    MOST_ROWS: Final = 20_000
    """Longer ones are not kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, _One] = OrderedDict()

    def report(self, key: Hashable, make: Callable[[], Report]) -> Report:
        """Return a report with its rows as a list; ``key``: all that it depends on but the ledger."""
        with self._lock:
            one = self._known.setdefault(key, _One())
            self._known.move_to_end(key)
            while len(self._known) > self.MOST:
                self._known.popitem(last=False)
        with one.making:
            if one.report is not None and time.monotonic() < one.until:
                return one.report
            begun = time.monotonic()
            report = make()
            rows = list(report.rows)
            report = replace(report, rows=rows)
            now = time.monotonic()
            took = now - begun
            is_kept = took >= self.SHORT_S and len(rows) <= self.MOST_ROWS
            one.report = report if is_kept else None
            one.until = now + min(took * self.FACTOR, self.LONGEST_S)
            return report
