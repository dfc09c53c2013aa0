"""The figures of a month as a scheme sees them: of each person, of the team, and scores."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from msgspec import UNSET, UnsetType

from stream_attr.contract.records.pay_numbers import Share
from stream_attr.contract.records.pay_scheme import Least, PayScheme, Score, ScoreItem, Split
from stream_attr.errors import StreamAttrError
from stream_attr.pay.figures import SCORE, Starts
from stream_attr.pay.lines import FigureValue, ProbationWhy, Reached, ScorePart
from stream_attr.pay.team import OrderId, Person, Team, portions_of, split_portions_of

__all__ = ["Month", "next_start", "probation_of", "reached"]

_ZERO: Final = Fraction()


def reached(rows: Sequence[Starts], value: Fraction | None) -> int | None:
    """Return the number of the last of ascending rows that a value reaches; a value below 0 counts as 0."""
    if value is None:
        return None
    found = [number for number, row in enumerate(rows) if row.start <= max(value, _ZERO)]
    return found[-1] if found else None


def next_start(rows: Sequence[Starts], value: Fraction | None) -> Fraction | None:
    """Return where the first of ascending rows begins that a value does not reach; None: it reaches all."""
    above = [Fraction(row.start) for row in rows if value is None or row.start > max(value, _ZERO)]
    return above[0] if above else None


class Month:
    """A team's month under a scheme."""

    def __init__(self, scheme: PayScheme, team: Team) -> None:
        """Derive what is derived from orders, and all scores.

        Raises:
            StreamAttrError: a figure or order is missing or does not go with the others.
        """
        _check_persons(team)
        self.team = team
        self.split = next((one for one in scheme.components if isinstance(one, Split)), None)
        self._portions = portions_of(team, scheme)
        self._split = {} if self.split is None else split_portions_of(team, scheme, self.split)
        self.scores = {
            person.person_id: {
                one.id: self._score(one, person) for one in scheme.components if isinstance(one, Score)
            }
            for person in team.persons
        }

    def figure(self, key: str, person: Person) -> FigureValue:
        """Return a person's figure; of sums over orders that of the orders, where there are any."""
        if key.startswith(SCORE):
            return FigureValue(key, self.scores[person.person_id][key.removeprefix(SCORE)][1])
        if self.team.orders is not None and key in self._portions:
            return FigureValue(key, Fraction(sum(self.portions(key, person).values())))
        if key not in person.figures:
            raise StreamAttrError(
                f"{self.team.month}, {person.person_id}: figure {key} is missing, and the scheme pays by it"
            )
        value = person.figures[key]
        return FigureValue(key, None if value is None else Fraction(value))

    def split_of(self, key: str) -> Split | None:
        """Return the split by which a commission's money is divided; None: there is none, or no orders."""
        return self.split if key in self._split and self.team.orders is not None else None

    def commissioned(self, key: str, person: Person) -> tuple[FigureValue, dict[OrderId, int]]:
        """Return the money of a commission, split where orders are, and what each order adds."""
        if self.split_of(key) is None:
            return self.figure(key, person), self.portions(key, person)
        portions = dict(self._split[key].get(person.person_id, {}))
        return FigureValue(key, Fraction(sum(portions.values()))), portions

    def portions(self, key: str, person: Person) -> dict[OrderId, int]:
        """Return what each order adds to a person's figure; none of figures that are no sums over orders."""
        return dict(self._portions.get(key, {}).get(person.person_id, {}))

    def of_team(self, key: str) -> FigureValue:
        """Return the team's figure: the shop's where it is given, else the sum over all persons."""
        if key in self.team.figures:
            value = self.team.figures[key]
            return FigureValue(key, None if value is None else Fraction(value))
        values = [self.figure(key, person).value for person in self.team.persons]
        if values and all(value is None for value in values):
            raise StreamAttrError(
                f"{self.team.month}: no person has the figure {key}, of which a pot is; give the shop's"
            )
        return FigureValue(key, sum((value for value in values if value is not None), Fraction()))

    def least(self, least: Least | UnsetType, person: Person) -> Reached | None:
        """Return whether a person reaches what has to be reached; None: nothing has to be."""
        if least is UNSET:
            return None
        figure = self.figure(least.figure, person)
        return Reached(figure, Fraction(least.at), figure.value is not None and figure.value >= least.at)

    def _score(self, one: Score, person: Person) -> tuple[tuple[ScorePart, ...], Fraction | None]:
        parts = tuple(self._points(item, person) for item in one.items)
        weight = sum((part.weight for part in parts if part.points is not None), Fraction())
        if not weight:
            return parts, None
        return parts, sum((part.weight * (part.points or 0) for part in parts), Fraction()) / weight

    def _points(self, item: ScoreItem, person: Person) -> ScorePart:
        figure, weight = self.figure(item.figure, person), Fraction(item.weight)
        if figure.value is None:
            return ScorePart(figure, weight, None, None)
        if item.less_is_better:
            found = [band for band in item.bands if figure.value <= band.start]
            band = found[-1] if found else None
        else:
            number = reached(item.bands, figure.value)
            band = None if number is None else item.bands[number]
        if band is None:
            return ScorePart(figure, weight, 0, None)
        return ScorePart(figure, weight, band.points, Fraction(band.start))


def _check_persons(team: Team) -> None:
    seen = set()
    for person in team.persons:
        if person.person_id in seen:
            raise StreamAttrError(
                f"{team.month}: {person.person_id} is there twice; give each person once, over all accounts"
            )
        seen.add(person.person_id)
        if not 0 <= person.probation_days <= person.employed_days <= team.days:
            raise StreamAttrError(
                f"{team.month}, {person.person_id}: {person.probation_days} days of probation and "
                f"{person.employed_days} of employment do not go with the {team.days} of the month"
            )


def probation_of(rate: Share | UnsetType, person: Person) -> ProbationWhy | None:
    """Return what a person's probation takes off a component; None: nothing."""
    if rate is UNSET or not person.probation_days:
        return None
    return ProbationWhy(Fraction(rate), person.probation_days, person.employed_days)
