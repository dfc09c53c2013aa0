"""The wall clock, for what is not decided by the time of events."""

from __future__ import annotations

import time

__all__ = ["wall_clock_ms"]


def wall_clock_ms() -> int:
    """Epoch milliseconds, now."""
    return time.time_ns() // 1_000_000
