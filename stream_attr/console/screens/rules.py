"""Rules: what is in force on a day, where each comes from, who changed what, and what is prepared."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from stream_attr.console.changes.drafts import Drafts, State
from stream_attr.console.changes.history import label_of, shown_value, versions
from stream_attr.console.periods import today
from stream_attr.console.roles import CHANGES_RULES, WHOLE_SHOP
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.shop_records import history_of, refused_at, roster_of, settings_of
from stream_attr.console.visit import Visit
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.explain.shop_rules import ShopHistory
from stream_attr.ledger.periods import period
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import PRESET_NAMES, ROLES

__all__ = ["SCREEN"]

TITLE: Final = Text("Rules", "规则")
_MOST_RECORDS: Final = 100
_RECORD_NAMES: Final = {SETTINGS: Text("settings", "设置"), ROSTER: Text("roster record", "名册记录")}
_READERS: Final = {SETTINGS: settings_of, ROSTER: roster_of}


def show(visit: Visit) -> Response:
    """Show the rules and the roster in force on a day, and the history of both."""
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        history = ShopHistory(shop_id, None)
        for record in history_of(connection, shop_id):
            history.add(record)
        asked = visit.asked.one("day")
        now = today(connection, shop_id)
        profile = visit.asked.one("profile") or OFFICIAL
        if profile not in history.profiles:
            raise HTTPException(400, f"profile={profile}: write one of {', '.join(sorted(history.profiles))}")
        day = now.day if asked is None else period(asked, None, ("day", "day")).first
        found = history.on(day, profile)
        changes = Drafts(connection, shop_id).all()
        by_topic = {
            topic: list(
                versions(
                    topic,
                    list(records(connection, shop_id)),
                    refused_at(connection, topic, shop_id),
                    changes,
                )
            )
            for topic, records in _READERS.items()
        }
        most = None if visit.asked.one("history") == "all" else _MOST_RECORDS
        names = {one.document["agent_id"]: one.document.get("name", "") for one in reversed(by_topic[ROSTER])}
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
            rules=[
                (
                    one.name,
                    label_of(SETTINGS, one.name),
                    shown_value(SETTINGS, one.name, one.value),
                    _origin(one.origin),
                )
                for one in found.rules
            ],
            names=names,
            origins={one.agent_id: _origin(one.origin) for one in found.roster},
            roles=ROLES,
            drafts=[one for one in changes if one.state is State.DRAFT],
            settings_history=by_topic[SETTINGS][:most],
            roster_history=by_topic[ROSTER][:most],
            is_cut=most is not None and max(map(len, by_topic.values())) > most,
            can_change=visit.account.role in CHANGES_RULES,
        )


def _origin(text: str) -> Text:
    """Return where a rule or a role comes from, in both languages: a record by its first day."""
    place, _, day = text.partition(", from ")
    kind, _, name = place.partition(" ")
    if kind == "preset":
        return Text(text, f"预设 {PRESET_NAMES.chinese_of(name)} {name}")
    if day and kind in _RECORD_NAMES:
        return Text("{kind} from {day} ({place})", "{day} 起的{kind}（{place}）").filled(
            kind=_RECORD_NAMES[kind], day=day, place=place
        )
    return Text(text, "默认") if text == "default" else Text(text, text)


SCREEN: Final = Screen("/rules", TITLE, show, WHOLE_SHOP)
