"""What a person would earn: with another figure, an order more, another scheme; nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import msgspec
from psycopg import Connection

from stream_attr.contract.records.pay_scheme import PayScheme, Split
from stream_attr.errors import UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.goals import GoalError, in_smallest_unit
from stream_attr.ledger.pay.drafts import begun
from stream_attr.ledger.pay.facts import OF_ORDERS, attained, keys_of, read_month
from stream_attr.ledger.pay.persons import Persons
from stream_attr.ledger.pay.records import FinalOrder, team_of
from stream_attr.ledger.pay.runs import RunId
from stream_attr.ledger.pay.schemes import ATTAINMENT, Schemes
from stream_attr.ledger.pay.sheets import name_of, refund_note
from stream_attr.ledger.pay.words import Words, kind_of
from stream_attr.ledger.reports.report import Column, Money, Report, Row
from stream_attr.ledger.texts import Text
from stream_attr.pay.calculator import calculate
from stream_attr.pay.figures import SCORE
from stream_attr.pay.lines import CommissionWhy, FactorWhy, Line, StepsWhy
from stream_attr.pay.team import Team, portions_of

__all__ = ["WhatIf", "needed", "simulation"]

_TITLE: Final = Text("What would be", "试算")
_PERSON: Final = Text("person", "人员")
_MONTH: Final = Text("month", "月份")
_WITH: Final = Text("with", "假设")
_TOTAL: Final = Text("total", "合计")
_MORE: Final = Text("{value} more of {figure}", "{figure}再多 {value}")
_SCALE: Final = 10_000
"""Of rates and ratios: see `in_smallest_unit`."""


class WhatIf(NamedTuple):
    """What is assumed of a person's month."""

    person_id: str
    month: str
    figures: Mapping[str, str] = {}
    """By key the value as it is written: ``50000.00``, ``35%``, seconds."""
    orders: Sequence[str] = ()
    """Amounts of orders more, as they are written."""
    scheme: PayScheme | None = None
    """None: the one that pays the person."""


def simulation(connection: Connection[Any], asked: WhatIf) -> Report:
    """Return a person's lines as they are by the ledger now, as they would be, and what the next tier needs.

    Raises UnusableError where there is no such person, figure or value.
    """
    paid = next((one for one in Persons(connection).all() if one.person_id == asked.person_id), None)
    if paid is None:
        raise UnusableError(
            f"nobody is paid as {asked.person_id!r}: stream-attr pay person list shows who there is"
        )
    run = RunId(paid.scheme_id, asked.month)
    scheme = Schemes(connection).held(*run)
    other = asked.scheme or scheme
    if other.currency != scheme.currency:
        raise UnusableError(
            f"the other scheme pays {other.currency}, and {scheme.scheme_id} {scheme.currency}"
        )
    start = begun(connection, scheme, run)
    team = team_of(run.month, start.terms, read_month(connection, scheme, run.month, *start[:2]))
    now = _lines(scheme, team, asked.person_id)
    then = _lines(other, _assumed(connection, other, run, asked), asked.person_id)
    rows = list(_rows(now, then, scheme, other))
    sums = [
        sum(cell.amount for row in rows if isinstance(cell := row[number], Money)) for number in (1, 2, 3)
    ]
    unit = Text(other.currency, other.currency)
    return Report(
        "simulation",
        _TITLE,
        [
            Column("line", Text("line", "项目")),
            Column("now", Text("now", "现在"), Kind.MONEY, unit),
            Column("then", Text("then", "试算"), Kind.MONEY, unit),
            Column("difference", Text("difference", "差额"), Kind.MONEY, unit),
            Column("how", Text("how", "计算")),
            Column("next", Text("for the next tier", "距下一档")),
        ],
        rows,
        start.as_of,
        [(_TOTAL, *(Money(amount, other.currency) for amount in sums), None, None)],
        [refund_note(other)],
        _asked(asked, other),
    )


def _asked(asked: WhatIf, scheme: PayScheme) -> list[tuple[Text, str]]:
    assumed = [
        *(f"{key} {text}" for key, text in asked.figures.items()),
        *(f"+ {text} {scheme.currency}" for text in asked.orders),
        *([] if asked.scheme is None else [f"{scheme.scheme_id} {scheme.version}"]),
    ]
    found = [(_PERSON, asked.person_id), (_MONTH, asked.month)]
    return [*found, (_WITH, "; ".join(assumed))] if assumed else found


def _rows(now: Sequence[Line], then: Sequence[Line], scheme: PayScheme, other: PayScheme) -> Iterator[Row]:
    """Yield the lines of both by component: those of the other scheme, then those that it has not."""
    words = Words(other.currency, {one.id: name_of(other, one.id) for one in other.components})
    before, after = ({line.component: line for line in lines} for lines in (now, then))
    for component in {**after, **before}:
        old, new = before.get(component), after.get(component)
        amounts = [None if one is None else Money(one.amount, other.currency) for one in (old, new)]
        difference = Money((new.amount if new else 0) - (old.amount if old else 0), other.currency)
        name = name_of(other if new else scheme, component)
        how = words.how(new.why) if new else None
        yield (name, *amounts, difference, how, needed(words, new) if new else None)


def needed(words: Words, line: Line) -> Text | None:
    """Return how much more of a figure the next tier needs; None: there is none above."""
    why = line.why
    figure = why.figure if isinstance(why, StepsWhy) else None
    if isinstance(why, CommissionWhy | FactorWhy):
        figure = why.picked_by
    if figure is None or figure.value is None:
        return None
    start = why.next_from if isinstance(why, StepsWhy | CommissionWhy | FactorWhy) else None
    if start is None:
        return None
    more = words.value(figure.key, start - figure.value)
    return _MORE.filled(value=more, figure=words.figure(figure.key))


def _assumed(connection: Connection[Any], scheme: PayScheme, run: RunId, asked: WhatIf) -> Team:
    """Return the month of the team with what is assumed of the person."""
    start = begun(connection, scheme, run)
    read = read_month(connection, scheme, run.month, *start[:2])
    if asked.orders:
        more = tuple(_order(number, text, scheme, asked) for number, text in enumerate(asked.orders))
        read = msgspec.structs.replace(read, orders=read.orders + more)
        read = attained(scheme, run.month, start.terms, read)
    team = team_of(run.month, start.terms, read)
    if not asked.figures:
        return team
    used = keys_of(scheme)
    for key in asked.figures:
        if key not in used or key.startswith(SCORE):
            raise UnusableError(
                f"--figure {key}: scheme {scheme.scheme_id} does not pay by it; it pays by "
                f"{', '.join(sorted(one for one in used if not one.startswith(SCORE)))}"
            )
        if key in team.figures:
            raise UnusableError(f"--figure {key}: it is the shop's, and no person has it")
    values = {key: _value(key, text, scheme.currency) for key, text in asked.figures.items()}
    terms = next(one for one in start.terms if one.person_id == asked.person_id)
    for key in list(values):
        if f"{ATTAINMENT}{key}" in used and (target := terms.targets.get(key)):
            values.setdefault(f"{ATTAINMENT}{key}", values[key] / target)
    return _with_figures(scheme, team, asked.person_id, values)


def _with_figures(scheme: PayScheme, team: Team, person_id: str, values: Mapping[str, Fraction]) -> Team:
    """Return a team of which a person has other figures; those of orders are then given for all persons."""
    orders = team.orders
    sums = portions_of(team, scheme)
    if values.keys() & set(OF_ORDERS):
        if any(isinstance(one, Split) for one in scheme.components):
            raise UnusableError("--figure: the scheme splits each order: assume orders with --order instead")
        orders = None
    persons = []
    for person in team.persons:
        of_orders = {key: sum(sums[key].get(person.person_id, {}).values()) for key in OF_ORDERS}
        assumed = values if person.person_id == person_id else {}
        persons.append(person._replace(figures={**person.figures, **of_orders, **assumed}))
    return team._replace(persons=tuple(persons), orders=orders)


def _order(number: int, text: str, scheme: PayScheme, asked: WhatIf) -> FinalOrder:
    try:
        amount = in_smallest_unit(Kind.MONEY, text, scheme.currency)
    except GoalError as error:
        raise UnusableError(f"--order: {error}") from None
    who = asked.person_id
    return FinalOrder(
        "", f"+{number + 1}", 0, f"{asked.month}-01", amount, who, who, who, is_ruled=False, refunds=()
    )


def _value(key: str, text: str, currency: str) -> Fraction:
    """Return what is written of a figure, in the unit that schemes have; of goals more than 100 % too."""
    kind = kind_of(key)
    is_goal = key.startswith(ATTAINMENT) and text.endswith("%")
    try:
        if is_goal:
            return Fraction(in_smallest_unit(Kind.RATIO, text[:-1], None), _SCALE * 100)
        number = in_smallest_unit(kind, text, currency)
    except GoalError as error:
        raise UnusableError(f"--figure {key}: {error}") from None
    return Fraction(number, _SCALE) if kind in (Kind.RATE, Kind.RATIO) else Fraction(number)


def _lines(scheme: PayScheme, team: Team, person_id: str) -> tuple[Line, ...]:
    """Return a person's lines."""
    statements = calculate(scheme, team).statements
    found = next((one.lines for one in statements if one.person_id == person_id), None)
    if found is None:
        raise UnusableError(f"{person_id} is employed after {team.month}: name a later month")
    return found
