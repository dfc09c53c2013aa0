"""What the viewer of the demo sees: events going in, verdicts coming out, and what it came to in the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_attr.codec.visible import visible
from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, ORDERS
from stream_attr.explain.money import format_money
from stream_attr.rules.reports.contribution import TOTAL

__all__ = ["DemoScreen"]

STATUS = {"pending": ("pending 待定", "yellow"), "final": ("final 已定", "green")}
OUTCOMES = {
    "awaiting_payment": "awaiting payment",
    "silent": "silent 静默",
    "cancelled": "cancelled",
    "unpaid": "unpaid",
}
HAPPENED = {
    "created": "placed 下单",
    "paid": "paid 付款",
    "cancelled": "cancelled 取消",
    "refund_requested": "refund asked for 申请退款",
    "refund_completed": "refunded 退款",
}
COUNTS_EVERY_S = 1.0
"""Seconds between two lines of counts, where these cannot stand still at the bottom of a terminal."""
VERDICT_EVERY_S = 0.3
"""Seconds between two verdicts on other orders than the story's: all of them would be too many to read."""


class DemoScreen:
    """Shows records of the topics as they are read from the broker.

    The story's events and verdicts are shown one by one, all others counted, and some of their verdicts
    shown. A context manager: while it lasts, a terminal shows the counts at the bottom.
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
        self._told = self._shown = clock()
        self._latest: dict[str, int] = {}
        self._crowd = False
        self._status = console.status("")
        self.names: dict[str, str] = {}
        """Agents' names by their ids, from the roster."""
        self.counts: Counter[str] = Counter()
        """Records seen, by topic."""
        self.decisions: dict[tuple[str, str], dict[str, Any]] = {}
        """The last decision on each order, by shop and order."""
        self._revisions: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._codes: Counter[str] = Counter()
        self._days: dict[str, dict[str, dict[str, Any]]] = {}
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

    def history(self, shop_id: str, order_id: str) -> list[dict[str, Any]]:
        """All decisions seen on one order, the oldest first."""
        return self._revisions.get((shop_id, order_id), [])

    def say(self, text: str = "", style: str = "") -> None:
        """Say something about the show itself."""
        self._console.print(Text(text, style), soft_wrap=True)

    def saw(self, topic: str, record: dict[str, Any]) -> None:
        """Take in one record of a topic (name without prefix); whoever sent it chose its strings."""
        record = _visible(record)
        self.counts[topic] += 1
        if topic == DECISIONS:
            self._saw_decision(record)
        elif topic == AGENT_DAILY:
            self._days.setdefault(record["day"], {})[record["agent_id"]] = record
        elif topic == DEAD_LETTERS:
            self._codes[record["code"]] += 1
        elif record.get("buyer_id") in self._buyers:
            self._latest[record["buyer_id"]] = record["ts"]
            if topic == CHAT:
                self._show_chat(record)
            elif topic == ORDERS:
                self._show_order(record)
        else:
            self._crowd = True

    def pause(self) -> None:
        """To be called now and then: brings the counts up to date."""
        if self._console.is_terminal:
            self._status.update(self._counts())
        elif self._crowd and self._clock() - self._told >= COUNTS_EVERY_S:
            self.show_counts()

    def show_counts(self) -> None:
        """Say how much went in and came out so far."""
        self._told = self._clock()
        self._crowd = False
        self.say(f"{'':16}{self._counts()}", "dim")

    def _counts(self) -> str:
        seen, pending = self.counts, self.pending
        return (
            f"in: {seen[CHAT]:,} chat, {seen[ORDERS]:,} orders; out: {seen[DECISIONS]:,} verdicts, "
            f"{pending:,} pending, {len(self.decisions) - pending:,} final"
        )

    def _agent(self, agent_id: str) -> str:
        name = self.names.get(agent_id)
        return f"{visible(name)} ({agent_id})" if name else agent_id

    def _line(self, ts: int, what: str, style: str, text: Text) -> None:
        moment = datetime.fromtimestamp(ts // 1000, UTC).astimezone(self._zone)
        head = Text.assemble((f"{moment:%m-%d %H:%M:%S}  ", "dim"), (f"{what:<12}", style))
        self._console.print(head + text, soft_wrap=True)

    def _show_chat(self, record: dict[str, Any]) -> None:
        buyer, agent = self._buyers[record["buyer_id"]], self._agent(record["agent_id"])
        speaker, hearer = (buyer, agent) if record.get("sender") == "buyer" else (agent, buyer)
        said = Text(f"{speaker} → {hearer}: {record.get('text', '')}")
        self._line(record["ts"], "chat 聊天", "cyan", said)

    def _show_order(self, record: dict[str, Any]) -> None:
        amount = (
            f", {format_money(record['amount'], record.get('currency', 'CNY'))}" if "amount" in record else ""
        )
        text = Text(
            f"{record['order_id']} of {self._buyers[record['buyer_id']]}: {HAPPENED[record['type']]}{amount}"
        )
        self._line(record["ts"], "order 订单", "magenta", text)

    def _saw_decision(self, decision: dict[str, Any]) -> None:
        key = decision["shop_id"], decision["order_id"]
        self._revisions.setdefault(key, []).append(decision)
        self.decisions[key] = decision
        told = decision["buyer_id"] in self._buyers
        now = self._clock()
        if told or now - self._shown >= VERDICT_EVERY_S:
            if not told:
                self._shown = now
            self._show_decision(decision)

    def _show_decision(self, decision: dict[str, Any]) -> None:
        status, style = STATUS[decision["status"]]
        credit = decision["credit"]
        text = Text.assemble(f"{decision['order_id']} → ", (status, style), ", ")
        if credit:
            text.append(f"credit 业绩归属: {self._agent(credit['agent_id'])}", "bold")
            text.append(f", {format_money(decision['net_amount'], decision['currency'])}")
        else:
            text.append(OUTCOMES[decision["outcome"]])
            if placing := decision["placing"]:
                text.append(f", placing agent 落实下单: {self._agent(placing['agent_id'])}")
        text.append(f"  (revision {decision['revision']}: {decision['reason']})", "dim")
        self._line(self._instant(decision), "verdict 判定", "bold blue", text)

    def _instant(self, decision: dict[str, Any]) -> int:
        """When what the decision tells of happened, in event time, as far as is known here."""
        reason, watermark = decision["reason"], decision["watermark"]
        if reason in ("created", "paid", "cancelled"):
            ts: int = decision[f"{reason}_ts"]
        elif reason == "timer":
            ts = min(watermark, decision["final_at"]) if decision["status"] == "final" else watermark
        else:
            ts = max(watermark, self._latest.get(decision["buyer_id"], 0))
        return ts

    def show_first_day(self) -> None:
        """The agents' figures of the first day, few enough to be checked against the events above."""
        if not self._days:
            return
        day = min(self._days)
        columns = (
            "agent\n客服",
            "chats\n接待",
            "reply\n首响",
            "asked\n询单",
            "ordered\n下单",
            "paid\n付款",
            "lost\n流失",
            "sales\n销售额",
        )
        table = Table(title=f"Agents on {day} 客服日报", title_justify="left", box=box.SIMPLE_HEAD)
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left", no_wrap=True)
        for agent_id, record in sorted(self._days[day].items(), key=lambda one: (one[0] == TOTAL, one[0])):
            workload, inquiries, payments = (record[group] for group in ("workload", "inquiries", "payments"))
            reply = workload["first_response_ms"]
            table.add_row(
                "shop 店铺" if agent_id == TOTAL else self._agent(agent_id),
                str(workload["receptions"]),
                "" if reply is None else f"{reply / 1000:.0f} s",
                *(str(inquiries[name]) for name in ("inquiries", "ordered")),
                str(payments["paid"]),
                str(inquiries["lost"]),
                format_money(record["sales"]["amount"], "CNY"),
            )
        self._console.print()
        self._console.print(table)

    def show_summary(self) -> None:
        """The sales per agent, the orders without one, and the bad records."""
        columns = (
            "agent\n客服",
            "orders\n订单",
            "sales\n销售额",
            "pending\n待定",
            "final\n已定",
            "assists\n协助",
        )
        table = Table(title="Sales per agent 业绩归属", title_justify="left", box=box.SIMPLE_HEAD)
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left", no_wrap=True)
        orders: Counter[str] = Counter()
        sales: Counter[str] = Counter()
        pending: Counter[str] = Counter()
        assists: Counter[str] = Counter()
        nobody: Counter[str] = Counter()
        currency = "CNY"
        for decision in self.decisions.values():
            assists.update({one["agent_id"] for one in decision["assists"]})
            if not decision["credit"]:
                nobody[OUTCOMES[decision["outcome"]]] += 1
                continue
            agent, currency = decision["credit"]["agent_id"], decision["currency"]
            orders[agent] += 1
            sales[agent] += decision["net_amount"]
            pending[agent] += decision["status"] == "pending"
        for agent in sorted({*orders, *assists}):
            figures = pending[agent], orders[agent] - pending[agent], assists[agent]
            table.add_row(
                self._agent(agent),
                str(orders[agent]),
                format_money(sales[agent], currency),
                *map(str, figures),
            )
        self._console.print()
        self._console.print(table)
        rest = ", ".join(f"{count:,} {outcome}" for outcome, count in nobody.most_common())
        self.say(f"Orders without credit: {rest or 'none'}.")
        codes = ", ".join(f"{count:,} {code}" for code, count in sorted(self._codes.items()))
        self.say(f"Bad records, kept as dead letters: {codes or 'none'}.")


def _visible(value: Any) -> Any:
    """JSON with all its strings made safe to show."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_visible(one) for one in value]
    if isinstance(value, dict):
        return {visible(name): _visible(one) for name, one in value.items()}
    return value
