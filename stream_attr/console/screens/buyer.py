"""The buyer's day: where did this inquiry go?"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from psycopg import Connection
from starlette.responses import Response

from stream_attr.console.periods import chosen, today
from stream_attr.console.screens.exports import EXPORTS, file_of
from stream_attr.console.screens.made import made
from stream_attr.console.screens.rows import Shown, shown_rows
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit, not_found
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.buyer import EVENTS
from stream_attr.ledger.reports.report import Cell, Report
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import Zone, day_name, day_number
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["SCREEN", "may_open"]

TITLE: Final = Text("Buyer's day", "买家当日")
_OF_OTHER_DAYS: Final = 14
_DAYS: Final = (
    "SELECT DISTINCT day::text FROM reception WHERE shop_id = %(shop)s AND buyer_id = %(buyer)s"
    " ORDER BY 1 DESC LIMIT %(most)s"
)
_MET: Final = (
    "SELECT EXISTS (SELECT FROM reception WHERE shop_id = %(shop)s AND buyer_id = %(buyer)s"
    " AND (%(own)s::text[] IS NULL OR agent_id = ANY(%(own)s))) OR EXISTS (SELECT FROM decision"
    " WHERE shop_id = %(shop)s AND buyer_id = %(buyer)s AND profile = 'official' AND (%(own)s::text[] IS NULL"
    " OR agent_id = ANY(%(own)s) OR placing_agent_id = ANY(%(own)s) OR payment_agent_id = ANY(%(own)s)))"
)
_ORDER: Final = (
    "SELECT created_ts, coalesce(paid_ts, created_ts) FROM decision"
    " WHERE shop_id = %s AND order_id = %s AND profile = %s AND buyer_id = %s"
)
_LAST_ORDER: Final = (
    "SELECT max(coalesce(paid_ts, created_ts)) FROM decision"
    " WHERE shop_id = %s AND buyer_id = %s AND profile = %s"
)


class Entry(NamedTuple):
    """One entry of the time line."""

    kind: str
    """Of `EVENTS`: which mark stands before it."""
    cells: dict[str, Shown]
    """By column."""


def show(visit: Visit) -> Response:
    """Show what happened with a buyer in some days, in order, or write it as a file."""
    buyer_id = visit.asked.one("buyer")
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None or buyer_id is None:
            raise not_found()
        own = visit.agents(shop_id)
        if not may_open(connection, shop_id, buyer_id, own):
            raise not_found()
        now = today(connection, shop_id)
        days = _days(connection, shop_id, buyer_id)
        default = _default(visit, shop_id, buyer_id, now.zone, days) or Period(now.day, now.day)
        period = chosen(visit.asked, default)
        report = made(visit, "buyer", shop_id, period, buyer=buyer_id)
        if own is not None:
            visit.note("open buyer", shop_id, f"{buyer_id} {period.name}")
        if (format_ := visit.asked.one("format")) is not None:
            return file_of(visit, report, format_, shop_id, period)
        return shop_page(
            visit,
            "buyer.html",
            TITLE,
            shop_id=shop_id,
            buyer_id=buyer_id,
            now=now,
            period=period,
            first=day_name(period.first),
            last=day_name(period.last),
            days=days,
            entries=_entries(report, visit, shop_id),
            exports=list(EXPORTS),
            as_of=report.as_of,
        )


def may_open(connection: Connection[Any], shop_id: str, buyer_id: str, own: tuple[str, ...] | None) -> bool:
    """Whether somebody who may see ``own`` agents (None: all) may see a buyer's days.

    Agents may of the buyers whom they have received, or of whose orders they are a part, and all others of
    those whom the shop has received or who have ordered there: another one is of no shop of theirs.
    """
    bound = {"shop": shop_id, "buyer": buyer_id, "own": None if own is None else list(own)}
    row = connection.execute(_MET, bound).fetchone()
    return row is not None and bool(row[0])


def _days(connection: Connection[Any], shop_id: str, buyer_id: str) -> list[str]:
    """Return the last days on which the buyer was received, the latest first."""
    bound = {"shop": shop_id, "buyer": buyer_id, "most": _OF_OTHER_DAYS}
    return [day for (day,) in connection.execute(_DAYS, bound)]


def _default(visit: Visit, shop_id: str, buyer_id: str, zone: Zone, days: list[str]) -> Period | None:
    """Return the days of the order that is named, else the buyer's last one; None: there is none."""
    order_id = visit.asked.one("order")
    if order_id is not None:
        row = visit.connection.execute(_ORDER, (shop_id, order_id, OFFICIAL, buyer_id)).fetchone()
        if row is not None:
            created, paid = row
            return Period(zone.day_of(created), zone.day_of(max(created, paid)))
    row = visit.connection.execute(_LAST_ORDER, (shop_id, buyer_id, OFFICIAL)).fetchone()
    found = [day_number(days[0])] if days else []
    if row is not None and row[0] is not None:
        found.append(zone.day_of(row[0]))
    return Period(max(found), max(found)) if found else None


def _entries(report: Report, visit: Visit, shop_id: str) -> list[Entry]:
    kinds: dict[Cell, str] = {text: kind for kind, text in EVENTS.items()}
    rows = list(report.rows)
    keys = [column.key for column in report.columns]
    event = keys.index("event")
    cells = shown_rows(report, rows, visit, shop_id, ())
    return [
        Entry(kinds[row[event]], dict(zip(keys, some, strict=True)))
        for row, some in zip(rows, cells, strict=True)
    ]


SCREEN: Final = Screen("/buyer", TITLE, show, in_menu=False)
