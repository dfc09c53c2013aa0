"""What rule sets give to whom, worked out by hand; and against the reference model on any world."""

from __future__ import annotations

import resource
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_attr.errors import UnusableError
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.lab.judge import judge
from stream_attr.lab.report import report
from stream_attr.lab.result import LabResult, Sum
from stream_attr.lab.rule_sets import AS_IT_STOOD, RuleSet, composed, preset, read_rules
from stream_attr.ledger.periods import period
from stream_attr.replay.child_process import ProcessLostError
from tests.lab.files import written
from tests.properties.strategies import World, rules, worlds
from tests.properties.test_invariants import examples
from tests.reference.days import MINUTE_MS
from tests.reference.model import judge as by_model
from tests.reference.shorthand import DAY_MS, MIDNIGHT, NOON, TODAY, chat_of, order, shop_settings

SHOP = "jd:1"
PAYMENT = RuleSet("payment", {"credit_rule": "payment"})
PLACING = RuleSet("placing", {"credit_rule": "order"})
FIRST = RuleSet("first", {"credit_rule": "order_first"})
THREE = (PAYMENT, PLACING, FIRST)
DAY = period(TODAY, None)


def paid(order_id: str, buyer_id: str, amount: int, created_ts: int, paid_ts: int) -> list[dict[str, Any]]:
    return [
        order("created", created_ts, order_id, buyer_id, amount=amount),
        order("paid", paid_ts, order_id, buyer_id, amount=amount),
    ]


@pytest.fixture
def noon(tmp_path: Path) -> Inputs:
    """The two agents of RULEBOOK 12: A places, B brings the payment; silent for b-2; A alone for b-3."""
    chat, orders = [], []
    for buyer_id in ("b-1", "b-3"):
        chat += chat_of("A", NOON - 10 * MINUTE_MS, buyer_id)
    for buyer_id in ("b-1", "b-2"):
        chat += chat_of("B", NOON + 2 * MINUTE_MS, buyer_id)
    for order_id, buyer_id, amount in (("o-1", "b-1", 100), ("o-2", "b-2", 300), ("o-3", "b-3", 500)):
        orders += paid(order_id, buyer_id, amount, NOON, NOON + 10 * MINUTE_MS)
    orders.append(order("refund_completed", NOON + DAY_MS, "o-2", "b-2", amount=40, refund_id="r"))
    orders.append(order("refund_requested", NOON + DAY_MS, "o-2", "b-2", amount=90, refund_id="s"))
    return written(tmp_path, chat=chat, orders=orders)


def winners(result: LabResult) -> dict[str, tuple[str | None, ...]]:
    """By order: whose it is under each rule set, of those that are contested."""
    return {one.order_id: tuple(verdict.agent_id for verdict in one.verdicts) for one in result.orders}


def test_orders_are_judged_by_each_rule_set(noon: Inputs) -> None:
    result = judge(noon, SHOP, THREE, DAY)
    assert result.rule_sets == ("payment", "placing", "first")
    assert winners(result) == {"o-1": ("B", "A", "A"), "o-2": ("B", None, "B")}  # o-3: A's under all
    [first, second] = result.orders
    assert (first.amount, first.refunded, first.refunds) == (100, 0, ())
    assert (second.amount, second.refunded, second.refunds) == (300, 40, ((NOON + DAY_MS, 40),))
    assert [one.basis for one in first.verdicts] == ["payment", "placing", "placing"]
    assert {(one.placing, one.payment) for one in first.verdicts} == {("A", "B")}


def test_money_of_agents_and_nobody_adds_up_under_each_rule_set(noon: Inputs) -> None:
    result = judge(noon, SHOP, THREE, DAY)
    assert [(one.agent_id, one.currency) for one in result.money] == [
        ("A", "CNY"),
        ("B", "CNY"),
        (None, "CNY"),
    ]
    of_a, of_b, nobodys = (one.sums for one in result.money)
    assert of_a == (Sum(1, 500, 500), Sum(2, 600, 600), Sum(2, 600, 600))
    assert of_b == (Sum(2, 400, 360), Sum(), Sum(1, 300, 260))
    assert nobodys == (Sum(), Sum(1, 300, 260), Sum())


def test_contested_is_what_depends_on_the_rule(noon: Inputs) -> None:
    [of_three] = judge(noon, SHOP, THREE, DAY).contested
    assert (of_three.contested, of_three.total) == (Sum(2, 400, 360), Sum(3, 900, 860))
    assert of_three.share == 400 / 900
    [of_two] = judge(noon, SHOP, (PAYMENT, FIRST), DAY).contested
    assert (of_two.contested, of_two.share) == (Sum(1, 100, 100), 100 / 900)


def test_a_pair_says_which_orders_move_from_whom_to_whom(noon: Inputs) -> None:
    result = judge(noon, SHOP, THREE, DAY)
    pair = result.pair("payment", "placing")
    assert [(one.order.order_id, one.before.agent_id, one.after.agent_id) for one in pair.moves] == [
        ("o-1", "B", "A"),
        ("o-2", "B", None),
    ]
    assert [(one.before, one.after, one.moved.amount) for one in pair.flows] == [
        ("B", None, 300),
        ("B", "A", 100),
    ]
    changes = {
        row.agent_id: (*(one.amount for one in row.sums), gained.amount, lost.amount)
        for row, gained, lost in pair.agents
    }
    assert changes == {"A": (500, 600, 100, 0), "B": (400, 0, 0, 400), None: (0, 300, 300, 0)}
    assert [(one.before, one.after) for one in result.pairs] == [
        ("payment", "placing"),
        ("payment", "first"),
        ("placing", "first"),
    ]


def test_the_period_is_of_the_time_of_payment(tmp_path: Path) -> None:
    times = {"before": -1, "first": 0, "last": DAY_MS - 1, "after": DAY_MS}
    orders = [
        event
        for name, after in times.items()
        for event in paid(name, name, 1, MIDNIGHT - MINUTE_MS, MIDNIGHT + after)
    ]
    result = judge(written(tmp_path, orders=orders), SHOP, (PAYMENT,), DAY)
    assert result.money[0].sums[0].orders == 2
    with_day_cut = judge(
        written(tmp_path, orders=orders, settings=shop_settings(day_cut="00:01")), SHOP, (PAYMENT,), DAY
    )
    assert with_day_cut.money[0].sums[0].orders == 2  # `last` and `after`
    assert (with_day_cut.zone, with_day_cut.first_day, with_day_cut.last_day) == (
        "Asia/Shanghai",
        TODAY,
        TODAY,
    )


def test_an_excluded_or_unpaid_order_is_nobodys_and_not_counted(tmp_path: Path) -> None:
    orders = [
        *paid("excluded", "b-1", 1, NOON, NOON + 1),
        order("excluded", NOON + 2, "excluded"),
        order("created", NOON, "unpaid"),
        *paid("back", "b-1", 7, NOON, NOON + 1),
        order("excluded", NOON + 2 * DAY_MS, "back"),
        order("included", NOON + 4 * DAY_MS, "back"),
    ]
    result = judge(written(tmp_path, orders=orders), SHOP, (PAYMENT, FIRST), DAY)
    assert [one.sums for one in result.money] == [(Sum(1, 7, 7), Sum(1, 7, 7))]


def test_a_ruling_holds_under_every_rule_set(tmp_path: Path, noon: Inputs) -> None:
    ruling = {"shop_id": SHOP, "buyer_id": "b-1", "order_id": "o-1", "ts": NOON + DAY_MS, "event_id": "r-1"}
    for agent_id, rest in (("C", (Sum(1, 100, 100),) * 3), (None, None)):
        rulings = [{**ruling, "type": "credit", "agent_id": agent_id, "ruled_by": "manager"}]
        files = written(tmp_path, rulings=rulings)
        result = judge(Inputs(chat=noon.chat, orders=noon.orders, rulings=files.rulings), SHOP, THREE, DAY)
        assert (result.ruled, set(winners(result))) == (1, {"o-2"})
        assert {one.agent_id: one.sums for one in result.money}.get("C") == rest


def test_as_it_stood_is_by_the_settings_of_each_day(tmp_path: Path, noon: Inputs) -> None:
    tomorrow = "2026-11-02"
    history = [
        *shop_settings(credit_rule="order", profiles={"another": {}}),
        {"shop_id": SHOP, "effective_from": tomorrow, "credit_rule": "payment"},
        {"shop_id": "tb:2", "effective_from": TODAY, "credit_rule": "payment"},
        {"shop_id": SHOP, "effective_from": TODAY, "credit_rule": "nonsense"},
    ]
    settings = written(tmp_path, settings=history).settings
    files = Inputs(chat=noon.chat, orders=noon.orders, settings=settings)
    assert winners(judge(files, SHOP, (PAYMENT, AS_IT_STOOD), DAY)) == {"o-1": ("B", "A"), "o-2": ("B", None)}
    history[1]["effective_from"] = TODAY
    settings = written(tmp_path, settings=history).settings
    assert winners(judge(files, SHOP, (PLACING, AS_IT_STOOD), DAY)) == {"o-1": ("A", "B"), "o-2": (None, "B")}


def test_before_the_first_record_the_shop_ran_on_the_default_preset(tmp_path: Path, noon: Inputs) -> None:
    history = [{"shop_id": SHOP, "effective_from": "2026-11-02", "credit_rule": "order"}]
    settings = written(tmp_path, settings=history).settings
    files = Inputs(chat=noon.chat, orders=noon.orders, settings=settings)
    assert winners(judge(files, SHOP, (PAYMENT, AS_IT_STOOD), DAY)) == {}


def test_a_whole_settings_record_is_a_rule_set(noon: Inputs) -> None:
    record = (
        b'{"shop_id": "x", "effective_from": "2026-12-01", "timezone": "Asia/Shanghai", "day_cut": "00:00",'
        b' "credit_rule": "order", "tasks": {"duty": []}, "profiles": {"p": {}}}'
    )
    result = judge(noon, SHOP, (PAYMENT, read_rules(record, "新规则")), DAY)
    assert winners(result) == {"o-1": ("B", "A"), "o-2": ("B", None)}
    assert result.rule_sets == ("payment", "新规则")


@pytest.mark.parametrize(
    ("rule_sets", "said"),
    [
        ((), "no rule set to judge by"),
        ((PAYMENT, PAYMENT), "rule set payment is there twice"),
        ((AS_IT_STOOD, RuleSet("again", None)), "can be there once"),
        ((RuleSet("", {}),), "a name is 1 to 64 printable characters"),
        ((RuleSet("x", {"credit_rule": "best"}),), "rule set x: `credit_rule`"),
        ((RuleSet("x", {"placing": "last_chat"}),), "rule set x: "),
        ((RuleSet("x", {"timezone": "UTC"}),), "`timezone` is Asia/Shanghai since the shop's first record"),
        ((RuleSet("x", {"day_cut": "02:00"}),), "`day_cut` is 00:00 since the shop's first record"),
        ((RuleSet("x", {"preset": "pdd", "silent_followup": {"buyer_initiated": True}}),), "never credits"),
    ],
)
def test_a_rule_set_that_cannot_be_used_is_named(
    noon: Inputs, rule_sets: tuple[RuleSet, ...], said: str
) -> None:
    with pytest.raises(UnusableError) as caught:
        judge(noon, SHOP, rule_sets, DAY)
    assert said in str(caught.value)


@pytest.mark.parametrize(("value", "said"), [(b"{", "not JSON"), (b"[]", "not a JSON object")])
def test_a_document_that_is_no_rule_set_is_named(value: bytes, said: str) -> None:
    with pytest.raises(UnusableError, match=f"rule set x: {said}"):
        read_rules(value, "x")


def test_more_files_than_may_be_open_are_refused_with_the_remedy(
    noon: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65, 65))
    with pytest.raises(UnusableError, match="2 files bear on this period, and a process may have 1 of them"):
        judge(noon, SHOP, (PAYMENT,), DAY)


def test_presets_are_rule_sets_and_others_are_named() -> None:
    assert preset("kefu_mofang") == RuleSet("kefu_mofang", {"preset": "kefu_mofang"})
    with pytest.raises(UnusableError, match=r"there is no preset 'mofang'.* kefu_mofang_2"):
        preset("mofang")


def test_a_missing_file_is_named_from_several_processes_too() -> None:
    for processes in (1, 2):
        with pytest.raises(UnusableFileError, match=r"nowhere\.jsonl"):
            judge(Inputs(orders=["nowhere.jsonl"]), SHOP, (PAYMENT,), DAY, processes=processes)


@pytest.mark.parametrize("processes", [1, 2])
def test_it_tells_how_far_it_is_and_ends_by_what_that_raises(noon: Inputs, processes: int) -> None:
    told: list[tuple[int, int]] = []

    def report_progress(read: int, total: int) -> None:
        told.append((read, total))

    judge(noon, SHOP, (PAYMENT,), DAY, processes=processes, progress=report_progress)
    assert (told[0], told[-1]) == ((0, 16), (16, 16))
    assert told == sorted(told)

    def stop(read: int, _total: int) -> None:
        if read:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(noon, SHOP, (PAYMENT,), DAY, processes=processes, progress=stop)


@pytest.mark.parametrize("processes", [1, 3])
def test_what_is_refused_is_counted(noon: Inputs, tmp_path: Path, processes: int) -> None:
    """But for what comes of an order whose creation was not read: of a period some always does."""
    wrong = tmp_path / "wrong.jsonl"
    unknown = order("paid", NOON, "o-unknown", "b-9", amount=1)
    wrong.write_bytes(b'{"event_id": 5\n' + orjson.dumps({"event_id": 5}) + b"\n" + orjson.dumps(unknown))
    inputs = Inputs([*noon.chat, str(wrong)], [*noon.orders, str(wrong)], noon.roster, noon.settings)
    result = judge(inputs, SHOP, THREE, DAY, processes=processes)
    assert result.refused == 5  # both lines of each file, and in chat the order
    assert winners(result) == winners(judge(noon, SHOP, THREE, DAY, processes=1))
    [note] = [one for one in report(result, "pairs").notes if "refused" in one.text.of("en")]
    assert note.text.of("en").startswith("5 records were refused")


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_say_the_same_together(noon: Inputs, processes: int) -> None:
    assert judge(noon, SHOP, THREE, DAY, processes=processes) == judge(noon, SHOP, THREE, DAY, processes=1)


def test_a_process_that_dies_is_named(noon: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the other one finds its peer ended or not."""
    start, started = SpawnProcess.start, []

    def start_and_kill_the_second(process: SpawnProcess) -> None:
        start(process)
        started.append(process)
        if len(started) == 2:
            process.kill()

    monkeypatch.setattr(SpawnProcess, "start", start_and_kill_the_second)
    with pytest.raises(ProcessLostError, match="process 2 of 2 ended with exit code -9"):
        judge(noon, SHOP, THREE, DAY, processes=2)


def test_the_records_that_judge_all_of_them(tmp_path: Path) -> None:
    """The first rule set is official, unless one is the shop's own."""
    settings = written(tmp_path, settings=shop_settings(day_cut="02:00", timezone="UTC")).settings
    made = composed(SHOP, (PAYMENT, PLACING), settings)
    assert (made.profiles, len(made.lines)) == (["official", "1"], 1)
    assert (made.zone.name, made.zone.day_cut) == ("UTC", "02:00")
    made = composed(SHOP, (PAYMENT, AS_IT_STOOD), settings)
    assert (made.profiles, len(made.lines)) == (["0", "official"], 2)


def _expected(world: World, settings: list[dict[str, Any]], shop_id: str) -> dict[str, Any]:
    """By order of a shop: what the reference model says of it by some settings, where it is paid."""
    decided = by_model(world.chat, world.orders, settings, world.roster, None, world.rulings)
    return {
        order_id: (one["credit"] or {"agent_id": None, "basis": None}, one["amount"], one["refund_completed"])
        for (shop, order_id, profile), one in decided.items()
        if shop == shop_id and profile == "official" and one["outcome"] in ("credited", "silent")
    }


@examples(60)
@given(worlds(), st.lists(rules(), min_size=1, max_size=2))
def test_every_world_is_judged_as_the_reference_model_judges_it_by_each_rule_set(
    world: World, drawn: list[dict[str, Any]]
) -> None:
    shop_id = world.orders[0]["shop_id"] if world.orders else SHOP
    own = [one for one in world.settings if one["shop_id"] == shop_id]
    fields: tuple[str, ...] = ("timezone", "day_cut")
    of_shop = {name: own[0][name] for name in fields if own and name in own[0]}
    base = {"shop_id": shop_id, "effective_from": "2000-01-01", **of_shop}
    expected = [_expected(world, world.settings, shop_id)]
    expected += [_expected(world, [{**base, **one}], shop_id) for one in drawn]
    rule_sets = (AS_IT_STOOD, *(RuleSet(str(number), one) for number, one in enumerate(drawn)))
    with TemporaryDirectory() as name:
        inputs = written(
            Path(name),
            chat=world.chat,
            orders=world.orders,
            roster=world.roster,
            settings=world.settings,
            rulings=world.rulings,
        )
        result = judge(inputs, shop_id, rule_sets, period("2010-01-01", "2030-12-31"), processes=1)
    contested = {
        order_id
        for order_id in expected[0]
        if len({found[order_id][0]["agent_id"] for found in expected}) > 1
    }
    assert set(winners(result)) == contested
    for order_id, found in winners(result).items():
        assert found == tuple(one[order_id][0]["agent_id"] for one in expected)
    for number, of_rules in enumerate(expected):
        sums: dict[str | None, Sum] = {}
        for credit, amount, refunded in of_rules.values():
            known = sums.get(credit["agent_id"], Sum())
            sums[credit["agent_id"]] = Sum(
                known.orders + 1, known.amount + amount, known.net + amount - refunded
            )
        told: dict[str | None, Sum] = {}
        for one in result.money:
            known, more = told.get(one.agent_id, Sum()), one.sums[number]
            told[one.agent_id] = Sum(
                known.orders + more.orders, known.amount + more.amount, known.net + more.net
            )
        assert {agent: found for agent, found in told.items() if found.orders} == sums
