"""How far the ledger has what, from which sources: the table ``sink_offset``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from stream_attr.errors import UnusableError
from stream_attr.ledger.sink.batch import Source
from stream_attr.ledger.sink.tables import FILLED, OFFSETS, ROLL_UP

__all__ = ["FILE", "OtherSourceError", "claim", "empty"]

FILE: Final = "file:"
"""How the id of a file begins, its digest behind it; a topic has the id that its cluster gave it."""


class OtherSourceError(UnusableError):
    """The ledger was filled from another source than the one that is named now."""


def claim(connection: Connection[Any], ids: Mapping[Source, str | None]) -> dict[Source, int]:
    """Return where to go on in each source; one that is new begins at 0.

    ``ids``: of each source what tells it from another of the same name; None: that is not known.

    Raises:
        OtherSourceError: the ledger was filled from another one; nothing is changed.
        psycopg.Error: the database refuses, or is away.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            _BEGIN, [(topic, partition, ids[topic, partition]) for topic, partition in sorted(ids)]
        )
        cursor.execute(_READ)
        found = {(topic, partition): (offset, known) for topic, partition, offset, known in cursor.fetchall()}
        for source, given in sorted(ids.items()):
            known = found[source][1]
            if known is not None and given is not None and known != given:
                raise OtherSourceError(_other(source[0], known, given))
    return {source: found[source][0] for source in ids}


def empty(connection: Connection[Any]) -> None:
    """Empty all tables that the sink fills, as ``--rebuild`` asks for; what people entered stays.

    Raises:
        psycopg.Error: the database refuses, or is away.
    """
    with connection.transaction():
        connection.execute(SQL("TRUNCATE {}").format(SQL(", ").join(map(Identifier, (*FILLED, ROLL_UP)))))


def _other(topic: str, known: str, given: str) -> str:
    """Say that a topic's records in the ledger came from elsewhere."""
    remedy = "name another database, or fill this one from the beginning with --rebuild"
    if not given.startswith(FILE):
        if known.startswith(FILE):
            return f"the ledger has {topic} from files, not from this broker: {remedy}"
        return (
            f"topic {topic} is not the one that the ledger was filled from (another topic id): it was "
            f"deleted and recreated, or this is another broker; {remedy}"
        )
    if known.startswith(FILE):
        return f"the ledger was filled from another {topic}.jsonl than this one: {remedy}"
    return f"the ledger has {topic} from a broker, not from files: {remedy}"


_BEGIN: Final = SQL(
    "INSERT INTO {} (topic, source_partition, topic_id, next) VALUES (%s, %s, %s, 0) ON CONFLICT DO NOTHING"
).format(Identifier(OFFSETS))
_READ: Final = SQL("SELECT topic, source_partition, next, topic_id FROM {}").format(Identifier(OFFSETS))
