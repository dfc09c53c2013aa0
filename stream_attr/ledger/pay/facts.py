"""A month of persons as the ledger has it: figures of their agents' final days, and final orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec
from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.codec.records.agent_daily import rate
from stream_attr.contract.records.pay_scheme import PayScheme
from stream_attr.contract.topics import AGENT_DAILY, DECISIONS
from stream_attr.errors import StreamAttrError
from stream_attr.ledger.asked import asked, measures_of
from stream_attr.ledger.figures import FIGURES, add
from stream_attr.ledger.formulas import Measures, value
from stream_attr.ledger.pay.persons import Accounts
from stream_attr.ledger.pay.records import FinalOrder, Open, Read, Terms, Values
from stream_attr.ledger.pay.schemes import ATTAINMENT
from stream_attr.ledger.periods import Period, period, shop_zone
from stream_attr.ledger.reports.agents import sum_columns
from stream_attr.pay.figures import SCORE
from stream_attr.pay.team import NET, ORDERS, SOLD, Team, portions_of
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import Zone, day_name

__all__ = [
    "OF_ORDERS",
    "DayFigures",
    "attained",
    "keys_of",
    "read_month",
    "read_with_pending",
    "targets_of",
]

OF_ORDERS: Final = (SOLD, NET, ORDERS)
"""Figures of a person that are sums over orders."""
_DAYS: Final = SQL(
    "SELECT agent_id, day - date '1970-01-01', status, {measures} FROM agent_day WHERE shop_id = %(shop)s"
    " AND day BETWEEN %(first)s::date AND %(last)s::date GROUP BY 1, 2, 3 ORDER BY 1, 2"
)
_PAID: Final = (
    "SELECT order_id, revision, status, agent_id, placing_agent_id, payment_agent_id, basis, paid_ts, amount,"
    " currency, refund_completed, final_at FROM decision WHERE shop_id = %(shop)s AND profile = 'official'"
    " AND outcome IN ('credited', 'silent') AND (counted_ts >= %(start)s AND counted_ts < %(end)s"
    " OR %(of_refunds)s AND paid_ts IS NOT NULL AND order_id IN (SELECT order_id FROM refund"
    " WHERE shop_id = %(shop)s AND completed AND ts >= %(start)s AND ts < %(end)s))"
    " AND (%(agents)s::text[] IS NULL OR agent_id = ANY(%(agents)s) OR placing_agent_id = ANY(%(agents)s)"
    " OR payment_agent_id = ANY(%(agents)s)) ORDER BY order_id"
)
_REFUNDS: Final = (
    "SELECT order_id, ts, amount FROM refund WHERE shop_id = %s AND completed AND order_id = ANY(%s)"
    " ORDER BY order_id, number"
)
_GOALS: Final = (
    "SELECT shop_id, agent_id, figure, target FROM goal WHERE shop_id = ANY(%s) AND first_day = %s::date"
    " AND last_day = %s::date AND agent_id <> %s AND (currency IS NULL OR currency = %s)"
    " ORDER BY shop_id, agent_id, figure"
)


def keys_of(scheme: PayScheme) -> set[str]:
    """Return the keys of the figures that a scheme pays or warns by."""
    return set(_keys(msgspec.to_builtins(scheme, enc_hook=str)))


def _keys(part: Any) -> Iterator[str]:
    if isinstance(part, (list, tuple)):
        for one in part:
            yield from _keys(one)
    elif isinstance(part, dict):
        for name, one in part.items():
            if name in ("of", "by", "figure"):
                yield one
            else:
                yield from _keys(one)


def targets_of(
    connection: Connection[Any], scheme: PayScheme, month: str, accounts: Accounts
) -> dict[str, dict[str, int]]:
    """Return by person and figure the goals of a month, added up over the person's agents.

    A goal counts for who the agent is on the month's last day, if its period is exactly the month.
    """
    days = period(month, None)
    wanted = {key.removeprefix(ATTAINMENT) for key in keys_of(scheme) if key.startswith(ATTAINMENT)}
    bound = (accounts.shops, day_name(days.first), day_name(days.last), TOTAL, scheme.currency)
    found: dict[str, dict[str, int]] = {}
    for shop_id, agent_id, figure, target in connection.execute(_GOALS, bound):
        person = accounts.person(shop_id, agent_id, days.last)
        if person is not None and figure in wanted:
            of = found.setdefault(person, {})
            of[figure] = of.get(figure, 0) + target
    return found


def read_month(
    connection: Connection[Any], scheme: PayScheme, month: str, terms: tuple[Terms, ...], accounts: Accounts
) -> Read:
    """Return a month of persons, in one transaction's view of the ledger.

    Raises:
        StreamAttrError: an order of theirs has another currency than the scheme.
    """
    return attained(scheme, month, terms, _month_of(connection, scheme, month, terms, accounts).found())


def read_with_pending(
    connection: Connection[Any],
    scheme: PayScheme,
    month: str,
    terms: tuple[Terms, ...],
    accounts: Accounts,
    *,
    is_alone: bool = False,
) -> tuple[Read, Read]:
    """Return a month of persons as `read_month` does, and as it is if all that is pending stays as it stands.

    ``is_alone``: read the orders of these persons alone; then nothing is known of orders of nobody.
    Raises as `read_month`.
    """
    read = _month_of(connection, scheme, month, terms, accounts, is_alone=is_alone)
    sure = attained(scheme, month, terms, read.found())
    read.take_pending()
    return sure, attained(scheme, month, terms, read.found())


def _month_of(
    connection: Connection[Any],
    scheme: PayScheme,
    month: str,
    terms: tuple[Terms, ...],
    accounts: Accounts,
    *,
    is_alone: bool = False,
) -> _Month:
    persons = [one.person_id for one in terms]
    read = _Month(connection, scheme, period(month, None), persons, accounts, is_alone=is_alone)
    for shop_id in accounts.shops:
        read.add_shop(shop_id)
    return read


class DayFigures:
    """Figures of persons by the days of their agents: those that a scheme names, but for what orders say."""

    def __init__(self, scheme: PayScheme) -> None:
        plain = {key.removeprefix(ATTAINMENT) for key in keys_of(scheme) if not key.startswith(SCORE)}
        self._keys = sorted(plain - set(OF_ORDERS))
        self.measures = measures_of(asked(self._keys))
        """What they are made of; empty where the scheme pays by no figure of days."""
        self._sums: dict[str, dict[str, int | None]] = {}
        self._shop: dict[str, int | None] = {}

    def add(self, person: str, measures: Measures) -> None:
        """Add an agent's day, or several."""
        add(self._sums.setdefault(person, {}), measures)

    def add_shop(self, measures: Measures) -> None:
        """Add a day of all of the shop."""
        add(self._shop, measures)

    def values(self, person: str) -> Values:
        """Return a person's figures that the scheme names, but for those of orders and attainments."""
        nothing: Measures = {key: None if _is_of_shop(key) else 0 for key in self.measures}
        return {key: _value(key, {**nothing, **self._sums.get(person, {})}) for key in self._keys}

    def shop_values(self) -> Values:
        """Return the figures that no person has."""
        sums: Measures = {**dict.fromkeys(self.measures, 0), **self._shop}
        return {
            key: _value(key, sums)
            for key in self._keys
            if any(_is_of_shop(str(one)) for one in FIGURES[key].formula)
        }


class _Month:
    """What is read of a month, shop by shop."""

    def __init__(
        self,
        connection: Connection[Any],
        scheme: PayScheme,
        days: Period,
        persons: list[str],
        accounts: Accounts,
        *,
        is_alone: bool,
    ) -> None:
        self._connection, self._scheme, self._days = connection, scheme, days
        self._persons, self._accounts = dict.fromkeys(persons), accounts
        self._is_alone = is_alone
        self._of_days = DayFigures(scheme)
        self._open_days = 0
        self._pending: list[tuple[FinalOrder, int]] = []
        """Orders of the month, as they stand, and when they are final."""
        self._pending_days: list[tuple[str | None, Measures]] = []
        """Of each the person; None: the shop."""
        self._unknown: dict[str, int] = {}
        self._credited: dict[str, int] = {}
        self._ends = 0
        self._orders: list[FinalOrder] = []

    def add_shop(self, shop_id: str) -> None:
        """Read a shop's agents' days and orders."""
        if self._of_days.measures:
            self._read_days(shop_id)
        zone = shop_zone(self._connection, shop_id)
        start, end = self._days.instants(zone)
        self._ends = max(self._ends, end)
        bound = {
            "shop": shop_id,
            "start": start,
            "end": end,
            "of_refunds": self._scheme.refund_basis == "refund_month",
            "agents": self._own_agents(shop_id) if self._is_alone else None,
        }
        rows = self._connection.execute(_PAID, bound).fetchall()
        refunds: dict[str, list[tuple[str, int]]] = {}
        found = self._connection.execute(_REFUNDS, (shop_id, [row[0] for row in rows]))
        for order_id, ts, amount in found:
            refunds.setdefault(order_id, []).append((day_name(zone.day_of(ts)), amount))
        for row in rows:
            self._add_order(shop_id, zone, (start, end), row, refunds.get(row[0], []))

    def _own_agents(self, shop_id: str) -> list[str]:
        accounts = (one for name in self._persons for one in self._accounts.of(name))
        return [one.agent_id for one in accounts if one.shop_id == shop_id]

    def found(self) -> Read:
        """Return what has been read."""
        figures = {name: self._of_days.values(name) for name in self._persons}
        return Read(figures, self._of_days.shop_values(), tuple(self._orders), self._open())

    def take_pending(self) -> None:
        """Count what is pending as if it were final."""
        self._orders = sorted([*self._orders, *(one for one, _ in self._pending)], key=_key)
        for name, measures in self._pending_days:
            self._add_day(name, measures)

    def _add_day(self, person: str | None, measures: Measures) -> None:
        """Add a day of a person's agent; None: of all of the shop."""
        if person is None:
            self._of_days.add_shop(measures)
        else:
            self._of_days.add(person, measures)

    def _open(self) -> Open:
        """Return what is not taken."""
        return Open(
            len(self._pending),
            sum(one.amount for one, _ in self._pending),
            max((until for _, until in self._pending), default=None),
            self._open_days,
            dict(sorted(self._unknown.items())),
            self._without_scheme(),
            self._ends,
            self._known_until(),
        )

    def _known_until(self) -> int | None:
        row = self._connection.execute(
            "SELECT max(watermark) FROM sink_offset WHERE topic = ANY(%s)", ([DECISIONS, AGENT_DAILY],)
        ).fetchone()
        return None if row is None else row[0]

    def _without_scheme(self) -> dict[str, int]:
        paid = {name for (name,) in self._connection.execute("SELECT person_id FROM pay_person")}
        there = self._accounts.persons(self._days.first, self._days.last)
        return {name: self._credited.get(name, 0) for name in sorted(there - paid)}

    def _read_days(self, shop_id: str) -> None:
        bound = {"shop": shop_id, "first": day_name(self._days.first), "last": day_name(self._days.last)}
        query = _DAYS.format(measures=sum_columns(self._of_days.measures))
        for agent_id, day, status, *numbers in self._connection.execute(query, bound):
            person = self._accounts.person(shop_id, agent_id, day)
            is_final = status == "final"
            measures: Measures = dict(zip(self._of_days.measures, numbers, strict=True))
            name = None if agent_id == TOTAL else person
            if name not in self._persons and agent_id != TOTAL:
                continue
            if is_final:
                self._add_day(name, measures)
            else:
                self._open_days += name is not None
                self._pending_days.append((name, measures))

    def _add_order(
        self,
        shop_id: str,
        zone: Zone,
        bounds: tuple[int, int],
        row: tuple[Any, ...],
        refunds: list[tuple[str, int]],
    ) -> None:
        order_id, revision, status, agent, placing, payment, basis, paid_ts, amount, currency, *rest = row
        completed, final_at = rest
        day = zone.day_of(paid_ts)
        credited, placed, paid = (
            self._accounts.person(shop_id, one, day) for one in (agent, placing, payment)
        )
        in_month = bounds[0] <= paid_ts < bounds[1]
        if agent is not None and credited is None and in_month and status == "final":
            key = f"{shop_id}/{agent}"
            self._unknown[key] = self._unknown.get(key, 0) + 1
        if credited is not None and in_month and status == "final":
            self._credited[credited] = self._credited.get(credited, 0) + 1
        if not self._persons.keys() & {credited, placed, paid}:
            return
        if currency != self._scheme.currency:
            raise StreamAttrError(
                f"order {order_id} of {shop_id} is in {currency}, and scheme {self._scheme.scheme_id} pays "
                f"{self._scheme.currency}: a scheme pays for one currency; have its persons' agents on shops "
                "of that currency alone"
            )
        listed = sum(one for _, one in refunds)
        if completed != listed and refunds:  # the decision names at most 100 of them, and the whole sum
            refunds[-1] = (refunds[-1][0], refunds[-1][1] + completed - listed)
        found = FinalOrder(
            shop_id,
            order_id,
            revision,
            day_name(day),
            amount,
            credited,
            placed,
            paid,
            basis == "ruling",
            tuple(refunds),
        )
        if status == "final":
            self._orders.append(found)
        elif in_month:
            self._pending.append((found, final_at))


def attained(scheme: PayScheme, month: str, terms: Iterable[Terms], read: Read) -> Read:
    """Return a month with how much of each goal is reached.

    To four decimals as in reports; without a goal there is no value.
    """
    wanted = sorted(key.removeprefix(ATTAINMENT) for key in keys_of(scheme) if key.startswith(ATTAINMENT))
    portions = portions_of(Team(month, (), tuple(one.order for one in read.orders)), scheme)
    figures = {}
    for one in terms:
        values = read.figures[one.person_id]
        reached: Values = {}
        for key in wanted:
            target = one.targets.get(key)
            actual = values.get(key)
            if key in OF_ORDERS:
                actual = Fraction(sum(portions[key].get(one.person_id, {}).values()))
            share = None if actual is None or not target else rate(int(actual), target)
            reached[f"{ATTAINMENT}{key}"] = _exact(share)
        figures[one.person_id] = {**values, **reached}
    return msgspec.structs.replace(read, figures=figures)


def _key(order: FinalOrder) -> tuple[str, str]:
    return order.shop_id, order.order_id


def _is_of_shop(key: str) -> bool:
    return key.startswith("silent.")


def _value(key: str, measures: Measures) -> Fraction | None:
    return _exact(value(FIGURES[key].formula, measures))


def _exact(number: int | float | None) -> Fraction | None:
    """Return a figure as it is shown: rates and ratios have four decimals."""
    return None if number is None else Fraction(Decimal(str(number)))
