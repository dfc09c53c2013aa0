"""The shops of a set of records, each with what is its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.reference.model import once
from tests.reference.receptions import Event, Roster
from tests.reference.settings import ShopSettings


@dataclass(frozen=True)
class Shop:
    """One shop's accepted events, repeats dropped, with its settings and its roster."""

    shop_id: str
    chat: list[Event]
    orders: list[Event]
    settings: ShopSettings
    roster: Roster


def shops_of(
    chat: list[Event], orders: list[Event], settings: list[dict[str, Any]], roster: list[dict[str, Any]]
) -> list[Shop]:
    """Return the shops that the events name."""

    def of_shop(shop_id: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [r for r in records if r["shop_id"] == shop_id]

    return [
        Shop(
            shop_id,
            of_shop(shop_id, once(chat)),
            of_shop(shop_id, once(orders)),
            ShopSettings(of_shop(shop_id, settings)),
            Roster(of_shop(shop_id, roster)),
        )
        for shop_id in sorted({e["shop_id"] for e in [*chat, *orders]})
    ]
