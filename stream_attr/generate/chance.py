"""The one source of randomness: every draw comes from here, so that a seed gives the same bytes everywhere.

Only ``random.Random.random`` is promised to yield one sequence on every version of Python, and only the
four basic operations give the same bits on every machine: nothing here uses ``choice``, ``shuffle``,
logarithms or powers.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

__all__ = ["Chance"]

T = TypeVar("T")


class Chance:
    """Draws from one seed."""

    __slots__ = ("draw",)

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed).random
        """A float in [0, 1)."""

    def odds(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.draw() < probability

    def integer(self, low: int, high: int) -> int:
        """An integer of [low, high), all alike."""
        return low + int(self.draw() * (high - low))

    def early(self, low: int, high: int) -> int:
        """An integer of [low, high), mostly near ``low``: half of them in the first quarter."""
        u = self.draw()
        return low + int(u * u * (high - low))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, all alike."""
        return items[int(self.draw() * len(items))]
