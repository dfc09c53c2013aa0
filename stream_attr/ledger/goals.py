"""Goals: what a shop or an agent is to reach of a figure in a period; entered by people, checked here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.codec.money import decimal_amount, shown_digits
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.ledger.asked import Way, asked
from stream_attr.ledger.figures import FIGURES, Figure
from stream_attr.ledger.formulas import Kind, Most, difference_kind
from stream_attr.ledger.periods import Period, period
from stream_attr.ledger.reports.report import Cell, Money, Number
from stream_attr.ledger.reports.scope import Member, Options, agents_of, scope, unknown
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import day_name
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["FIELDS", "Entered", "Goal", "GoalError", "Goals", "difference", "in_smallest_unit", "quantity"]

FIELDS: Final = ("shop", "agent", "figure", "from", "to", "target", "currency")
"""What a goal is entered by."""
_CURRENCY: Final = "CNY"
_MOST: Final = 10**15
_PLAIN: Final = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(%?)", re.ASCII)
_DIGITS: Final = {Kind.COUNT: 0, Kind.SECONDS: 3, Kind.RATE: 4, Kind.RATIO: 4}
"""Digits behind the point of a figure's smallest unit."""
_EXAMPLES: Final = {
    Kind.MONEY: "an amount like 50000.00",
    Kind.COUNT: "a whole number",
    Kind.SECONDS: "seconds like 30 or 12.5",
    Kind.RATE: "a rate like 45% or 0.45",
    Kind.RATIO: "a ratio like 1.5",
}


class Entered(NamedTuple):
    """A goal as somebody has entered it."""

    shop: str
    agent: str | None
    """By id, or by name in the roster; None: the whole shop."""
    figure: str
    first: str
    last: str | None
    target: str
    currency: str | None


class Goal(NamedTuple):
    """A goal."""

    shop_id: str
    agent_id: str
    """``*``: the whole shop."""
    figure: str
    period: Period
    target: int
    """In the smallest unit: minor units, counts, milliseconds; of rates and ratios ten-thousandths."""
    currency: str | None
    """Of an amount."""

    @property
    def key(self) -> tuple[object, ...]:
        """What there is one of."""
        return self[:4]

    @property
    def fields(self) -> tuple[str, ...]:
        """Return it as it is entered: the values of `FIELDS`."""
        kind = FIGURES[self.figure].kind
        if kind is Kind.MONEY:
            target = decimal_amount(self.target, self.currency or "", grouped=False)
        else:
            target = f"{Decimal(self.target).scaleb(-_DIGITS[kind]):f}"
        agent = "" if self.agent_id == TOTAL else self.agent_id
        days = (day_name(self.period.first), day_name(self.period.last))
        return (self.shop_id, agent, self.figure, *days, target, self.currency or "")


class GoalError(StreamAttrError):
    """A field of a goal cannot be used."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        """One of `FIELDS`."""


def quantity(figure: Figure, number: int | float | None, currency: str | None) -> Cell:
    """Return a value of a figure as a cell of a column of several figures."""
    return _quantity(figure.kind, number, currency)


def difference(figure: Figure, number: int | float | None, currency: str | None) -> Cell:
    """Return by how much two values of a figure differ as a cell of a column of several figures."""
    return _quantity(difference_kind(figure.kind), number, currency)


def _quantity(kind: Kind, number: int | float | None, currency: str | None) -> Cell:
    if number is None:
        return None
    return Money(int(number), currency) if kind is Kind.MONEY else Number(number, kind)


class Goals:
    """The goals of a ledger."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._agents: dict[str, dict[str, Member]] = {}

    def checked(self, entered: Entered) -> Goal:
        """Return a goal whose shop, agent and figure there are.

        Raises GoalError, which names the field.
        """
        agents = self._of_shop(entered.shop)
        figure = _figure(entered.figure)
        if entered.agent is not None and any(str(key).startswith("silent.") for key in figure.formula):
            raise GoalError("agent", f"{figure.key} is of the whole shop: leave the agent out")
        try:
            days = period(entered.first, entered.last, ("from", "to"))
        except UnusableError as error:
            raise GoalError("to" if str(error).startswith("to") else "from", str(error)) from None
        currency = _currency(figure, entered.currency)
        target = in_smallest_unit(figure.kind, entered.target, currency)
        agent_id = TOTAL if entered.agent is None else _agent(entered.agent, agents)
        return Goal(entered.shop, agent_id, figure.key, days, target, currency)

    def store(self, goals: Iterable[Goal]) -> None:
        """Keep goals, each in place of one of the same shop, agent, figure and period."""
        now = wall_clock_ms()
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO goal VALUES (%s, %s, %s, %s::date, %s::date, %s, %s, %s)"
                " ON CONFLICT (shop_id, agent_id, figure, first_day, last_day)"
                " DO UPDATE SET (target, currency, set_ts)"
                " = (excluded.target, excluded.currency, excluded.set_ts)",
                [(*_key(goal), goal.target, goal.currency, now) for goal in goals],
            )

    def delete(self, goal: Goal) -> bool:
        """Delete the goal of a shop, agent, figure and period; returns whether there was one."""
        with self._connection.transaction():
            found = self._connection.execute(
                "DELETE FROM goal WHERE (shop_id, agent_id, figure, first_day, last_day)"
                " = (%s, %s, %s, %s::date, %s::date)",
                _key(goal),
            )
        return found.rowcount == 1

    def of(self, shop_id: str, days: Period | None = None) -> list[Goal]:
        """Return the goals of a shop, those alone with a day of a period; by period, figure, agent."""
        first, last = (None, None) if days is None else map(day_name, days)
        rows = self._connection.execute(
            "SELECT shop_id, agent_id, figure, first_day - date '1970-01-01', last_day - date '1970-01-01',"
            " target, currency FROM goal WHERE shop_id = %(shop)s"
            " AND (%(first)s::date IS NULL OR last_day >= %(first)s::date AND first_day <= %(last)s::date)",
            {"shop": shop_id, "first": first, "last": last},
        )
        found = [
            Goal(shop, agent, figure, Period(begin, end), target, currency)
            for shop, agent, figure, begin, end, target, currency in rows
            if figure in FIGURES
        ]
        order = {key: number for number, key in enumerate(FIGURES)}
        return sorted(
            found, key=lambda one: (one.period, order[one.figure], one.agent_id != TOTAL, one.agent_id)
        )

    def _of_shop(self, shop_id: str) -> dict[str, Member]:
        found = self._agents.get(shop_id)
        if found is None:
            try:
                (shop,) = scope(self._connection, Options((shop_id,), _IN_THE_END))
            except UnusableError as error:
                raise GoalError("shop", str(error)) from None
            found = self._agents[shop_id] = agents_of(self._connection, shop)
        return found


_IN_THE_END: Final = period("2099-12-31", None)
"""When the roster is looked at: goals are set for agents who are still to begin, too."""


def _key(goal: Goal) -> tuple[object, ...]:
    return (*goal[:3], day_name(goal.period.first), day_name(goal.period.last))


def _figure(name: str) -> Figure:
    try:
        ((figure, way),) = asked([name])
    except UnusableError as error:
        raise GoalError("figure", str(error)) from None
    if way is not Way.ITSELF or isinstance(figure.formula, Most):
        raise GoalError("figure", f"{name!r} does not add up over days: there is no goal of it")
    return figure


def _agent(name: str, agents: dict[str, Member]) -> str:
    if name in agents:
        return name
    ids = [one.agent_id for one in agents.values() if one.name == name]
    if len(ids) > 1:
        raise GoalError("agent", f"{name!r} is the name of {' and '.join(ids)}: name one of these")
    if not ids:
        raise GoalError("agent", unknown("agent", name, list(agents.values())))
    return ids[0]


def _currency(figure: Figure, given: str | None) -> str | None:
    if figure.kind is not Kind.MONEY:
        if given is not None:
            raise GoalError("currency", f"{figure.key} is no amount: leave the currency out")
        return None
    if given is not None and not re.fullmatch("[A-Z]{3}", given):
        raise GoalError("currency", f"{given!r} is not an ISO 4217 code like {_CURRENCY}")
    return given or _CURRENCY


def in_smallest_unit(kind: Kind, text: str, currency: str | None) -> int:
    """Return what people write of a kind of figures, in its smallest unit, see ``Goal.target``.

    Raises GoalError where it is none.
    """
    found = _PLAIN.fullmatch(text.strip())
    digits = shown_digits(currency or "") if kind is Kind.MONEY else _DIGITS[kind]
    problem = f"{text!r} is not {_EXAMPLES[kind]}"
    if found is None or (found[3] and kind is not Kind.RATE):
        raise GoalError("target", problem)
    number = Decimal(f"{found[1].replace(',', '')}.{found[2] or '0'}") / (100 if found[3] else 1)
    scaled = number.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise GoalError("target", f"{problem}: at most {digits} digits behind the point")
    if kind is Kind.RATE and number > 1:
        raise GoalError("target", f"{problem}: at most 100%")
    if scaled >= _MOST:
        raise GoalError("target", f"{text!r} is too great")
    return int(scaled)
