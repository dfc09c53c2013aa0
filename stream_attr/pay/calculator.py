"""From a scheme and a team's month to each person's statement, and of whom the manager is notified."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, assert_never

from stream_attr.contract.records.pay_scheme import (
    AnyComponent,
    Cap,
    Commission,
    Factor,
    Fixed,
    Floor,
    PayScheme,
    PerUnit,
    Pool,
    Ranking,
    Score,
    Split,
    Steps,
)
from stream_attr.pay import of_team, own
from stream_attr.pay.checks import changed_by
from stream_attr.pay.lines import Line, Statement
from stream_attr.pay.modifiers import modified
from stream_attr.pay.month import Month
from stream_attr.pay.team import Person, Team
from stream_attr.pay.warnings import Warned, warned

__all__ = ["Result", "calculate"]


class Result(NamedTuple):
    """What a month comes to."""

    statements: tuple[Statement, ...]
    """One per person, by id; each has a line per component but for splits, in the order of the scheme."""
    unshared: Mapping[str, int]
    """By component of kind pool: the pot that nobody has a share in, where there is one."""
    scores: Mapping[str, Mapping[str, Fraction | None]]
    """By person and component of kind score: the points, for the warnings of later months."""
    warnings: tuple[Warned, ...]
    """For the manager alone: nothing is paid or taken by them."""


def calculate(scheme: PayScheme, team: Team) -> Result:
    """Return what a scheme pays for a month; it has passed `stream_attr.pay.checks`.

    Raises:
        StreamAttrError: a figure is missing, or figures and orders do not go together.
    """
    month = Month(scheme, team)
    changes = changed_by(scheme)
    lines: dict[str, dict[str, Line]] = {
        person.person_id: {} for person in sorted(team.persons, key=lambda person: person.person_id)
    }
    unshared: dict[str, int] = {}
    for one in scheme.components:
        match one:
            case Split():
                continue
            case Ranking():
                of_all = of_team.ranking(one, month)
            case Pool():
                of_all, pot = of_team.pool(one, month)
                unshared |= {one.id: pot} if pot else {}
            case _:
                of_all = {
                    person.person_id: _line(one, person, month, lines[person.person_id], changes)
                    for person in team.persons
                }
        for name, line in of_all.items():
            lines[name][one.id] = line
    scores = {
        name: {component: points for component, (_, points) in found.items()}
        for name, found in month.scores.items()
    }
    return Result(
        tuple(
            Statement(name, tuple(found.values()), sum(line.amount for line in found.values()))
            for name, found in lines.items()
        ),
        unshared,
        scores,
        warned(scheme, month, scores),
    )


def _line(
    one: AnyComponent,
    person: Person,
    month: Month,
    before: Mapping[str, Line],
    changes: Mapping[str, tuple[str, ...]],
) -> Line:
    match one:
        case Fixed():
            return own.fixed(one, person, month)
        case Commission():
            return own.commission(one, person, month)
        case PerUnit():
            return own.per_unit(one, person, month)
        case Steps():
            return own.steps(one, person, month)
        case Score():
            return own.score(one, person, month)
        case Factor() | Cap() | Floor():
            return modified(one, before, changes, person, month)
        case Ranking() | Pool() | Split():  # pragma: no cover -- of all persons together
            raise AssertionError(one)
        case _:  # pragma: no cover
            assert_never(one)
