"""A clock that a test sets."""

from __future__ import annotations

__all__ = ["ManualClock"]


class ManualClock:
    """A wall clock that moves only when a test moves it; for `Options.clock` and `Options.now`.

    >>> clock = ManualClock(1_793_498_400_000)
    >>> clock.advance(60_000)
    >>> clock()
    1793498460000
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        """Epoch milliseconds."""

    def __call__(self) -> int:
        """Return the time, epoch milliseconds."""
        return self.now_ms

    def advance(self, milliseconds: int) -> None:
        """Move the time on."""
        self.now_ms += milliseconds
