"""A shop's settings as the ledger has them, as records of their topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson
from psycopg import Connection

from stream_attr.contract.topics import SETTINGS
from stream_attr.processor.ports import Record

__all__ = ["settings_of"]

_SETTINGS: Final = (
    "SELECT source_partition, source_offset, record FROM shop_settings WHERE shop_id = %s ORDER BY 1, 2"
)


def settings_of(connection: Connection[Any], shop_id: str) -> Iterator[Record]:
    """Yield all records of a shop, in the order in which they came."""
    for partition, offset, record in connection.execute(_SETTINGS, (shop_id,)):
        yield Record(SETTINGS, partition, offset, 0, None, orjson.dumps(record))
