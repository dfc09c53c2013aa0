"""A ledger whose rows a test makes by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from stream_attr.ledger.database.connect import Database
from stream_attr.rules.shop.days import day_name, day_number

NOON = 1_794_283_200_000
"""2026-11-10 12:00 in Shanghai, a Tuesday."""
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
SHOP = "jd:1"

_SOURCE = {"source_partition": 0, "source_offset": 0, "revision": 1, "reason": "chat", "watermark": 0}
_EMPTY: dict[str, dict[str, Any]] = {
    "reception": {
        **_SOURCE, "shop_id": SHOP, "buyer_id": "b", "agent_id": "a", "status": "final", "initiator": "buyer",
        "last_ts": 0, "buyer_messages": 1, "agent_messages": 1, "agent_characters": 1, "rounds": 1,
        "replied": True, "response_ms_sum": 0, "response_count": 0, "slow": False, "duration_ms": 0,
        "effective_conversation": True, "product_page": False, "transferred": False, "handed_over": False,
        "presence": [], "role": "presale", "final_at": 0,
    },
    "inquiry": {
        **_SOURCE, "shop_id": SHOP, "buyer_id": "b", "agent_id": "a", "status": "pending", "kind": "inquiry",
        "outcome": "open", "order_ids": [], "final_at": 0,
    },
    "decision": {
        **_SOURCE, "shop_id": SHOP, "profile": "official", "buyer_id": "b", "preset": "jd_cloud",
        "status": "final", "outcome": "credited", "amount": 100, "quantity": 1, "currency": "CNY",
        "refund_requested": 0, "refund_completed": 0, "created_ts": 0, "notices": [], "final_at": 0,
        "known_ts": 0, "record": {},
    },
    "refund": {
        "shop_id": SHOP, "number": 1, "amount": 1, "currency": "CNY", "completed": True,
        "outcome": "credited",
    },
    "dead_letter": {"source_partition": 0, "code": "not_json", "topic": "t", "message": "m", "place": "p"},
    "unstored": {"topic": "t", "source_partition": 0, "why": "w"},
    "roster": {
        "shop_id": SHOP, "source_partition": 0, "source_offset": 0, "effective_from": "2026-01-01",
        "role": "presale",
    },
}  # fmt: skip

Add = Callable[..., None]


def day_of(ts: int) -> str:
    """The day of an instant in Shanghai."""
    return day_name(day_number("2026-11-10") + (ts - NOON + 12 * 60 * MINUTE) // DAY)


@pytest.fixture
def add(ledger: Database) -> Add:
    """Insert a row; what is not given is as in a plain one."""

    def insert(table: str, **given: Any) -> None:
        row = {**_EMPTY[table], **given}
        if table in ("reception", "inquiry") and "day" not in row:
            row["day"] = day_of(row["first_ts"])
        columns = ", ".join(row)
        with ledger.connection() as connection:
            connection.execute(
                f"INSERT INTO {table} ({columns})"
                f" SELECT {columns} FROM json_populate_record(NULL::{table}, %s)".encode(),
                [json.dumps(row)],
            )

    return insert


@pytest.fixture
def at(ledger: Database) -> Callable[[int], None]:
    """Let the ledger know all topics up to an instant, in two partitions; the other one is further on."""

    def known(ts: int) -> None:
        with ledger.connection() as connection:
            connection.execute(
                "INSERT INTO shop_settings (shop_id, source_partition, source_offset, effective_from, record)"
                ' VALUES (%s, 0, 0, \'2026-01-01\', \'{"shop_id": "jd:1", "effective_from": "2026-01-01"}\')'
                " ON CONFLICT DO NOTHING",
                [SHOP],
            )
            for topic in ("attribution-decisions", "inquiry-outcomes", "reception-facts"):
                for partition, later in ((0, 0), (1, 5 * MINUTE)):
                    connection.execute(
                        "INSERT INTO sink_offset (topic, source_partition, next, known_ts, watermark)"
                        " VALUES (%s, %s, 1, %s, %s) ON CONFLICT (topic, source_partition) DO UPDATE"
                        " SET known_ts = excluded.known_ts, watermark = excluded.watermark",
                        [topic, partition, ts, ts + later],
                    )

    return known
