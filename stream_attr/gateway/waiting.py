"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random
from typing import Final

__all__ = ["Backoff"]

_FIRST_S: Final = 1.0
_LONGEST_S: Final = 60.0


class Backoff:
    """Doubles from one second to a minute, each time by up to a fifth less, so that not all try at once."""

    def __init__(self) -> None:
        self._next_s = _FIRST_S

    def wait_s(self) -> float:
        """Return how long to wait now."""
        waited_s = self._next_s * random.uniform(0.8, 1)
        self._next_s = min(_LONGEST_S, 2 * self._next_s)
        return waited_s

    def done(self) -> None:
        """It has worked: the next failure is a first one."""
        self._next_s = _FIRST_S
