"""Rules: what is in force on a day, and where each comes from."""

from __future__ import annotations

from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from stream_attr.console.periods import today
from stream_attr.console.roles import WHOLE_SHOP
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.shop_records import settings_of
from stream_attr.console.visit import Visit
from stream_attr.contract.topics import ROSTER
from stream_attr.explain.shop_rules import ShopHistory
from stream_attr.ledger.periods import period
from stream_attr.ledger.texts import Text
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["SCREEN"]

TITLE: Final = Text("Rules", "规则")
_ROSTER: Final = (
    "SELECT source_partition, source_offset, agent_id, effective_from, role, name, agent_group, person_id"
    " FROM roster WHERE shop_id = %s ORDER BY 1, 2"
)


def show(visit: Visit) -> Response:
    """Show the rules and the roster in force on a day."""
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        history = ShopHistory(shop_id, None)
        for record in settings_of(connection, shop_id):
            history.add(record)
        for partition, offset, *fields in connection.execute(_ROSTER, (shop_id,)):
            names = ("agent_id", "effective_from", "role", "name", "group", "person_id")
            kept = {name: value for name, value in zip(names, fields, strict=True) if value is not None}
            history.add(
                Record(ROSTER, partition, offset, 0, None, orjson.dumps({"shop_id": shop_id, **kept}))
            )
        asked = visit.asked.one("day")
        now = today(connection, shop_id)
        profile = visit.asked.one("profile") or OFFICIAL
        if profile not in history.profiles:
            raise HTTPException(400, f"profile={profile}: write one of {', '.join(sorted(history.profiles))}")
        day = now.day if asked is None else period(asked, None, ("day", "day")).first
        found = history.on(day, profile)
        return shop_page(
            visit,
            "rules.html",
            TITLE,
            shop_id=shop_id,
            now=now,
            day=day_name(day),
            found=found,
            profile=profile,
            profiles=sorted(history.profiles),
            rules=[(one.name, orjson.dumps(one.value).decode(), one.origin) for one in found.rules],
        )


SCREEN: Final = Screen("/rules", TITLE, show, WHOLE_SHOP)
