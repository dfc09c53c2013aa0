"""How far the ledger has what, from which sources: the table ``sink_offset``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from stream_attr.contract.topics import COMPARISONS, DECISIONS
from stream_attr.errors import UnusableError
from stream_attr.ledger.sink.batch import Source
from stream_attr.ledger.sink.tables import FILLED, OFFSETS, REVISION, ROLL_UP, TOPICS
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["FILE", "OtherSourceError", "claim", "emptied", "empty"]

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


def empty(connection: Connection[Any]) -> dict[str, int]:
    """Empty all tables that the sink fills, as ``--rebuild`` asks for; what people entered stays.

    Returns how many records the ledger had of each topic, of those of which it had any. Of a topic whose
    revisions are not kept these are the last ones.

    Raises:
        psycopg.Error: the database refuses, or is away.
    """
    with connection.transaction():
        removed = {}
        for topic, table in TOPICS.items():
            kept = _KEPT.get(topic) or _COUNT.format(Identifier(table.name))
            row = connection.execute(kept).fetchone()
            if row is not None and row[0]:
                removed[topic] = row[0]
        connection.execute(SQL("TRUNCATE {}").format(SQL(", ").join(map(Identifier, (*FILLED, ROLL_UP)))))
    return removed


def emptied(removed: Mapping[str, int]) -> str:
    """Say what `empty` has removed."""
    counts = ", ".join(f"{count:,} {topic}" for topic, count in removed.items())
    return f"--rebuild has emptied the ledger first, of {counts}" if counts else "the ledger was empty before"


def _other(topic: str, known: str, given: str) -> str:
    """Say that a topic's records in the ledger came from elsewhere."""
    remedy = (
        "name another database, or fill this one from the beginning with --rebuild, which empties it first"
    )
    if given.startswith(FILE):
        remedy += ": then name all files, those of before, too"
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


_COUNT: Final = SQL("SELECT count(*) FROM {}")
_OF_PROFILE: Final = SQL("SELECT count(*) FROM {} WHERE (profile = {}) = {}")
_KEPT: Final = {
    topic: _OF_PROFILE.format(Identifier(REVISION.name), Literal(OFFICIAL), Literal(topic == DECISIONS))
    for topic in (DECISIONS, COMPARISONS)
}
"""Counts the records of topics that share a table."""
_BEGIN: Final = SQL(
    "INSERT INTO {} (topic, source_partition, topic_id, next) VALUES (%s, %s, %s, 0) ON CONFLICT DO NOTHING"
).format(Identifier(OFFSETS))
_READ: Final = SQL("SELECT topic, source_partition, next, topic_id FROM {}").format(Identifier(OFFSETS))
