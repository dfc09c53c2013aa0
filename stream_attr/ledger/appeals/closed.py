"""Whether an order's month has been paid: then what a ruling changes comes into the next run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from psycopg import Connection

from stream_attr.ledger.appeals.appeal import Case
from stream_attr.ledger.periods import shop_zone
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["closed_month"]

_CLOSED: Final = (
    "SELECT EXISTS (SELECT FROM pay_run WHERE state = 'closed' AND month = %s::date AND persons && ARRAY("
    "SELECT person_id FROM roster WHERE shop_id = %s AND agent_id = ANY(%s) AND person_id IS NOT NULL))"
)
_SAID: Final = Text(
    "{month} is closed in pay: what changes comes into the next run, as a correction of {month}",
    "{month} 已结账发薪：变化将作为 {month} 的更正计入下一次发薪",
)


def closed_month(
    connection: Connection[Any], shop_id: str, now: Case, agents: Iterable[str | None]
) -> Text | None:
    """Return that an order's month is closed in pay for one of these agents; None: it is not."""
    if now.paid_ts is None:
        return None
    month = day_name(shop_zone(connection, shop_id).day_of(now.paid_ts))[:7]
    concerned = [one for one in agents if one is not None]
    row = connection.execute(_CLOSED, (f"{month}-01", shop_id, concerned)).fetchone()
    return _SAID.filled(month=month) if row is not None and row[0] else None
