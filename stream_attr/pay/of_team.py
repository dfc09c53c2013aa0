"""Components that share money among persons: ranking and pool."""

from __future__ import annotations

from fractions import Fraction

from stream_attr.contract.records.pay_scheme import Pool, Ranking
from stream_attr.pay.lines import FigureValue, Line, PoolWhy, RankingWhy
from stream_attr.pay.month import Month
from stream_attr.pay.sharing import rounded, shared


def ranking(one: Ranking, month: Month) -> dict[str, Line]:
    """Return each person's line of prizes: those tied share the prizes of their places.

    Not ranked is who has no value, does not reach what has to be reached, or is not employed in the month.
    """
    figures = {person.person_id: month.figure(one.by, person) for person in month.team.persons}
    leasts = {person.person_id: month.least(one.least, person) for person in month.team.persons}
    tied: dict[Fraction, list[str]] = {}
    for person in month.team.persons:
        value, least = figures[person.person_id].value, leasts[person.person_id]
        if value is not None and person.employed_days and (least is None or least.is_reached):
            tied.setdefault(value, []).append(person.person_id)
    lines = {
        name: Line(
            one.id,
            0,
            Fraction(),
            RankingWhy(figure=figures[name], place=None, tied=0, prizes=(), least=leasts[name]),
        )
        for name in figures
    }
    place = 1
    for value in sorted(tied, reverse=not one.less_is_better):
        names = tied[value]
        prizes = one.prizes[place - 1 : place - 1 + len(names)]
        for name, amount in shared(sum(prizes), dict.fromkeys(names, 1)).items():
            why = RankingWhy(
                figure=figures[name], place=place, tied=len(names), prizes=prizes, least=leasts[name]
            )
            lines[name] = Line(one.id, amount, Fraction(sum(prizes), len(names)), why)
        place += len(names)
    return lines


def pool(one: Pool, month: Month) -> tuple[dict[str, Line], int]:
    """Return each person's line of a team's pot, and what of the pot nobody has a share in.

    A figure below 0, or without value, gives no share; the pot of money below 0 is empty.
    """
    money = month.of_team(one.of)
    pot = rounded(max(money.value or Fraction(), Fraction()) * one.rate)
    figures = {person.person_id: month.figure(one.by, person) for person in month.team.persons}
    weights = {name: max(figure.value or Fraction(), Fraction()) for name, figure in figures.items()}
    of_all = sum(weights.values(), Fraction())
    lines = {
        name: Line(
            one.id,
            amount,
            pot * weights[name] / of_all if of_all else Fraction(),
            _pool_why(one, money, pot, figures[name], of_all),
        )
        for name, amount in shared(pot, weights).items()
    }
    return lines, 0 if of_all else pot


def _pool_why(one: Pool, money: FigureValue, pot: int, figure: FigureValue, of_all: Fraction) -> PoolWhy:
    return PoolWhy(money=money, rate=Fraction(one.rate), pot=pot, figure=figure, of_all=of_all)
