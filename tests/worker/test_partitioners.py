"""Whether chat and orders are partitioned alike, from the keys that are sampled (RULEBOOK 11)."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest
from kafka.partitioner import murmur2

from stream_attr.contract.topics import CHAT, ORDERS, RULINGS, TICKS
from stream_attr.worker.ops import web
from stream_attr.worker.ops.partitioners import PartitionerWatch

PARTITIONS = 8


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> PartitionerWatch:
    return PartitionerWatch(PARTITIONS, "eu.", clock)


def by_murmur2(key: bytes) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def by_crc32(key: bytes) -> int:
    """As librdkafka's default partitioner, ``consistent_random``, does."""
    return crc32(key) % PARTITIONS


def keys(count: int, begin: int = 0) -> list[bytes]:
    return [f"jd:1|b-{number}".encode() for number in range(begin, begin + count)]


def send(watch: PartitionerWatch, topic: str, some: list[bytes], place) -> None:
    """Let the watch see one fetch from each partition."""
    for partition in range(PARTITIONS):
        mine = [SimpleNamespace(key=key, partition=partition) for key in some if place(key) == partition]
        watch.add(topic, mine)


def test_two_topics_by_murmur2_are_alike(watch):
    send(watch, CHAT, keys(200), by_murmur2)
    send(watch, ORDERS, keys(200, 100), by_murmur2)
    assert watch.shares == {CHAT: 1.0, ORDERS: 1.0}
    assert watch.warning is None


def test_two_topics_by_another_function_are_alike(watch):
    send(watch, CHAT, keys(200), by_crc32)
    send(watch, ORDERS, keys(200), by_crc32)
    assert max(watch.shares.values()) < 0.5
    assert watch.warning is None


@pytest.mark.parametrize(("right", "wrong"), [(CHAT, ORDERS), (ORDERS, CHAT), (ORDERS, RULINGS)])
def test_one_topic_by_another_function_is_named_with_its_share(watch, caplog, right, wrong):
    send(watch, right, keys(200), by_murmur2)
    send(watch, wrong, keys(200), by_crc32)
    assert watch.warning is not None
    assert watch.warning.startswith(f"eu.{right} and eu.{wrong} are partitioned differently: 100.0% and ")
    assert f"have the senders of eu.{wrong} use murmur2" in watch.warning
    [message] = caplog.messages
    assert message.startswith(f"eu.{right} and eu.{wrong} are partitioned differently: ")


@pytest.mark.parametrize(("astray", "differ"), [(1, False), (2, False), (3, True)])
def test_a_topic_agrees_with_99_keys_of_100(watch, astray, differ):
    send(watch, CHAT, keys(200), by_murmur2)
    elsewhere = set(keys(astray))
    send(watch, ORDERS, keys(200), lambda key: (by_murmur2(key) + (key in elsewhere)) % PARTITIONS)
    assert watch.shares[ORDERS] == 1 - astray / 200
    assert (watch.warning is not None) is differ


@pytest.mark.parametrize(("count", "known"), [(49, False), (50, True), (51, True)])
def test_fewer_than_fifty_different_keys_say_nothing(watch, count, known):
    send(watch, CHAT, keys(200), by_murmur2)
    for _ in range(3):
        send(watch, ORDERS, keys(count), by_crc32)
    assert (ORDERS in watch.shares) is known
    assert (watch.warning is not None) is known


def test_the_last_thousand_keys_count_so_a_sender_that_is_mended_is_found_right(watch, clock):
    send(watch, CHAT, keys(200), by_murmur2)
    send(watch, ORDERS, keys(200), by_crc32)
    assert watch.warning is not None
    for begin in range(0, 1_000, 100):
        clock.now += 1
        send(watch, ORDERS, keys(100, begin), by_murmur2)
    assert watch.shares[ORDERS] == 1.0
    assert watch.warning is None


def test_records_without_a_key_and_other_topics_are_not_looked_at(watch):
    watch.add(CHAT, [SimpleNamespace(key=None, partition=0)] * 100)
    watch.add(TICKS, [SimpleNamespace(key=key, partition=0) for key in keys(100)])
    watch.add(ORDERS, [])
    assert watch.shares == {}


def test_one_partition_holds_every_key(clock):
    watch = PartitionerWatch(1, clock=clock)
    for topic in (CHAT, ORDERS):
        watch.add(topic, [SimpleNamespace(key=key, partition=0) for key in keys(100)])
    assert watch.shares == {CHAT: 1.0, ORDERS: 1.0}


def test_it_is_logged_once_an_hour(watch, clock, caplog):
    send(watch, CHAT, keys(200), by_murmur2)
    for _ in range(3):
        send(watch, ORDERS, keys(200), by_crc32)
    assert len(caplog.messages) == 1
    clock.now += 3_600
    send(watch, ORDERS, keys(200), by_crc32)
    assert len(caplog.messages) == 2


def test_a_busy_topic_is_sampled_at_no_more_than_two_hundred_keys_a_second(watch, clock, monkeypatch):
    looked_at = []

    def counted(key: bytes) -> int:
        looked_at.append(key)
        return 0

    monkeypatch.setattr("stream_attr.worker.ops.partitioners.murmur2", counted)
    records = [SimpleNamespace(key=key, partition=0) for key in keys(5_000)]
    watch.add(CHAT, records)
    assert len(looked_at) == 100
    assert looked_at[-1] == records[-50].key
    for _ in range(20):
        watch.add(CHAT, records)
    assert len(looked_at) == 500
    clock.now += 1
    for _ in range(20):
        watch.add(CHAT, records)
    assert len(looked_at) == 700


class _View:
    """What the page needs of a Faust view."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def json(self, answer: Any, status: int = 200) -> tuple[int, Any]:
        return status, json.loads(json.dumps(answer))


def ready(warning: str | None, reason: str | None) -> tuple[int, Any]:
    class Partitions(list[Any]):
        def why_not_ready(self, _patience_s: float) -> str | None:
            return reason

    app = SimpleNamespace(
        partitions=Partitions([SimpleNamespace(number=2)]),
        broker_health=SimpleNamespace(lost=None),
        unreadable=SimpleNamespace(reason=None),
        partitioners=SimpleNamespace(warning=warning),
        config=SimpleNamespace(session_timeout_s=1.0),
    )
    return asyncio.run(web.ready(_View(app), None))


def test_a_warning_leaves_a_worker_ready():
    assert ready(None, None) == (200, {"status": "ready", "partitions": [2]})
    assert ready("differ", None) == (200, {"status": "ready", "partitions": [2], "warnings": ["differ"]})
    status, answer = ready("differ", "no broker")
    assert (status, answer["status"], answer["warnings"]) == (503, "waiting", ["differ"])
