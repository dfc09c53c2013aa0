"""What can be kept of one buyer: beyond it a record is a dead letter; all that is written fits its topic."""

from __future__ import annotations

import json

import pytest

from stream_attr.contract.registry import topic_definitions
from stream_attr.contract.topics import (
    CHANGELOG,
    CHAT,
    DEAD_LETTERS,
    DECISIONS,
    ORDERS,
    SETTINGS,
    TICKS,
)
from stream_attr.processor import Options, ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, zone
from stream_attr.testing import LocalDriver, LocalPartition, MemoryStore

MORNING = zone("Asia/Shanghai").start_of(20_758) + 8 * HOUR_MS
BOTH = frozenset({CHAT, ORDERS})
KEY = b"jd:1|b-1"
BATCH = 2_000
BROKER_DEFAULT = 1_048_588
"""What a topic of Kafka takes at most, with a record's frame."""
FRAME = 300


class WatchedStore(MemoryStore):
    """A store whose changes have to fit into the changelog."""

    def apply(self, changes):
        for key, state in changes.items():
            assert len(key) + len(state or b"") < largest(CHANGELOG), key
        super().apply(changes)


class Partition:
    """A partition on the local driver; all that it writes has to fit."""

    def __init__(self, **options):
        self.store = WatchedStore()
        self.offset = 0
        rules = {"effective_from": "2026-01-01", "filters": {"monologue": {"enabled": False}}}
        registry = ShopRegistry()
        settings = json.dumps({"shop_id": "jd:1", **rules}).encode()
        assert registry.apply(Record(SETTINGS, 0, 0, 0, b"jd:1", settings)) is None
        self.partition = LocalPartition(registry, self.store, Options(**options))
        self.driver = LocalDriver([self.partition], internal=True)

    def restart(self):
        self.partition.restart()

    def send(self, events):
        """Judge events, batch by batch; return the dead letters and the decisions."""
        letters, decisions = [], []
        records = [self.record(topic, value) for topic, value in events]
        for begin in range(0, len(records), BATCH):
            for output in self.driver.run(self.partition.process(records[begin : begin + BATCH], BOTH)):
                assert len(output.key) + len(output.value) < largest(output.topic), output.topic
                if output.topic == DEAD_LETTERS:
                    letters.append(json.loads(output.value))
                elif output.topic == DECISIONS:
                    decisions.append(json.loads(output.value))
        return letters, decisions

    def record(self, topic, value):
        self.offset += 1
        if topic == TICKS:
            return Record(topic, 0, self.offset, 0, None, json.dumps(value).encode())
        complete = {"shop_id": "jd:1", "buyer_id": "b-1", **value}
        return Record(topic, 0, self.offset, 0, KEY, json.dumps(complete, ensure_ascii=False).encode())


def largest(topic):
    """Return the bytes that a record of a topic may have."""
    return int(topic_definitions()[topic].config.get("max.message.bytes", BROKER_DEFAULT)) - FRAME


def message(number, ts, agent_id="A", event_id="m"):
    return CHAT, {"event_id": f"{event_id}{number}", "agent_id": agent_id, "ts": ts, "sender": "agent"}


def ordered(kind, ts, order_id="o-1", **fields):
    ids = {"event_id": f"{order_id}-{kind}", "order_id": order_id}
    return ORDERS, {**ids, "type": kind, "amount": 1, "ts": ts, **fields}


def codes(letters):
    return {letter["code"] for letter in letters}


@pytest.fixture
def partition():
    return Partition()


def test_chat_beyond_what_can_be_kept_is_too_large_until_some_is_forgotten(partition):
    longest = "😀" * 120  # 480 bytes of an id, and its number
    chat = [message(f"{number:08}", MORNING + number, event_id=longest) for number in range(15_000)]
    letters, _ = partition.send(chat)
    taken = len(chat) - len(letters)
    assert codes(letters) == {"too_large"}
    assert 12_000 < taken < 14_000
    assert [letter["offset"] for letter in letters] == list(range(taken + 1, len(chat) + 1))
    partition.restart()
    assert partition.send(chat[:taken]) == ([], [])  # known already
    letters, _ = partition.send(chat[taken : taken + 1])
    assert codes(letters) == {"too_large"}
    letters, decisions = partition.send(
        [ordered("created", MORNING + HOUR_MS), ordered("paid", MORNING + 2 * HOUR_MS)]
    )
    assert letters == []
    assert decisions[-1]["credit"]["agent_id"] == "A"
    partition.send([(TICKS, {"ts": MORNING + 90 * DAY_MS})])
    assert partition.send([message(1, MORNING + 90 * DAY_MS)]) == ([], [])


def test_an_agent_to_every_message_makes_no_decision_that_its_topic_does_not_take(partition):
    chat = [message(number, MORNING + number, agent_id=f"agent-{number}") for number in range(5_000)]
    letters, _ = partition.send(chat)
    assert codes(letters) == {"too_large"}
    assert len(letters) < 4_000
    letters, decisions = partition.send(
        [
            ordered("created", MORNING + HOUR_MS),
            message("x", MORNING + HOUR_MS + 1, agent_id="agent-7"),
            ordered("paid", MORNING + 2 * HOUR_MS),
        ]
    )
    assert letters == []
    assert decisions[-1]["credit"]["agent_id"] == "agent-7"
    assert len(decisions[-1]["candidates"]) > 1_000


def test_orders_whose_creation_never_comes_are_kept_until_there_is_no_room(partition):
    paid = [ordered("paid", MORNING + number, f"o-{number}", note="x" * 250_000) for number in range(40)]
    letters, _ = partition.send(paid)
    assert codes(letters) == {"too_large"}
    assert 5 < len(letters) < 15
    letters, _ = partition.send([(TICKS, {"ts": MORNING + 90 * DAY_MS})])
    assert codes(letters) == {"incomplete_order"}
    assert KEY not in dict(partition.store.items())


def test_products_without_end_fill_no_more_than_there_is_room_for(partition):
    products = [f"{number:0128}" for number in range(1_900)]
    created = [
        ordered("created", MORNING + number, f"o-{number}", product_ids=products) for number in range(60)
    ]
    letters, _ = partition.send(created)
    assert codes(letters) == {"too_large"}
    assert 20 < len(letters) < 40


def test_two_hundred_agents_all_day_make_no_day_that_its_topic_does_not_take():
    partition = Partition(report_every_ms=6 * HOUR_MS, caught_up_every_ms=None)
    agents, begin = 200, MORNING - 7 * HOUR_MS
    step = 245_000  # so that each message is a stay of its own
    chat = [
        message(f"{number}-{agent}", begin + number * step + agent, agent_id=f"agent-{agent}")
        for number in range(325)
        for agent in range(agents)
    ]
    after = TICKS, {"ts": MORNING + 2 * DAY_MS}  # it is largest at its end
    assert partition.send([*chat, after]) == ([], [])
