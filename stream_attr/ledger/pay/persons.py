"""Who is paid by which scheme, from when to when; and who is which agents, by the roster."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.ledger.pay.refused import Refused
from stream_attr.ledger.pay.schemes import who
from stream_attr.ledger.texts import Text
from stream_attr.pay.employment import Employment
from stream_attr.rules.shop.days import day_number
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Account", "Accounts", "Paid", "Persons"]


_NO_SCHEME: Final = Text(
    "--scheme {scheme}: there is no such scheme; stream-attr pay scheme put keeps one",
    "没有方案 {scheme}：请先保存方案",
)
_NO_PERSON: Final = Text(
    "{person} is no person: write the person_id of the roster", "{person} 不是人员：请填写名册的 person_id"
)
_NO_DAY: Final = Text(
    "{option} {day} is not a day like 2026-11-01", "{option} {day} 不是日期，应如 2026-11-01"
)
_BEFORE: Final = Text("{option} {day} is before --from {first}", "{option} {day} 早于入职日（--from）{first}")


class Paid(NamedTuple):
    """A person who is paid."""

    person_id: str
    """As the roster has it."""
    name: str | None
    scheme_id: str
    employment: Employment


class Account(NamedTuple):
    """An agent that is a person, from a day on."""

    shop_id: str
    agent_id: str
    day: int
    """From this day number on, until the roster says something else."""


class Persons:
    """Those of a ledger."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def put(self, one: Paid, by: str) -> None:
        """Keep a person, in place of what is kept of the same one.

        Runs that are there stay as they are; the next draft takes what is kept now.

        Raises UnusableError where a day is none, they are in the wrong order, or there is no such scheme.
        """
        _check(one)
        found = self._connection.execute(
            "SELECT FROM pay_scheme WHERE scheme_id = %s LIMIT 1", [one.scheme_id]
        )
        if found.fetchone() is None:
            raise Refused(_NO_SCHEME.filled(scheme=repr(one.scheme_id)))
        self._connection.execute(
            "INSERT INTO pay_person VALUES (%s, %s, %s, %s::date, %s::date, %s::date, %s, %s)"
            " ON CONFLICT (person_id) DO UPDATE SET"
            " (name, scheme_id, first_day, last_day, probation_until, set_by, set_ts) = (excluded.name,"
            " excluded.scheme_id, excluded.first_day, excluded.last_day, excluded.probation_until,"
            " excluded.set_by, excluded.set_ts)",
            (one.person_id, one.name, one.scheme_id, *one.employment, who(by), wall_clock_ms()),
        )

    def all(self, scheme_id: str | None = None) -> list[Paid]:
        """Return those who are paid by a scheme, or all, by id."""
        rows = self._connection.execute(
            "SELECT person_id, name, scheme_id, first_day::text, last_day::text, probation_until::text"
            " FROM pay_person WHERE %(id)s::text IS NULL OR scheme_id = %(id)s ORDER BY person_id",
            {"id": scheme_id},
        )
        return [Paid(person, name, scheme, Employment(*days)) for person, name, scheme, *days in rows]


def _check(one: Paid) -> None:
    if not one.person_id or not one.person_id.isprintable():
        raise Refused(_NO_PERSON.filled(person=repr(one.person_id)))
    days = {
        "--from": one.employment.first_day,
        "--to": one.employment.last_day,
        "--probation-until": one.employment.probation_until,
    }
    for option, day in days.items():
        try:
            number = None if day is None else day_number(day)
        except ValueError:
            raise Refused(_NO_DAY.filled(option=option, day=repr(day))) from None
        if number is not None and number < day_number(one.employment.first_day):
            raise Refused(_BEFORE.filled(option=option, day=day, first=one.employment.first_day))


class Accounts:
    """Who is which agents: the roster's ``person_id``, from the day of each record on.

    A record without one leaves the person as it was.
    """

    def __init__(self, connection: Connection[Any], persons: Iterable[str]) -> None:
        """Read the rosters of all shops on which these persons have ever been agents."""
        self._of: dict[tuple[str, str], tuple[list[int], list[str]]] = {}
        rows = connection.execute(
            "SELECT shop_id, agent_id, effective_from - date '1970-01-01', person_id FROM roster"
            " WHERE person_id IS NOT NULL"
            " AND shop_id IN (SELECT shop_id FROM roster WHERE person_id = ANY(%s))"
            " ORDER BY shop_id, agent_id, effective_from, source_partition, source_offset",
            [sorted(persons)],
        )
        for shop_id, agent_id, day, person_id in rows:
            days, names = self._of.setdefault((shop_id, agent_id), ([], []))
            days.append(day)
            names.append(person_id)

    @property
    def shops(self) -> list[str]:
        """Return the shops on which they are agents."""
        return sorted({shop_id for shop_id, _ in self._of})

    def person(self, shop_id: str, agent_id: str | None, day: int) -> str | None:
        """Return who an agent is on a day; None: nobody, or the roster does not say."""
        if agent_id is None or (shop_id, agent_id) not in self._of:
            return None
        days, names = self._of[shop_id, agent_id]
        number = bisect_right(days, day)
        return names[number - 1] if number else None

    def persons(self, first: int, last: int) -> set[str]:
        """Return who is an agent of these shops on any of some days."""
        return {
            name
            for days, names in self._of.values()
            for number, (day, name) in enumerate(zip(days, names, strict=True))
            if day <= last and (number + 1 == len(days) or days[number + 1] > first)
        }

    def of(self, person_id: str) -> list[Account]:
        """Return from when on a person is which agents, by shop and agent."""
        return [
            Account(*agent, day)
            for agent, (days, names) in self._of.items()
            for day, name in zip(days, names, strict=True)
            if name == person_id
        ]
