"""Formulas of figures over measures: what adds up over days, agents and shops."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from stream_attr.codec.records.agent_daily import mean, rate

__all__ = [
    "DECIMALS",
    "Formula",
    "Kind",
    "Mean",
    "Measures",
    "Most",
    "Ratio",
    "Total",
    "difference_kind",
    "ratio_of",
    "value",
]

Measures = Mapping[str, int | None]
"""By key, such as ``sales.amount``; None: it does not exist of this agent, as silent sales of any."""


class Kind(StrEnum):
    """How a value is shown."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"
    """Integer minor units."""
    SECONDS = "seconds"
    """Integer milliseconds, shown in seconds with three decimals."""
    RATE = "rate"
    """A ratio to four decimals, shown in percent."""
    POINTS = "points"
    """A difference of rates, to four decimals, shown in percentage points."""
    RATIO = "ratio"
    """A number of things for each of others, to four decimals, shown with two."""
    FIGURE = "figure"
    """Each row of a figure of its own: an amount, or a number that says its kind."""
    DAY = "day"
    MOMENT = "moment"
    """Epoch milliseconds, shown by the clocks of the shop to the second."""


DECIMALS: Final[Mapping[Kind, int]] = {Kind.SECONDS: 3, Kind.RATE: 4, Kind.POINTS: 4, Kind.RATIO: 2}
"""How many each kind is shown with, where it has any; rates and points in percent with two less."""


class Total(NamedTuple):
    """A measure, less another one."""

    of: str
    less: str | None = None


class Most(NamedTuple):
    """The greatest of the days and agents."""

    of: str


class Ratio(NamedTuple):
    """A ratio to four decimals; null where the denominator is 0."""

    part: str
    whole: str
    less: str | None = None
    """What is taken from ``part``."""


class Mean(NamedTuple):
    """An amount by a number of things, rounded half up; null where there are none."""

    total: str
    number: str
    less: str | None = None
    """What is taken from ``total``."""


Formula = Total | Most | Ratio | Mean


def difference_kind(kind: Kind) -> Kind:
    """Return how the difference of two values is shown: of two rates in percentage points."""
    return Kind.POINTS if kind is Kind.RATE else kind


def value(formula: Formula, measures: Measures) -> int | float | None:
    """Return what a formula makes of measures; None where one of them or the denominator is missing."""
    match formula:
        case Most(of):
            return measures.get(of)
        case Total(of, less):
            return _less(measures, of, less)
        case Ratio(part, whole, less) | Mean(part, whole, less):
            above, below = _less(measures, part, less), measures.get(whole)
            if above is None or below is None:
                return None
            return ratio_of(formula, above, below)
    raise AssertionError(formula)  # pragma: no cover -- all formulas are named above


def ratio_of(formula: Ratio | Mean, above: int, below: int) -> int | float | None:
    """Return a ratio or mean of its numerator and denominator; None where the latter is 0."""
    return mean(above, below) if isinstance(formula, Mean) else rate(above, below)


def _less(measures: Measures, of: str, less: str | None) -> int | None:
    whole, taken = measures.get(of), 0 if less is None else measures.get(less)
    return None if whole is None or taken is None else whole - taken
