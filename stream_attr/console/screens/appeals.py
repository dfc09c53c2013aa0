"""Appeals: mine for an agent; for others the shop's queue, by age or by amount."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from stream_attr.console.links import to
from stream_attr.console.periods import today
from stream_attr.console.rendering import NUMERIC, shown
from stream_attr.console.screens.rows import Shown
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit
from stream_attr.ledger.appeals.sheet import TITLE, appeals_report
from stream_attr.ledger.appeals.waiting import note_seen
from stream_attr.ledger.appeals.words import STATES, State
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options, scope
from stream_attr.ledger.texts import Text

__all__ = ["SCREEN"]

PER_PAGE: Final = 100
_MINE: Final = Text("My appeals", "我的申诉")
_AGENTS: Final = ("agent", "held", "expected", "now")
_HIDDEN: Final = ("comment", "answer_comment", "currency")


def show(visit: Visit) -> Response:
    """Show appeals: open ones, or in another state; the oldest first, or the largest order."""
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        own = visit.agents(shop_id)
        state = visit.asked.one("state")
        if state not in (None, "all", *State):
            raise HTTPException(400, f"state {state!r} is none: open, answered, withdrawn or all")
        wanted = state or ("all" if own is not None else State.OPEN)
        number = _page_number(visit.asked.one("page"))
        by_amount = visit.asked.one("sort") == "amount"
        report = appeals_report(
            connection,
            shop_id,
            states=list(State) if wanted == "all" else [wanted],
            agents=own,
            by_amount=by_amount,
            limit=PER_PAGE + 1,
            offset=(number - 1) * PER_PAGE,
        )
        day = today(connection, shop_id).day
        [shop] = scope(connection, Options((shop_id,), Period(day, day)))
        names = {one.agent_id: one.name for one in shop.members.values() if one.name}
        if own is not None and shop_id in visit.waiting and wanted in ("all", State.ANSWERED):
            _have_seen(visit, shop_id, own)
        rows = list(report.rows)
        keys = [column.key for column in report.columns]
        return shop_page(
            visit,
            "appeals.html",
            TITLE if own is None else _MINE,
            shop_id=shop_id,
            columns=[one for one in report.columns if one.key not in _HIDDEN],
            rows=[
                _cells(visit, shop_id, report, dict(zip(keys, row, strict=True)), names)
                for row in rows[:PER_PAGE]
            ],
            states=STATES,
            state=wanted,
            by_amount=by_amount,
            number=number,
            is_last=len(rows) <= PER_PAGE,
            as_of=report.as_of,
        )


def _have_seen(visit: Visit, shop_id: str, own: Collection[str]) -> None:
    """Note once the page has been read that an agent has seen the answers that it shows."""
    query = (
        "SELECT max(ended_ts) FROM appeal WHERE shop_id = %s AND agent_id = ANY(%s) AND state = 'answered'"
    )
    ((until,),) = visit.connection.execute(query, (shop_id, list(own))).fetchall()
    if until is not None:
        visit.after.append(lambda: note_seen(visit.connection, visit.account.login, shop_id, until))


def _page_number(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise HTTPException(400, f"page {text!r} is none")
    return int(text)


def _cells(
    visit: Visit, shop_id: str, report: Report, row: dict[str, Any], names: Mapping[str, str]
) -> list[Shown]:
    links = {
        "appeal": to("/appeal", shop=shop_id, appeal=str(row["appeal"])),
        "order": to("/order", shop=shop_id, order=str(row["order"])),
    }
    return [
        Shown(
            _named(row[column.key], names, visit.language)
            if column.key in _AGENTS
            else shown(row[column.key], column.kind, visit.language),
            links.get(column.key),
            column.kind in NUMERIC,
        )
        for column in report.columns
        if column.key not in _HIDDEN
    ]


def _named(agent: str | Text, names: Mapping[str, str], language: str) -> str:
    """Return an agent with its name, or nobody."""
    if isinstance(agent, Text):
        return agent.of(language)
    return f"{names[agent]} {agent}" if agent in names else agent


SCREEN: Final = Screen("/appeals", TITLE, show)
