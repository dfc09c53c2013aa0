"""Who did what: log-ins, exports, questions, looks at pay, and what was changed."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composable

from stream_attr.ledger.reports.distinct import distinct
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Entry", "Sought", "actions", "entries", "note"]

LONGEST: Final = 200
"""Characters of what a line is about."""


class Entry(NamedTuple):
    """One line of the audit."""

    number: int
    ts: int
    login: str
    action: str
    shop_id: str | None
    about: str
    before: str | None = None
    """What was changed, as it was; None: there was none, or nothing was changed."""
    after: str | None = None
    """As it is now."""


class Sought(NamedTuple):
    """Which lines; None: whatever it is."""

    login: str | None = None
    action: str | None = None
    instants: tuple[int, int] | None = None
    """From the first, and before the second."""
    before: int | None = None
    """Lines of smaller number than this one."""


def note(
    connection: Connection[Any],
    login: str,
    action: str,
    shop_id: str | None,
    about: str,
    *,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Write a line; of login and ``about`` what is longer than `LONGEST` characters is cut."""
    connection.execute(
        "INSERT INTO audit (ts, login, action, shop_id, about, before, after)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            wall_clock_ms(),
            login[:LONGEST],
            action,
            shop_id,
            about[:LONGEST].replace("\0", ""),
            before,
            after,
        ),
    )


def entries(connection: Connection[Any], sought: Sought, count: int) -> list[Entry]:
    """Return lines, the newest first."""
    wanted = [
        (sought.login, SQL("login = %s")),
        (sought.action, SQL("action = %s")),
        (sought.before, SQL("number < %s")),
    ]
    found = [(value, query) for value, query in wanted if value is not None]
    bound: list[Any] = [value for value, _ in found]
    queries: list[Composable] = [query for _, query in found]
    if sought.instants is not None:
        queries.append(SQL("ts >= %s AND ts < %s"))
        bound += sought.instants
    where = SQL(" WHERE {}").format(SQL(" AND ").join(queries)) if queries else SQL("")
    query = SQL(
        "SELECT number, ts, login, action, shop_id, about, before, after FROM audit{} ORDER BY number DESC"
        " LIMIT %s"
    )
    return [Entry(*row) for row in connection.execute(query.format(where), (*bound, count))]


def actions(connection: Connection[Any]) -> list[str]:
    """Return every kind of line that there is, sorted."""
    return [action for (action,) in connection.execute(distinct("audit", "action"))]
