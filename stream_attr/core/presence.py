"""How many buyers are present at one time (最大同时接待, RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from stream_attr.core.days import HOUR_MS


class Presence:
    """Buyers' stretches of a day, by the hours they lie in: a new one changes the most of those alone."""

    __slots__ = ("_hours", "_most")

    def __init__(self) -> None:
        self._hours: dict[int, dict[str, Sequence[int]]] = {}
        """By hour since the epoch, the stretches of the buyers present in it, and their others too."""
        self._most: dict[int, int] = {}
        """By hour, where nothing has changed since it was found."""

    def replace(self, buyer_id: str, old: Sequence[int], new: Sequence[int]) -> None:
        """Put a buyer's stretches in the place of the old ones; each the begins and ends, sorted, closed."""
        hours = _hours_of(new)
        for hour in _hours_of(old) - hours:
            del self._hours[hour][buyer_id]
            self._most.pop(hour, None)
        for hour in hours:
            self._hours.setdefault(hour, {})[buyer_id] = new
            self._most.pop(hour, None)

    @property
    def most(self) -> int:
        """Most buyers present at one time."""
        for hour, present in self._hours.items():
            if hour not in self._most:
                self._most[hour] = _most_in(hour, present.values())
        return max(self._most.values(), default=0)


def _hours_of(bounds: Sequence[int]) -> set[int]:
    return {
        hour
        for index in range(0, len(bounds), 2)
        for hour in range(bounds[index] // HOUR_MS, bounds[index + 1] // HOUR_MS + 1)
    }


def _most_in(hour: int, presences: Iterable[Sequence[int]]) -> int:
    start, last = hour * HOUR_MS, (hour + 1) * HOUR_MS - 1
    edges: list[int] = []
    for bounds in presences:
        for index in range(0, len(bounds), 2):
            begin, end = bounds[index], bounds[index + 1]
            if begin <= last and end >= start:
                edges.append(2 * max(begin, start))
                edges.append(2 * min(end, last) + 1)  # who comes at an instant meets who goes
    edges.sort()
    return max(accumulate([1 - 2 * (edge & 1) for edge in edges]), default=0)
