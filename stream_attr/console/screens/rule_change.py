"""A change of rules or roster: what it changes, what it would have done, and its publication."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import msgspec
import orjson
from starlette.responses import RedirectResponse, Response

from stream_attr.console.changes.checks import Refusal, refusals
from stream_attr.console.changes.drafts import Change, Drafts, State
from stream_attr.console.changes.history import differences, held_on
from stream_attr.console.changes.previews import Preview, ask_preview, preview_of
from stream_attr.console.changes.publication import NotPublishedError, publish
from stream_attr.console.links import to
from stream_attr.console.periods import chosen, today
from stream_attr.console.refusals import refusal_text
from stream_attr.console.roles import CHANGES_RULES, Role
from stream_attr.console.screens.rows import Shown, shown_rows
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.shop_records import basis_of, history_of, roster_of, settings_of
from stream_attr.console.texts import TEXTS
from stream_attr.console.visit import Visit, not_found
from stream_attr.contract.topics import SETTINGS
from stream_attr.errors import StreamAttrError
from stream_attr.lab.report import report
from stream_attr.lab.result import LabResult
from stream_attr.ledger import audit
from stream_attr.ledger.periods import shop_zone
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.texts import Text
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import day_name
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["SCREEN"]

TITLE: Final = Text("Changes of rules and roster", "规则与名册的变更")
_PATH: Final = "/rules/change"
_MOST_ROWS: Final = 200
_VIEWS: Final = {
    "pairs": Text("What would be somebody else's", "归属会改变的"),
    "agents": Text("By agent", "按客服"),
    "flows": Text("From whom to whom", "从谁到谁"),
    "orders": Text("Which orders", "哪些订单"),
}


def show(visit: Visit) -> Response:
    """Show one change, or all of a shop."""
    return _page(visit)


def _page(visit: Visit, problem: Text | None = None, refused: list[Refusal] | None = None) -> Response:
    """Return the page; ``problem``: why something was not done, of what ``refused`` says the fields."""
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        drafts, zone = Drafts(connection, shop_id), shop_zone(connection, shop_id).name
        if visit.asked.one("number") is None:
            return shop_page(
                visit, "rule_changes.html", TITLE, shop_id=shop_id, changes=drafts.all(), zone=zone
            )
        change = _asked(visit, drafts)
        history = history_of(connection, shop_id)
        reader = settings_of if change.topic == SETTINGS else roster_of
        basis = basis_of(change.topic, shop_id, change.agent_id, reader(connection, shop_id))
        documents = _documents(change, history)
        is_draft = change.state is State.DRAFT
        preview = preview_of(connection, change)
        result = preview.result if preview.state is Preview.DONE else None
        found = None if result is None else _found(visit, shop_id, result)
        if is_draft and refused is None:
            refused = refusals(change.topic, change.document, history, wall_clock_ms())
        day = change.document["effective_from"]
        may_act = visit.account.role in CHANGES_RULES
        if is_draft and may_act and found is not None and visit.request.method == "GET":
            visit.after.append(
                lambda: Drafts(visit.connection, shop_id).note_seen(change, visit.account.login)
            )
        return shop_page(
            visit,
            "rule_change.html",
            TITLE,
            200 if problem is None else 409,
            shop_id=shop_id,
            change=change,
            zone=zone,
            document=change.document,
            changes=differences(change.topic, change.document_before, change.document),
            is_draft=is_draft,
            is_changed=is_draft and basis != change.basis,
            later=sorted(one["effective_from"] for one in documents if one["effective_from"] > day),
            refused=refused or [],
            problem=problem,
            preview=preview.state,
            trial=preview.trial,
            found=found,
            tried=result,
            last_month=[day_name(one) for one in today(connection, shop_id).whole_month],
            Preview=Preview,
            can_preview=_can_preview(visit, shop_id),
            can_publish=visit.writer is not None,
            may_act=may_act,
            is_part=visit.is_part,
            live=to(_PATH, shop=shop_id, number=str(change.number), part="live"),
        )


def _can_preview(visit: Visit, shop_id: str) -> bool:
    """Whether events of a shop are stored."""
    return visit.lab is not None and shop_id in visit.lab.shops


class _View(NamedTuple):
    """What a preview found, as a table."""

    report: Report
    rows: list[list[Shown]]
    totals: list[list[Shown]]
    cut: int
    """Rows that are left out."""


def _found(visit: Visit, shop_id: str, result: LabResult) -> list[_View]:
    """Return what a preview found: how much moves, of whom and to whom, and which orders."""
    names = (TEXTS["value_before"].of(visit.language), TEXTS["value_after"].of(visit.language))
    shown = msgspec.structs.replace(result, rule_sets=names)
    views = []
    for name, title in _VIEWS.items():
        found = report(shown, name, names)
        first = 2 if found.columns[0].key == "before" else 0  # which rules they are stands above
        rows = [row[first:] for row in found.rows]
        found = replace(found, title=title, columns=found.columns[first:])
        totals = [row[first:] for row in found.totals]
        views.append(
            _View(
                found,
                shown_rows(found, rows[:_MOST_ROWS], visit, shop_id, ()),
                shown_rows(found, totals, visit, shop_id, ()),
                max(0, len(rows) - _MOST_ROWS),
            )
        )
    return views


def _asked(visit: Visit, drafts: Drafts) -> Change:
    """Return the change that is asked for. Raises HTTPException, 404."""
    change = drafts.named(visit.asked.one("number") or "")
    if change is None:
        raise not_found()
    return change


def _documents(change: Change, history: Iterable[Record]) -> list[Mapping[str, Any]]:
    """Return the accepted records of the settings, or of the agent, that a change is of."""
    documents = [orjson.loads(one.value or b"") for one in history if one.topic == change.topic]
    return [one for one in documents if change.topic == SETTINGS or one["agent_id"] == change.agent_id]


def act(visit: Visit) -> Response:
    """Do with a draft what its form asks for."""
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            raise not_found()
        change = _asked(visit, Drafts(connection, shop_id))
        reader = settings_of if change.topic == SETTINGS else roster_of
        basis = basis_of(change.topic, shop_id, change.agent_id, reader(connection, shop_id))
        last_month = today(connection, shop_id).whole_month
        held = held_on(_documents(change, history_of(connection, shop_id)), change.document["effective_from"])
    drafts, login = Drafts(visit.connection, shop_id), visit.account.login
    match visit.form.one("do"):
        case "preview" if visit.lab is not None:
            ask_preview(visit.connection, change, chosen(visit.form, last_month), login)
            visit.lab.look()
        case "rebase":
            drafts.save(change.number, change.topic, change.document, held, basis, login)
        case "discard":
            with visit.connection.transaction():
                drafts.discard(change.number)
                audit.note(visit.connection, login, "discard change", shop_id, f"change {change.number}")
        case "publish":
            return _published(visit, change)
    return _back(change)


def _back(change: Change) -> Response:
    return RedirectResponse(to(_PATH, shop=change.shop_id, number=str(change.number)), 303)


def _published(visit: Visit, change: Change) -> Response:
    """Publish a change; where it cannot be, show it with the reason."""
    if visit.writer is None:
        return _page(visit, TEXTS["no_broker"])
    try:
        publish(
            visit.connection,
            visit.writer,
            change,
            visit.account.login,
            digest=visit.form.one("digest") or "",
            without_preview=visit.form.one("without-preview") is not None,
            can_preview=_can_preview(visit, change.shop_id),
        )
    except NotPublishedError as error:
        return _page(visit, TEXTS[error.key], error.refused or None)
    except StreamAttrError as error:
        return _page(visit, TEXTS["not_acknowledged"].filled(why=refusal_text(str(error))))
    return _back(change)


SCREEN: Final = Screen(_PATH, TITLE, show, CHANGES_RULES | {Role.AUDITOR}, False, act, CHANGES_RULES)
