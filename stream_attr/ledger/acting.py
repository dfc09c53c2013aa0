"""Who somebody is who decides: by account, agent and person, so that nobody decides about oneself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from psycopg import Connection

__all__ = ["Acting", "acting", "persons_of"]

_PERSONS: Final = (
    "SELECT DISTINCT person_id, agent_id FROM roster WHERE shop_id = %s AND agent_id = ANY(%s)"
    " AND person_id IS NOT NULL ORDER BY agent_id, person_id"
)


class Acting(NamedTuple):
    """Who decides."""

    login: str
    agents: frozenset[tuple[str, str]] = frozenset()
    """Shop and agent: whom the account is on shops."""
    persons: frozenset[str] = frozenset()
    """Who it is, by the account and by the roster of its agents."""
    is_account: bool = False
    """Whether it has logged in; else the login is a name that somebody has typed."""


def acting(connection: Connection[Any], login: str, *, is_account: bool) -> Acting:
    """Return who an account is; of a name that somebody has typed, who the accounts of that name are."""
    accounts = connection.execute(
        "SELECT login, person_id FROM account WHERE login = %s OR NOT %s AND lower(login) = lower(%s)",
        (login, is_account, login),
    ).fetchall()
    duties = connection.execute(
        "SELECT shop_id, agent_id FROM account_shop WHERE login = ANY(%s) AND agent_id <> ''",
        ([one for one, _ in accounts],),
    ).fetchall()
    persons = {person for shop, agent in duties for person, _ in persons_of(connection, shop, [agent])}
    persons.update(person for _, person in accounts if person is not None)
    return Acting(login, frozenset(duties), frozenset(persons), is_account)


def persons_of(connection: Connection[Any], shop_id: str, agents: Collection[str]) -> list[tuple[str, str]]:
    """Return person and agent, of any day, by the roster."""
    return connection.execute(_PERSONS, (shop_id, list(agents))).fetchall()
