"""An order's receipt on a page: what happened, every reason, every revision, and its appeals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from stream_attr.codec.money import format_money
from stream_attr.console.screens.buyer import may_open
from stream_attr.console.screens.live import unchanged, watch
from stream_attr.console.screens.order_appeals import appeal_form, shown_appeals
from stream_attr.console.screens.order_timeline import Entry, timeline
from stream_attr.console.screens.screen import shop_page
from stream_attr.console.shop_records import settings_of
from stream_attr.console.visit import Visit
from stream_attr.contract.records.decision import EVENT_TIMES
from stream_attr.contract.topics import DECISIONS, FACTS, RULINGS
from stream_attr.explain.decision import explained
from stream_attr.explain.roster_names import agent_named
from stream_attr.explain.verify import Decision, credited_agents, verify
from stream_attr.explain.view import intervals_of
from stream_attr.explain.why_not import AgentHistory, AgentReception
from stream_attr.ledger.periods import Period, shop_zone
from stream_attr.ledger.reports.report import Moment, Money
from stream_attr.ledger.reports.scope import Member, Options, agents_of, as_of, scope
from stream_attr.ledger.texts import Text
from stream_attr.processor import ShopRegistry
from stream_attr.rules.order.intervals import Intervals
from stream_attr.rules.shop.days import Zone, day_name
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import (
    BASES,
    OUTCOMES,
    PRESET_NAMES,
    REASONS,
    STATUSES,
    Vocabulary,
)

__all__ = ["receipt"]

_TOPICS: Final = (DECISIONS, FACTS, RULINGS)
"""What the page rests on: refunds are the decision's."""
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


class Revision(NamedTuple):
    """One revision, and what it changed."""

    number: int
    known: Moment
    status: Text
    reason: Text
    net: Money
    changes: Sequence[tuple[Text, str, str]]
    """Field, before, and since."""


class Found(NamedTuple):
    """What the ledger has of an order."""

    decision: Decision
    further: Mapping[str, Decision]
    """By profile beside the official one."""
    history: Sequence[tuple[Decision, int]]
    """All revisions, and when each became known."""
    zone: Zone
    members: Mapping[str, Member]
    own: tuple[str, ...] | None
    """Whose figures the reader may see; None: everybody's."""
    intervals: Intervals

    @property
    def names(self) -> dict[str, str]:
        """Return the agents' names by id, of those that have one."""
        return {one.agent_id: one.name for one in self.members.values() if one.name}


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
    connection = visit.connection
    own = visit.agents(shop_id)
    known = as_of(connection, shop_zone(connection, shop_id), _TOPICS)
    appeals = shown_appeals(connection, shop_id, order_id, own)
    beside = "_".join(f"{one.appeal_id}.{one.state}.{one.answer}" for one, *_ in appeals)
    if (answer := unchanged(visit, known, beside)) is not None:
        return answer
    found = _found(visit, shop_id, order_id)
    if found is None:
        return shop_page(visit, "no_order.html", title, 404, shop_id=shop_id, order_id=order_id, as_of=known)
    _note_opened(visit, found)
    entries = timeline(connection, found.decision, found.intervals, found.zone, visit.language)
    return shop_page(
        visit,
        template,
        title,
        200 if problem is None else 409,
        shop_id=shop_id,
        order_id=order_id,
        as_of=known,
        **_verdict(visit, found),
        **_reasons(visit, found),
        timeline=entries,
        asked_about=_asked_about(entries, found.decision),
        days=_days_of(entries, found.zone),
        revisions=list(_revisions(found, visit.language)),
        others=[_other(profile, one, found.decision) for profile, one in found.further.items()],
        agents=sorted(found.members.values()),
        names=found.names,
        own=own,
        zone=found.zone,
        period=_period(found),
        live=watch(visit, known, beside),
        problem=problem,
        appeals=appeals,
        form=appeal_form(visit, shop_id, order_id),
        **more,
    )


def _found(visit: Visit, shop_id: str, order_id: str) -> Found | None:
    """Return what the ledger has of an order; None: nothing."""
    connection = visit.connection
    last: dict[str, Decision] = dict(connection.execute(_LAST, (shop_id, order_id)))
    decision = last.pop(OFFICIAL, None)
    if decision is None:
        return None
    zone = shop_zone(connection, shop_id)
    day = zone.day_of(decision["created_ts"])
    [shop] = scope(connection, Options((shop_id,), Period(day, day)))
    history = connection.execute(_REVISIONS, (shop_id, order_id, OFFICIAL)).fetchall()
    return Found(
        decision,
        last,
        history,
        zone,
        agents_of(connection, shop),
        visit.agents(shop_id),
        intervals_of(decision, _shop(visit, shop_id)),
    )


def _asked_about(entries: Sequence[Entry], decision: Decision) -> list[str]:
    """Return the agents on the time line who have not the credit: of these "why not?" is asked first."""
    return sorted({one.agent_id for one in entries if one.agent_id} - credited_agents(decision))


def _days_of(entries: Sequence[Entry], zone: Zone) -> tuple[str, str]:
    """Return the first day with chat or an event of the order, and the last one."""
    times = [one.until or one.ts for one in entries if one.kind not in ("window", "final")]
    first = min(one.ts for one in entries if one.kind not in ("window", "final"))
    return day_name(zone.day_of(first)), day_name(zone.day_of(max(times)))


def _period(found: Found) -> Period:
    """Return the day on which the order counts: of its payment, while it is not paid of its creation."""
    decision = found.decision
    day = found.zone.day_of(decision["created_ts"] if decision["paid_ts"] is None else decision["paid_ts"])
    return Period(day, day)


def _note_opened(visit: Visit, found: Found) -> None:
    """Have the audit note that an agent opened an order that is another's."""
    if found.own is not None and credited_agents(found.decision).isdisjoint(found.own):
        visit.note("open order", found.decision["shop_id"], found.decision["order_id"])


def _verdict(visit: Visit, found: Found) -> dict[str, Any]:
    """Return whose an order is, how much it is about, and until when that can change."""
    decision = found.decision
    credit, currency = decision["credit"], decision["currency"]
    return {
        "decision": decision,
        "buyer_opens": may_open(visit.connection, decision["shop_id"], decision["buyer_id"], found.own),
        "outcome": _word(OUTCOMES, decision["outcome"]),
        "status": _word(STATUSES, decision["status"]),
        "basis": None if credit is None else _word(BASES, credit["basis"]),
        "amount": Money(decision["amount"], currency),
        "net": Money(decision["net_amount"], currency),
        "final_at": Moment(decision["final_at"], found.zone.name),
        "is_verified": not verify(decision),
    }


def _reasons(visit: Visit, found: Found) -> dict[str, Any]:
    """Return why an order is whose it is, and the answer to "why not?" if an agent is asked for."""
    why, decision, names = visit.asked.one("why"), found.decision, found.names
    why_not = None
    if why is not None:
        agent_id = agent_named(why, names)
        why_not = agent_id, _history_of(visit, found, agent_id)
        visit.note("why not", decision["shop_id"], f"{decision['order_id']} {why}")
    explanation = explained(
        decision, why_not=why_not, names=names, zone=found.zone.name, language=visit.language
    )
    return {
        "why": why or "",
        "head": explanation.heading,
        "why_section": explanation.why_not,
        "sections": explanation.parts,
    }


def _word(vocabulary: Vocabulary, word: str) -> Text:
    return Text(word.replace("_", " "), vocabulary.chinese_of(word))


def _revisions(found: Found, language: str) -> Iterator[Revision]:
    before: Mapping[str, Any] | None = None
    known = 0
    for record, known_ts in found.history:
        changes = []
        for field, name in _COMPARED:
            old = "" if before is None else _shown_value(before, field, found.names, language)
            new = _shown_value(record, field, found.names, language)
            if old != new:
                changes.append((name, old, new))
        known = max(known, known_ts, *_times_of(record))
        yield Revision(
            record["revision"],
            Moment(known, found.zone.name),
            _word(STATUSES, record["status"]),
            _word(REASONS, record["reason"]),
            Money(record["net_amount"], record["currency"]),
            changes,
        )
        before = record


def _times_of(record: Decision) -> list[int]:
    """Return when the events were that a revision rests on: before them it was not known.

    A watermark, by which a replay knows, stays behind the events of its time.
    """
    ruling = record.get("ruling")
    found = [record.get(field) for field in EVENT_TIMES.values()]
    found += [one["ts"] for one in record.get("refunds", ())] + [ruling and ruling["ts"]]
    return [ts for ts in found if ts is not None]


def _shown_value(record: Decision, field: str, names: Mapping[str, str], language: str) -> str:
    """Return a field of a decision as the history shows it."""
    value = record.get(field)
    if field == "status":
        return _word(STATUSES, value).of(language) if isinstance(value, str) else ""
    if field == "outcome":
        return _word(OUTCOMES, value).of(language) if isinstance(value, str) else ""
    if isinstance(value, Mapping):
        agent_id = str(value["agent_id"])
        return f"{names[agent_id]} {agent_id}" if agent_id in names else agent_id
    if isinstance(value, int):
        return format_money(value, record["currency"])
    return "\N{EN DASH}"


def _other(profile: str, record: Decision, official: Decision) -> dict[str, Any]:
    """Return whose the order is by another profile."""
    credit = record["credit"]
    return {
        "profile": profile,
        "preset": Text(record["preset"], PRESET_NAMES.chinese_of(record["preset"])),
        "agent_id": None if credit is None else credit["agent_id"],
        "outcome": _word(OUTCOMES, record["outcome"]),
        "differs": credited_agents(record) != credited_agents(official),
    }


def _history_of(visit: Visit, found: Found, agent_id: str) -> AgentHistory:
    """Return what the ledger knows of an agent and the order's buyer beside the decision."""
    of = (found.decision["shop_id"], found.decision["buyer_id"], agent_id)
    receptions = [
        AgentReception.recorded(day.isoformat(), *figures)
        for day, *figures in visit.connection.execute(_RECEPTIONS, of)
    ]
    return AgentHistory(receptions, found.intervals)


def _shop(visit: Visit, shop_id: str) -> Shop:
    """Return a shop by the settings that the ledger has."""
    registry = ShopRegistry()
    for record in settings_of(visit.connection, shop_id):
        registry.apply(record)
    return registry.shop(shop_id)
