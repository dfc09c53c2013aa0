"""Killed in the middle, with either kind of store: on Apache Kafka no effect is lost, doubled or missing.

The embedded broker shows what was aborted to everybody, so there a reader may see an output twice; but no
fact is lost and no output missing. What is tried with the real worker, on three brokers, is in ``faults``.
"""

from __future__ import annotations

import random
import time

import pytest

from stream_attr.kafka.admin import create_topics
from tests.kafka.worker_process import Traffic, check, until, workers

PARTITIONS = 4


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize("store", ["rocksdb", "memory"])
def test_kills_in_the_middle_lose_and_double_nothing(broker, topic_prefix, tmp_path, store):
    chance = random.Random(store)
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path, f"--store={store}") as [worker]:
        for _ in range(3):
            worker.start()
            traffic.send(4000)
            until(lambda: worker.metric("stream_attr_records_total") > 0, worker)
            traffic.send(2000)
            time.sleep(chance.random() * 0.3)
            worker.kill()
        worker.start().until_ready()
        check(broker, topic_prefix, traffic, worker)
        assert worker.stop() == 0
