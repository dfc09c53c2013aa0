"""The ledger says how far the workers have read each partition of the inputs."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from confluent_kafka import Producer

from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.kafka.admin import create_topics
from stream_attr.ledger.database.connect import Database
from tests.kafka.sink_process import SinkProcess
from tests.kafka.verdicts import RealWorker, until_at_rest
from tests.kafka.worker_process import messages, until
from tests.ledger.conftest import ledger, ledger_template, postgres  # noqa: F401 -- fixtures
from tests.ledger.sink.contents import rows

PARTITIONS = 3
T = 1_793_500_000_000
HOUR_MS = 3_600_000


@pytest.fixture
def installation(broker, topic_prefix, ledger: Database, tmp_path):  # noqa: F811
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    options = ("--clock", "events", "--accept-future")
    worker = RealWorker(broker.bootstrap, topic_prefix, tmp_path / "worker", options)
    where = (f"--database={ledger.address}",)
    sink = SinkProcess(broker.bootstrap, topic_prefix, tmp_path / "sink", where)
    yield worker.start(), sink.start()
    for one in (worker, sink):
        if one.runs():
            one.kill()


def send(worker: RealWorker, first: int, last: int, ts: int) -> None:
    """A message and an order of each of some buyers."""
    producer = Producer({"bootstrap.servers": worker.bootstrap, "partitioner": "murmur2_random"})
    for number in range(first, last):
        ids = {"event_id": f"e-{number}", "shop_id": "jd:1", "buyer_id": f"b-{number}", "ts": ts + number}
        for topic, event in (
            (CHAT, {"agent_id": "A", "sender": "buyer"}),
            (ORDERS, {"order_id": f"o-{number}", "type": "created", "amount": 100}),
        ):
            producer.produce(worker.prefix + topic, json.dumps({**ids, **event}), f"jd:1|b-{number}")
    assert producer.flush(60) == 0


def repeat(worker: RealWorker, orders: int, amount: int) -> None:
    """The creations of some orders once more."""
    producer = Producer({"bootstrap.servers": worker.bootstrap, "partitioner": "murmur2_random"})
    for number in range(orders):
        ids = {"event_id": f"e-{number}", "shop_id": "jd:1", "buyer_id": f"b-{number}", "ts": T + number}
        event = {**ids, "order_id": f"o-{number}", "type": "created", "amount": amount}
        producer.produce(worker.prefix + ORDERS, json.dumps(event), f"jd:1|b-{number}")
    assert producer.flush(60) == 0


def noticed(ledger: Database) -> dict[str, tuple[float, int]]:  # noqa: F811
    """By topic the share of keys that lie where murmur2 puts them, and ids of other content."""
    found = rows(
        ledger,
        "SELECT topic, sum(murmur2_keys)::float / sum(keys), sum(other_content)::int FROM input_partition"
        " WHERE keys > 0 GROUP BY topic",
    )
    return {topic: (share, count) for topic, share, count in found}


def ends(worker: RealWorker) -> dict[tuple[str, int], tuple[int, int]]:
    """Of each partition the offset behind its last record and the latest ``ts``."""
    counted: Counter[tuple[str, int]] = Counter()
    latest: dict[tuple[str, int], int] = {}
    for topic in (CHAT, ORDERS):
        for message in messages(worker.bootstrap, worker.prefix + topic):
            place = topic, message.partition()
            counted[place] = max(counted[place], message.offset() + 1)
            latest[place] = max(latest.get(place, 0), json.loads(message.value())["ts"])
    return {place: (end, latest[place]) for place, end in counted.items()}


def progress(ledger: Database) -> dict[tuple[str, int], tuple[int, int]]:  # noqa: F811
    found = rows(
        ledger, "SELECT topic, source_partition, next, seen_ts FROM input_partition WHERE topic <> 'rulings'"
    )
    return {(topic, number): (offset, seen) for topic, number, offset, seen in found}


def test_it_is_what_the_workers_have_read_also_when_they_do_not(installation, ledger: Database):  # noqa: F811
    worker, sink = installation
    send(worker, 0, 60, T)
    worker.until_ready()
    until_at_rest(worker)
    expected = ends(worker)
    assert len(expected) == 2 * PARTITIONS
    until(lambda: progress(ledger) == expected, sink, worker)
    watermarks = dict(rows(ledger, "SELECT DISTINCT source_partition, watermark FROM input_partition"))
    for number, watermark in watermarks.items():
        latest = min(expected[topic, number][1] for topic in (CHAT, ORDERS))
        assert latest - 5 * 60_000 <= watermark <= T + 60
    assert worker.stop() == 0
    send(worker, 60, 90, T + HOUR_MS)
    assert progress(ledger) == expected
    assert noticed(ledger) == {CHAT: (1.0, 0), ORDERS: (1.0, 0)}
    repeat(worker, 3, amount=101)
    repeat(worker, 2, amount=100)
    worker.start().until_ready()
    until_at_rest(worker)
    assert ends(worker) != expected
    until(lambda: progress(ledger) == ends(worker), sink, worker)
    assert noticed(ledger) == {CHAT: (1.0, 0), ORDERS: (1.0, 3)}
    assert worker.stop() == 0
    repeat(worker, 1, amount=102)
    worker.start().until_ready()
    until(lambda: noticed(ledger) == {CHAT: (1.0, 0), ORDERS: (1.0, 4)}, sink, worker)
    assert sink.stop() == 0
    assert "Traceback" not in sink.output()
    assert "is not known" not in sink.output()
