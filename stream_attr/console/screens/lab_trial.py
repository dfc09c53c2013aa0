"""A trial of rules on screen: how far it is, and views of what came out, down to the orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.responses import Response

from stream_attr.console.links import changed, to
from stream_attr.console.periods import today
from stream_attr.console.roles import CHANGES_RULES
from stream_attr.console.screens.exports import EXPORTS, file_of
from stream_attr.console.screens.live import Live
from stream_attr.console.screens.pay.looks import looked
from stream_attr.console.screens.rows import Shown, shown_rows
from stream_attr.console.screens.screen import shop_page
from stream_attr.console.visit import Asked, Visit, not_found
from stream_attr.lab.report import report
from stream_attr.lab.result import LabResult, Move
from stream_attr.lab.trials import State, Trial, Trials
from stream_attr.ledger.reports.report import Cell, Report, Row
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["STATES", "TITLE", "live", "trial_page"]

TITLE: Final = Text("Lab", "规则实验室")
VIEWS: Final = {
    "pairs": Text("how much moves", "变动汇总"),
    "agents": Text("each agent's money", "客服金额"),
    "flows": Text("from whom to whom", "流向"),
    "orders": Text("orders that move", "变动订单"),
    "pay": Text("each person's pay", "各人薪酬"),
}
STATES: Final = {
    State.WAITING: Text("waiting", "排队中"),
    State.RUNNING: Text("being judged", "判定中"),
    State.DONE: Text("done", "已完成"),
    State.FAILED: Text("failed", "失败"),
    State.CANCELLED: Text("cancelled", "已取消"),
}
PER_PAGE: Final = 100
_NOBODY: Final = "-"
"""Stands for nobody in an address; an agent's id may be this, and is then among those of nobody."""


def live(visit: Visit, trials: Sequence[Trial]) -> Live | None:
    """Return how the page asks for how far trials are; None: nothing is under way."""
    if not any(one.is_open for one in trials):
        return None
    pairs = [(name, value) for name, value in visit.asked.pairs if name != "part"]
    return Live(changed(visit.request.url.path, pairs, part="live"), visit.is_part)


def trial_page(visit: Visit, trial: Trial, result: LabResult | None) -> Response:
    """Return how far a trial is, or a view of what came out. Within `paying`."""
    asked = visit.asked
    view = asked.one("show") or "pairs"
    if view not in VIEWS:
        raise HTTPException(400, f"show={view}: write one of {', '.join(VIEWS)}")
    values: dict[str, Any] = {"report": None, "rows": [], "totals": [], "number": 1, "is_last": True}
    pair = _pair(asked, trial)
    pay = Trials(visit.connection).pay(trial)
    views = {key: name for key, name in VIEWS.items() if key != "pay" or pay is not None}
    if view not in views:
        raise not_found()
    if result is not None:
        wanted = _wanted(asked) if view == "orders" else None
        if view == "pay":
            result = replace(result, pay=pay)
            looked(visit, f"pay of trial {trial.trial_id}, {trial.period.name}")
        made = report(result, view, pair, wanted)
        if (format_ := asked.one("format")) is not None:
            return file_of(visit, made, format_, trial.shop_id, trial.period)
        number = _page_number(asked.one("page"))
        rows = list(made.rows)
        of_page = rows[(number - 1) * PER_PAGE : number * PER_PAGE]
        values = {
            "report": made,
            "rows": _linked(visit, trial, made, of_page, pair),
            "totals": _linked(visit, trial, made, list(made.totals), None),
            "number": number,
            "is_last": len(rows) <= number * PER_PAGE,
        }
    return shop_page(
        visit,
        "trial.html",
        TITLE,
        shop_id=trial.shop_id,
        trial=trial,
        period=trial.period,
        view=view,
        views=views,
        pair=pair or ("", ""),
        states=STATES,
        zone=today(visit.connection, trial.shop_id).zone.name,
        may_act=visit.account.role in CHANGES_RULES,
        exports=list(EXPORTS),
        live=live(visit, [trial]),
        is_part=visit.is_part,
        **values,
    )


def _pair(asked: Asked, trial: Trial) -> tuple[str, str] | None:
    """Return the two rule sets that are looked at; None: each two. Raises HTTPException, 400."""
    before, after = asked.one("before"), asked.one("after")
    names = [one.name for one in trial.rule_sets]
    if before is None and after is None:
        return (names[0], names[1]) if len(names) == 2 else None
    if before not in names or after not in names or before == after:
        raise HTTPException(400, f"before={before} after={after}: write two of {', '.join(names)}")
    return before, after


def _wanted(asked: Asked) -> Callable[[Move], bool] | None:
    """Return which orders that move are asked for: from somebody, to somebody; None: all."""
    giver, taker = asked.one("giver"), asked.one("taker")
    if giver is None and taker is None:
        return None

    def wanted(move: Move) -> bool:
        return giver in (None, move.before.agent_id or _NOBODY) and taker in (
            None,
            move.after.agent_id or _NOBODY,
        )

    return wanted


def _page_number(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise HTTPException(400, f"page {text!r} is none")
    return int(text)


def _linked(
    visit: Visit, trial: Trial, made: Report, rows: Sequence[Row], pair: tuple[str, str] | None
) -> list[list[Shown]]:
    """Return rows as a page shows them, each number of orders with a link to these."""
    days = [("from", day_name(trial.period.first)), ("to", day_name(trial.period.last))]
    found = shown_rows(made, rows, visit, trial.shop_id, days)
    for cells, row in zip(found, rows, strict=True):
        by_key = {column.key: value for column, value in zip(made.columns, row, strict=True)}
        for number, column in enumerate(made.columns):
            who = _behind(column.key, by_key)
            before = by_key.get("before") if pair is None else pair[0]
            after = by_key.get("after") if pair is None else pair[1]
            if who is not None and isinstance(before, str) and isinstance(after, str):
                link = to(
                    "/lab",
                    shop=trial.shop_id,
                    trial=trial.trial_id,
                    show="orders",
                    before=before,
                    after=after,
                    **who,
                )
                cells[number] = cells[number]._replace(link=link)
    return found


def _behind(key: str, row: dict[str, Cell]) -> dict[str, str] | None:
    """Return from and to whom the orders of a number move; None: it is none of such orders."""
    if key == "moved_orders":
        return {}
    if key == "gained_orders":
        return {"taker": _who(row["agent"])}
    if key == "lost_orders":
        return {"giver": _who(row["agent"])}
    if key == "orders" and "to" in row:
        return {"giver": _who(row["from"]), "taker": _who(row["to"])}
    return None


def _who(cell: Cell) -> str:
    return cell if isinstance(cell, str) else _NOBODY
