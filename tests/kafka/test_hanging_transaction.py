"""A producer of an input that goes away within a transaction: what it holds back is seen, and waited for."""

from __future__ import annotations

import collections

import pytest
from confluent_kafka import Producer

from stream_attr.contract.topics import CHAT, ORDERS, TICKS
from stream_attr.kafka.admin import create_topics
from tests.kafka.worker_process import Traffic, messages, until, workers

PARTITIONS = 2
EVENT = b'{"event_id":"held","ts":1790000000000}'


def ticks(broker, prefix):
    """How many ticks each partition was sent."""
    return collections.Counter(message.partition() for message in messages(broker.bootstrap, prefix + TICKS))


def producer_of(broker, transactional_id):
    """As an integrator has it; what it left open before is aborted."""
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": 600_000,
        }
    )
    producer.init_transactions()
    return producer


def test_while_a_transaction_stays_open_on_chat_it_is_logged_and_no_tick_is_sent(
    broker, topic_prefix, tmp_path
):
    if not broker.has_transactions:
        pytest.skip("the embedded broker hides nothing of a transaction that is open")
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    args = ("--clock=wall", "--idle-tick-ms=2000", "--open-transaction-patience=1")
    with workers(broker.bootstrap, topic_prefix, tmp_path, *args) as [worker]:
        worker.start()
        until(lambda: len(ticks(broker, topic_prefix)) == PARTITIONS, worker)
        until(lambda: worker.metric("stream_attr_lag_records") == 0, worker)
        producer = producer_of(broker, topic_prefix)
        producer.begin_transaction()
        for _ in range(3):
            producer.produce(topic_prefix + CHAT, EVENT, "jd:1|b", 1)
        assert producer.flush(30) == 0
        until(lambda: sum(worker.samples("stream_attr_open_transaction_records")) == 3, worker)
        Traffic(broker.bootstrap, topic_prefix).put(
            ORDERS, {"event_id": "order", "ts": 1_790_000_000_000}, key="jd:1|b", partition=1
        )
        until(lambda: worker.metric("stream_attr_events_total") == 1, worker)
        before = ticks(broker, topic_prefix)
        until(
            lambda: (
                f"{topic_prefix}{CHAT}, partition 1: a producer's transaction has been" in worker.output()
            ),
            worker,
        )
        until(lambda: ticks(broker, topic_prefix)[0] >= before[0] + 3, worker)
        assert ticks(broker, topic_prefix)[1] == before[1]
        assert worker.get("/ready")[0] == 200
        assert max(worker.samples("stream_attr_open_transaction_seconds")) >= 1

        producer_of(broker, topic_prefix)
        until(lambda: ticks(broker, topic_prefix)[1] > before[1], worker)
        assert worker.metric("stream_attr_open_transaction_records") == 0
        assert worker.output().count("the open transaction has ended; reading continues") == 1
        assert worker.metric("stream_attr_events_total") == 1
        assert worker.stop() == 0
