"""What the viewer of the demo sees, from records given by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from stream_attr.cli.demo_screen import DemoScreen
from stream_attr.contract.registry import schemas
from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, ORDERS
from tests.explain.decisions import MIDNIGHT, MINUTE, NOON, Json, decision, silent, unpaid


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched(DemoScreen):
    """A stage and what was seen on it."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.clock = Clock()
        self._out = io.StringIO()
        console = Console(file=self._out, width=100, force_terminal=terminal, no_color=True)
        super().__init__(console, "Asia/Shanghai", {"b-7": "林"}, self.clock)
        self.names = {"A": "小雨", "C": "阿哲"}

    @property
    def seen(self) -> str:
        return self._out.getvalue()


@pytest.fixture
def screen() -> Watched:
    return Watched()


def chat(**changes: object) -> Json:
    return {"buyer_id": "b-7", "agent_id": "A", "ts": NOON, "sender": "buyer", "text": "在吗", **changes}


def test_the_storys_chat_is_shown_with_who_speaks_to_whom(screen: Watched) -> None:
    screen.saw(CHAT, chat())
    screen.saw(CHAT, chat(sender="agent", agent_id="B", text="在的"))
    assert screen.seen.splitlines() == [
        "11-01 12:00:00  chat 聊天     林 → 小雨 (A): 在吗",
        "11-01 12:00:00  chat 聊天     B → 林: 在的",
    ]


def test_the_storys_orders_are_shown(screen: Watched) -> None:
    order = {"buyer_id": "b-7", "order_id": "o-1", "ts": NOON, "type": "created", "amount": 129_000}
    screen.saw(ORDERS, order)
    screen.saw(ORDERS, {**order, "type": "cancelled", "amount": 0})
    assert "o-1 of 林: placed 下单, 1,290.00 CNY" in screen.seen
    assert "o-1 of 林: cancelled 取消" in screen.seen


def test_verdicts_turn_from_pending_to_final(screen: Watched) -> None:
    screen.saw(DECISIONS, unpaid())
    assert screen.pending == 1
    screen.saw(DECISIONS, decision(watermark=MIDNIGHT))
    assert screen.pending == 0
    first, last = screen.seen.splitlines()
    assert first.endswith(
        "o-1 → pending 待定, awaiting payment, placing agent 落实下单: 阿哲 (C)  (revision 1: created)"
    )
    assert last.startswith("11-02 00:00:00  verdict 判定")
    assert last.endswith("o-1 → final 已定, credit 业绩归属: B, 1,200.00 CNY  (revision 3: timer)")
    assert [one["revision"] for one in screen.history("jd:10086", "o-1")] == [1, 3]


def test_the_crowd_is_counted_and_a_verdict_on_it_shown_now_and_then(screen: Watched) -> None:
    for number in range(5):
        screen.saw(CHAT, chat(buyer_id="b-8"))
        screen.saw(DECISIONS, unpaid(buyer_id="b-8", order_id=f"o-{number}"))
    assert screen.seen == ""
    screen.clock.now = 0.5
    screen.saw(DECISIONS, unpaid(buyer_id="b-8", order_id="o-9"))
    screen.saw(DECISIONS, unpaid(buyer_id="b-8", order_id="o-10"))
    assert screen.seen.count("verdict") == 1
    screen.pause()
    assert "in: 5 chat" not in screen.seen
    screen.clock.now = 1.0
    screen.pause()
    screen.pause()
    assert screen.seen.count("in: 5 chat, 0 orders; out: 7 verdicts, 7 pending, 0 final") == 1


def test_the_story_alone_brings_no_counts(screen: Watched) -> None:
    screen.saw(CHAT, chat())
    screen.clock.now = 9.0
    screen.pause()
    assert "in:" not in screen.seen


def test_a_terminal_keeps_the_counts_at_the_bottom() -> None:
    with Watched(terminal=True) as screen:
        screen.saw(CHAT, chat(buyer_id="b-8"))
        screen.pause()
    assert isinstance(screen, Watched)
    assert "in: 1 chat, 0 orders" in screen.seen


def test_bad_records_on_the_topics_do_not_stop_the_show(screen: Watched) -> None:
    screen.saw(CHAT, {})
    screen.saw(ORDERS, {})
    assert (screen.counts[CHAT], screen.counts[ORDERS]) == (1, 1)


def test_the_summary_adds_up(screen: Watched) -> None:
    screen.saw(DECISIONS, decision())
    screen.saw(DECISIONS, decision(order_id="o-2", status="pending", net_amount=50))
    screen.saw(DECISIONS, silent(order_id="o-3", credit=None, outcome="silent"))
    screen.saw(DECISIONS, unpaid(order_id="o-4", outcome="unpaid", watermark=MIDNIGHT + 25 * 60 * MINUTE))
    for _ in range(2):
        screen.saw(DEAD_LETTERS, {"code": "bad_value"})
    screen.show_summary()
    rows = [line.split() for line in screen.seen.splitlines()]
    assert ["B", "2", "1,200.50", "CNY", "1", "1", "0"] in rows
    assert ["小雨", "(A)", "0", "0.00", "CNY", "0", "0", "3"] in rows
    assert "Orders without credit: 1 silent 静默, 1 unpaid." in screen.seen
    assert "Bad records, kept as dead letters: 2 bad_value." in screen.seen


def test_the_first_days_figures_are_shown_per_agent_the_shop_last(screen: Watched) -> None:
    example = Path(str(schemas())) / "examples" / "agent-daily"
    record = json.loads(next(iter(sorted(example.glob("*.pass.json")))).read_bytes())
    workload = {**record["workload"], "receptions": 7, "first_response_ms": 12_400}
    for day, agent_id in (("2026-11-02", "C"), ("2026-11-01", "*"), ("2026-11-01", "A")):
        screen.saw(AGENT_DAILY, {**record, "day": day, "agent_id": agent_id, "workload": workload})
    screen.show_first_day()
    rows = [line.split() for line in screen.seen.splitlines() if "CNY" in line]
    assert [row[:2] for row in rows] == [["小雨", "(A)"], ["shop", "店铺"]]
    assert all(row[2:5] == ["7", "12", "s"] for row in rows)
