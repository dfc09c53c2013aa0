"""The sample traffic: the same bytes from a seed, as many lines as asked, all that the rules ask about."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.generate import Plan, Sample, write
from stream_attr.generate.delivery import BAD_CHAT, BAD_ORDERS
from stream_attr.generate.rhythm import shares
from stream_attr.generate.shops import SETTINGS, Agents, shop
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS
from tests.docs.blocks import ROOT
from tools.generate import sample

END_TS = 1_794_412_800_000  # 2026-11-12T00:00:00+08:00
SHANGHAI_MS = 8 * HOUR_MS
FILES = ("chat.jsonl", "orders.jsonl", "rulings.jsonl", "roster.jsonl", "settings.jsonl")
Record = dict[str, Any]


def plan(**changes: int) -> Plan:
    return Plan(**{"seed": 5, "events": 40_000, "days": 15, "end_ts": END_TS, **changes})


def read(lines: list[bytes]) -> list[Record]:
    """The good records of these lines: made from good ones, damaged ones carry another id."""
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and not record["event_id"].startswith("x-"):
            records.append(record)
    return records


class World:
    """One sample, read whole."""

    def __init__(self) -> None:
        days = list(Sample(plan()).days())
        self.chat_lines = [line for day in days for line in day.chat]
        self.order_lines = [line for day in days for line in day.orders]
        self.chat = read(self.chat_lines)
        self.orders = read(self.order_lines)
        self.rulings = [json.loads(line) for day in days for line in day.rulings]
        self.messages = [record for record in self.chat if "type" not in record]
        self.transfers = [record for record in self.chat if record.get("type") == "transfer"]
        self.events_of: dict[str, list[str]] = defaultdict(list)
        self.orders_of: dict[str, list[Record]] = defaultdict(list)
        for record in self.orders:
            self.events_of[record["order_id"]].append(record["type"])
            self.orders_of[record["order_id"]].append(record)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_a_seed_gives_the_same_bytes_on_every_machine() -> None:
    """``make generate`` writes the digest where what is generated has changed; nothing else may change it."""
    [(path, digest)] = sample.files()
    assert digest == (ROOT / path).read_text(encoding="utf-8")


def test_another_seed_gives_other_bytes() -> None:
    one, other = (next(Sample(plan(seed=seed, events=500, days=1)).days()) for seed in (1, 2))
    assert one != other


@pytest.mark.parametrize("events", [1, 7, 99, 1_000, 2_357])
@pytest.mark.parametrize(("days", "shops"), [(1, 1), (4, 3), (20, 12)])
def test_there_are_exactly_as_many_lines_as_asked_for(events: int, days: int, shops: int) -> None:
    sample = list(Sample(plan(events=events, days=days, shops=shops)).days())
    assert len(sample) == days
    assert sum(len(day.chat) + len(day.orders) for day in sample) == events


def test_lines_have_no_newline_inside(world: World) -> None:
    assert not any(b"\n" in line for line in world.chat_lines + world.order_lines)


def test_records_arrive_within_the_days_asked_for(world: World) -> None:
    start = END_TS - 15 * DAY_MS
    assert all(start <= record["ts"] < END_TS for record in world.chat + world.orders)
    days = {(record["ts"] - start) // DAY_MS for record in world.chat}
    assert days == set(range(15))


@pytest.mark.parametrize("bad", [BAD_CHAT, BAD_ORDERS], ids=["chat", "orders"])
def test_every_kind_of_bad_record_is_there(
    world: World, bad: tuple[tuple[str, Callable[..., bytes]], ...]
) -> None:
    lines = world.chat_lines if bad is BAD_CHAT else world.order_lines
    good = len(world.chat if bad is BAD_CHAT else world.orders)
    assert len(bad) <= len(lines) - good <= len(lines) // 100


def test_the_bad_records_earn_every_code_that_a_file_can_earn() -> None:
    assert {code for code, _ in BAD_CHAT + BAD_ORDERS} == {
        *("not_json", "not_an_object", "missing_field", "bad_type", "bad_value"),
        *("too_late", "too_large", "incomplete_order"),
    }


IDS = {"event_id": "1", "shop_id": "jd:10086", "buyer_id": "b-1", "ts": END_TS}
MESSAGE = {**IDS, "agent_id": "kf-01", "sender": "buyer", "text": "在吗", "buyer_is_subaccount": True}
TRANSFER = {**IDS, "agent_id": "kf-01", "type": "transfer", "to_agent_id": "kf-02"}
RATING = {**IDS, "agent_id": "kf-01", "type": "rating", "score": 5, "rated_ts": END_TS - 1}
CANCELLED = {**IDS, "order_id": "o-1", "type": "cancelled"}
PAID = {**IDS, "order_id": "o-1", "type": "paid", "amount": 900, "created_ts": END_TS - 1}


@pytest.mark.parametrize(
    ("decode", "record", "bad"),
    [
        (decode_chat, MESSAGE, BAD_CHAT),
        (decode_chat, TRANSFER, BAD_CHAT),
        (decode_chat, RATING, BAD_CHAT),
        (decode_order, CANCELLED, BAD_ORDERS),
        (decode_order, PAID, BAD_ORDERS),
    ],
    ids=["message", "transfer", "rating", "cancelled", "paid"],
)
def test_a_damaged_record_earns_its_code_whatever_it_was_made_from(
    decode: Callable[[bytes], object], record: Record, bad: tuple[tuple[str, Callable[..., bytes]], ...]
) -> None:
    for code, damage in bad:
        if code in ("too_late", "incomplete_order"):  # told by what came before, or never comes
            decode(damage(record))
            continue
        with pytest.raises(RefusedRecord) as refused:
            decode(damage(record))
        assert refused.value.code == code


def test_all_other_records_are_good(world: World) -> None:
    for lines, decode in ((world.chat_lines, decode_chat), (world.order_lines, decode_order)):
        for line in lines:
            if b'"x-' not in line:
                decode(line)


def test_repeats_are_exact(world: World) -> None:
    lines = Counter(line for line in world.chat_lines if b'"x-' not in line)
    repeats = sum(count - 1 for count in lines.values())
    assert len(lines) // 500 < repeats < len(lines) // 100
    assert len({record["event_id"] for record in world.chat}) == len(world.chat) - repeats


def test_some_events_are_late_by_minutes_hours_and_days(world: World) -> None:
    late = []
    latest = 0
    for record in world.chat:
        late.append(latest - record["ts"])
        latest = max(latest, record["ts"])
    allowed = sum(ms > 5 * MINUTE_MS for ms in late)
    assert len(late) // 400 < allowed < len(late) // 50
    assert any(HOUR_MS < ms < 8 * HOUR_MS for ms in late)
    assert any(ms > DAY_MS for ms in late)


@pytest.mark.parametrize("kind", ["image", "card", "system", "broadcast", "auto_reply"])
def test_every_kind_of_message_is_there(world: World, kind: str) -> None:
    assert sum(record.get("kind") == kind for record in world.messages) >= 20


@pytest.mark.parametrize(
    ("what", "holds"),
    [
        ("blank", lambda record: record.get("text") == " "),
        ("showing nothing", lambda record: record.get("text") == "\u200b"),
        ("cut inside an emoji", lambda record: record.get("text", "").endswith("\ud83d")),
        ("sub-account", lambda record: record.get("buyer_is_subaccount") is True),
        ("own account", lambda record: record["buyer_id"].startswith("kf-")),
        ("platform's staff", lambda record: record["buyer_id"] == "platform-service"),
        (
            "from a product's page",
            lambda record: record.get("entry") == "product_page" and "product_id" in record,
        ),
        ("automatic by its prefix", lambda record: record.get("text", "").startswith("[自动回复]")),
    ],
)
def test_every_sort_of_message_is_there(world: World, what: str, holds: Callable[[Record], bool]) -> None:
    assert sum(map(holds, world.messages)) >= 5, what


def test_transfers_name_another_agent(world: World) -> None:
    assert len(world.transfers) > 100
    assert all(record["to_agent_id"] != record["agent_id"] for record in world.transfers)


def test_some_services_are_rated_some_of_them_later_or_twice(world: World) -> None:
    ratings = [record for record in world.chat if record.get("type") == "rating"]
    assert len(ratings) > 30
    assert {record["score"] for record in ratings} == {1, 2, 3, 4, 5}
    assert any(record["ts"] - record.get("rated_ts", record["ts"]) > HOUR_MS for record in ratings)


def test_a_robot_hands_buyers_over_and_some_ask_nothing_again(world: World) -> None:
    from_robot = [record for record in world.transfers if record["agent_id"] == "kf-robot"]
    assert len(from_robot) > 30
    spoken = defaultdict(list)
    for record in world.messages:
        spoken[record["buyer_id"], record["agent_id"]].append(record)
    unasked = 0
    for record in from_robot:
        heir = spoken[record["buyer_id"], record["to_agent_id"]]
        unasked += not any(one["sender"] == "buyer" for one in heir) and bool(heir)
    assert unasked >= 3


def test_some_questions_of_the_last_minute_are_answered_on_the_next_day(world: World) -> None:
    asked = {}
    answered = 0
    for record in sorted(world.messages, key=lambda one: one["ts"]):
        pair, clock = (record["buyer_id"], record["agent_id"]), (record["ts"] + SHANGHAI_MS) % DAY_MS
        if record["sender"] == "buyer" and clock >= DAY_MS - MINUTE_MS:
            asked[pair] = record["ts"]
        elif record["sender"] == "agent" and pair in asked and clock < 10 * MINUTE_MS:
            answered += record["ts"] - asked.pop(pair) < 10 * MINUTE_MS
    assert answered >= 3


def test_rulings_are_on_orders_that_are_paid_and_some_are_withdrawn(world: World) -> None:
    kinds = Counter(record["type"] for record in world.rulings)
    assert kinds["credit"] >= 10
    assert kinds["withdrawn"] >= 1
    assert any(record.get("agent_id", "") is None for record in world.rulings)
    for record in world.rulings:
        assert "paid" in world.events_of[record["order_id"]]


def test_the_trainee_the_unlisted_agent_and_after_sales_all_chat(world: World) -> None:
    agents = Agents(10)
    chatting = Counter(record["agent_id"] for record in world.messages)
    assert chatting[agents.trainee] > 50
    assert chatting[agents.unlisted] > 50
    assert all(chatting[agent] > 50 for agent in agents.aftersale)


def test_ratios_are_those_of_a_shop(world: World) -> None:
    lines = len(world.chat) + len(world.orders)
    assert 0.07 < len(world.orders) / lines < 0.11
    receptions = Counter(
        (record["buyer_id"], record["agent_id"], (record["ts"] + SHANGHAI_MS) // DAY_MS)
        for record in world.messages
    )
    assert 10 < len(world.messages) / len(receptions) < 14
    agents_of = defaultdict(set)
    for buyer, agent, _ in receptions:
        agents_of[buyer].add(agent)
    assert 2 < sum(map(len, agents_of.values())) / len(agents_of) < 6
    asked = {record["buyer_id"] for record in world.messages}
    orders = {(record["buyer_id"], record["order_id"]) for record in world.orders}
    conversations = len(receptions) * 0.75  # the rest are hand-overs, second visits and talk about an order
    assert 0.25 < sum(buyer in asked for buyer, _ in orders) / conversations < 0.8


def test_orders_end_in_every_way(world: World) -> None:
    ends = {"created", "paid", "cancelled", "refund_requested", "refund_completed"}
    ways = Counter(tuple(sorted(ends.intersection(types))) for types in world.events_of.values())
    for way in (
        ("created",),
        ("created", "paid"),
        ("cancelled", "created"),
        ("created", "paid", "refund_requested"),
        ("created", "paid", "refund_completed", "refund_requested"),
    ):
        assert ways[way] >= 10, way
    paid = sum("paid" in types for types in world.events_of.values())
    assert 0.75 < paid / len(world.events_of) < 0.95
    amounts = {
        (record["order_id"], record["type"]): record["amount"]
        for record in world.orders
        if "amount" in record
    }
    partial = sum(
        amount < amounts.get((order, "paid"), 0)
        for (order, kind), amount in amounts.items()
        if kind == "refund_completed"
    )
    assert partial >= 5


def types_of(events: list[Record]) -> set[str]:
    return {record["type"] for record in events}


def ids_of(events: list[Record], name: str) -> set[str]:
    return {record[name] for record in events if name in record}


def payments_of(events: list[Record]) -> set[int]:
    """The times of the payments without an id."""
    return {one["ts"] for one in events if one["type"] == "paid" and "payment_id" not in one}


@pytest.mark.parametrize(
    ("what", "least", "holds"),
    [
        ("instalments", 5, lambda events: len(ids_of(events, "payment_id")) == 2),
        ("charged twice", 2, lambda events: len(payments_of(events)) == 2),
        ("deposit and balance", 5, lambda events: types_of(events) >= {"deposit_paid", "paid"}),
        (
            "deposit alone",
            1,
            lambda events: "deposit_paid" in types_of(events) and "paid" not in types_of(events),
        ),
        ("excluded", 10, lambda events: "excluded" in types_of(events)),
        ("included again", 1, lambda events: "included" in types_of(events)),
        ("a refund refused and asked for again", 1, lambda events: len(ids_of(events, "refund_id")) == 2),
        ("parcel inspected", 5, lambda events: types_of(events) >= {"parcel_returned", "parcel_inspected"}),
        (
            "parcel never inspected",
            1,
            lambda events: types_of(events) & {"parcel_returned", "parcel_inspected"} == {"parcel_returned"},
        ),
        ("good review", 10, lambda events: ids_of(events, "review") == {"good"}),
        ("review that is not good", 5, lambda events: ids_of(events, "review") & {"neutral", "bad"} != set()),
        ("review made good", 1, lambda events: len(ids_of(events, "review")) == 2),
        ("a refund in another currency", 1, lambda events: "HKD" in ids_of(events, "currency")),
    ],
)
def test_orders_have_every_case(
    world: World, what: str, least: int, holds: Callable[[list[Record]], bool]
) -> None:
    assert sum(map(holds, world.orders_of.values())) >= least, what


def test_balances_are_paid_in_time(world: World) -> None:
    for events in world.orders_of.values():
        until = [one["balance_until"] for one in events if one["type"] == "deposit_paid"]
        for record in events:
            if until and record["type"] == "paid" and record.get("payment_id") != "2":
                assert record["ts"] < until[0]


def test_some_orders_are_silent_and_some_semi_silent(world: World) -> None:
    answered: dict[str, list[int]] = defaultdict(list)
    for record in world.messages:
        if record["sender"] == "agent" and record.get("kind", "text") == "text":
            answered[record["buyer_id"]].append(record["ts"])
    created = {record["order_id"]: record for record in world.orders if record["type"] == "created"}
    paid = {record["order_id"]: record["ts"] for record in world.orders if record["type"] == "paid"}
    kinds: Counter[str] = Counter()
    for order, record in created.items():
        if order in paid:
            times = answered[record["buyer_id"]]
            before = any(record["ts"] - 2 * DAY_MS <= ts < record["ts"] for ts in times)
            between = any(record["ts"] <= ts < paid[order] for ts in times)
            kinds["none" if before else "semi" if between else "full"] += 1
    share = {kind: count / len(created) for kind, count in kinds.items()}
    assert share["none"] > 0.3
    assert share["full"] > 0.15
    assert 0.005 < share["semi"] < 0.1


def test_the_day_has_its_peaks_and_the_promotion_its_rush(world: World) -> None:
    hours = Counter((record["ts"] + SHANGHAI_MS) // HOUR_MS % 24 for record in world.chat)
    for peak, lull in ((11, 8), (11, 13), (15, 13), (15, 18), (21, 18), (21, 3)):
        assert hours[peak] > 1.1 * hours[lull], (peak, lull)
    days = Counter((record["ts"] + SHANGHAI_MS) // DAY_MS for record in world.chat)
    singles_day = (END_TS - 1 + SHANGHAI_MS) // DAY_MS
    ordinary = sorted(days.values())[len(days) // 2]
    assert days[singles_day] > 4 * ordinary


def test_a_span_without_a_promotion_of_the_calendar_has_the_shops_own_sale() -> None:
    august = END_TS - 80 * DAY_MS
    sizes = sorted(len(day.chat) for day in Sample(plan(end_ts=august, events=20_000)).days())
    assert sizes[-1] > 2.5 * sizes[-2]


def test_settings_and_roster_hold_before_the_first_day(tmp_path: Path) -> None:
    write(plan(events=2_000, shops=10), tmp_path)
    settings, roster = (
        [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]
        for name in ("settings.jsonl", "roster.jsonl")
    )
    for name, decode in (("settings.jsonl", decode_settings), ("roster.jsonl", decode_roster)):
        for line in (tmp_path / name).read_bytes().splitlines():
            decode(line)
    assert len({record["shop_id"] for record in settings}) == 10
    assert {record["preset"] for record in settings} == {str(each["preset"]) for each in SETTINGS}
    assert sum("profiles" in record for record in settings) >= 3
    assert all(record["effective_from"] < "2026-10-28" for record in settings)
    first: dict[tuple[str, str], str] = {}
    roles = defaultdict(set)
    for record in roster:
        first.setdefault((record["shop_id"], record["agent_id"]), record["effective_from"])
        roles[record["shop_id"]].add(record["role"])
    assert all(day < "2026-10-28" for day in first.values())
    assert set(map(frozenset, roles.values())) == {frozenset({"presale", "aftersale", "frozen"})}
    assert any("2026-10-28" < record["effective_from"] < "2026-11-12" for record in roster)


def test_a_platform_of_single_records_says_when_the_order_was_placed() -> None:
    (day,) = Sample(plan(events=20_000, days=1, shops=2)).days()
    paid = [
        record
        for record in read(day.orders)
        if record["shop_id"].startswith("pdd") and record["type"] == "paid"
    ]
    assert paid
    assert all(record["created_ts"] < record["ts"] for record in paid)


def test_shops_are_told_apart_however_many() -> None:
    assert len({shop(index).shop_id for index in range(40)}) == 40


def test_shares_add_up() -> None:
    assert shares(10, [1, 1, 1]) == [3, 6, 10]


@pytest.mark.parametrize("agents", range(4, 40))
def test_every_shift_has_agents_and_nobody_has_two_roles(agents: int) -> None:
    staff = Agents(agents)
    everybody = [*staff.presale, *staff.aftersale, *filter(None, [staff.trainee])]
    assert sorted(everybody) == [f"kf-{number:02}" for number in range(1, agents + 1)]
    assert all(staff.on_duty(hour) for hour in range(24))


@pytest.mark.parametrize("wrong", [{"events": 0}, {"days": 0}, {"shops": 0}, {"agents": 3}, {"buyers": 0}])
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be at least"):
        plan(**wrong)


def test_the_command_writes_its_files(tmp_path: Path) -> None:
    arguments = ["--seed", "3", "--events", "700", "--days", "2", "--end", "2026-08-01T12:00:00Z"]
    result = CliRunner().invoke(main, ["generate", *arguments, "--out", str(tmp_path / "new" / "sample")])
    assert result.exit_code == 0, result.output
    lines = {name: (tmp_path / "new" / "sample" / name).read_bytes().count(b"\n") for name in FILES}
    assert lines["chat.jsonl"] + lines["orders.jsonl"] == 700
    assert lines["settings.jsonl"] == 1


def test_the_command_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    result = CliRunner().invoke(
        main, ["generate", "--events", "1", "--out", str(tmp_path / "taken" / "sample")]
    )
    assert result.exit_code == 2
    assert "taken" in result.output


@pytest.mark.parametrize("how", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_one_that_is_interrupted_or_finds_the_disk_full_leaves_no_file(
    tmp_path: Path, how: BaseException
) -> None:
    def two_days_then_fail(lines_so_far: int) -> None:
        if lines_so_far > 500:
            raise how

    wanted = plan(events=1_000, days=4)
    before = tmp_path / "chat.jsonl"
    before.write_text("before")
    with pytest.raises((KeyboardInterrupt, UnusableFileError)):
        write(wanted, tmp_path, two_days_then_fail)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("chat.jsonl", "before")]
    with pytest.raises((KeyboardInterrupt, UnusableFileError)):
        write(wanted, tmp_path / "new", two_days_then_fail)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--end", "2000-01-02T00:00:00Z", "--days", "15"], ["--days", "3650", "--end", "2010-01-01T00:00:00Z"]],
)
def test_no_sample_is_made_of_years_that_no_event_may_lie_in(tmp_path: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["generate", *arguments, "--out", str(tmp_path / "sample")])
    assert result.exit_code == 2
    assert "Invalid value for '--end' / '--days'" in result.stderr
    assert not (tmp_path / "sample").exists()


def test_the_first_sample_there_can_be_has_its_oldest_events_in_2000(tmp_path: Path) -> None:
    arguments = ["--events", "4000", "--days", "1", "--end", "2000-05-01T00:00:00Z"]
    result = CliRunner().invoke(main, ["generate", *arguments, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.stderr
    lines = (tmp_path / "chat.jsonl").read_bytes().splitlines()
    bygone = [json.loads(line)["ts"] for line in lines if b'"b-bygone"' in line]
    assert bygone
    assert min(bygone) >= 946_684_800_000
