"""What an account may read: its shops, its agents, and one snapshot per page."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from stream_attr.console.accounts import Account
from stream_attr.console.roles import Role
from stream_attr.ledger.database.publish import CONSOLE
from stream_attr.ledger.reports.distinct import distinct
from stream_attr.ledger.reports.scope import snapshot

__all__ = ["agents_of", "as_owner", "let_see", "reading", "shops_of"]

_ALL: Final = "all"
_STATEMENT_MS: Final = 30_000
"""What a query of a page may take: nobody waits longer, and one person must not take the database."""
_BOUNDS: Final = SQL(
    "SET LOCAL statement_timeout = {};"
    " SET LOCAL max_parallel_workers_per_gather = 0;"
    " SET LOCAL plan_cache_mode = force_custom_plan"
).format(_STATEMENT_MS)
"""A page takes one core at a time: others look at theirs. Each query is planned for the days that are asked
for: a plan for any days, to which the database comes after some calls, can take ten times as long."""
_HAVE_SHOPS: Final = ("decision", "agent_day", "shop_settings", "roster")


@contextmanager
def reading(connection: Connection[Any], account: Account) -> Iterator[None]:
    """Let the queries of the block see one state of the ledger, and of it the account's shops alone.

    The database holds to it too: the block runs as a role with row-level security.
    """
    with snapshot(connection):
        shops = None if account.role.sees_all_shops else [one.shop_id for one in account.duties]
        let_see(connection, "shops", shops)
        connection.execute(_BOUNDS)
        connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(CONSOLE)))
        yield


def let_see(connection: Connection[Any], what: str, ids: Collection[str] | None) -> None:
    """Say whose rows the rest of the transaction sees as the role `CONSOLE`.

    ``what``: ``shops``, or ``persons`` whose pay; ``ids``: of which, None: of all.
    """
    setting = f"stream_attr.{what}"
    if ids is None:
        connection.execute("SELECT set_config(%s, %s, true)", (setting, _ALL))
    else:
        connection.execute("SELECT set_config(%s, (%s::text[])::text, true)", (setting, sorted(ids)))


@contextmanager
def as_owner(connection: Connection[Any]) -> Iterator[None]:
    """Let the block of a `reading` see all rows, to find out whose an account may see."""
    connection.execute("SET LOCAL ROLE NONE")
    yield
    connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(CONSOLE)))


def shops_of(connection: Connection[Any], account: Account) -> list[str]:
    """Return the shops with any record that an account may see, sorted."""
    if not account.role.sees_all_shops:
        shops = sorted({one.shop_id for one in account.duties})
        return [shop_id for shop_id in shops if _has_records(connection, shop_id)]
    found: set[str] = set()
    for table in _HAVE_SHOPS:
        found.update(one for (one,) in connection.execute(distinct(table, "shop_id")))
    return sorted(found)


def _has_records(connection: Connection[Any], shop_id: str) -> bool:
    query = SQL("SELECT FROM {} WHERE shop_id = %s LIMIT 1")
    return any(
        connection.execute(query.format(Identifier(table)), (shop_id,)).fetchone() is not None
        for table in _HAVE_SHOPS
    )


def agents_of(account: Account, shop_id: str) -> tuple[str, ...] | None:
    """Return the agents whose figures an account may see in a shop of its own; None: all."""
    if account.role is not Role.AGENT:
        return None
    return tuple(
        one.agent_id for one in account.duties if one.shop_id == shop_id and one.agent_id is not None
    )
