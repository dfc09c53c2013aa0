"""Waiting on a machine of unknown speed: for as long as something gets on, not for so many seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["Stall"]

_BUSY = 0.1
"""A process that has used less than this part of a core is idle: it waits itself, or polls for work."""
_LIMIT = 5
"""How many times its patience a wait may take in all, whatever goes on."""
_LOOKS = 10
"""So many looks, evenly spread over the patience, must find nothing: who waits may be slow as well."""
_TELLS_CPU = Path("/proc/self/stat").exists()


class Stall:
    """Whether what is waited for has come to a standstill. A wait begins when it is made.

    It gets on as long as ``progress`` gives another value (the size of a log, counters) or the processes use
    the processor, as those do that a busy machine slows down. ``patience_s``: seconds without either until
    it is a standstill; after five times as long it is one whatever goes on. Where the system does not say
    what a process has used (no ``/proc``), every process counts as busy.
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
        self._begun = self._looked = self._moved = clock()
        self._looks = 0
        self._seen: object = None
        self._used_s = self._cpu_s()

    def has_come(self) -> bool:
        """Whether it is time to give up."""
        now = self._clock()
        if now - self._begun >= _LIMIT * self._patience_s:
            return True
        if now - self._looked < self._patience_s / _LOOKS:
            return False
        self._looked = now
        seen, used_s = self._progress(), self._cpu_s()
        if seen != self._seen or used_s - self._used_s >= _BUSY * (now - self._moved):
            self._seen, self._used_s, self._moved, self._looks = seen, used_s, now, 0
        else:
            self._looks += 1
        return self._looks >= _LOOKS

    def _cpu_s(self) -> float:
        """Seconds of processor that the processes have used; of one that has ended, none."""
        return sum(map(_cpu_s, self._pids))


def _cpu_s(pid: int) -> float:
    if not _TELLS_CPU:
        return time.monotonic()
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
