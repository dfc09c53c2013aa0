"""Waiting on a machine of unknown speed: as long as there is progress, not for a fixed time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["Stall"]

_BUSY = 0.1
"""A process that uses less than this fraction of a core is idle: it waits, or polls for work."""
_LIMIT = 5
"""The longest wait, as a multiple of the patience, even with progress."""
_CHECKS = 10
"""So many checks, spread over the patience, must find no progress: the waiting process may be slow, too."""
_HAS_PROC = Path("/proc/self/stat").exists()


class Stall:
    """Detects that a wait makes no progress. The wait begins when this is made.

    There is progress as long as ``progress`` returns new values (the size of a log, counters) or the
    processes use the CPU, as they do when a busy machine slows them down. ``patience_s``: seconds without
    either until the wait has stalled; after five times as long it has stalled in any case. On systems without
    ``/proc`` every process counts as busy.
    """

    def __init__(
        self,
        patience_s: float,
        pids: Iterable[int] = (),
        progress: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s = patience_s
        self._pids = tuple(pids)
        self._progress = progress
        self._clock = clock
        self._begun = self._checked = self._moved = clock()
        self._idle_checks = 0
        self._seen: object = None
        self._used_s = self._cpu_s()

    def has_come(self) -> bool:
        """Whether the wait has stalled: it is time to give up."""
        now = self._clock()
        if now - self._begun >= _LIMIT * self._patience_s:
            return True
        if now - self._checked < self._patience_s / _CHECKS:
            return False
        self._checked = now
        seen, used_s = self._progress(), self._cpu_s()
        if seen != self._seen or used_s - self._used_s >= _BUSY * (now - self._moved):
            self._seen, self._used_s, self._moved, self._idle_checks = seen, used_s, now, 0
        else:
            self._idle_checks += 1
        return self._idle_checks >= _CHECKS

    def _cpu_s(self) -> float:
        """CPU seconds of the processes; 0 for one that has ended."""
        return sum(map(_cpu_s, self._pids))


def _cpu_s(pid: int) -> float:
    if not _HAS_PROC:
        return time.monotonic()
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
