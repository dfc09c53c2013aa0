"""Today: is anything wrong now?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.responses import Response

from stream_attr.console.links import LOST, RECEPTIONS, to
from stream_attr.console.periods import last_days, today
from stream_attr.console.rates import with_ranges
from stream_attr.console.rendering import shown
from stream_attr.console.roles import WHOLE_SHOP
from stream_attr.console.screens.live import unchanged, watch
from stream_attr.console.screens.made import made
from stream_attr.console.screens.rows import shown_rows
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.screens.tiles import Tile, row_of, tiles
from stream_attr.console.screens.trends import trend
from stream_attr.console.visit import Visit
from stream_attr.contract.topics import AGENT_DAILY, DECISIONS
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Period
from stream_attr.ledger.periods import period as period_of
from stream_attr.ledger.reports.agents import DEFAULT as TEAM_FIGURES
from stream_attr.ledger.reports.refused import Refused, refused, refused_elsewhere
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import as_of
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["SCREEN"]

TITLE: Final = Text("Today", "今日")
_TILES: Final = (
    "sales.amount",
    "sales.orders",
    "silent.amount_rate",
    "workload.receptions",
    "workload.unreplied",
    "workload.first_response_ms",
    "inquiries.lost",
    "refunds.completed",
)
_TREND: Final = ("sales.amount", "silent.amount_rate", "workload.first_response_ms")
_TREND_DAYS: Final = 14
_BEHIND: Final = {"sales": "sales", "silent": "silent", "refunds": "refunds"}
"""By group of a figure, the orders behind it."""
_ALERTS: Final = (
    "SELECT rule, changed_ts FROM alert_state WHERE shop_id = ANY(%s) AND active ORDER BY changed_ts DESC"
)


def show(visit: Visit) -> Response:
    """Show the figures of the day, what can still change, alerts, and whether the data are complete."""
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        now = today(connection, shop_id)
        known = as_of(connection, now.zone, (DECISIONS, AGENT_DAILY))
        if (answer := unchanged(visit, known)) is not None:
            return answer
        asked = visit.asked.one("day")
        day = now.day if asked is None else period_of(asked, None, ("day", "day")).first
        period = Period(day, day)
        figures = with_ranges((*_TILES, *(f"{key}:before" for key in _TILES)))
        hidden = frozenset(set(with_ranges(TEAM_FIGURES)) - set(TEAM_FIGURES))
        report = made(visit, "agents", shop_id, period, by=("shop",), figures=figures)
        team = made(visit, "agents", shop_id, period, figures=with_ranges(TEAM_FIGURES))
        pending = made(visit, "pending", shop_id, period, by=("shop",))
        return shop_page(
            visit,
            "today.html",
            TITLE,
            shop_id=shop_id,
            now=now,
            day=period.name,
            period=period,
            last_day=day_name(now.day),
            days=[day_name(day + step) for step in (-1, 1)],
            tiles=_tiles(report, visit, shop_id, period),
            pending=_cells(pending, visit),
            ranges=[note.text for note in pending.notes],
            team=replace(team, columns=[one for one in team.columns if one.key not in hidden]),
            team_rows=shown_rows(team, list(team.rows), visit, shop_id, _pairs(period), hidden),
            alerts=connection.execute(_ALERTS, ([shop_id, "*"],)).fetchall(),
            refused=refused(connection, shop_id, period.instants(now.zone)),
            elsewhere=_elsewhere(visit, period.instants(now.zone)),
            as_of=known,
            trend=None if visit.is_part else trend(visit, shop_id, last_days(day, _TREND_DAYS), _TREND),
            live=watch(visit, known),
        )


def _elsewhere(visit: Visit, instants: tuple[int, int]) -> Refused:
    """Return which records of no known shop could not be used, for those who see all shops."""
    return refused_elsewhere(visit.connection, instants) if visit.account.role.sees_all_shops else []


def _pairs(period: Period) -> list[tuple[str, str]]:
    return [("from", period.name), ("to", period.name)]


def _tiles(report: Report, visit: Visit, shop_id: str, period: Period) -> list[Tile]:
    links: dict[str, str | None] = {}
    for key in _TILES:
        group = key.partition(".")[0]
        if group in _BEHIND:
            links[key] = to("/orders", shop=shop_id, from_=period.name, to=period.name, behind=_BEHIND[group])
        elif key in RECEPTIONS:
            kinds = RECEPTIONS[key]
            links[key] = to("/receptions", shop=shop_id, from_=period.name, to=period.name, kind=kinds)
        elif key in LOST:
            links[key] = to("/losses", shop=shop_id, from_=period.name, to=period.name, kind=LOST[key])
    return list(tiles(_TILES, report, row_of(report), links, visit.language))


def _cells(report: Report, visit: Visit) -> list[tuple[Text, str]]:
    """Return name and value of each figure of the shop's row."""
    rows = list(report.rows)
    if not rows:
        return []
    return [
        (column.name, shown(value, column.kind, visit.language))
        for column, value in zip(report.columns, rows[0], strict=True)
        if column.kind is not Kind.TEXT
    ]


SCREEN: Final = Screen("/today", TITLE, show, WHOLE_SHOP)
