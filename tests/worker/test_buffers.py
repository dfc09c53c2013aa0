"""What a worker that has fallen behind has at hand is bounded, in records and in bytes (RULEBOOK 6)."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from stream_attr.contract.topics import CHAT, ORDERS, TICKS
from stream_attr.processor.ports import Record
from stream_attr.worker.startup.topics_check import INPUTS
from stream_attr.worker.task.input_merge import End, Merge, fetch_budget

NOON = 1_793_500_000_000
MINUTE_MS = 60_000
FETCH_BYTES = 1 << 20
"""What one fetch of a partition brings at most, unless its first record alone is more."""
MIB = 1 << 20
RECOUNTED = 25
"""After so many fetches the bytes at hand are counted record by record."""


class Backlog:
    """A partition's topics as they lie in the broker, and the consumer that fetches them."""

    def __init__(self, logs):
        self.logs = logs
        self.position = dict.fromkeys(logs, 0)
        self.response = itertools.count()
        self.merge = Merge({})
        self.fetches = 0
        self.most_records = dict.fromkeys(logs, 0)
        self.most_bytes = dict.fromkeys(logs, 0)

    def fetch(self, bytes_each):
        """Hand over one fetch of each topic that is asked for, and see what is at hand then."""
        self.fetches += 1
        for topic in self.merge.topics_to_fetch(bytes_each):
            log = self.logs.get(topic, [])
            begin = end = self.position.get(topic, 0)
            size = 0
            while end < len(log) and (end == begin or size + weight(log[end]) <= FETCH_BYTES):
                size += weight(log[end])
                end += 1
            self.position[topic] = end
            self.merge.offer(topic, log[begin:end])
            self.merge.observe(topic, End(end, len(log), len(log), next(self.response)))
        for topic, (records, size) in self.merge.buffers().items():
            if topic in self.logs:
                if self.fetches % RECOUNTED == 0:
                    assert size == sum(map(weight, self.merge._buffers[topic].records))
                self.most_records[topic] = max(self.most_records[topic], records)
                self.most_bytes[topic] = max(self.most_bytes[topic], size)

    def judge_all(self, *, fetches_a_batch, batch=500, partitions=1):
        """Fetch and judge until all is judged; returns it in the order in which it was."""
        judged: list[Record] = []
        idle = 0
        while idle < 5:
            for _ in range(fetches_a_batch):
                self.fetch(fetch_budget(partitions))
            take = self.merge.take(batch)
            idle = 0 if take is not None else idle + 1
            judged += () if take is None else take.records
        return judged


def weight(record):
    return len(record.key or b"") + len(record.value or b"")


def log(topic, tss, size=lambda: 100, key=b"jd:1|b-1"):
    return [
        Record(topic, 0, offset, 0, key, json.dumps({"ts": ts, "x": "x" * size()}).encode())
        for offset, ts in enumerate(tss)
    ]


def minutes(count, step=1, begin=0):
    return [NOON + (begin + number * step) * MINUTE_MS for number in range(count)]


def in_step(judged):
    """Whether what was judged went by time across the topics."""
    times = [json.loads(record.value)["ts"] for record in judged if record.topic in (CHAT, ORDERS)]
    return times == sorted(times)


@pytest.mark.parametrize("fetches_a_batch", [1, 20], ids=["as fast as it is fetched", "slower"])
@pytest.mark.parametrize(
    ("chat", "orders"),
    [
        (minutes(40_000), minutes(600, 66)),
        (minutes(40_000), minutes(600, begin=70_000)),
        (minutes(40_000, begin=70_000), minutes(600)),
        (minutes(40_000), []),
    ],
    ids=["in step", "chat long before", "orders long before", "no orders"],
)
def test_a_backlog_is_judged_in_step_with_a_bounded_part_of_it_buffered(chat, orders, fetches_a_batch):
    backlog = Backlog({CHAT: log(CHAT, chat), ORDERS: log(ORDERS, orders)})
    judged = backlog.judge_all(fetches_a_batch=fetches_a_batch)
    assert len(judged) == len(chat) + len(orders)
    assert in_step(judged)
    most_a_fetch_brings = FETCH_BYTES // weight(backlog.logs[CHAT][0])
    assert backlog.most_records[CHAT] < 10_000 + most_a_fetch_brings < len(chat) / 2
    assert backlog.most_bytes[CHAT] < 5 * MIB


@pytest.mark.parametrize("partitions", [1, 8, 64])
def test_large_records_are_counted_by_their_bytes_keys_too(partitions):
    chance = random.Random(1)
    chat = log(CHAT, minutes(3_000), lambda: chance.choice((10, 1_000, 200_000)))
    keys = log(ORDERS, minutes(300), key=b"k" * 500_000)
    backlog = Backlog({CHAT: chat, ORDERS: keys})
    assert sum(map(weight, chat)) > 100 * MIB < sum(map(weight, keys))
    judged = backlog.judge_all(fetches_a_batch=5, partitions=partitions)
    assert len(judged) == 3_300
    for topic in (CHAT, ORDERS):
        assert backlog.most_bytes[topic] <= fetch_budget(partitions) + FETCH_BYTES


def test_ticks_that_wait_are_bounded_too():
    backlog = Backlog({CHAT: log(CHAT, minutes(30_000)), ORDERS: [], TICKS: log(TICKS, minutes(50_000))})
    judged = backlog.judge_all(fetches_a_batch=3)
    assert len(judged) == 80_000
    assert backlog.most_bytes[TICKS] < 5 * MIB
    assert backlog.most_records[TICKS] < 20_000


@pytest.mark.parametrize(("partitions", "most"), [(1, 24), (6, 128), (64, 128), (85, 128), (100, 150)])
def test_all_partitions_together_have_no_more_than_a_worker_may(partitions, most):
    assert partitions * len(INPUTS) * fetch_budget(partitions) <= most * MIB
