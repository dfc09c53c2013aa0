"""How many buyers are present at one time (最大同时接待, RULEBOOK 8)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

MARK_EVERY: Final = 64
"""Edges between two marks: at most so many unchanged edges are counted again."""


class Presence:
    """When buyers are present on a day, and the most present at one time.

    Changes are mostly near the end, so counting resumes from the last mark before them.
    """

    __slots__ = ("_edges", "_marks")

    def __init__(self) -> None:
        self._edges: list[int] = []
        """Twice the time of each begin, and twice the time plus one of each end, sorted: at the same instant
        begins come before ends."""
        self._marks: list[tuple[int, int, int]] = []
        """Number of edges, buyers present after these, and the most present until then."""

    def replace(self, old: Sequence[int], new: Sequence[int]) -> None:
        """Replace a buyer's closed intervals; each argument is their begins and ends, sorted."""
        edges = self._edges
        same = 0
        for before, after in zip(old, new, strict=False):  # intervals are added at the end, or grow there
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
