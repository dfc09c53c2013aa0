"""An order's receipt on a page: what happened, every reason, every revision, and its appeals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from stream_attr.codec.money import format_money
from stream_attr.console.screens.buyer import may_open
from stream_attr.console.screens.live import unchanged, watch
from stream_attr.console.screens.order_appeals import appeal_form, shown_appeals
from stream_attr.console.screens.screen import shop_page
from stream_attr.console.shop_records import settings_of
from stream_attr.console.visit import Visit
from stream_attr.contract.topics import DECISIONS
from stream_attr.explain.decision import explain_decision
from stream_attr.explain.roster_names import agent_named
from stream_attr.explain.verify import Decision, verify
from stream_attr.explain.view import intervals_of
from stream_attr.explain.why_not import AgentHistory, AgentReception
from stream_attr.ledger.periods import Period, shop_zone
from stream_attr.ledger.reports.report import Moment, Money
from stream_attr.ledger.reports.scope import Options, agents_of, as_of, scope
from stream_attr.ledger.texts import Text
from stream_attr.processor import ShopRegistry
from stream_attr.rules.shop.days import Zone
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import (
    BASES,
    ORDER_EVENT_TYPES,
    OUTCOMES,
    REASONS,
    STATUSES,
    Vocabulary,
)

__all__ = ["receipt"]

_EVENTS: Final = (
    ("created_ts", "created"),
    ("deposit_ts", "deposit_paid"),
    ("paid_ts", "paid"),
    ("cancelled_ts", "cancelled"),
)
_INTERVALS: Final = {
    "placing": Text("chat before the order was placed", "下单前聊天"),
    "payment": Text("chat before the payment", "付款前聊天"),
    "followup": Text("chat between order and payment", "下单后付款前聊天"),
}
_REVISIONS: Final = (
    "SELECT record, known_ts FROM decision_revision WHERE shop_id = %s AND order_id = %s AND profile = %s"
    " ORDER BY revision"
)
_LAST: Final = "SELECT profile, record FROM decision WHERE shop_id = %s AND order_id = %s ORDER BY profile"
_RECEPTIONS: Final = (
    "SELECT day, first_ts, last_ts, filtered, role, agent_messages FROM reception"
    " WHERE shop_id = %s AND buyer_id = %s AND agent_id = %s ORDER BY day"
)
_COMPARED: Final = (
    ("status", Text("status", "状态")),
    ("outcome", Text("outcome", "订单结果")),
    ("credit", Text("credit", "业绩归属")),
    ("placing", Text("placing agent", "落实下单客服")),
    ("payment", Text("payment agent", "落实付款客服")),
    ("amount", Text("amount", "金额")),
    ("refund_requested", Text("refunds requested", "申请退款")),
    ("refund_completed", Text("refunded", "完成退款")),
)
"""What a revision may change, as the history names it."""


class Entry(NamedTuple):
    """One entry of the time line."""

    ts: int
    kind: str
    """order, chat, final or refund: which mark stands before it."""
    text: str
    agent_id: str | None = None


class Section(NamedTuple):
    """A part of the explanation."""

    title: str
    lines: Sequence[str]


class Revision(NamedTuple):
    """One revision, and what it changed."""

    number: int
    known: Moment
    status: Text
    reason: Text
    net: Money
    changes: Sequence[tuple[Text, str, str]]
    """Field, before, and since."""


def receipt(
    visit: Visit,
    template: str,
    title: Text,
    shop_id: str,
    order_id: str,
    *,
    problem: Text | None = None,
    **more: Any,
) -> Response:
    """Return a page with an order's receipt and its appeals. Within ``visit.reading``.

    ``problem``: why what was sent from this page cannot be. ``more``: what the template takes besides.
    """
    connection, why = visit.connection, visit.asked.one("why")
    known = as_of(connection, shop_zone(connection, shop_id), (DECISIONS,))
    if (answer := unchanged(visit, known)) is not None:
        return answer
    last: dict[str, Decision] = dict(connection.execute(_LAST, (shop_id, order_id)))
    if OFFICIAL not in last:
        return shop_page(visit, "no_order.html", title, 404, shop_id=shop_id, order_id=order_id, as_of=known)
    decision, zone = last[OFFICIAL], shop_zone(connection, shop_id)
    day = zone.day_of(decision["created_ts"])
    [shop] = scope(connection, Options((shop_id,), Period(day, day)))
    members = agents_of(connection, shop)
    names = {one.agent_id: one.name for one in members.values() if one.name}
    history = connection.execute(_REVISIONS, (shop_id, order_id, OFFICIAL)).fetchall()
    own, holder = visit.agents(shop_id), decision["credit"] and decision["credit"]["agent_id"]
    if own is not None and holder not in own:
        visit.note("open order", shop_id, order_id)
    why_not = None
    if why is not None:
        agent_id = agent_named(why, names)
        why_not = agent_id, _history_of(visit, decision, agent_id)
        visit.note("why not", shop_id, f"{order_id} {why}")
    lines = explain_decision(
        decision,
        why_not=why_not,
        names=names,
        zone=zone.name,
        language=visit.language,
    )
    problems = verify(decision)
    sections = list(_sections(lines))
    return shop_page(
        visit,
        template,
        title,
        200 if problem is None else 409,
        shop_id=shop_id,
        order_id=order_id,
        as_of=known,
        decision=decision,
        buyer_opens=may_open(connection, shop_id, decision["buyer_id"], own),
        outcome=_word(OUTCOMES, decision["outcome"]),
        status=_word(STATUSES, decision["status"]),
        basis=None if decision["credit"] is None else _word(BASES, decision["credit"]["basis"]),
        amount=Money(decision["amount"], decision["currency"]),
        net=Money(decision["net_amount"], decision["currency"]),
        is_verified=not problems,
        head=sections[0].lines if sections else [],
        why_section=sections[2] if why is not None and len(sections) > 2 else None,
        sections=sections[3 if why is not None else 2 :],
        timeline=_timeline(decision, zone, visit.language),
        revisions=list(_revisions(history, zone, visit.language)),
        others=[_other(profile, one, decision) for profile, one in last.items() if profile != OFFICIAL],
        agents=sorted(members.values()),
        names=names,
        own=own,
        why=why or "",
        final_at=Moment(decision["final_at"], zone.name),
        zone=zone,
        live=watch(visit, known),
        problem=problem,
        appeals=shown_appeals(connection, shop_id, order_id, own),
        form=appeal_form(visit, shop_id, order_id),
        **more,
    )


def _word(vocabulary: Vocabulary, word: str) -> Text:
    return Text(word.replace("_", " "), vocabulary.chinese_of(word))


def _sections(lines: Sequence[str]) -> Iterator[Section]:
    """Yield the explanation's parts: empty lines are between them, what is indented is below a title."""
    part: list[str] = []
    for line in [*lines, ""]:
        if line:
            part.append(line)
            continue
        if part:
            has_title = len(part) > 1 and part[1].startswith(" ")
            yield Section(part[0] if has_title else "", [one.strip() for one in part[has_title:]])
        part = []


def _timeline(decision: Decision, zone: Zone, language: str) -> list[Entry]:
    """Return what happened, in order: order, chat that counted, and until when it can change."""
    found = []
    for field, word in _EVENTS:
        if (ts := decision.get(field)) is not None:
            found.append(Entry(ts, "order", _word(ORDER_EVENT_TYPES, word).of(language)))
    for refund in decision.get("refunds", ()):
        word = "refund_completed" if refund["completed"] else "refund_requested"
        found.append(Entry(refund["ts"], "refund", _word(ORDER_EVENT_TYPES, word).of(language)))
    chats: dict[tuple[str, int, int], list[str]] = {}
    for candidate in decision["candidates"]:
        for interval, text in _INTERVALS.items():
            if (figures := candidate.get(interval)) is not None:
                key = candidate["agent_id"], figures["first_ts"], figures["last_ts"]
                chats.setdefault(key, []).append(text.of(language))
    for (agent_id, first, last), texts in chats.items():
        until = zone.clock(last)[1]
        joined = ("；" if language == "zh" else "; ").join(texts)
        end = "" if last == first else f" – {until // 60:02}:{until % 60:02}"
        found.append(Entry(first, "chat", f"{joined}{end}", agent_id))
    found.append(Entry(decision["final_at"], "final", ""))
    return sorted(found)


def _revisions(history: Sequence[tuple[Decision, int]], zone: Zone, language: str) -> Iterator[Revision]:
    before: Mapping[str, Any] | None = None
    for record, known_ts in history:
        changes = []
        for field, name in _COMPARED:
            old = "" if before is None else _said(before, field, language)
            new = _said(record, field, language)
            if old != new:
                changes.append((name, old, new))
        yield Revision(
            record["revision"],
            Moment(known_ts, zone.name),
            _word(STATUSES, record["status"]),
            _word(REASONS, record["reason"]),
            Money(record["net_amount"], record["currency"]),
            changes,
        )
        before = record


def _said(record: Decision, field: str, language: str) -> str:
    """Return a field of a decision as the history shows it."""
    value = record.get(field)
    if field == "status":
        return _word(STATUSES, value).of(language) if isinstance(value, str) else ""
    if field == "outcome":
        return _word(OUTCOMES, value).of(language) if isinstance(value, str) else ""
    if isinstance(value, Mapping):
        return str(value["agent_id"])
    if isinstance(value, int):
        return format_money(value, record["currency"])
    return "–"


def _other(profile: str, record: Decision, official: Decision) -> dict[str, Any]:
    """Return whose the order is by another profile."""
    credit, own = record["credit"], official["credit"]
    return {
        "profile": profile,
        "preset": record["preset"],
        "agent_id": None if credit is None else credit["agent_id"],
        "outcome": _word(OUTCOMES, record["outcome"]),
        "differs": (credit and credit["agent_id"]) != (own and own["agent_id"]),
    }


def _history_of(visit: Visit, decision: Decision, agent_id: str) -> AgentHistory:
    """Return what the ledger knows of an agent and the order's buyer beside the decision."""
    shop_id, buyer_id = decision["shop_id"], decision["buyer_id"]
    receptions = [
        AgentReception.recorded(day.isoformat(), *figures)
        for day, *figures in visit.connection.execute(_RECEPTIONS, (shop_id, buyer_id, agent_id))
    ]
    return AgentHistory(receptions, intervals_of(decision, _shop(visit, shop_id)))


def _shop(visit: Visit, shop_id: str) -> Shop:
    """Return a shop by the settings that the ledger has."""
    registry = ShopRegistry()
    for record in settings_of(visit.connection, shop_id):
        registry.apply(record)
    return registry.shop(shop_id)
