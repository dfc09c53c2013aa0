"""Components that pay a person by the person's own figures: fixed, commission, per_unit, steps, score."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from msgspec import UNSET

from stream_attr.contract.records.pay_scheme import Commission, Fixed, PerUnit, Score, Steps
from stream_attr.pay.lines import (
    AnyWhy,
    CommissionWhy,
    FixedWhy,
    Line,
    OrderShare,
    PerUnitWhy,
    ScoreWhy,
    StepsWhy,
    TierPart,
)
from stream_attr.pay.month import Month, next_start, probation_of, reached
from stream_attr.pay.sharing import rounded, shared
from stream_attr.pay.team import OrderId, Person


def fixed(one: Fixed, person: Person, month: Month) -> Line:
    """Return the line of an amount a month."""
    whole = one.prorate is UNSET
    why = FixedWhy(
        amount=one.amount,
        employed_days=person.employed_days,
        month_days=None if whole else month.team.days,
        probation=probation_of(one.probation, person),
    )
    part = Fraction(person.employed_days > 0) if whole else Fraction(person.employed_days, month.team.days)
    return _line(one.id, one.amount * part, why)


def commission(one: Commission, person: Person, month: Month) -> Line:
    """Return the line of a share of money."""
    figure, portions = month.commissioned(one.of, person)
    picked_by = figure if one.by is UNSET else month.figure(one.by, person)
    least = month.least(one.least, person)
    parts: tuple[TierPart, ...] = ()
    if figure.value is not None and (least is None or least.is_reached):
        if one.mode == "marginal":
            parts = _marginal(one, figure.value)
        elif (number := reached(one.tiers, picked_by.value)) is not None:
            tier = one.tiers[number]
            parts = (
                TierPart(Fraction(tier.start), figure.value, Fraction(tier.rate), figure.value * tier.rate),
            )
    split = month.split_of(one.of)
    why = CommissionWhy(
        figure=figure,
        mode=one.mode,
        picked_by=picked_by,
        parts=parts,
        next_from=next_start(one.tiers, picked_by.value),
        least=least,
        split=None if split is None else (Fraction(split.placing), Fraction(split.payment)),
        probation=probation_of(one.probation, person),
    )
    return _line(one.id, sum((part.makes for part in parts), Fraction()), why, portions)


def _marginal(one: Commission, money: Fraction) -> tuple[TierPart, ...]:
    """Return the part of the money in each tier that is reached; one that begins at 0 has what is below."""
    parts = []
    for number, tier in enumerate(one.tiers):
        end = one.tiers[number + 1].start if number + 1 < len(one.tiers) else None
        if money < 0:
            base = money if tier.start == 0 else Fraction()
        else:
            base = (money if end is None else min(money, end)) - tier.start
        if base > 0 or (base and money < 0):
            parts.append(
                TierPart(Fraction(tier.start), Fraction(base), Fraction(tier.rate), base * tier.rate)
            )
    return tuple(parts)


def per_unit(one: PerUnit, person: Person, month: Month) -> Line:
    """Return the line of an amount for each of a number of things."""
    figure = month.figure(one.of, person)
    why = PerUnitWhy(figure=figure, amount=one.amount, probation=probation_of(one.probation, person))
    return _line(one.id, one.amount * (figure.value or Fraction()), why, month.portions(one.of, person))


def steps(one: Steps, person: Person, month: Month) -> Line:
    """Return the line of an amount by what is reached."""
    figure = month.figure(one.of, person)
    number = reached(one.steps, figure.value)
    amount = 0 if number is None else one.steps[number].amount
    why = StepsWhy(
        figure=figure,
        start=None if number is None else Fraction(one.steps[number].start),
        amount=amount,
        next_from=next_start(one.steps, figure.value),
        probation=probation_of(one.probation, person),
    )
    return _line(one.id, Fraction(amount), why)


def score(one: Score, person: Person, month: Month) -> Line:
    """Return the line of an amount by points."""
    items, points = month.scores[person.person_id][one.id]
    why = ScoreWhy(
        amount=one.amount, items=items, score=points, probation=probation_of(one.probation, person)
    )
    return _line(one.id, one.amount * (points or Fraction()) / 100, why)


def _line(
    component: str, exact: Fraction, why: AnyWhy, portions: Mapping[OrderId, int] | None = None
) -> Line:
    """Return a line: less for probation, rounded once, and shared over the orders it rests on."""
    if why.probation is not None:
        exact *= why.probation.factor
    amount = rounded(exact)
    shares = shared(amount, portions or {})
    orders = tuple(
        OrderShare(*order, portion, shares[order]) for order, portion in sorted((portions or {}).items())
    )
    return Line(component, amount, exact, why, orders)
