"""The figures that a scheme may pay by, and how their values are written in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import Final, Protocol

from stream_attr.contract.records.pay_numbers import Bound
from stream_attr.errors import UnusableError

__all__ = ["Figures", "Starts", "WrongSchemeError", "listed", "wrong"]

MONEY: Final = "money"
COUNT: Final = "count"
RATE: Final = "rate"
RATIO: Final = "ratio"
SECONDS: Final = "seconds"
UNITS: Final = frozenset({MONEY, COUNT, RATE, RATIO, SECONDS})
"""Units of figures that can be paid by."""
SCORE: Final = "score."
"""Begins the key of a score, which a component's id ends."""


class WrongSchemeError(UnusableError):
    """A scheme cannot be used: ``field`` is the path of what is wrong, None: it is no scheme at all."""

    def __init__(self, message: str, field: str | None) -> None:
        super().__init__("".join(one if one.isprintable() else repr(one)[1:-1] for one in message))
        self.field = field


class Starts(Protocol):
    """A tier, step or band."""

    @property
    def start(self) -> Bound:
        """The value from which it holds."""


def wrong(path: str, problem: str) -> WrongSchemeError:
    """Return the error of a field: its path, and what is wrong with it."""
    return WrongSchemeError(f"`{path}` {problem}", path)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them."""
    return ", ".join(f"`{name}`" for name in names)


class Figures:
    """The figures that there are, and the scores of one scheme."""

    def __init__(self, units: Mapping[str, str], scores: Sequence[str]) -> None:
        """Keep the unit of each figure by key, and the ids of the scheme's components of kind score."""
        self._units = units
        self._scores = scores

    def unit(self, key: str) -> str | None:
        """Return the unit of a figure or score; None: there is none to pay by."""
        if key.startswith(SCORE):
            return COUNT if key.removeprefix(SCORE) in self._scores else None
        unit = self._units.get(key)
        return unit if unit in UNITS else None

    def check(self, key: str, path: str) -> None:
        """Raise unless there is a figure or score."""
        if self.unit(key) is None:
            if key.startswith(SCORE):
                raise wrong(path, self.no_score(key.removeprefix(SCORE)))
            near = get_close_matches(key, [one for one in self._units if self.unit(one)])
            there = f"the nearest are {listed(near)}" if near else "the documentation lists all"
            raise wrong(path, f"is {key[:64]!r}, which is not a figure to pay by; {there}")

    def no_score(self, name: str) -> str:
        """Return what there is to say of a score that there is not."""
        there = f"there are {listed(self._scores)}" if self._scores else "the scheme has none"
        return f"is {name[:64]!r}, which is not the id of a component of kind score; {there}"

    def check_unit(self, key: str, path: str, units: Sequence[str], wanted: str) -> None:
        """Raise unless a figure is of one of some units; ``wanted``: what the remedy says of them."""
        self.check(key, path)
        unit = self.unit(key)
        if unit not in units:
            raise wrong(path, f"is {key!r}, a figure of the unit {unit}: name one that {wanted}")

    def check_starts(self, rows: Sequence[Starts], figure: str, path: str, *, falling: bool = False) -> None:
        """Raise unless rows ascend, or descend where the smaller value is the better one."""
        beyond: Callable[[Fraction, Fraction], bool] = Fraction.__lt__ if falling else Fraction.__gt__
        for number, row in enumerate(rows):
            self.check_bound(row.start, figure, f"{path}[{number}].from")
            if number and not beyond(row.start, rows[number - 1].start):
                order = "less" if falling else "more"
                raise wrong(
                    f"{path}[{number}].from",
                    f"is {row.start.written}, not {order} than the {rows[number - 1].start.written} before "
                    f"it: {'the easiest band is the first' if falling else 'write them in ascending order'}",
                )

    def check_bound(self, bound: Bound, figure: str, path: str) -> None:
        """Raise unless a value is written in the unit of the figure that is compared with it."""
        written, unit = bound.written, self.unit(figure)
        if unit == RATE and not str(written).endswith("%"):
            raise wrong(path, f'is {written!r}, and {figure} is a rate: write a percentage, such as "35%"')
        if unit == RATIO and str(written).endswith("%"):
            raise wrong(path, f'is {written!r}, and {figure} is a ratio: write a number, such as "1.75"')
        if unit in (MONEY, COUNT, SECONDS) and not isinstance(written, int):
            of = {MONEY: "money: write minor units", COUNT: "a number of things: write it"}.get(
                unit, "a time: write milliseconds"
            )
            raise wrong(path, f"is {written!r}, and {figure} is {of} as an integer")
