"""What rows of a report can be by."""

from __future__ import annotations

from typing import Final

__all__ = ["BY", "TIMES", "WHO"]

WHO: Final = ("agent", "person", "group", "shop")
TIMES: Final = ("month", "week", "day", "hour")
"""The coarsest first. Hours are those of the clock, of all days of the period together."""
BY: Final = (*WHO, *TIMES)
"""One of the first four, and of the others any."""
