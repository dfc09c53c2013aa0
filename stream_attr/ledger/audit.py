"""Who did what: log-ins, exports, questions, looks at pay, and what was changed."""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

from psycopg import Connection

__all__ = ["Entry", "latest", "note"]

LONGEST: Final = 200
"""Characters of what a line is about."""


class Entry(NamedTuple):
    """One line of the audit."""

    ts: int
    login: str
    action: str
    shop_id: str | None
    about: str
    before: str | None = None
    """What was changed, as it was; None: there was none, or nothing was changed."""
    after: str | None = None
    """As it is now."""


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
            time.time_ns() // 1_000_000,
            login[:LONGEST],
            action,
            shop_id,
            about[:LONGEST].replace("\0", ""),
            before,
            after,
        ),
    )


def latest(connection: Connection[Any], count: int) -> list[Entry]:
    """Return the newest lines, the newest first."""
    rows = connection.execute(
        "SELECT ts, login, action, shop_id, about, before, after FROM audit ORDER BY number DESC LIMIT %s",
        (count,),
    )
    return [Entry(*row) for row in rows]
