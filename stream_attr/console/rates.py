"""What a rate is made of, and which way a figure has changed: shown beside the number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from stream_attr.console.rendering import shown
from stream_attr.ledger.asked import RANGES, Way, ranges_beside
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.formulas import Kind, Mean, Ratio
from stream_attr.ledger.reports.report import Cell, Column, Money
from stream_attr.ledger.texts import Text

__all__ = [
    "change_text",
    "change_words",
    "compared",
    "is_of_range",
    "parts_text",
    "range_text",
    "until_day",
    "with_parts",
    "with_ranges",
]

_NONE: Final = Text("no {figure}", "没有{figure}")
_UP: Final = Text("▲ more", "▲ 上升")
_DOWN: Final = Text("▼ less", "▼ 下降")
_SAME: Final = Text("= the same", "= 持平")


def with_parts(figures: Iterable[str]) -> tuple[str, ...]:
    """Return figures as they are asked for, each rate and mean followed by what it is made of, once."""
    asked = list(dict.fromkeys(figures))
    found: dict[str, None] = {}
    for one in asked:
        found[one] = None
        formula = FIGURES[one].formula if one in FIGURES else None
        if isinstance(formula, Ratio | Mean):
            found.update(dict.fromkeys(key for key in formula if key is not None and key not in asked))
    return tuple(found)


def compared(figures: Iterable[str]) -> tuple[str, ...]:
    """Return figures each followed by what it was in the period before, and by its change."""
    found: list[str] = []
    for one in figures:
        found.append(one)
        if ":" not in one:
            found += [f"{one}:{Way.BEFORE}", f"{one}:{Way.CHANGE}"]
    return tuple(found)


def with_ranges(figures: Iterable[str]) -> tuple[str, ...]:
    """Return figures as they are asked for, with what they are made of, and then what can still change."""
    asked = with_parts(figures)
    return asked + tuple(one for one in ranges_beside(figures) if one not in asked)


def range_text(key: str, kind: Kind, row: Mapping[str, Cell], language: str) -> str:
    """Return between what a figure can still come to lie; empty: it is final, or nobody can know."""
    low, high = row.get(f"{key}:{Way.LOW}"), row.get(f"{key}:{Way.HIGH}")
    if low is None or high is None or low == high:
        return ""
    return "\N{EN DASH}".join(shown(one, kind, language, has_currency=True) for one in (low, high))


def until_day(key: str, row: Mapping[str, Cell]) -> str:
    """Return the day with which a figure, or its share of the shop's, is final; empty: it is."""
    figure, _, way = key.partition(":")
    found = row.get(f"{figure}:{Way.UNTIL}") if way in (Way.ITSELF, Way.SHARE) else None
    return found if isinstance(found, str) else ""


def is_of_range(key: str) -> bool:
    """Whether a column says of another one what can still change."""
    return key.partition(":")[2] in RANGES


def parts_text(key: str, row: Mapping[str, Cell], language: str) -> str:
    """Return numerator and denominator of a rate, if its row has them, and why there is none of 0 by 0.

    Of a mean only the latter: its numerator and denominator are other figures' matter.
    """
    figure = FIGURES.get(key)
    if figure is None or not isinstance(figure.formula, Ratio | Mean):
        return ""
    part, whole, less = figure.formula
    above, below = row.get(part), row.get(whole)
    if below is not None and _number(below) == 0:
        return _NONE.filled(figure=FIGURES[whole].name).of(language)
    if less is not None:
        above = _less(above, row.get(less))
    if above is None or below is None or isinstance(figure.formula, Mean):
        return ""
    return " / ".join(shown(one, FIGURES[part].kind, language, has_currency=True) for one in (above, below))


def change_words(key: str, value: Cell, language: str) -> str:
    """Return which way a figure has changed, if a column says by how much; no colour does."""
    if not key.endswith(f":{Way.CHANGE}") or not isinstance(value, int | float):
        return ""
    return _direction(value).of(language)


def change_text(column: Column, value: Cell, language: str) -> str:
    """Return by how much a figure has changed, and which way; empty where there was nothing before."""
    if not isinstance(value, int | float):
        return ""
    return f"{shown(value, column.kind, language, signed=True)} {_direction(value).of(language)}"


def _direction(value: float) -> Text:
    return _UP if value > 0 else _DOWN if value < 0 else _SAME


def _less(above: Cell, less: Cell) -> Cell:
    if isinstance(above, Money) and isinstance(less, Money):
        return Money(above.amount - less.amount, above.currency)
    return above - less if isinstance(above, int) and isinstance(less, int) else None


def _number(value: Cell) -> object:
    return value.amount if isinstance(value, Money) else value
