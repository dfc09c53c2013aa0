"""A buyer with very many messages or orders: work is counted, as none must cost what all before it cost."""

from __future__ import annotations

import cProfile
import json
import random
from collections import Counter

import pytest

from stream_attr.contract.topics import CHAT, ORDERS, SETTINGS, TICKS
from stream_attr.processor import Options, Processor, ShopRegistry, buyers
from stream_attr.processor.ports import Record
from stream_attr.rules.buyer import verdicts
from stream_attr.rules.order import served
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.testing import LocalDriver, LocalPartition, MemoryStore

MORNING = zone("Asia/Shanghai").start_of(20_758) + 8 * HOUR_MS
EVENTS = frozenset({CHAT, ORDERS})
MESSAGES = 2_000
ORDER_EVENTS = 8


@pytest.fixture
def work(monkeypatch):
    """How often what costs as much as a buyer has messages is done; read, messages by message."""
    done: Counter[str] = Counter()

    def counted(module, name, count=lambda *_: 1):
        original = getattr(module, name)

        def call(*args, **kwargs):
            done[name] += count(*args)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, call)

    counted(verdicts, "judge")
    counted(buyers, "decode_buyer")
    counted(buyers, "encode_buyer")
    counted(served, "figures_of", lambda messages, *_: len(messages))
    return done


def event(topic, offset, ts, **fields):
    value = {"event_id": f"e{offset}", "shop_id": "jd:1", "buyer_id": "b-1", "ts": ts, **fields}
    return ts, Record(topic, 0, offset, ts, b"jd:1|b-1", json.dumps(value).encode())


def traffic(agents):
    """Messages of which every tenth comes late, and four orders, of which two are paid."""
    chance = random.Random(1)
    arriving = []
    for number in range(MESSAGES):
        sender = "agent" if number % 3 else "buyer"
        agent_id = f"a{number % agents}"
        ts, record = event(CHAT, number, MORNING + number * 10_000, agent_id=agent_id, sender=sender)
        arriving.append((ts + (chance.randrange(2 * HOUR_MS) if number % 10 == 0 else 0), record))
    for number in range(ORDER_EVENTS // 2):
        at, order_id = MORNING + (number + 1) * HOUR_MS, f"o{number}"
        arriving.append(event(ORDERS, 2 * number, at, order_id=order_id, type="created", amount=1))
        kind = "paid" if number % 2 else "cancelled"
        arriving.append(
            event(ORDERS, 2 * number + 1, at + 30 * MINUTE_MS, order_id=order_id, type=kind, amount=1)
        )
    return [record for _, record in sorted(arriving, key=lambda one: one[0])]


def judged(records, batch=100, **settings):
    """Judge them batch by batch, with so small a cache that the buyer is more than it may hold."""
    registry, store = ShopRegistry(), MemoryStore()
    value = {"shop_id": "jd:1", "effective_from": "2026-01-01", **settings}
    assert registry.apply(Record(SETTINGS, 0, 0, MORNING, b"jd:1", json.dumps(value).encode())) is None
    processor = Processor(registry, store, Options(cached_facts=10))
    for begin in range(0, len(records), batch):
        store.apply(processor.process(records[begin : begin + batch], EVENTS).changes)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"preset": "kefu_mofang_2"},
        {"filters": {"single_sentence": {"enabled": True}, "advert": {"enabled": True, "phrase": "bye"}}},
    ],
    ids=["jd_cloud", "kefu_mofang_2", "filters that look at words and counts"],
)
def test_late_messages_of_one_agent_have_no_order_judged_again(work, settings):
    judged(traffic(agents=1), **settings)
    assert work["judge"] <= 2 * ORDER_EVENTS
    assert work["figures_of"] <= 2 * ORDER_EVENTS * MESSAGES


def test_with_many_agents_an_order_is_judged_for_each_that_assists_and_only_what_is_new_is_read(work):
    agents = 50
    judged(traffic(agents))
    orders = ORDER_EVENTS // 2
    assert work["judge"] <= 3 * orders * agents
    assert work["figures_of"] <= 20 * orders * MESSAGES


def test_a_buyer_who_is_all_there_is_stays_decoded_however_many_messages(work):
    records = traffic(agents=3)
    judged(records)
    assert work["decode_buyer"] == 0
    assert work["encode_buyer"] <= len(records) / 100 + 1


def orders_of(buyers, orders=500, days=5):
    """Orders of so many buyers in turn, a hundred a day, each paid after ten minutes, one in ten refunded."""
    arriving = []
    for number in range(orders):
        at, buyer_id = MORNING + number * days * DAY_MS // orders, f"b-{number % buyers}"
        for minutes, kind in ((0, "created"), (10, "paid"), (30, "refund_completed")):
            if kind != "refund_completed" or number % 10 == 0:
                ts = at + minutes * MINUTE_MS
                value = {"event_id": f"{kind}{number}", "shop_id": "jd:1", "buyer_id": buyer_id, "ts": ts}
                value |= {"order_id": f"o{number}", "type": kind, "amount": 100}
                arriving.append((ts, f"jd:1|{buyer_id}".encode(), json.dumps(value).encode()))
    arriving.sort()
    return [Record(ORDERS, 0, offset, ts, key, value) for offset, (ts, key, value) in enumerate(arriving)]


def calls(records, batch=100):
    """Function calls until all is final and forgotten, what the partition tells itself included."""
    store = MemoryStore()
    partition = LocalPartition(ShopRegistry(), store, Options())
    driver = LocalDriver([partition])
    end = MORNING + 100 * DAY_MS
    profile = cProfile.Profile()
    profile.enable()
    for begin in range(0, len(records), batch):
        list(driver.run(partition.process(records[begin : begin + batch], EVENTS)))
    tick = Record(TICKS, 0, 0, 0, None, json.dumps({"ts": end}).encode())
    list(driver.run(partition.process([tick], EVENTS)))
    profile.disable()
    assert not any(key.startswith(b"jd:1|") for key, _ in store.items())
    return sum(function.callcount for function in profile.getstats())


@pytest.mark.skipif(not verdicts.__file__.endswith(".py"), reason="calls within compiled code are not seen")
def test_the_orders_of_one_buyer_cost_at_most_twice_those_of_as_many_buyers():
    assert calls(orders_of(1)) <= 2 * calls(orders_of(500))
