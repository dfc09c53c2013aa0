"""Two orders of last month whose credit depends on the rules and on the roster, as stored events.

Order o-1, of 100.00: the buyer chats with kf-1, places it, chats with kf-2, pays it. By the payment agent it
is kf-2's, by the placing agent kf-1's. Order o-2, of 50.00: the buyer chats with kf-1 alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from stream_attr.ledger.periods import Period
from stream_attr.rules.shop.days import day_number
from tests.lab.files import stored, written

SHOP = "jd:1"
ZONE = ZoneInfo("Asia/Shanghai")
FIRST = {"shop_id": SHOP, "effective_from": "2026-01-01", "preset": "jd_cloud"}
"""The credit is the payment agent's."""
ROSTER = [
    {"shop_id": SHOP, "agent_id": "kf-1", "effective_from": "2026-01-01", "role": "presale", "name": "小李"},
    {"shop_id": SHOP, "agent_id": "kf-2", "effective_from": "2026-01-01", "role": "presale"},
]


def last_month() -> Period:
    """The shop's month before the present one."""
    last = datetime.now(ZONE).date().replace(day=1) - timedelta(days=1)
    return Period(day_number(last.replace(day=1).isoformat()), day_number(last.isoformat()))


def midmonth() -> int:
    """Ten o'clock of last month's 15th, epoch milliseconds."""
    last = datetime.now(ZONE).date().replace(day=1) - timedelta(days=1)
    return int(datetime(last.year, last.month, 15, 10, tzinfo=ZONE).timestamp() * 1000)


def events(start: int, step_ms: int, suffix: str = "") -> tuple[list[Any], list[Any]]:
    """Chat and order events of both orders: what happens one after the other is ``step_ms`` apart."""
    chat: list[Any] = []
    orders: list[Any] = []

    def message(number: int, buyer: str, agent: str) -> None:
        chat.extend(
            {
                "event_id": f"{buyer}-{number}-{sender}{suffix}",
                "shop_id": SHOP,
                "buyer_id": buyer + suffix,
                "agent_id": agent,
                "ts": start + number * step_ms + (sender == "agent"),
                "sender": sender,
                "text": "hello",
            }
            for sender in ("buyer", "agent")
        )

    def ordered(number: int, buyer: str, order: str, type_: str, amount: int) -> None:
        orders.append(
            {
                "event_id": f"{order}-{type_}{suffix}",
                "shop_id": SHOP,
                "buyer_id": buyer + suffix,
                "order_id": order + suffix,
                "ts": start + number * step_ms,
                "type": type_,
                "amount": amount,
                "currency": "CNY",
            }
        )

    message(0, "b-1", "kf-1")
    ordered(1, "b-1", "o-1", "created", 100_00)
    message(2, "b-1", "kf-2")
    ordered(3, "b-1", "o-1", "paid", 100_00)
    message(0, "b-2", "kf-1")
    ordered(1, "b-2", "o-2", "created", 50_00)
    ordered(3, "b-2", "o-2", "paid", 50_00)
    return chat, orders


def folder_of(path: Path) -> Path:
    """Last month's events as they are stored."""
    (path / "files").mkdir()
    (path / "events").mkdir()
    chat, orders = events(midmonth(), 300_000)
    return stored(
        path / "events",
        written(path / "files", chat=chat, orders=orders, roster=ROSTER, settings=[FIRST]),
    )
