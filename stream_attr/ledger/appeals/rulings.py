"""Rulings (RULEBOOK 2) as they are published, and what came of one."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from psycopg import Connection

from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import RULINGS
from stream_attr.errors import UnusableError
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Came", "Ruled", "came_of", "holds", "ruling_key", "ruling_record"]

_LAST: Final = "SELECT max(ts) FROM ruling WHERE shop_id = %s AND order_id = %s"
_REVISION: Final = (
    "SELECT min(revision) FROM decision_revision WHERE shop_id = %s AND order_id = %s"
    " AND profile = 'official' AND record->'ruling'->>'event_id' = %s"
)
_REFUSED: Final = (
    "SELECT code, message FROM dead_letter WHERE shop_id = %s AND order_id = %s AND topic = %s"
    " AND known_ts >= %s ORDER BY known_ts DESC LIMIT 1"
)


class Ruled(NamedTuple):
    """What somebody decides about an order's credit."""

    shop_id: str
    buyer_id: str
    order_id: str
    agent_id: str | None
    """Who gets the sale; None: nobody."""
    ruled_by: str
    is_withdrawn: bool = False
    """Whether the rules hold again; then ``agent_id`` is of no meaning."""


class Came(NamedTuple):
    """What came of a ruling: a revision of the decision, a refusal, or nothing yet."""

    revision: int | None
    refused: tuple[str, str] | None = None
    """Code and message of the dead letter."""


def ruling_record(connection: Connection[Any] | None, ruled: Ruled, event_id: str) -> dict[str, Any]:
    """Return a record of the topic ``rulings``, later than all that the ledger has of the order.

    ``connection``: to a ledger; None: there is none.

    Raises UnusableError where a worker would refuse it.
    """
    now = wall_clock_ms()
    last = None
    if connection is not None:
        row = connection.execute(_LAST, (ruled.shop_id, ruled.order_id)).fetchone()
        last = None if row is None else row[0]
    record: dict[str, Any] = {
        "event_id": event_id,
        "shop_id": ruled.shop_id,
        "buyer_id": ruled.buyer_id,
        "order_id": ruled.order_id,
        "ts": now if last is None else max(now, last + 1),
        "type": "withdrawn" if ruled.is_withdrawn else "credit",
        "ruled_by": ruled.ruled_by,
    }
    if not ruled.is_withdrawn:
        record["agent_id"] = ruled.agent_id
    try:
        decode_ruling(orjson.dumps(record))
    except RefusedRecord as error:
        raise UnusableError(f"this cannot be ruled: {error}") from error
    return record


def holds(connection: Connection[Any], shop_id: str, order_id: str) -> bool:
    """Whether a ruling holds for an order, as far as the ledger knows."""
    row = connection.execute(
        "SELECT type FROM ruling WHERE shop_id = %s AND order_id = %s"
        " ORDER BY ts DESC, event_id DESC LIMIT 1",
        (shop_id, order_id),
    ).fetchone()
    return row is not None and row[0] == "credit"


def ruling_key(record: dict[str, Any]) -> str:
    """Return the key of a ruling on its topic."""
    return f"{record['shop_id']}|{record['buyer_id']}"


def came_of(connection: Connection[Any], record: dict[str, Any]) -> Came:
    """Return what came of a ruling that was published."""
    which = record["shop_id"], record["order_id"]
    row = connection.execute(_REVISION, (*which, record["event_id"])).fetchone()
    if row is not None and row[0] is not None:
        return Came(row[0])
    letter = connection.execute(_REFUSED, (*which, RULINGS, record["ts"])).fetchone()
    return Came(None, None if letter is None else (letter[0], letter[1]))
