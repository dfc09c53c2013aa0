"""How many buyers are present at one time (最大同时接待, RULEBOOK 8)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

MARK_EVERY: Final = 64
"""Edges between two marks: so many more than have changed are counted again, at most."""


class Presence:
    """When buyers come and go on a day, and the most there at one time.

    What changes lies mostly near the end, so counting goes on from the last mark that still holds.
    """

    __slots__ = ("_edges", "_marks")

    def __init__(self) -> None:
        self._edges: list[int] = []
        """Twice the time of each coming, one more than that for a going: who comes at an instant meets who
        goes. Sorted."""
        self._marks: list[tuple[int, int, int]] = []
        """A number of edges, how many are present after these, and the most until then."""

    def replace(self, old: Sequence[int], new: Sequence[int]) -> None:
        """Put a buyer's stretches in the place of the old ones; each the begins and ends, sorted, closed."""
        edges = self._edges
        same = 0
        for before, after in zip(old, new, strict=False):  # stretches are added at the end, or grow there
            if before != after:
                break
            same += 1
        first = len(edges)
        for index in range(same, len(old)):
            at = bisect_left(edges, 2 * old[index] + index % 2)
            del edges[at]
            first = min(first, at)
        for index in range(same, len(new)):
            edge = 2 * new[index] + index % 2
            at = bisect_left(edges, edge)
            edges.insert(at, edge)
            first = min(first, at)
        while self._marks and self._marks[-1][0] > first:
            self._marks.pop()

    @property
    def most(self) -> int:
        """Most buyers present at one time."""
        counted, present, most = self._marks[-1] if self._marks else (0, 0, 0)
        for edge in self._edges[counted:]:
            counted += 1
            if edge & 1:
                present -= 1
            else:
                present += 1
                if present > most:
                    most = present
            if counted % MARK_EVERY == 0:
                self._marks.append((counted, present, most))
        return most
