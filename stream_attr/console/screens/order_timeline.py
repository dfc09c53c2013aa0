"""What happened around an order, in order: its events, every reception of its buyer that bears on it.

Chat that made nobody a candidate stands beside chat that did, with why, so that whoever disputes an order
sees the own reception on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from stream_attr.codec.money import format_money
from stream_attr.contract.records.decision import EVENT_TIMES
from stream_attr.explain.messages import catalogue
from stream_attr.explain.verify import Decision
from stream_attr.ledger.texts import Text
from stream_attr.rules.order.intervals import Intervals
from stream_attr.rules.shop.days import Zone, day_name
from stream_attr.rules.vocabulary import ORDER_EVENT_TYPES

__all__ = ["Entry", "timeline"]

_COUNTED: Final = {
    "placing": Text("counts before the order was placed", "计入下单前聊天"),
    "payment": Text("counts before the payment", "计入付款前聊天"),
    "followup": Text("counts as a follow-up after the payment", "计入付款后的跟进聊天"),
}
"""By interval, what a candidate's chat in it is."""
_MESSAGES: Final = Text("{messages} messages, {rounds} rounds", "{messages} 条消息，{rounds} 回合")
_OPENS: Final = Text(
    "chat from here on counts before the order was placed", "询单有效时长由此开始：此后的聊天计入下单前聊天"
)
_DISCARDED: Final = Text("does not count: {why}", "不计入：{why}")
_AFTER: Final = {
    "paid_ts": Text("after the payment", "在付款之后"),
    "created_ts": Text("after the order was placed", "在下单之后"),
}
_OTHERWISE: Final = Text("not in the time that counts", "不在计入的时间内")
_HANDED_ON: Final = Text("transferred the buyer to a colleague", "把买家转接给了同事")
_TAKEN_OVER: Final = Text("took the buyer over from a colleague", "接手同事转接来的买家")
_RECEPTIONS: Final = (
    "SELECT agent_id, day::text, first_ts, last_ts, buyer_messages + agent_messages AS messages, rounds,"
    " transferred, handed_over FROM reception"
    " WHERE shop_id = %s AND buyer_id = %s AND last_ts >= %s AND first_ts < %s ORDER BY first_ts, agent_id"
)


class _Reception(NamedTuple):
    """A reception of the buyer, as the ledger has it."""

    agent_id: str
    day: str
    first_ts: int
    last_ts: int
    messages: int
    rounds: int
    transferred: bool
    handed_over: bool


class Entry(NamedTuple):
    """One entry of the time line."""

    ts: int
    kind: str
    """order, refund, window, chat, out or final: which mark stands before it."""
    text: str
    agent_id: str | None = None
    until: int | None = None
    """Of chat its last message; None: it is a moment."""


def timeline(
    connection: Connection[Any], decision: Decision, intervals: Intervals, zone: Zone, language: str
) -> list[Entry]:
    """Return what happened from the begin of the time that counts to when chat no longer changes anything."""
    found = [
        *_events(decision, language),
        *_chat(connection, decision, intervals, zone, language),
        Entry(intervals.placing.start, "window", _OPENS.of(language)),
        Entry(decision["final_at"], "final", ""),
    ]
    return sorted(found, key=lambda one: (one.ts, one.kind != "window", one.until or one.ts))


def _events(decision: Decision, language: str) -> Iterator[Entry]:
    for word, field in EVENT_TIMES.items():
        if (ts := decision.get(field)) is not None:
            yield Entry(ts, "order", _event(word, language))
    for refund in decision.get("refunds", ()):
        word = "refund_completed" if refund["completed"] else "refund_requested"
        amount = format_money(refund["amount"], decision["currency"])
        yield Entry(refund["ts"], "refund", f"{_event(word, language)} {amount}")


def _event(word: str, language: str) -> str:
    return Text(word.replace("_", " "), ORDER_EVENT_TYPES.chinese_of(word)).of(language)


def _chat(
    connection: Connection[Any], decision: Decision, intervals: Intervals, zone: Zone, language: str
) -> Iterator[Entry]:
    """Yield candidates' chat by interval, and each reception of the buyer that made nobody a candidate."""
    within = intervals.earliest, max(decision["final_at"], intervals.earliest + 1)
    with connection.cursor(row_factory=class_row(_Reception)) as cursor:
        receptions = cursor.execute(
            _RECEPTIONS, (decision["shop_id"], decision["buyer_id"], *within)
        ).fetchall()
    remarks = {(one.agent_id, one.day): _remark(one, language) for one in receptions}
    counted: dict[tuple[str, int, int], list[str]] = {}
    figures_of: dict[tuple[str, int, int], Mapping[str, Any]] = {}
    for candidate in decision["candidates"]:
        for interval, text in _COUNTED.items():
            if (figures := candidate.get(interval)) is not None:
                key = candidate["agent_id"], figures["first_ts"], figures["last_ts"]
                counted.setdefault(key, []).append(text.of(language))
                figures_of[key] = figures
    for key, texts in counted.items():
        agent_id, first, last = key
        numbers = _MESSAGES.filled(messages=figures_of[key]["messages"], rounds=figures_of[key]["rounds"]).of(
            language
        )
        remark = remarks.get((agent_id, day_name(zone.day_of(first))), "")
        yield Entry(first, "chat", _joined([*texts, numbers, remark], language), agent_id, last)
    why = {(one["agent_id"], one["day"]): one["reason"] for one in decision["discarded"]}
    sentences = catalogue(language)
    for one in receptions:
        reason = why.get((one.agent_id, one.day))
        if reason is None and any(
            agent_id == one.agent_id and first <= one.last_ts and last >= one.first_ts
            for agent_id, first, last in counted
        ):
            continue
        because = (
            sentences.gettext(f"discard_{reason}")
            if reason
            else _outside(decision, one.first_ts).of(language)
        )
        numbers = (
            _MESSAGES.filled(messages=one.messages, rounds=one.rounds).of(language) if one.messages else ""
        )
        parts = [_DISCARDED.filled(why=because).of(language), numbers, remarks[one.agent_id, one.day]]
        yield Entry(one.first_ts, "out", _joined(parts, language), one.agent_id, one.last_ts)


def _outside(decision: Decision, first_ts: int) -> Text:
    """Return on which side of the time that counts a reception lies that the receipt does not name."""
    field = "created_ts" if decision["paid_ts"] is None else "paid_ts"
    return _AFTER[field] if first_ts >= decision[field] else _OTHERWISE


def _remark(reception: _Reception, language: str) -> str:
    texts = [(reception.handed_over, _TAKEN_OVER), (reception.transferred, _HANDED_ON)]
    return _joined([text.of(language) for is_so, text in texts if is_so], language)


def _joined(texts: list[str], language: str) -> str:
    return ("；" if language == "zh" else "; ").join(filter(None, texts))
