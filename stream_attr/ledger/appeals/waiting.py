"""Which appeals wait for somebody: for a reviewer's answer, or for the agent to look at it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from psycopg import Connection

__all__ = ["MOST", "note_seen", "to_answer", "unseen_answers"]

MOST: Final = 100
"""So many are counted, and no more."""
_TO_ANSWER: Final = (
    "SELECT shop_id, count(*) FROM (SELECT shop_id FROM appeal WHERE shop_id = ANY(%s) AND state = 'open'"
    " AND ruling IS NULL ORDER BY shop_id, opened_ts LIMIT %s) one GROUP BY 1 ORDER BY 1"
)
_UNSEEN: Final = (
    "SELECT shop_id, count(*) FROM (SELECT shop_id FROM account_shop JOIN appeal USING (shop_id, agent_id)"
    " WHERE login = %s AND state = 'answered' AND ended_ts > appeals_seen_ts LIMIT %s) one"
    " GROUP BY 1 ORDER BY 1"
)
_SEEN: Final = (
    "UPDATE account_shop SET appeals_seen_ts = %s WHERE login = %s AND shop_id = %s AND appeals_seen_ts < %s"
)


def to_answer(connection: Connection[Any], shops: Collection[str]) -> dict[str, int]:
    """Return by shop how many appeals nobody has answered yet; shops without any are left out."""
    return dict(connection.execute(_TO_ANSWER, (sorted(shops), MOST)).fetchall())


def unseen_answers(connection: Connection[Any], login: str) -> dict[str, int]:
    """Return by shop how many appeals of an account's agents were answered since it looked; likewise."""
    return dict(connection.execute(_UNSEEN, (login, MOST)).fetchall())


def note_seen(connection: Connection[Any], login: str, shop_id: str, until_ts: int) -> None:
    """Note that an account has seen the answers of a shop that had been given by then (epoch ms)."""
    connection.execute(_SEEN, (until_ts, login, shop_id, until_ts))
