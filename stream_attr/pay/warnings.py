"""Whom a scheme's warnings name: for the manager to look at; nothing follows by itself (docs/pay.md)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from stream_attr.contract.records.pay_scheme import LastRanked, LowScores, PayScheme
from stream_attr.pay.lines import FigureValue
from stream_attr.pay.month import Month

__all__ = ["Warned", "warned"]

_Scores = Mapping[str, Mapping[str, Fraction | None]]


class Warned(NamedTuple):
    """A person whom a rule names, and why."""

    rule: int
    """Which of the scheme's warnings, from 0."""
    person_id: str
    figure: FigureValue
    """What ranks, or the month's score."""
    place: int
    """In the ranking, from 1; of low scores: 0."""
    among: int
    """Persons ranked, or months with a low score."""


def warned(scheme: PayScheme, month: Month, scores: _Scores) -> tuple[Warned, ...]:
    """Return whom the warnings of a scheme name, by rule, then person."""
    found: list[Warned] = []
    for number, rule in enumerate(scheme.warnings):
        if isinstance(rule, LastRanked):
            found += _last(number, rule, month)
        else:
            found += _low(number, rule, month, scores)
    return tuple(found)


def _last(number: int, rule: LastRanked, month: Month) -> list[Warned]:
    """Return the last of those who are employed and have a value.

    Those tied are named together or not at all: never more than the share.
    """
    figures = {
        person.person_id: figure
        for person in month.team.persons
        if person.employed_days and (figure := month.figure(rule.by, person)).value is not None
    }
    better = -1 if rule.less_is_better else 1
    values = [better * (figure.value or 0) for figure in figures.values()]
    return [
        Warned(number, name, figure, 1 + sum(one > value for one in values), len(values))
        for (name, figure), value in sorted(
            zip(figures.items(), values, strict=True), key=lambda one: one[0][0]
        )
        if sum(one <= value for one in values) <= rule.share * len(values)
    ]


def _low(number: int, rule: LowScores, month: Month, scores: _Scores) -> list[Warned]:
    """Return whose score is low in this month, and in as many of the last months as the rule says."""
    found = []
    for person in sorted(month.team.persons, key=lambda person: person.person_id):
        now = scores[person.person_id][rule.score]
        past = person.past_scores.get(rule.score, ())[: rule.months - 1]
        low = sum(one is not None and one < rule.points for one in (now, *past))
        if now is not None and now < rule.points and low >= rule.times:
            found.append(Warned(number, person.person_id, FigureValue(f"score.{rule.score}", now), 0, low))
    return found
