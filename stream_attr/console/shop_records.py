"""A shop's settings and roster as the ledger has them, as records of their topics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import orjson
from psycopg import Connection

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import loads
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.processor.ports import Record

__all__ = ["basis_of", "history_of", "refused_at", "roster_of", "settings_of"]

_SETTINGS: Final = (
    "SELECT source_partition, source_offset, record FROM shop_settings WHERE shop_id = %s ORDER BY 1, 2"
)
_ROSTER: Final = (
    "SELECT source_partition, source_offset, agent_id, effective_from::text, role, name, agent_group,"
    " person_id FROM roster WHERE shop_id = %s ORDER BY 1, 2"
)
_ROSTER_FIELDS: Final = ("agent_id", "effective_from", "role", "name", "group", "person_id")
_REFUSED: Final = "SELECT place, message FROM dead_letter WHERE topic = %s AND shop_id = %s"


def settings_of(connection: Connection[Any], shop_id: str) -> Iterator[Record]:
    """Yield all settings records of a shop, in the order in which they came; without the time of that."""
    for partition, offset, record in connection.execute(_SETTINGS, (shop_id,)):
        yield Record(SETTINGS, partition, offset, 0, None, orjson.dumps(record))


def roster_of(connection: Connection[Any], shop_id: str) -> Iterator[Record]:
    """Yield all roster records of a shop, likewise."""
    for partition, offset, *fields in connection.execute(_ROSTER, (shop_id,)):
        kept = {name: one for name, one in zip(_ROSTER_FIELDS, fields, strict=True) if one is not None}
        yield Record(ROSTER, partition, offset, 0, None, orjson.dumps({"shop_id": shop_id, **kept}))


def refused_at(connection: Connection[Any], topic: str, shop_id: str) -> dict[str, str]:
    """Return why workers refused records of a shop, by where these stand: ``partition 0, offset 7``."""
    return dict(connection.execute(_REFUSED, (topic, shop_id)).fetchall())


def basis_of(topic: str, shop_id: str, agent_id: str | None, records: Iterable[Record]) -> str:
    """Return what changes with every record that bears on a change: of the shop's settings, or of an agent.

    It is the same whether the records come from the topic or from the ledger.
    """
    digest = hashlib.sha256()
    for record in records:
        if record.topic != topic:
            continue
        try:
            if topic == SETTINGS:
                is_meant = decode_settings(record.value).shop_id == shop_id
                document = loads(record.value or b"")
            else:
                one = decode_roster(record.value)
                is_meant = (one.shop_id, one.agent_id) == (shop_id, agent_id)
                document = msgspec.to_builtins(one)
        except RefusedRecord:  # the ledger has none of these
            continue
        if is_meant:
            digest.update(orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n")
    return digest.hexdigest()


def history_of(connection: Connection[Any], shop_id: str) -> list[Record]:
    """Return the settings and roster records of a shop that workers have accepted, settings first."""
    found = []
    for topic, records in ((SETTINGS, settings_of), (ROSTER, roster_of)):
        refused = refused_at(connection, topic, shop_id)
        found += [
            record
            for record in records(connection, shop_id)
            if f"partition {record.partition}, offset {record.offset}" not in refused
        ]
    return found
