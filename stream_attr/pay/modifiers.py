"""Components that change what others pay, in their order: factor, cap, floor."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import assert_never

from msgspec import UNSET

from stream_attr.contract.records.pay_scheme import Cap, Factor, Floor
from stream_attr.pay.lines import AnyWhy, CapWhy, FactorWhy, FigureValue, FloorWhy, Line
from stream_attr.pay.month import Month, next_start, reached
from stream_attr.pay.sharing import rounded
from stream_attr.pay.team import Person

__all__ = ["modified"]


def modified(
    one: Factor | Cap | Floor,
    lines: Mapping[str, Line],
    changed_by: Mapping[str, tuple[str, ...]],
    person: Person,
    month: Month,
) -> Line:
    """Return the line of a component that changes others, which says by how much.

    ``lines``: the person's so far, by component; what changed the same components before is included.
    ``changed_by``: the components that each of these is on.
    """
    on = changed_by[one.id]
    before = sum(
        line.amount
        for name, line in lines.items()
        if (set(changed_by[name]) <= set(on) if name in changed_by else name in on)
    )
    exact, why = _change(one, before, on, person, month)
    return Line(one.id, rounded(exact), exact, why)


def _change(
    one: Factor | Cap | Floor, before: int, on: tuple[str, ...], person: Person, month: Month
) -> tuple[Fraction, AnyWhy]:
    match one:
        case Factor():
            rate, picked_by, above = _factor(one, person, month)
            return before * (rate - 1), FactorWhy(
                on=on, before=before, rate=rate, picked_by=picked_by, next_from=above
            )
        case Cap():
            return min(Fraction(one.amount - before), Fraction()), CapWhy(
                on=on, before=before, limit=one.amount
            )
        case Floor():
            whole = one.prorate is UNSET
            limit = one.amount * (Fraction(1) if whole else Fraction(person.employed_days, month.team.days))
            why = FloorWhy(
                on=on,
                before=before,
                amount=one.amount,
                employed_days=person.employed_days,
                month_days=None if whole else month.team.days,
            )
            return max(limit - before, Fraction()) if person.employed_days else Fraction(), why
        case _:  # pragma: no cover
            assert_never(one)


def _factor(
    one: Factor, person: Person, month: Month
) -> tuple[Fraction, FigureValue | None, Fraction | None]:
    """Return the factor, the figure that picks it, and where the next one begins."""
    if one.rate is not UNSET:
        return Fraction(one.rate), None, None
    assert one.by is not UNSET
    assert one.tiers is not UNSET
    figure = month.figure(one.by, person)
    number = reached(one.tiers, figure.value)
    rate = Fraction(1) if number is None else Fraction(one.tiers[number].rate)
    return rate, figure, next_start(one.tiers, figure.value)
