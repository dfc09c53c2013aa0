"""The worker's one look at the wall clock; ``processor`` and ``core`` have none."""

from __future__ import annotations

import time

__all__ = ["wall_clock_ms"]


def wall_clock_ms() -> int:
    """Epoch milliseconds, now."""
    return time.time_ns() // 1_000_000
