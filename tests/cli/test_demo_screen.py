"""What the viewer of the demo sees, from records given by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from stream_attr.cli.demo_screen import DemoScreen
from stream_attr.cli.demo_tables import day_table
from stream_attr.contract.registry import schemas
from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, ORDERS, RULINGS
from stream_attr.rules.vocabulary import ORDER_EVENT_TYPES, OUTCOMES
from tests.explain.decisions import MIDNIGHT, MINUTE, NOON, Json, decision, silent, unpaid


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Screen(DemoScreen):
    """A screen and what was shown on it."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.clock = Clock()
        self._out = io.StringIO()
        console = Console(file=self._out, width=100, force_terminal=terminal, no_color=True)
        super().__init__(console, "Asia/Shanghai", {"b-7": "林"}, self.clock)
        self.names = {"A": "小雨", "C": "阿哲"}

    def add_one(self, topic: str, record: Json) -> None:
        self.add([(topic, record)])

    @property
    def seen(self) -> str:
        return self._out.getvalue()


@pytest.fixture
def screen() -> Screen:
    return Screen()


def chat(**changes: object) -> Json:
    return {"buyer_id": "b-7", "agent_id": "A", "ts": NOON, "sender": "buyer", "text": "在吗", **changes}


def test_the_storys_chat_is_shown_with_who_speaks_to_whom(screen: Screen) -> None:
    screen.add_one(CHAT, chat())
    screen.add_one(CHAT, chat(sender="agent", agent_id="B", text="在的"))
    assert screen.seen.splitlines() == [
        "11-01 12:00:00  chat 聊天     林 → 小雨 (A): 在吗",
        "11-01 12:00:00  chat 聊天     B → 林: 在的",
    ]


def test_the_storys_orders_are_shown(screen: Screen) -> None:
    screen.add_one(ORDERS, order("o-1", buyer_id="b-7"))
    screen.add_one(ORDERS, order("o-1", buyer_id="b-7", type="cancelled", amount=0))
    assert "o-1 of 林: created 下单, 1,290.00 CNY" in screen.seen
    assert "o-1 of 林: cancelled 取消" in screen.seen


def test_transfers_ratings_and_rulings_are_shown(screen: Screen) -> None:
    screen.add_one(CHAT, {**chat(), "type": "transfer", "to_agent_id": "C"})
    screen.add_one(CHAT, {**chat(agent_id="C"), "type": "rating", "score": 4})
    ruling = {"buyer_id": "b-7", "order_id": "o-1", "ts": NOON, "ruled_by": "店长"}
    screen.add_one(RULINGS, {**ruling, "type": "credit", "agent_id": "A"})
    screen.add_one(RULINGS, {**ruling, "type": "credit", "agent_id": None})
    screen.add_one(RULINGS, {**ruling, "type": "withdrawn"})
    assert [line[16:] for line in screen.seen.splitlines()] == [
        "chat 聊天     小雨 (A) → 阿哲 (C): transfer 转接 of 林",
        "chat 聊天     林 → 阿哲 (C): rating 满意度评价, 4 of 5",
        "ruling 裁定   o-1 → credit 裁定归属: 小雨 (A), by 店长",
        "ruling 裁定   o-1 → credit 裁定归属: nobody, by 店长",
        "ruling 裁定   o-1 → withdrawn 撤销裁定, by 店长",
    ]


@pytest.mark.parametrize("type_", ORDER_EVENT_TYPES)
def test_every_event_of_an_order_can_be_shown(screen: Screen, type_: str) -> None:
    screen.add_one(ORDERS, order("o-1", buyer_id="b-7", type=type_))
    assert ORDER_EVENT_TYPES.chinese_of(type_) in screen.seen


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_can_be_shown(screen: Screen, outcome: str) -> None:
    screen.add_one(DECISIONS, unpaid(outcome=outcome))
    screen.print_summary()
    assert screen.seen.count(OUTCOMES.chinese_of(outcome)) == 2


def test_a_second_instalment_is_shown_before_its_decision(screen: Screen) -> None:
    later = NOON + 30 * MINUTE
    paid = decision(status="pending", reason="paid", watermark=NOON)
    screen.add_one(ORDERS, order("o-1", buyer_id="b-7", type="paid", ts=NOON + 10 * MINUTE))
    screen.add_one(DECISIONS, paid)
    screen.add(
        [(ORDERS, order("o-1", buyer_id="b-7", type="paid", ts=later)), (DECISIONS, {**paid, "revision": 4})]
    )
    shown = [" ".join(line.split()[:4]) for line in screen.seen.splitlines()]
    assert shown[2:] == ["11-01 12:30:00 order 订单", "11-01 12:30:00 verdict 判定"]


def test_verdicts_turn_from_pending_to_final(screen: Screen) -> None:
    screen.add_one(DECISIONS, unpaid())
    assert screen.pending == 1
    screen.add_one(DECISIONS, decision(watermark=MIDNIGHT))
    assert screen.pending == 0
    first, last = screen.seen.splitlines()
    assert first.endswith(
        "o-1 → pending 待定, awaiting payment 待付款, placing agent 落实下单: 阿哲 (C)  (revision 1: created)"
    )
    assert last.startswith("11-02 00:00:00  verdict 判定")
    assert last.endswith("o-1 → final 已定, credit 业绩归属: B, 1,200.00 CNY  (revision 3: timer)")
    assert [one["revision"] for one in screen.history("jd:10086", "o-1")] == [1, 3]


def order(order_id: str, **changes: object) -> Json:
    created = {"order_id": order_id, "ts": NOON, "type": "created", "amount": 129_000}
    return {"buyer_id": "b-8", **created, **changes}


def test_generated_traffic_is_counted_and_a_decision_shown_now_and_then_after_its_event(
    screen: Screen,
) -> None:
    for number in range(5):
        screen.add_one(CHAT, chat(buyer_id="b-8"))
        screen.add_one(ORDERS, order(f"o-{number}"))
        screen.add_one(DECISIONS, unpaid(buyer_id="b-8", order_id=f"o-{number}"))
    assert screen.seen == ""
    screen.clock.now = 0.5
    screen.add_one(DECISIONS, unpaid(buyer_id="b-8", order_id="o-8"))
    assert screen.seen == "", "what brought it about is not known"
    screen.add([(ORDERS, order("o-9")), (DECISIONS, unpaid(buyer_id="b-8", order_id="o-9"))])
    screen.add([(ORDERS, order("o-10")), (DECISIONS, unpaid(buyer_id="b-8", order_id="o-10"))])
    event, verdict = screen.seen.splitlines()
    assert "order 订单    o-9 of b-8: created 下单, 1,290.00 CNY" in event
    assert "verdict 判定  o-9 → pending" in verdict
    screen.refresh()
    assert "in: 5 chat" not in screen.seen
    screen.clock.now = 1.0
    screen.refresh()
    screen.refresh()
    assert screen.seen.count("in: 5 chat, 7 orders; out: 8 pending, 0 final") == 1


def test_a_line_of_counts_is_not_repeated(screen: Screen) -> None:
    screen.add_one(CHAT, chat(buyer_id="b-8"))
    screen.print_counts()
    screen.print_counts()
    assert screen.seen == "in: 1 chat, 0 orders; out: 0 pending, 0 final\n"


def test_in_a_batch_an_event_is_shown_before_its_decision_and_both_by_their_time(screen: Screen) -> None:
    screen.add(
        [
            (ORDERS, order("o-1", buyer_id="b-7", type="paid", ts=NOON + 10 * MINUTE)),
            (CHAT, chat(ts=NOON + 3 * MINUTE)),
            (ORDERS, order("o-1", buyer_id="b-7")),
            (DECISIONS, unpaid()),
            (DECISIONS, unpaid(revision=2, reason="chat", watermark=NOON)),
            (DECISIONS, decision(status="pending", reason="paid")),
        ]
    )
    shown = [" ".join(line.split()[:4]) for line in screen.seen.splitlines()]
    assert shown == [
        "11-01 12:00:00 order 订单",
        "11-01 12:00:00 verdict 判定",
        "11-01 12:03:00 chat 聊天",
        "11-01 12:03:00 verdict 判定",
        "11-01 12:10:00 order 订单",
        "11-01 12:10:00 verdict 判定",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_table_is_cut_however_narrow_the_terminal(width: int) -> None:
    names = {"A": "小雨小雨小雨 (kf-04)"}
    out = io.StringIO()
    console = Console(file=out, width=width)
    example = Path(str(schemas())) / "examples" / "agent-daily"
    record = json.loads(next(iter(sorted(example.glob("*.pass.json")))).read_bytes())
    record["sales"]["amount"] = 123_456_789
    console.print(day_table("2026-11-01", {"A": record, "*": record}, lambda one: names.get(one, one), width))
    assert "…" not in out.getvalue()
    together = out.getvalue().replace("\n", "").replace(" ", "")
    assert "shop" in together
    assert "店铺" in together
    if width >= 80:
        assert "1,234,567.89" in out.getvalue()
        assert "小雨小雨小雨" in out.getvalue()


def test_the_story_alone_brings_no_counts(screen: Screen) -> None:
    screen.add_one(CHAT, chat())
    screen.clock.now = 9.0
    screen.refresh()
    assert "in:" not in screen.seen


def test_a_terminal_keeps_the_counts_at_the_bottom() -> None:
    screen = Screen(terminal=True)
    with screen:
        screen.add_one(CHAT, chat(buyer_id="b-8"))
        screen.refresh()
    assert "in: 1 chat, 0 orders" in screen.seen


def test_bad_records_on_the_topics_do_not_stop_the_show(screen: Screen) -> None:
    screen.add_one(CHAT, {})
    screen.add_one(ORDERS, {})
    assert (screen.counts[CHAT], screen.counts[ORDERS]) == (1, 1)


def test_the_summary_names_what_has_no_credit_and_what_was_bad(screen: Screen) -> None:
    screen.add_one(DECISIONS, decision())
    screen.add_one(DECISIONS, decision(order_id="o-2", status="pending", net_amount=50))
    screen.add_one(DECISIONS, silent(order_id="o-3", credit=None, outcome="silent"))
    screen.add_one(DECISIONS, unpaid(order_id="o-4", outcome="unpaid", watermark=MIDNIGHT + 25 * 60 * MINUTE))
    for _ in range(2):
        screen.add_one(DEAD_LETTERS, {"code": "bad_value"})
    screen.print_summary()
    assert "Not on the roster, so without a name: B." in screen.seen
    assert "Orders without credit: 1 silent 静默, 1 unpaid 未付款." in screen.seen
    assert "Bad records, kept as dead letters: 2 bad_value." in screen.seen


def test_the_first_days_figures_are_shown_per_agent_the_shop_last(screen: Screen) -> None:
    example = Path(str(schemas())) / "examples" / "agent-daily"
    record = json.loads(next(iter(sorted(example.glob("*.pass.json")))).read_bytes())
    workload = {**record["workload"], "receptions": 7, "first_response_ms": 12_400}
    for day, agent_id in (("2026-11-02", "C"), ("2026-11-01", "*"), ("2026-11-01", "A")):
        screen.add_one(AGENT_DAILY, {**record, "day": day, "agent_id": agent_id, "workload": workload})
    screen.print_first_day()
    rows = [line.split() for line in screen.seen.splitlines() if " s " in line]
    assert [row[:2] for row in rows] == [["小雨", "(A)"], ["shop", "店铺"]]
    assert all(row[2:5] == ["7", "12", "s"] for row in rows)
