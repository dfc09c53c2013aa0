"""The wall clock of a worker: for ticks, future timestamps, the age of tasks and of local stores."""

from __future__ import annotations

import time

__all__ = ["wall_clock_ms"]


def wall_clock_ms() -> int:
    """Epoch milliseconds, now."""
    return time.time_ns() // 1_000_000
