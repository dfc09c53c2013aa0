"""Whose pay an account may see (LEDGER 7): one function, and row-level security as the second lock.

An agent sees own pay. Payroll and managers see the persons all of whose agents are on shops of theirs: no
order of another shop stands on a page of theirs. Administrators and auditors see everybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection
from psycopg.pq import TransactionStatus

from stream_attr.console.accounts import Account
from stream_attr.console.reading import as_owner, let_see
from stream_attr.console.roles import Role
from stream_attr.console.visit import Visit
from stream_attr.ledger.periods import shop_zone
from stream_attr.rules.shop.days import day_name
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["ACTING", "LOOKING", "PayScope", "of_whole_team", "pay_scope", "paying"]

LOOKING: Final = frozenset({Role.ADMIN, Role.MANAGER, Role.PAYROLL, Role.AUDITOR})
"""Who sees the pay of others."""
ACTING: Final = frozenset({Role.ADMIN, Role.PAYROLL})
"""Who enters schemes and persons, drafts runs and closes them."""

_OF_SHOPS: Final = (
    "SELECT person_id FROM roster WHERE person_id IS NOT NULL"
    " GROUP BY person_id HAVING bool_and(shop_id = ANY(%s)) ORDER BY 1"
)
_OF_AGENT: Final = (
    "SELECT person_id FROM roster WHERE shop_id = %s AND agent_id = %s AND person_id IS NOT NULL"
    " AND effective_from <= %s::date ORDER BY effective_from DESC, source_partition DESC, source_offset DESC"
    " LIMIT 1"
)
_SCHEMES: Final = (
    "SELECT DISTINCT scheme_id FROM pay_scheme EXCEPT"
    " SELECT scheme_id FROM pay_person WHERE person_id <> ALL(%(persons)s)"
)
_OWN_SCHEMES: Final = (
    "SELECT scheme_id FROM pay_person WHERE person_id = ANY(%(persons)s)"
    " UNION SELECT scheme_id FROM pay_statement WHERE person_id = ANY(%(persons)s)"
)

_SEEN: Final = "SELECT set_config('stream_attr.shops', %s, true), set_config('stream_attr.persons', %s, true)"


@dataclass(frozen=True, slots=True)
class PayScope:
    """Whose pay, and which schemes; None: all."""

    persons: frozenset[str] | None
    schemes: frozenset[str] | None
    own: str | None = None
    """Of an agent's account: who that is; None: no person, or none by the roster."""

    def sees(self, persons: Iterable[str]) -> bool:
        """Whether each of these persons may be seen."""
        return self.persons is None or self.persons.issuperset(persons)

    def sees_scheme(self, scheme_id: str) -> bool:
        """Whether a scheme may be seen."""
        return self.schemes is None or scheme_id in self.schemes


def pay_scope(connection: Connection[Any], account: Account) -> PayScope:
    """Return whose pay an account may see: as the owner of the tables, for it looks at all shops."""
    if account.role.sees_all_shops:
        return PayScope(None, None)
    if account.role is Role.AGENT:
        own = _person_of(connection, account)
        persons = frozenset() if own is None else frozenset({own})
    elif account.role in LOOKING:
        own, shops = None, [one.shop_id for one in account.duties]
        persons = frozenset(name for (name,) in connection.execute(_OF_SHOPS, [shops]))
    else:
        return PayScope(frozenset(), frozenset())
    query = _OWN_SCHEMES if account.role is Role.AGENT else _SCHEMES
    rows = connection.execute(query, {"persons": sorted(persons)})
    return PayScope(persons, frozenset(name for (name,) in rows), own)


def _person_of(connection: Connection[Any], account: Account) -> str | None:
    """Return who an agent's account is: the person that is set for it, else by the roster of today.

    None: nobody, or several persons.
    """
    if account.person_id is not None:
        return account.person_id
    found = set()
    for one in account.duties:
        today = day_name(shop_zone(connection, one.shop_id).day_of(wall_clock_ms()))
        row = connection.execute(_OF_AGENT, (one.shop_id, one.agent_id or "", today)).fetchone()
        if row is not None:
            found.add(str(row[0]))
    return found.pop() if len(found) == 1 else None


@contextmanager
def paying(visit: Visit) -> Iterator[PayScope]:
    """Let the block see one snapshot of the account's shops, and of pay what the account may see."""
    with visit.reading() as connection:
        with as_owner(connection):
            found = pay_scope(connection, visit.account)
        let_see(connection, "persons", found.persons)
        yield found


@contextmanager
def of_whole_team(connection: Connection[Any]) -> Iterator[None]:
    """Let the block calculate a person's pay: of all who are paid with it, on all of their shops.

    What it shows is the caller's to bound. Within `paying`.
    """
    before = connection.execute(
        "SELECT current_setting('stream_attr.shops'), current_setting('stream_attr.persons')"
    ).fetchone()
    assert before is not None
    let_see(connection, "shops", None)
    let_see(connection, "persons", None)
    try:
        yield
    finally:
        if connection.info.transaction_status is TransactionStatus.INTRANS:  # else it ends, and this with it
            connection.execute(_SEEN, before)
