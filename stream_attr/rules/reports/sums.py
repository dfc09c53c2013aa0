"""Figures that are added up, in the order of their fields."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import astuple


def add_up(sums: list[int], some: Struct | None, times: int = 1) -> None:
    """Add figures to sums, in the order of their fields; ``times`` -1: subtract them."""
    if some is None:
        return
    figures: tuple[int, ...] = astuple(some)
    for index, figure in enumerate(figures):
        if figure:
            sums[index] += times * figure


def summed(some: Sequence[Struct]) -> list[int]:
    """Return the sums of some figures, in the order of their fields."""
    return [sum(column) for column in zip(*map(astuple, some), strict=True)]
