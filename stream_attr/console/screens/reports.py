"""The reports of the ledger as screens: the rows of the command line, with links, pages and exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from stream_attr.console.kept import Kept
from stream_attr.console.links import changed
from stream_attr.console.periods import Today, chosen, last_days, month_of, named, today
from stream_attr.console.rates import compared, is_of_range, with_ranges
from stream_attr.console.roles import WHOLE_SHOP, Role
from stream_attr.console.screens import team_figures
from stream_attr.console.screens.exports import EXPORTS, file_of
from stream_attr.console.screens.filters import BEHIND_NAMES, choices, options_of
from stream_attr.console.screens.heat import heat_maps
from stream_attr.console.screens.live import unchanged, watch
from stream_attr.console.screens.made import made
from stream_attr.console.screens.rows import shown_rows, sorted_rows
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.screens.team_figures import KeptReport
from stream_attr.console.screens.trends import trend
from stream_attr.console.texts import TEXTS
from stream_attr.console.visit import Asked, Visit, not_found
from stream_attr.contract.topics import COMPARISONS, DECISIONS
from stream_attr.errors import UnusableError
from stream_attr.ledger.asked import asked as figures_asked
from stream_attr.ledger.by import TIMES, WHO
from stream_attr.ledger.periods import Period, shop_zone
from stream_attr.ledger.reports.agents import DEFAULT as TEAM_FIGURES
from stream_attr.ledger.reports.report import Report, Row
from stream_attr.ledger.reports.scope import Member, Options, agents_of, as_of, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["REPORT_SCREENS"]

PER_PAGE: Final = 100
_DIGITS: Final = 6
"""Of the number of a page."""


_KEEPERS: Final = WHOLE_SHOP - {Role.AUDITOR}
"""Who may keep figures by a name."""
_LIVE: Final = ("orders",)
"""Reports that show by themselves what comes in, where their days have not ended."""
_EMPTY: Final = {
    "goals": "empty_goals",
    "signals": "empty_signals",
    "pending": "empty_pending",
    "losses": "empty_losses",
    "compare": "empty_compare",
}
"""By report, the text that says why there are no rows."""


_T = TypeVar("_T")


class _Of(NamedTuple):
    """What a report takes as a screen."""

    path: str
    title: Text
    by: bool = False
    list_of: str | None = None
    """What one row is, where there are as many as orders: these are not sorted but by time."""
    whole_shop_only: bool = False
    """Whether rows are about others, so that agents do not see it."""
    trend: tuple[str, ...] = ()
    """Figures that are drawn by day, of a report that can stand beside the period before."""


_TEAM_TREND: Final = ("sales.amount", "inquiries.inquiry_to_order", "workload.first_response_ms")
_SALES_TREND: Final = ("sales.amount", "sales.orders", "refunds.completed")
_REPORTS: Final = {
    "agents": _Of("/team", Text("Team", "团队"), by=True, whole_shop_only=True, trend=_TEAM_TREND),
    "orders": _Of("/orders", Text("Orders", "订单"), list_of="order"),
    "sales": _Of("/sales", Text("Sales", "销售"), by=True, whole_shop_only=True, trend=_SALES_TREND),
    "pending": _Of("/pending", Text("Pending", "待定"), by=True, list_of="order"),
    "losses": _Of("/losses", Text("Losses", "流失"), list_of="loss"),
    "receptions": _Of("/receptions", Text("Receptions", "接待"), list_of="reception"),
    "pressure": _Of("/pressure", Text("Pressure", "接待压力"), whole_shop_only=True),
    "goals": _Of("/goals", Text("Goals", "目标"), whole_shop_only=True),
    "review": _Of("/review", Text("Review", "复盘"), whole_shop_only=True),
    "compare": _Of("/compare", Text("Compare rules", "规则对比"), by=True, whole_shop_only=True),
    "signals": _Of("/signals", Text("Signals", "异常"), whole_shop_only=True),
    "quality": _Of("/quality", Text("Data health", "数据体检"), whole_shop_only=True),
}


class _Asking(NamedTuple):
    """What a visit asks a report for."""

    name: str
    shop_id: str
    now: Today
    period: Period
    options: dict[str, Any]
    """Of the report, beside shop and days."""
    figures: tuple[str, ...]
    """Columns that are shown, of a report of which figures can be chosen; others stand beside them."""
    members: list[Member]
    """Agents that can be chosen."""
    profiles: list[str]
    """Further profiles, of a report that takes one."""
    takes_by: bool
    compares: bool
    own: tuple[str, ...] | None

    @property
    def of(self) -> _Of:
        return _REPORTS[self.name]


def _show(name: str, visit: Visit, problem: str = "") -> Response:
    """Show a report of the shop, or write it as a file if ``format`` asks for one.

    ``problem``: why what was sent from the page cannot be.
    """
    if name == "agents" and (way := team_figures.added(visit)) is not None:
        return way
    kept = team_figures.kept_reports(visit) if name == "agents" else {}
    with visit.reading():
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", _REPORTS[name].title)
        if (answer := _unchanged(name, visit, shop_id)) is not None:
            return answer
        asking = _asking(name, visit, shop_id)
        if name == "compare" and not asking.profiles:
            return shop_page(visit, "no_profile.html", asking.of.title, shop_id=shop_id)
        if (format_ := visit.asked.one("format")) is not None:
            return file_of(visit, _without_empty(_whole(visit, asking)), format_, shop_id, asking.period)
        number = _page_number(visit.asked)
        part = range((number - 1) * PER_PAGE, number * PER_PAGE + 1)
        if _can_sort(asking):
            report = _whole(visit, asking)
            rows = list(report.rows)[part.start : part.stop]
        else:
            report = made(visit, name, shop_id, asking.period, rows=part, **asking.options)
            rows = list(report.rows)
        return _page(visit, asking, report, rows, number, kept.get(shop_id, []), problem)


def _unchanged(name: str, visit: Visit, shop_id: str) -> Response | None:
    """Return the answer to a page that asks by itself, and has all that there is; None: it has not."""
    if name not in _LIVE or not visit.is_part:
        return None
    topic = DECISIONS if visit.asked.one("profile") in (None, OFFICIAL) else COMPARISONS
    return unchanged(visit, as_of(visit.connection, shop_zone(visit.connection, shop_id), (topic,)))


def _keep(visit: Visit) -> Response:
    """Keep the team's figures by a name, or delete what is kept."""
    with visit.reading():
        shop_id = visit.shop()
        if shop_id is None:
            raise not_found()
        asking = _asking("agents", visit, shop_id)
    name = visit.form.one("name") or ""
    if (gone := visit.form.one("delete")) is not None:
        team_figures.delete(visit, shop_id, gone)
    else:
        try:
            team_figures.save(visit, shop_id, asking.period, name)
        except UnusableError as error:
            return _show("agents", visit, str(error))
    return RedirectResponse(changed(visit.request.url.path, visit.asked.pairs), 303)


def _whole(visit: Visit, asking: _Asking) -> Report:
    """Return a report with all its rows, in the order that is asked for if it can be sorted."""

    def make() -> Report:
        return made(visit, asking.name, asking.shop_id, asking.period, **asking.options)

    if not _can_sort(asking):
        return make()
    seen = (visit.account.role.sees_all_shops, asking.shop_id, asking.own)
    kept: Kept = visit.request.app.state.kept
    report = kept.report((*seen, asking.name, asking.period, tuple(asking.options.items())), make)
    rows = sorted_rows(report, list(report.rows), visit.asked.one("sort"), visit.language)
    return replace(report, rows=rows)


def _asking(name: str, visit: Visit, shop_id: str) -> _Asking:
    """Return what a visit asks a report for. Raises UnusableError, and HTTPException, 400 or 404."""
    of, asked, own = _REPORTS[name], visit.asked, visit.agents(shop_id)
    if own is not None and asked.all("by"):
        raise not_found()  # such rows have the shop's sums below them
    now = today(visit.connection, shop_id)
    period = chosen(asked, last_days(now.day, 30) if name == "orders" else month_of(now.day))
    if name == "quality":
        period = _until(period, now.day)  # a day that has not come lacks nothing
    takes_by = of.by and own is None
    options = options_of(name, asked, takes_by=takes_by)
    if sum(one in WHO for one in options.get("by", ())) > 1:
        raise HTTPException(400, TEXTS["by_one"].of(visit.language))
    profiles = _profiles(visit, shop_id) if name in ("compare", "orders") else []
    if name == "compare" and profiles:
        options["profile"] = options["profile"] or profiles[0]
    is_of_parts = any(one in TIMES for one in options.get("by", ()))
    compares = bool(of.trend) and asked.one("compare") is not None and not is_of_parts
    figures: tuple[str, ...] = ()
    if name == "agents":
        figures = tuple(one.key for one in figures_asked(options["figures"] or TEAM_FIGURES))
        figures = compared(figures) if compares else figures
        options["figures"] = with_ranges(figures)
    elif name == "sales":
        options |= {"beside_before": compares, "beside_ranges": True}
    [shop] = scope(visit.connection, Options((shop_id,), period))
    members = agents_of(visit.connection, shop)
    able = [one for one in members.values() if own is None or one.agent_id in own]
    return _Asking(
        name,
        shop_id,
        now,
        period,
        options,
        figures,
        able if own is None or len(able) > 1 else [],
        profiles,
        takes_by,
        compares,
        own,
    )


def _can_sort(asking: _Asking) -> bool:
    return asking.of.list_of is None or bool(asking.options.get("by"))


def _page(
    visit: Visit,
    asking: _Asking,
    report: Report,
    rows: Sequence[Row],
    number: int,
    kept: Sequence[KeptReport],
    problem: str,
) -> Response:
    """Return a page of the rows (with one more if there is one), and what can be chosen."""
    asked, period, shop_id = visit.asked, asking.period, asking.shop_id
    first, last = day_name(period.first), day_name(period.last)
    pairs = [
        *((key, one) for key, one in asked.pairs if key not in ("from", "to")),
        ("from", first),
        ("to", last),
    ]
    agents = asking.options["agents"]
    is_whole = not (asking.options["groups"] or asking.options["persons"])
    drawn = asking.figures if asked.one("figures") else asking.of.trend
    hidden = _hidden(asking, report)
    is_live = asking.name in _LIVE and period.last >= asking.now.day
    heat = []
    if asking.name == "pressure":
        whole = shown_rows(report, list(report.rows), visit, shop_id, pairs)
        heat = heat_maps(report, whole, visit.language)
    return shop_page(
        visit,
        "report.html",
        asking.of.title,
        400 if problem else 200,
        shop_id=shop_id,
        now=asking.now,
        name=asking.name,
        report=replace(report, columns=[one for one in report.columns if one.key not in hidden]),
        rows=shown_rows(report, rows[:PER_PAGE], visit, shop_id, pairs, hidden),
        totals=shown_rows(report, list(report.totals), visit, shop_id, pairs, hidden),
        periods=named(asking.now.day),
        period=period,
        last_day=day_name(asking.now.day),
        first=first,
        last=last,
        number=number,
        is_last=len(rows) <= PER_PAGE,
        sort=asked.one("sort") or "",
        can_sort=_can_sort(asking),
        choices=choices(asking.name, asked, asking.members, takes_by=asking.takes_by),
        can_compare=bool(asking.of.trend),
        compares=asking.compares,
        profiles=asking.profiles if asking.name == "compare" else [OFFICIAL, *asking.profiles],
        takes_profile=bool(asking.profiles),
        profile=asking.options.get("profile") or OFFICIAL,
        exports=list(EXPORTS),
        heat=heat,
        behind=BEHIND_NAMES.get(asking.options.get("behind") or ""),
        empty=_EMPTY.get(asking.name, "empty"),
        figure_choice=team_figures.choice(visit) if asking.name == "agents" else None,
        kept=kept,
        may_keep=visit.account.role in _KEEPERS,
        problem=problem,
        live=watch(visit, report.as_of) if is_live else None,
        trend=trend(visit, shop_id, _until(period, asking.now.day), drawn if is_whole else (), agents),
    )


def _hidden(asking: _Asking, report: Report) -> frozenset[str]:
    """Return the columns that are shown beside others, as what these are made of or can still come to."""
    beside = set(asking.options.get("figures", ()))
    beside |= {column.key for column in report.columns if is_of_range(column.key)}
    return frozenset(beside - set(asking.figures))


def _without_empty(report: Report) -> Report:
    """Return a report without the columns that say of others what can still change, where nothing can."""
    at = [number for number, column in enumerate(report.columns) if is_of_range(column.key)]
    if not at:
        return report
    rows = list(report.rows)
    gone = {number for number in at if all(row[number] is None for row in (*rows, *report.totals))}

    def left(of: Sequence[_T]) -> tuple[_T, ...]:
        return tuple(one for number, one in enumerate(of) if number not in gone)

    return replace(
        report,
        columns=left(report.columns),
        rows=[left(row) for row in rows],
        totals=[left(row) for row in report.totals],
    )


def _until(period: Period, day: int) -> Period:
    """Return the days of a period that have come, if any has."""
    return Period(period.first, min(period.last, max(day, period.first)))


def _profiles(visit: Visit, shop_id: str) -> list[str]:
    """Return the further profiles of a shop."""
    rows = visit.connection.execute(
        "SELECT DISTINCT key FROM shop_settings, json_object_keys(record->'profiles') AS key"
        " WHERE shop_id = %s AND json_typeof(record->'profiles') = 'object' ORDER BY 1",
        (shop_id,),
    )
    return [name for (name,) in rows]


def _page_number(asked: Asked) -> int:
    text = asked.one("page") or "1"
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS or int(text) < 1:
        raise HTTPException(400, f"page={text}: write a number from 1")
    return int(text)


def _screen(name: str, of: _Of) -> Screen:
    def show(visit: Visit) -> Response:
        return _show(name, visit)

    roles = WHOLE_SHOP if of.whole_shop_only else WHOLE_SHOP | {Role.AGENT}
    if name != "agents":
        return Screen(of.path, of.title, show, roles)
    return Screen(of.path, of.title, show, roles, act=_keep, acting=_KEEPERS)


REPORT_SCREENS: Final = {name: _screen(name, of) for name, of in _REPORTS.items()}
