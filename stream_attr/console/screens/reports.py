"""The reports of the ledger as screens: the rows of the command line, with links, pages and exports."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from stream_attr.console.links import link_of
from stream_attr.console.periods import chosen, last_days, month_of, named, today
from stream_attr.console.rendering import NUMERIC, shown
from stream_attr.console.roles import WHOLE_SHOP, Role
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Asked, Visit, not_found
from stream_attr.ledger.by import BY
from stream_attr.ledger.formats.output import WRITERS
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports import losses, signals
from stream_attr.ledger.reports.orders import BEHIND
from stream_attr.ledger.reports.report import Cell, Moment, Money, Number, Report, Row
from stream_attr.ledger.reports.scope import Options
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import BASES, NOTICES, OUTCOMES, REASONS, STATUSES

__all__ = ["REPORT_SCREENS", "Shown", "made", "shown_rows"]

PER_PAGE: Final = 100
_EXPORTS: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
_DIGITS: Final = 6
"""Of the number of a page."""
_CHUNK: Final = 64 * 1024
_IN_MEMORY: Final = 1024 * 1024
_WORDS: Final = {
    "status": STATUSES,
    "outcome": OUTCOMES,
    "basis": BASES,
    "reason": REASONS,
    "notice": NOTICES,
}
_KINDS: Final = {"losses": losses.KINDS, "signals": signals.SIGNALS}


class _Of(NamedTuple):
    """What a report takes as a screen."""

    path: str
    title: Text
    by: bool = False
    list_of: str | None = None
    """What one row is, where there are as many as orders: these are not sorted but by time."""
    whole_shop_only: bool = False
    """Whether rows are about others, so that agents do not see it."""


_REPORTS: Final = {
    "agents": _Of("/team", Text("Team", "团队"), by=True, whole_shop_only=True),
    "orders": _Of("/orders", Text("Orders", "订单"), list_of="order"),
    "sales": _Of("/sales", Text("Sales", "销售"), by=True, whole_shop_only=True),
    "pending": _Of("/pending", Text("Pending", "待定"), by=True, list_of="order"),
    "losses": _Of("/losses", Text("Losses", "流失"), list_of="loss"),
    "pressure": _Of("/pressure", Text("Pressure", "接待压力"), whole_shop_only=True),
    "goals": _Of("/goals", Text("Goals", "目标"), whole_shop_only=True),
    "review": _Of("/review", Text("Review", "复盘"), whole_shop_only=True),
    "compare": _Of("/compare", Text("Compare rules", "规则对比"), by=True, whole_shop_only=True),
    "signals": _Of("/signals", Text("Signals", "异常"), whole_shop_only=True),
    "quality": _Of("/quality", Text("Data health", "数据体检"), whole_shop_only=True),
}


class Shown(NamedTuple):
    """A cell as a page shows it."""

    text: str
    link: str | None
    is_number: bool
    heat: int | None = None
    """Of a heat map: 0 to 9."""


def made(visit: Visit, name: str, shop_id: str, period: Period, **others: Any) -> Report:
    """Make a report of what the account may see. Raises UnusableError as the report does."""
    own, asked = visit.agents(shop_id), others.get("agents", ())
    if own is not None and (
        any(one not in own for one in asked) or others.get("groups") or others.get("persons")
    ):
        raise not_found()
    report = importlib.import_module(f"stream_attr.ledger.reports.{name}").report
    result: Report = report(visit.connection, Options((shop_id,), period, ids=own, **others))
    return result


def shown_rows(
    report: Report, rows: Sequence[Row], visit: Visit, shop_id: str, pairs: Sequence[tuple[str, str]]
) -> list[list[Shown]]:
    """Return rows of a report as a page shows them."""
    most = {
        index: max((_size(row[index]) for row in rows), default=0.0)
        for index, column in enumerate(report.columns)
        if report.name == "pressure" and column.key in ("most", "usual", "receptions")
    }
    has_currency = any(column.key == "currency" for column in report.columns)
    own = visit.agents(shop_id)
    found = []
    for row in rows:
        by_key = {column.key: value for column, value in zip(report.columns, row, strict=True)}
        found.append(
            [
                Shown(
                    shown(value, column.kind, visit.language, has_currency=has_currency),
                    link_of(column, value, by_key, pairs, shop_id, own),
                    column.kind in NUMERIC,
                    round(9 * _size(value) / most[index]) if most.get(index) else None,
                )
                for index, (column, value) in enumerate(zip(report.columns, row, strict=True))
            ]
        )
    return found


def _size(value: Cell) -> float:
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, Moment):
        return value.ts
    if isinstance(value, Number):
        return value.value
    return value if isinstance(value, int | float) else 0.0


def _sorted(report: Report, rows: Sequence[Row], by: str | None, language: str) -> list[Row]:
    """Return rows sorted by a column, ``-`` before its key: the greatest first; empty cells come last."""
    key = (by or "").removeprefix("-")
    index = next((n for n, column in enumerate(report.columns) if column.key == key), None)
    if index is None:
        return list(rows)

    def order(row: Row) -> Any:
        value = row[index]
        if isinstance(value, Text):
            return value.of(language)
        return value if isinstance(value, str) else _size(value)

    there = [row for row in rows if row[index] is not None]
    there.sort(key=order, reverse=(by or "").startswith("-"))
    return there + [row for row in rows if row[index] is None]


def _options(name: str, asked: Asked) -> dict[str, Any]:
    """Return what the query string asks a report for, beside shop and days. Raises HTTPException, 400."""
    of = _REPORTS[name]
    found: dict[str, Any] = {
        "agents": asked.all("agent"),
        "groups": asked.all("group"),
        "persons": asked.all("person"),
    }
    if of.by:
        found["by"] = _known("by", asked.all("by"), BY)
    if name in _KINDS:
        found["kinds"] = _known("kind", asked.all("kind"), _KINDS[name])
    if name == "orders":
        found.update(
            statuses=_known("status", asked.all("status"), STATUSES),
            outcomes=_known("outcome", asked.all("outcome"), OUTCOMES),
            bases=_known("basis", asked.all("basis"), BASES),
            reasons=_known("reason", asked.all("reason"), REASONS),
            notices=_known("notice", asked.all("notice"), NOTICES),
            behind=(_known("behind", asked.all("behind")[-1:], BEHIND) or (None,))[0],
            profile=asked.one("profile"),
        )
    if name == "agents":
        found["figures"] = tuple(
            text.strip() for one in asked.all("figures") for text in one.split(",") if text.strip()
        )
    if name == "compare":
        found["profile"] = asked.one("profile")
    return found


def _profiles(visit: Visit, shop_id: str) -> list[str]:
    """Return the further profiles of a shop."""
    rows = visit.connection.execute(
        "SELECT DISTINCT key FROM shop_settings, json_object_keys(record->'profiles') AS key"
        " WHERE shop_id = %s AND json_typeof(record->'profiles') = 'object' ORDER BY 1",
        (shop_id,),
    )
    return [name for (name,) in rows]


def _known(name: str, values: tuple[str, ...], words: Any) -> tuple[str, ...]:
    for one in values:
        if one not in words:
            raise HTTPException(400, f"{name}={one}: write one of {', '.join(words)}")
    return values


def _show(name: str, visit: Visit) -> Response:
    """Show a report of the shop, or write it as a file if ``format`` asks for one."""
    of, asked = _REPORTS[name], visit.asked
    with visit.reading():
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", of.title)
        own_only = visit.agents(shop_id) is not None
        if own_only and asked.all("by"):
            raise not_found()  # such rows have the shop's sums below them
        now = today(visit.connection, shop_id)
        default = last_days(now.day, 30) if name == "orders" else month_of(now.day)
        period = chosen(asked, default)
        options = _options(name, asked)
        profiles = _profiles(visit, shop_id) if name in ("compare", "orders") else []
        if name == "compare":
            if not profiles:
                return shop_page(visit, "no_profile.html", of.title, shop_id=shop_id)
            options["profile"] = options["profile"] or profiles[0]
        report = made(visit, name, shop_id, period, **options)
        format_ = asked.one("format")
        can_sort = of.list_of is None or bool(asked.all("by"))
        if can_sort:
            rows = _sorted(report, list(report.rows), asked.one("sort"), visit.language)
            report = replace(report, rows=rows)
        if format_ is not None:
            return _file(visit, report, format_, shop_id, period)
        number = _page_number(asked)
        page = _page(report, number)
        is_last, page = len(page) <= PER_PAGE, page[:PER_PAGE]
        pairs = [*_without_days(asked), ("from", day_name(period.first)), ("to", day_name(period.last))]
        return shop_page(
            visit,
            "report.html",
            of.title,
            shop_id=shop_id,
            now=now,
            name=name,
            report=report,
            rows=shown_rows(report, page, visit, shop_id, pairs),
            totals=shown_rows(report, list(report.totals), visit, shop_id, pairs),
            periods=named(now.day),
            period=period,
            last_day=day_name(now.day),
            first=day_name(period.first),
            last=day_name(period.last),
            number=number,
            is_last=is_last,
            sort=asked.one("sort") or "",
            can_sort=can_sort,
            takes_by=of.by and not own_only,
            bys=[one for one in BY if one != "shop"],
            by=asked.all("by"),
            words=_WORDS if name == "orders" else {},
            kinds=list(_KINDS.get(name, ())),
            chosen_words={key: asked.all(key) for key in (*_WORDS, "kind")},
            profiles=profiles if name == "compare" else [OFFICIAL, *profiles],
            profile=options.get("profile") or OFFICIAL,
            own_only=own_only,
            agent=asked.one("agent") or "",
            exports=list(_EXPORTS),
        )


def _page(report: Report, number: int) -> list[Row]:
    """Return the rows of a page, and one more if there is one."""
    first, end = (number - 1) * PER_PAGE, number * PER_PAGE + 1
    rows = iter(report.rows)
    page = list(islice(rows, first, end))
    if isinstance(rows, Generator):
        rows.close()  # what it reads from the database ends within the snapshot
    return page


def _page_number(asked: Asked) -> int:
    text = asked.one("page") or "1"
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS or int(text) < 1:
        raise HTTPException(400, f"page={text}: write a number from 1")
    return int(text)


def _without_days(asked: Asked) -> list[tuple[str, str]]:
    return [(name, value) for name, value in asked.pairs if name not in ("from", "to")]


def _file(visit: Visit, report: Report, format_: str, shop_id: str, period: Period) -> Response:
    """Return the whole report as a file; who took it is in the audit."""
    if format_ not in _EXPORTS:
        raise HTTPException(400, f"format={format_}: write one of {', '.join(_EXPORTS)}")
    file: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- closed once it is sent
    WRITERS[format_](report, visit.language, file)
    file.seek(0)
    days = period.name.replace(" ", "").replace("\N{EN DASH}", "_")
    asked = " ".join(f"{name}={value}" for name, value in visit.asked.pairs if value and name != "shop")
    visit.note("export", shop_id, f"{report.name} {days} {asked}")
    return StreamingResponse(
        _chunks(file),
        media_type=_EXPORTS[format_],
        headers={"Content-Disposition": f'attachment; filename="{report.name}_{days}.{format_}"'},
    )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with closing(file):
        while chunk := file.read(_CHUNK):
            yield chunk


def _screen(name: str, of: _Of) -> Screen:
    def show(visit: Visit) -> Response:
        return _show(name, visit)

    return Screen(of.path, of.title, show, WHOLE_SHOP if of.whole_shop_only else WHOLE_SHOP | {Role.AGENT})


REPORT_SCREENS: Final = {name: _screen(name, of) for name, of in _REPORTS.items()}
