"""One partition, live: what is refused and with which code, what is looked up, judged again, and left."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from stream_attr.codec.decoding import MAX_KEY_BYTES, MAX_RECORD_BYTES
from stream_attr.codec.internal.progress import decode_progress
from stream_attr.contract.topics import BUYER_DAYS, CHAT, DEAD_LETTERS, DECISIONS, ORDERS, SETTINGS, TICKS
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.testing import MemoryStore

NOW = zone("Asia/Shanghai").start_of(20_758) + 12 * HOUR_MS
"""2026-11-01 12:00 in Shanghai."""
HISTORY_MS = 35 * DAY_MS
KEY = b"jd:1|b-1"


class Partition:
    """A processor with its store, fed value by value as its topics are."""

    def __init__(self, registry=None):
        self.registry = registry or ShopRegistry()
        self.store = MemoryStore()
        self.now = NOW
        self.options = Options(allowed_lateness_ms=0, clock=lambda: self.now, reports=False)
        self.processor = Processor(self.registry, self.store, self.options)
        self.offset = -1
        self.progress = None

    def send(self, topic, value, key=KEY):
        """Judge one record; return what came out, parsed."""
        self.offset += 1
        raw = json.dumps(value).encode() if isinstance(value, dict) else value
        record = Record(topic, 3, self.offset, NOW, key, raw)
        return self.take(self.processor.process([record], frozenset()))

    def take(self, batch):
        self.store.apply(batch.changes)
        self.progress = batch.progress
        self.stats = batch.stats
        self.last = [(output.topic, json.loads(output.value)) for output in batch.outputs]
        return self.last

    def chat(self, ts=NOW, event_id="m1", sender="agent", key=KEY, **fields):
        value = {
            "shop_id": "jd:1",
            "buyer_id": "b-1",
            "agent_id": "A",
            "sender": sender,
            "event_id": event_id,
        }
        return self.send(CHAT, {**value, "ts": ts, **fields}, key)

    def order(self, type_, ts=NOW, event_id="e1", key=KEY, **fields):
        value = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "event_id": event_id}
        return self.send(ORDERS, {**value, "type": type_, "amount": 100, "ts": ts, **fields}, key)

    def tick(self, ts, now=None):
        """Send a tick; unless said otherwise the wall clock has come that far."""
        self.now = max(self.now, ts) if now is None else now
        return self.send(TICKS, {"ts": ts}, None)

    def decisions(self):
        return json.loads(self.processor.find_order("jd:1", "o-1") or b"null")


@pytest.fixture
def partition():
    return Partition()


def codes(outputs):
    return [value["code"] for topic, value in outputs if topic == DEAD_LETTERS]


# Dead letters


def test_what_was_sent_is_kept_with_its_place(partition):
    partition.chat()
    [(topic, letter)] = partition.send(CHAT, b"\xff{", b"\x00key")
    assert topic == DEAD_LETTERS
    assert (letter["topic"], letter["partition"], letter["offset"]) == (CHAT, 3, 1)
    assert (b64decode(letter["key_base64"]), b64decode(letter["value_base64"])) == (b"\x00key", b"\xff{")
    assert partition.stats.dead_letters == {"not_json": 1}


@pytest.mark.parametrize("topic", [CHAT, ORDERS, TICKS])
def test_no_record_stops_the_stream(partition, topic):
    for value in (None, b"", b"[]", b"{}", b"\xff", b"[" * 5000, b'{"ts": 1e999}', b" " * 300_000):
        assert len(codes(partition.send(topic, value))) == 1
    assert partition.processor.watermark < 0
    assert len(partition.store) == 0
    assert decode_progress(partition.progress).offsets == {topic: 8}


def test_progress_keeps_where_reading_goes_on_behind_the_last_record(partition):
    partition.chat()
    batch = partition.processor.process([], frozenset(), {CHAT: 9, BUYER_DAYS: 4})
    assert decode_progress(batch.progress).offsets == {CHAT: 9, BUYER_DAYS: 4}
    record = Record(CHAT, 3, 9, NOW, b"", b"")
    batch = partition.processor.process([record], frozenset(), {CHAT: 12})
    assert decode_progress(batch.progress).offsets == {CHAT: 12, BUYER_DAYS: 4}


@pytest.mark.parametrize(("size", "code"), [(-1, "not_json"), (0, "not_json"), (1, "too_large")])
def test_a_record_may_have_256_kib(partition, size, code):
    assert codes(partition.send(CHAT, b"{" * (MAX_RECORD_BYTES + size))) == [code]


@pytest.mark.parametrize("value", [None, b"{", b'{"ts": 1}', b" " * 300_000, b'{"%s": 1}' % (b"x" * 200_000)])
@pytest.mark.parametrize("topic", [CHAT, ORDERS, TICKS])
@pytest.mark.parametrize("size", [MAX_KEY_BYTES, MAX_KEY_BYTES + 1, 900_000])
def test_a_dead_letter_fits_into_its_topic_whatever_key_and_value_hold(partition, topic, value, size):
    record = Record(topic, 3, 0, NOW, b"k" * size, value)
    [output] = partition.processor.process([record], frozenset()).outputs
    letter = json.loads(output.value)
    assert len(output.key) + len(output.value) < 1_000_000
    assert b64decode(letter["key_base64"]) == output.key == b"k" * MAX_KEY_BYTES
    if size > MAX_KEY_BYTES:
        assert (letter["code"], letter["field"]) == ("too_large", "key")


@pytest.mark.parametrize("key", [None, b"", b"jd:1", b"b-1|jd:1", b"jd:1|b-2", b"jd:1|b-1 ", b'"jd:1|b-1"'])
def test_the_key_is_shop_and_buyer_of_the_value(partition, key):
    assert codes(partition.chat(key=key)) == ["key_mismatch"]
    assert codes(partition.order("created", key=key)) == ["key_mismatch"]
    assert codes(partition.chat()) == []


@pytest.mark.parametrize(("ahead", "expected"), [(-1, []), (0, []), (1, ["future_timestamp"])])
def test_an_event_may_be_ten_minutes_ahead_of_the_clock(partition, ahead, expected):
    assert codes(partition.chat(NOW + 10 * MINUTE_MS + ahead)) == expected


@pytest.mark.parametrize(("ahead", "expected"), [(-1, []), (0, []), (1, ["future_timestamp"])])
def test_a_tick_may_be_ten_minutes_ahead_of_the_clock(partition, ahead, expected):
    assert codes(partition.tick(NOW + 10 * MINUTE_MS + ahead, now=NOW)) == expected


def test_a_tick_from_far_in_the_future_makes_nothing_too_late(partition):
    partition.tick(NOW)
    [(_, letter)] = partition.tick(NOW + 400 * DAY_MS, now=NOW)
    assert (letter["code"], letter["field"], letter["topic"]) == ("future_timestamp", "ts", TICKS)
    assert partition.processor.watermark == NOW
    assert partition.stats.dead_letters == {"future_timestamp": 1}
    assert codes(partition.chat(NOW)) == []


@pytest.mark.parametrize(("behind", "expected"), [(-1, []), (0, []), (1, ["too_late"])])
@pytest.mark.parametrize("topic", [CHAT, ORDERS])
def test_an_event_may_be_as_far_behind_the_watermark_as_history_is_kept(partition, topic, behind, expected):
    partition.tick(NOW)
    ts = NOW - HISTORY_MS - behind
    assert codes(partition.chat(ts) if topic == CHAT else partition.order("created", ts)) == expected


def test_too_late_is_asked_before_repeats(partition):
    partition.chat(NOW - HISTORY_MS)
    partition.tick(NOW + 1)
    assert codes(partition.chat(NOW - HISTORY_MS)) == ["too_late"]


def test_what_is_refused_moves_no_watermark(partition):
    partition.chat(NOW, key=b"other")
    partition.order("created", NOW, key=b"other")
    assert partition.processor.watermark < 0


def test_a_repeat_is_no_error_and_counts_once(partition):
    partition.chat()
    assert partition.chat(text="something else") == []
    assert (partition.stats.repeats, partition.stats.events) == ({CHAT: 1}, {CHAT: 0})


@pytest.mark.parametrize(("after", "expected"), [(-1, []), (0, ["incomplete_order"] * 2)])
def test_an_order_whose_creation_never_comes_goes_to_the_dead_letters_record_by_record(
    partition, after, expected
):
    assert partition.order("paid", NOW - MINUTE_MS) == []
    assert partition.order("refund_completed", NOW, "e2") == []
    outputs = partition.tick(NOW + 45 * DAY_MS + after)
    assert codes(outputs) == expected
    assert [(letter["topic"], letter["offset"]) for _, letter in outputs] == [(ORDERS, 0), (ORDERS, 1)][
        : len(expected)
    ]
    assert (len(partition.store) == 0) is bool(expected)


# Decisions


def test_system_messages_are_accepted_and_leave_nothing(partition):
    assert partition.chat(kind="system") == []
    assert (partition.stats.events, len(partition.store)) == ({CHAT: 1}, 0)


def test_an_order_is_found_with_its_last_decision(partition):
    assert partition.decisions() is None
    partition.chat(NOW - 2, "m1", "buyer")
    partition.chat(NOW - 1, "m2")
    [(_, created)] = partition.order("created")
    assert partition.decisions() == created | {"watermark": partition.processor.watermark}
    [(_, paid)] = partition.order("paid", NOW, "e2")
    assert (paid["revision"], paid["credit"]["agent_id"]) == (2, "A")
    assert partition.decisions()["decision_id"] == paid["decision_id"]
    assert partition.processor.find_order("jd:1", "o-2") is None
    assert partition.processor.find_order("jd:2", "o-1") is None


def test_an_order_that_waits_for_its_creation_is_not_found(partition):
    partition.order("paid")
    assert partition.decisions() is None


def test_another_processor_goes_on_from_store_and_progress(partition):
    partition.chat(NOW - 2, "m1", "buyer")
    partition.chat(NOW - 1, "m2")
    partition.order("created")
    other = Processor(partition.registry, partition.store, partition.options)
    assert other.restore(partition.progress) == {CHAT: 2, ORDERS: 3}
    assert other.watermark == partition.processor.watermark
    assert other.find_order("jd:1", "o-1") == partition.processor.find_order("jd:1", "o-1")
    partition.processor = other
    [(_, paid)] = partition.order("paid", NOW, "e2")
    assert paid["revision"] == 2


def settings(partition, **changes):
    value = json.dumps({"shop_id": "jd:1", "effective_from": "2026-11-01", **changes}).encode()
    assert partition.registry.apply(Record(SETTINGS, 0, 0, NOW, b"jd:1", value)) is None
    return partition.take(partition.processor.refresh("jd:1"))


def paid_after_two_agents(partition):
    """A chat, then B; placed with B; paid after another word of A's."""
    for number, (agent, minutes) in enumerate([("A", 30), ("B", 20), ("A", 5)]):
        partition.chat(NOW - minutes * MINUTE_MS, f"q{number}", "buyer", agent_id=agent)
        partition.chat(NOW - minutes * MINUTE_MS, f"a{number}", agent_id=agent)
    partition.order("created", NOW - 10 * MINUTE_MS)
    [(_, decision)] = partition.order("paid", NOW, "e2")
    assert (decision["credit"]["agent_id"], decision["status"]) == ("A", "pending")


def test_what_is_pending_follows_a_change_of_today(partition):
    paid_after_two_agents(partition)
    [(topic, decision)] = settings(partition, credit_rule="order")
    assert topic == DECISIONS
    assert (decision["credit"]["agent_id"], decision["reason"], decision["revision"]) == ("B", "settings", 3)
    assert settings(partition, credit_rule="order") == []


def test_what_is_final_does_not_follow(partition):
    paid_after_two_agents(partition)
    [(_, final)] = partition.tick(NOW + 12 * HOUR_MS)
    assert final["status"] == "final"
    assert settings(partition, credit_rule="order") == []


def test_other_shops_are_not_judged_again(partition):
    paid_after_two_agents(partition)
    assert partition.take(partition.processor.refresh("jd:2")) == []


def test_nothing_is_left_in_the_end(partition):
    paid_after_two_agents(partition)
    partition.chat(event_id="m9", agent_id="C")
    partition.send(CHAT, {"shop_id": "jd:1", "buyer_id": "b-1", "agent_id": "A", "ts": NOW, "event_id": "t",
                          "type": "transfer", "to_agent_id": "B"})  # fmt: skip
    assert len(partition.store) > 0
    assert [value["status"] for _, value in partition.tick(NOW + 12 * HOUR_MS)] == ["final"]
    assert partition.tick(NOW + 90 * DAY_MS) == []
    assert partition.tick(NOW + 250 * DAY_MS) == []  # the order's id is remembered for half a year
    assert (len(partition.store), partition.stats.buyers, partition.stats.pending) == (0, 0, 0)
    assert partition.decisions() is None


def test_many_deadlines_passed_at_once_are_told_one_by_one_at_their_own_times(partition):
    partition.order("created")
    told = [
        (value["status"], value["outcome"], value["watermark"])
        for _, value in partition.tick(NOW + DAY_MS * 9)
    ]
    assert told == [
        ("pending", "unpaid", NOW + DAY_MS),
        ("final", "unpaid", NOW + DAY_MS + 12 * HOUR_MS),
    ]


def test_a_topic_of_another_kind_is_a_mistake_of_the_program(partition):
    with pytest.raises(ValueError, match="not an input topic of a partition"):
        partition.send(DECISIONS, b"{}")


def test_a_repeat_as_old_as_may_be_is_a_repeat():
    partition = Partition()
    partition.processor = Processor(
        partition.registry,
        partition.store,
        Options(
            allowed_lateness_ms=0,
            retention=Retention(chat_ms=60 * DAY_MS, order_ms=45 * DAY_MS),
            reports=False,
        ),
    )
    partition.order("created", NOW)
    partition.tick(NOW + 60 * DAY_MS)
    assert partition.order("created", NOW) == []
    assert sum(partition.stats.repeats.values()) == 1
    partition.tick(NOW + 60 * DAY_MS + 1)
    assert codes(partition.order("created", NOW)) == ["too_late"]


def test_refunds_come_to_no_more_than_every_reader_holds(partition):
    partition.order("created")
    partition.order("refund_completed", event_id="r1", amount=2**53 - 2)
    assert codes(partition.order("refund_completed", event_id="r2", amount=2)) == ["bad_value"]
    assert codes(partition.order("refund_requested", event_id="r3", amount=2)) == []
    assert codes(partition.order("refund_completed", event_id="r1", amount=2**53 - 2)) == []
    assert codes(partition.order("refund_completed", event_id="r4", amount=1)) == []
    assert partition.decisions()["refund_completed"] == 2**53 - 1


def test_any_number_of_text_patterns_can_be_looked_for(partition):
    profiles = {f"p{n}": {"auto_reply": {"identify": True, "prefix": f"<{n}>"}} for n in range(100)}
    settings = {"shop_id": "jd:1", "effective_from": "2026-10-01", "profiles": profiles}
    partition.registry.apply(Record(SETTINGS, 0, 0, NOW, None, json.dumps(settings).encode()))
    partition.chat(NOW - HOUR_MS, "m0", sender="buyer")
    partition.chat(NOW - HOUR_MS, "m1", text="<99> hello")
    partition.processor = Processor(partition.registry, partition.store, partition.options)
    partition.order("created")
    decisions = {value["profile"]: value["placing"] for _, value in partition.last}
    assert len(decisions) == 101
    assert [profile for profile, placing in decisions.items() if placing is None] == ["p99"]
