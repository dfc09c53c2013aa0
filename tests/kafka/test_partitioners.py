"""Chat by murmur2 and orders by librdkafka's own partitioner: the worker says so, and stays ready."""

from __future__ import annotations

import json

import pytest
from confluent_kafka import Producer

from stream_attr.kafka.admin import create_topics
from tests.kafka.conftest import any_broker
from tests.kafka.verdicts import RealWorker, until_at_rest
from tests.kafka.worker_process import until

pytestmark = any_broker

PARTITIONS = 4
BUYERS = 300
T = 1_793_500_000_000
MURMUR2, CRC32 = "murmur2_random", "consistent_random"
DIFFER = "stream_attr_partitioners_differ"


@pytest.fixture
def worker(broker, topic_prefix, tmp_path):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    options = ("--clock", "events", "--accept-future")
    one = RealWorker(broker.bootstrap, topic_prefix, tmp_path / "worker", options)
    yield one.start()
    if one.runs():
        one.kill()


def send(worker, topic, partitioner, **fields):
    """One event of each buyer, by a client with that partitioner."""
    producer = Producer({"bootstrap.servers": worker.bootstrap, "partitioner": partitioner})
    for number in range(BUYERS):
        ids = {"event_id": f"e-{number}", "shop_id": "jd:1", "buyer_id": f"b-{number}", "ts": T + number}
        value = json.dumps({**ids, **fields, "order_id": f"o-{number}"})
        producer.produce(worker.prefix + topic, value, key=f"jd:1|b-{number}")
    assert producer.flush(60) == 0


def send_both(worker, *partitioners):
    chat, orders = partitioners
    send(worker, "chat-events", chat, agent_id="A", sender="buyer")
    send(worker, "order-events", orders, type="created", amount=100)
    until(lambda: worker.metric("stream_attr_records_total") >= 2 * BUYERS, worker)
    until_at_rest(worker)


def differ(worker):
    _, metrics = worker.get("/metrics")
    [value] = [line.split()[1] for line in metrics.decode().splitlines() if line.startswith(f"{DIFFER} ")]
    return float(value)


def test_orders_that_are_partitioned_otherwise_than_chat_are_named(worker, topic_prefix):
    worker.until_ready()
    send_both(worker, MURMUR2, CRC32)
    status, body = worker.get("/ready")
    answer = json.loads(body)
    assert (status, answer["status"]) == (200, "ready")
    [warning] = answer["warnings"]
    named = (
        f"{topic_prefix}chat-events and {topic_prefix}order-events are partitioned differently: 100.0% and "
    )
    assert warning.startswith(named)
    assert named in worker.output()
    assert differ(worker) == 1
    right, wrong = sorted(worker.samples("stream_attr_murmur2_keys_ratio"), reverse=True)
    assert (right, wrong < 0.5) == (1.0, True)
    assert worker.stop() == 0


@pytest.mark.parametrize("partitioner", [MURMUR2, CRC32])
def test_two_topics_that_are_partitioned_alike_are_no_reason_to_warn(worker, partitioner):
    worker.until_ready()
    send_both(worker, partitioner, partitioner)
    assert "warnings" not in json.loads(worker.get("/ready")[1])
    assert differ(worker) == 0
    assert len(worker.samples("stream_attr_murmur2_keys_ratio")) == 2
    assert worker.stop() == 0
