"""The orders of the ledger that a sheet is set beside, and what else the ledger has of an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from stream_attr.contract.topics import DECISIONS
from stream_attr.ledger.reports.scope import ShopScope

__all__ = ["OurOrder", "by_ids", "in_days", "receipt", "refunded_between", "refusals", "watermark"]

_FETCHED: Final = 5_000


class OurOrder(NamedTuple):
    """An order by its last official decision."""

    order_id: str
    buyer_id: str
    outcome: str
    status: str
    silence: str | None
    agent_id: str | None
    basis: str | None
    amount: int
    currency: str
    refund_requested: int
    refund_completed: int
    created_ts: int
    paid_ts: int | None
    notices: list[str]
    final_at: int

    @property
    def is_sold(self) -> bool:
        """Whether it counts in sales."""
        return self.outcome in ("credited", "silent")


_COLUMNS: Final = SQL(", ").join(map(Identifier, OurOrder._fields))
_BY_IDS: Final = SQL(
    "SELECT {columns} FROM decision WHERE shop_id = %s AND profile = 'official' AND order_id = ANY(%s)"
).format(columns=_COLUMNS)
_IN_DAYS: Final = {
    "paid": SQL(
        "SELECT {columns} FROM decision WHERE shop_id = %(shop)s AND profile = 'official'"
        " AND outcome IN ('credited', 'silent') AND counted_ts >= %(start)s AND counted_ts < %(end)s"
        " ORDER BY counted_ts, order_id"
    ).format(columns=_COLUMNS),
    "created": SQL(
        "SELECT {columns} FROM decision WHERE shop_id = %(shop)s AND profile = 'official'"
        " AND outcome <> 'excluded' AND created_ts >= %(start)s AND created_ts < %(end)s"
        " ORDER BY created_ts, order_id"
    ).format(columns=_COLUMNS),
}
_REFUSALS: Final = (
    "SELECT order_id, code, place FROM dead_letter WHERE shop_id = %s AND order_id = ANY(%s)"
    " ORDER BY source_partition, source_offset"
)
_REFUNDED: Final = (
    "SELECT coalesce(sum(amount), 0)::bigint FROM refund WHERE shop_id = %s AND order_id = %s AND completed"
    " AND ts >= %s AND ts < %s"
)
_RECEIPT: Final = "SELECT record FROM decision WHERE shop_id = %s AND order_id = %s AND profile = 'official'"
_WATERMARK: Final = "SELECT max(watermark) FROM sink_offset WHERE topic = %s"


def by_ids(connection: Connection[Any], shop_id: str, ids: Sequence[str]) -> dict[str, OurOrder]:
    """Return the orders with these ids, of any day."""
    rows = connection.execute(_BY_IDS, (shop_id, list(ids)))
    return {row[0]: OurOrder(*row) for row in rows}


def in_days(
    connection: Connection[Any], shop: ShopScope, instants: tuple[int, int], days_of: str
) -> Iterator[OurOrder]:
    """Yield the orders that were paid, or created (``days_of``), in an interval; some are in memory."""
    bound = {"shop": shop.shop_id, "start": instants[0], "end": instants[1]}
    with connection.cursor("reconciled_orders") as cursor:
        cursor.itersize = _FETCHED
        for row in cursor.execute(_IN_DAYS[days_of], bound):
            yield OurOrder(*row)


def refusals(connection: Connection[Any], shop_id: str, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return of orders the code and the place of the first record that was refused."""
    found: dict[str, tuple[str, str]] = {}
    for order_id, code, place in connection.execute(_REFUSALS, (shop_id, list(ids))):
        found.setdefault(order_id, (code, place))
    return found


def refunded_between(
    connection: Connection[Any], shop_id: str, order_id: str, instants: tuple[int, int]
) -> int:
    """Return the refunds of an order that were completed in an interval, in minor units."""
    row = connection.execute(_REFUNDED, (shop_id, order_id, *instants)).fetchone()
    assert row is not None
    return int(row[0])


def receipt(connection: Connection[Any], shop_id: str, order_id: str) -> dict[str, Any]:
    """Return the whole decision of an order that there is."""
    row = connection.execute(_RECEIPT, (shop_id, order_id)).fetchone()
    assert row is not None
    return dict(row[0])


def watermark(connection: Connection[Any]) -> int | None:
    """Return up to which instant the ledger knows of decisions; None: of none."""
    row = connection.execute(_WATERMARK, (DECISIONS,)).fetchone()
    return None if row is None else row[0]
