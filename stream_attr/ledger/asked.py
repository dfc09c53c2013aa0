"""Figures as a user asks for them: by name, and in which way.

``sales.amount:share`` is a figure's share of the shop's, ``sales.amount:before`` what it was in the period
before, ``sales.amount:change`` by how much of that it changed, of a rate in percentage points.
``sales.amount:low`` and ``sales.amount:high`` are the least and the most that it can still come to, and
``sales.amount:until`` is the day with which it is final; all three are empty once it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from stream_attr.errors import UnusableError
from stream_attr.ledger.figures import (
    FIGURES,
    MEASURES,
    Figure,
    has_range,
    made_of,
    range_of,
    ranged_by,
    until,
)
from stream_attr.ledger.formats.cells import POINTS
from stream_attr.ledger.formulas import Kind, Measures, Total, value
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["RANGES", "Asked", "Way", "asked", "change", "change_kind", "measures_of", "ranges_beside"]

_RATE: Final = Text("%", "%")


class Way(StrEnum):
    """How a figure is asked for."""

    ITSELF = ""
    SHARE = "share"
    """Of the shop's."""
    BEFORE = "before"
    """In the period before."""
    CHANGE = "change"
    """By how much of that it changed; a rate by how many percentage points."""
    LOW = "low"
    """The least that it can still come to."""
    HIGH = "high"
    """The most that it can still come to."""
    UNTIL = "until"
    """The day with which it is final, where it is not."""


RANGES: Final = (Way.LOW, Way.HIGH, Way.UNTIL)
"""What says whether a figure can still change, and until when."""
_WAYS: Final = {
    Way.SHARE: Text("{figure}, share of shop", "{figure}占店铺"),
    Way.BEFORE: Text("{figure}, period before", "{figure}上期"),
    Way.CHANGE: Text("{figure}, change", "{figure}环比"),
    Way.LOW: Text("{figure}, at least", "{figure}下限"),
    Way.HIGH: Text("{figure}, at most", "{figure}上限"),
    Way.UNTIL: Text("{figure}, final from", "{figure}定案日"),
}


class Asked(NamedTuple):
    """A figure in one of its ways."""

    figure: Figure
    way: Way

    @property
    def key(self) -> str:
        """As it was asked for."""
        return f"{self.figure.key}:{self.way}" if self.way else self.figure.key

    @property
    def name(self) -> Text:
        """Return its name for a column."""
        return _WAYS[self.way].filled(figure=self.figure.name) if self.way else self.figure.name

    @property
    def kind(self) -> Kind:
        """Return how it is shown."""
        if self.way is Way.CHANGE:
            return change_kind(self.figure.kind)
        if self.way is Way.UNTIL:
            return Kind.DAY
        return Kind.RATE if self.way is Way.SHARE else self.figure.kind

    @property
    def unit(self) -> Text:
        """Return its unit."""
        if self.kind is Kind.POINTS:
            return POINTS
        return _RATE if self.way in (Way.SHARE, Way.CHANGE) else self.figure.unit

    def value(self, own: Measures, shop: Measures, before: Measures | None) -> int | float | str | None:
        """Return its value of measures, beside the shop's and those of the period before; a day is text."""
        if self.way is Way.UNTIL:
            last = until(self.figure.formula, own)
            return None if last is None else day_name(last)
        if self.way in (Way.LOW, Way.HIGH):
            found = range_of(self.figure.formula, own)
            return None if found is None else found.low if self.way is Way.LOW else found.high
        now = value(self.figure.formula, own)
        if self.way is Way.ITSELF:
            return now
        if self.way is Way.SHARE:
            of = value(self.figure.formula, shop)
            return None if now is None or not of else round(now / of, 4)
        then = None if before is None else value(self.figure.formula, before)
        if self.way is Way.BEFORE:
            return then
        return change(self.figure.kind, now, then)


def change_kind(kind: Kind) -> Kind:
    """Return how the change of a figure is shown: of a rate in percentage points, of others in percent."""
    return Kind.POINTS if kind is Kind.RATE else Kind.RATE


def change(kind: Kind, now: float | None, then: float | None) -> float | None:
    """Return by how much of what it was a figure has changed, or how far a rate has moved.

    None: one of the two is missing, or it was nothing, of which there is no part.
    """
    if now is None or then is None:
        return None
    if kind is Kind.RATE:
        return round(now - then, 4)
    return round((now - then) / abs(then), 4) if then else None


def ranges_beside(names: Iterable[str]) -> list[str]:
    """Return what says of figures, by key, between what they can still come to lie, and until when.

    Of figures in another way than itself, such as ``:change``, there is nothing to say.
    """
    found = []
    for figure in (FIGURES[name] for name in names if name in FIGURES):
        ways = RANGES if has_range(figure.formula) else (Way.UNTIL,)
        found += [f"{figure.key}:{way}" for way in ways]
    return found


def measures_of(figures: Iterable[Asked]) -> tuple[str, ...]:
    """Return the keys of all measures that some figures are made of, in their order."""
    used = {key for one in figures for key in made_of(one.figure.formula)}
    used |= {key for one in figures if one.way in RANGES for key in ranged_by(one.figure.formula)}
    return tuple(key for key in MEASURES if key in used)


def asked(names: Iterable[str]) -> tuple[Asked, ...]:
    """Return the figures that a user names: by key, or by a name in either language, each with its way.

    Raises UnusableError for a name that is none, and names those that are like it.
    """
    return tuple(map(_asked, names))


def _asked(text: str) -> Asked:
    name, _, way = text.partition(":")
    if way not in list(Way):
        ways = ", ".join(one for one in Way if one)
        raise UnusableError(f"{text!r}: a figure can be asked for with one of these behind a colon: {ways}")
    for one in FIGURES.values():
        if name in (one.key, *one.name):
            found = Asked(one, Way(way))
            if found.way is Way.SHARE and not isinstance(one.formula, Total):
                raise UnusableError(f"{text!r}: {one.key} does not add up, so it has no share of the shop's")
            if found.way in (Way.LOW, Way.HIGH) and not has_range(one.formula):
                raise UnusableError(
                    f"{text!r}: how far {one.key} can still move is not known; ask for {one.key}:until"
                )
            return found
    names = [known for one in FIGURES.values() for known in (one.key, *one.name)]
    like = difflib.get_close_matches(name, names, 3, 0.5)
    raise UnusableError(
        f"{name!r} is no figure; "
        + (f"like it are {', '.join(like)}" if like else f"there are {', '.join(FIGURES)}")
    )
