"""Records that could not be used, by code: a shop's, and those that are no known shop's."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

from stream_attr.ledger.texts import Text
from stream_attr.rules.vocabulary import CODES

__all__ = ["Refused", "refused", "refused_elsewhere"]

Refused = list[tuple[Text, int]]
"""By code: how many."""

_ALWAYS: Final = (0, 2**62)
_OF_SHOP: Final = (
    "SELECT code, count(*) FROM dead_letter WHERE shop_id = %s AND known_ts >= %s AND known_ts < %s"
    " GROUP BY 1 ORDER BY 1"
)
_ELSEWHERE: Final = """
    WITH found AS (
        SELECT shop_id, code, count(*) AS records FROM dead_letter
        WHERE known_ts >= %s AND known_ts < %s GROUP BY 1, 2)
    SELECT code, sum(records)::bigint FROM found
    WHERE shop_id IS NULL OR NOT (
        EXISTS (SELECT FROM shop_settings WHERE shop_settings.shop_id = found.shop_id)
        OR EXISTS (SELECT FROM roster WHERE roster.shop_id = found.shop_id)
        OR EXISTS (SELECT FROM agent_day WHERE agent_day.shop_id = found.shop_id)
        OR EXISTS (SELECT FROM decision WHERE decision.shop_id = found.shop_id))
    GROUP BY 1 ORDER BY 1
"""


def refused(connection: Connection[Any], shop_id: str, instants: tuple[int, int] = _ALWAYS) -> Refused:
    """Return which records of a shop could not be used. ``instants``: that came within them, half-open."""
    return _named(connection.execute(_OF_SHOP, (shop_id, *instants)).fetchall())


def refused_elsewhere(connection: Connection[Any], instants: tuple[int, int] = _ALWAYS) -> Refused:
    """Return which records could not be used that name no shop, or one of which nothing else has come.

    Who sees some shops alone is shown none of no shop by the database. ``instants``: as of `refused`.
    """
    return _named(connection.execute(_ELSEWHERE, instants).fetchall())


def _named(rows: list[tuple[str, int]]) -> Refused:
    return [(Text(code, CODES.chinese_of(code)), count) for code, count in rows]
