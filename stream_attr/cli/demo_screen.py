"""What the viewer of the demo sees: events, the decisions that they bring about, and figures at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from stream_attr.cli.demo_tables import day_table
from stream_attr.codec.money import format_money
from stream_attr.codec.visible import visible
from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, ORDERS, RULINGS
from stream_attr.rules.vocabulary import (
    CHAT_TYPES,
    FINAL,
    ORDER_EVENT_TYPES,
    OUTCOMES,
    PENDING,
    RULING_TYPES,
    STATUSES,
    Vocabulary,
)

__all__ = ["DemoScreen"]

Json = dict[str, Any]

STYLES = {PENDING: "yellow", FINAL: "green"}
"""By the status of a decision."""
EVENTS = {
    "deposit": ("deposit_paid",),
    "refund": ("refund_completed", "refund_requested", "refund_closed"),
    "excluded": ("included", "excluded"),
}
"""By the reason of a revision: the events that bring it about, where these have another name."""
COUNTS_EVERY_S = 1.0
"""Seconds between two lines of counts, where these cannot stand still at the bottom of a terminal."""
DECISION_EVERY_S = 0.3
"""Seconds between two decisions of the generated traffic: all of them would be too many to read."""


class DemoScreen:
    """Shows records of the topics as they are read from the broker.

    All events and decisions of the story are shown. Of the generated traffic all records are counted, and now
    and then a decision is shown after its event. A context manager: while it lasts, a terminal shows the
    counts at the bottom.
    """

    def __init__(
        self,
        console: Console,
        zone: str,
        buyers: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``buyers``: ids and names of the story's buyers. ``clock``: seconds, for the pace of the counts."""
        self._console = console
        self._zone = ZoneInfo(zone)
        self._buyers = buyers
        self._clock = clock
        self._counted_at = self._decided_at = clock()
        self._counts_shown = ""
        self._status = console.status("")
        self.names: Mapping[str, str] = {}
        """Agents' names by their ids, from the roster."""
        self.counts: Counter[str] = Counter()
        """Records seen, by topic."""
        self.decisions: dict[tuple[str, str], Json] = {}
        """The last decision on each order, by shop and order."""
        self._revisions: dict[tuple[str, str], list[Json]] = {}
        self._decided_ts: dict[tuple[str, str], int] = {}
        """Event time of the last decision on each order."""
        self._decision_shown_ts = 0
        """Event time of the last decision of the generated traffic that was shown."""
        self._last_ts: dict[tuple[str, str], int] = {}
        """Event time of each story buyer's last event, by topic and buyer."""
        self._last_chat: dict[str, Json] = {}
        """The last message of each other buyer."""
        self._order_events: dict[tuple[str, str], Json] = {}
        """The events of the other buyers' orders, by order and type."""
        self._rulings: dict[str, Json] = {}
        """The last ruling on each of these orders."""
        self._codes: Counter[str] = Counter()
        self._days: dict[str, dict[str, Json]] = {}
        """The last figures of each agent, by day."""

    def __enter__(self) -> DemoScreen:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    @property
    def pending(self) -> int:
        """Orders whose last decision is pending."""
        return sum(decision["status"] == "pending" for decision in self.decisions.values())

    def history(self, shop_id: str, order_id: str) -> list[Json]:
        """All decisions seen on one order, the oldest first."""
        return self._revisions.get((shop_id, order_id), [])

    def print(self, text: str = "", style: str = "") -> None:
        """Print a line about the demo itself."""
        self._console.print(Text(text, style), soft_wrap=True)

    def add(self, batch: Iterable[tuple[str, Json]]) -> None:
        """Take in records with their topics (without prefix); the sender chose their strings.

        They are shown in the order of their event time, and an event before a decision of the same time.
        """
        timed = []
        for topic, sent in batch:
            record = _visible(sent)
            self.counts[topic] += 1
            if topic == DECISIONS:
                timed.append((self._take_decision(record), topic, record))
            elif topic == AGENT_DAILY:
                self._days.setdefault(record["day"], {})[record["agent_id"]] = record
            elif topic == DEAD_LETTERS:
                self._codes[record["code"]] += 1
            elif record.get("buyer_id") in self._buyers:
                self._last_ts[topic, record["buyer_id"]] = record["ts"]
                timed.append((record["ts"], topic, record))
            elif topic == RULINGS:
                self._rulings[record["order_id"]] = record
            elif _is_plain(topic, record):
                self._remember(topic, record)
        for ts, topic, record in sorted(timed, key=lambda one: (one[0], one[1] == DECISIONS)):
            if topic == DECISIONS:
                self._show_decision_or_skip(ts, record)
            else:
                self._show_event(topic, record)

    def refresh(self) -> None:
        """To be called now and then: brings the counts up to date."""
        if self._console.is_terminal:
            self._status.update(self._counts())
        elif (self._last_chat or self._order_events) and self._clock() - self._counted_at >= COUNTS_EVERY_S:
            self.print_counts()

    def print_counts(self) -> None:
        """Print how much went in and came out so far, unless the last such line is the same."""
        self._counted_at = self._clock()
        counts = self._counts()
        if counts != self._counts_shown:
            self.print(counts, "dim")
        self._counts_shown = counts

    def _counts(self) -> str:
        seen, pending = self.counts, self.pending
        return (
            f"in: {seen[CHAT]:,} chat, {seen[ORDERS]:,} orders; "
            f"out: {pending:,} pending, {len(self.decisions) - pending:,} final"
        )

    def _agent(self, agent_id: str) -> str:
        name = self.names.get(agent_id)
        return f"{visible(name)} ({agent_id})" if name else agent_id

    def _buyer(self, buyer_id: str) -> str:
        return self._buyers.get(buyer_id, buyer_id)

    def _line(self, ts: int, what: str, style: str, text: Text) -> None:
        moment = datetime.fromtimestamp(ts // 1000, UTC).astimezone(self._zone)
        head = Text.assemble((f"{moment:%m-%d %H:%M:%S}  ", "dim"), (f"{what:<12}", style))
        self._console.print(head + text, soft_wrap=True)

    def _show_event(self, topic: str, record: Json) -> None:
        if topic == CHAT:
            self._show_chat(record)
        elif topic == ORDERS:
            self._show_order(record)
        else:
            self._show_ruling(record)

    def _show_chat(self, record: Json) -> None:
        buyer, agent = self._buyer(record["buyer_id"]), self._agent(record["agent_id"])
        kind = record.get("type", "message")
        if kind == "transfer":
            text = f"{agent} → {self._agent(record['to_agent_id'])}: {_named(CHAT_TYPES, kind)} of {buyer}"
        elif kind == "rating":
            text = f"{buyer} → {agent}: {_named(CHAT_TYPES, kind)}, {record['score']} of 5"
        elif record.get("sender") == "buyer":
            text = f"{buyer} → {agent}: {record.get('text', '')}"
        else:
            text = f"{agent} → {buyer}: {record.get('text', '')}"
        self._line(record["ts"], "chat 聊天", "cyan", Text(text))

    def _show_order(self, record: Json) -> None:
        amount = (
            f", {format_money(record['amount'], record.get('currency', 'CNY'))}" if "amount" in record else ""
        )
        event = _named(ORDER_EVENT_TYPES, record["type"])
        text = Text(f"{record['order_id']} of {self._buyer(record['buyer_id'])}: {event}{amount}")
        self._line(record["ts"], "order 订单", "magenta", text)

    def _show_ruling(self, record: Json) -> None:
        ruled = _named(RULING_TYPES, record["type"])
        if record["type"] == "credit":
            ruled += f": {'nobody' if record['agent_id'] is None else self._agent(record['agent_id'])}"
        text = f"{record['order_id']} → {ruled}, by {record['ruled_by']}"
        self._line(record["ts"], "ruling 裁定", "red", Text(text))

    def _remember(self, topic: str, record: Json) -> None:
        if topic == CHAT:
            self._last_chat[record["buyer_id"]] = record
        else:
            self._order_events[record["order_id"], record["type"]] = record

    def _take_decision(self, decision: Json) -> int:
        """Keep a decision; return its event time, which never lies before the order's decision before it."""
        key = decision["shop_id"], decision["order_id"]
        before = self.decisions.get(key)
        self._revisions.setdefault(key, []).append(decision)
        self.decisions[key] = decision
        event = self._event_of(decision)[1]
        event_ts = event["ts"] if event else 0
        ts = max(self._event_time(decision, before), self._decided_ts.get(key, 0), event_ts)
        self._decided_ts[key] = ts
        return ts

    def _show_decision_or_skip(self, ts: int, decision: Json) -> None:
        """Show the story's decisions, and of the others one now and then after its event."""
        if decision["buyer_id"] not in self._buyers:
            now = self._clock()
            topic, event = self._event_of(decision)
            unknown = event is None and decision["reason"] != "timer"
            if now - self._decided_at < DECISION_EVERY_S or ts < self._decision_shown_ts or unknown:
                return
            self._decided_at, self._decision_shown_ts = now, ts
            if event is not None:
                self._show_event(topic, event)
        self._show_decision(ts, decision)

    def _event_of(self, decision: Json) -> tuple[str, Json | None]:
        """The event of generated traffic that brought a decision about, if known, and its topic."""
        reason, order_id = decision["reason"], decision["order_id"]
        if reason == "chat":
            return CHAT, self._last_chat.get(decision["buyer_id"])
        if reason == "ruling":
            return RULINGS, self._rulings.get(order_id)
        types = EVENTS.get(reason, (reason,))
        events = (self._order_events.get((order_id, type_)) for type_ in types)
        return ORDERS, next((event for event in events if event), None)

    def _show_decision(self, ts: int, decision: Json) -> None:
        status = decision["status"]
        credit = decision["credit"]
        text = Text.assemble(f"{decision['order_id']} → ", (_named(STATUSES, status), STYLES[status]), ", ")
        if credit:
            text.append(f"credit 业绩归属: {self._agent(credit['agent_id'])}", "bold")
            text.append(f", {format_money(decision['net_amount'], decision['currency'])}")
        else:
            text.append(_named(OUTCOMES, decision["outcome"]))
            if placing := decision["placing"]:
                text.append(f", placing agent 落实下单: {self._agent(placing['agent_id'])}")
        text.append(f"  (revision {decision['revision']}: {decision['reason']})", "dim")
        self._line(ts, "verdict 判定", "bold blue", text)

    def _event_time(self, decision: Json, before: Json | None) -> int:
        """When what brought a decision about happened, in event time, as far as is known here.

        ``before``: the decision before it.
        """
        reason, watermark = decision["reason"], decision["watermark"]
        known = decision.get(f"{reason}_ts")
        if known is not None and (before is None or before[f"{reason}_ts"] != known):
            ts: int = known
        elif reason == "timer":
            ts = min(watermark, decision["final_at"]) if decision["status"] == "final" else watermark
        else:  # of a second instalment, too
            topic = {"chat": CHAT, "ruling": RULINGS}.get(reason, ORDERS)
            topics = (CHAT, ORDERS, RULINGS) if reason in ("settings", "late_event") else (topic,)
            ts = max(watermark, *(self._last_ts.get((topic, decision["buyer_id"]), 0) for topic in topics))
        return ts

    def print_summary(self) -> None:
        """Print the orders without credit, and the records that could not be used."""
        self.print()
        outcomes = Counter(one["outcome"] for one in self.decisions.values() if not one["credit"])
        rest = ", ".join(f"{count:,} {_named(OUTCOMES, one)}" for one, count in outcomes.most_common())
        self.print(f"Orders without credit: {rest or 'none'}.")
        credited = {one["credit"]["agent_id"] for one in self.decisions.values() if one["credit"]}
        if unlisted := sorted(credited - self.names.keys()):
            self.print(f"Not on the roster, so without a name: {', '.join(unlisted)}.")
        codes = ", ".join(f"{count:,} {code}" for code, count in sorted(self._codes.items()))
        self.print(f"Bad records, kept as dead letters: {codes or 'none'}.")

    def print_first_day(self) -> None:
        """Print the agents' figures of the first day, few enough to be checked against the events above."""
        if self._days:
            day = min(self._days)
            self.print()
            self._console.print(day_table(day, self._days[day], self._agent, self._console.width))


def _is_plain(topic: str, record: Json) -> bool:
    """Whether a record of the generated traffic has what it takes to be shown; some are bad on purpose."""
    if not isinstance(record.get("ts"), int) or not isinstance(record.get("buyer_id"), str):
        return False
    if topic == CHAT:
        text = record.get("text")
        return isinstance(text, str) and len(text) < 200 and isinstance(record.get("agent_id"), str)
    amount = record.get("amount", 0)
    return (
        isinstance(record.get("order_id"), str)
        and record.get("type") in ORDER_EVENT_TYPES
        and isinstance(amount, int)
    )


def _named(vocabulary: Vocabulary, word: str) -> str:
    return f"{word.replace('_', ' ')} {vocabulary.chinese_of(word)}"


def _visible(value: Any) -> Any:
    """JSON with all its strings made safe to show."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_visible(one) for one in value]
    if isinstance(value, dict):
        return {visible(name): _visible(one) for name, one in value.items()}
    return value
