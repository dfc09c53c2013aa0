"""A worker among records that a newer one has written: it ends with one sentence, and nothing has moved."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from stream_attr.codec.internal.progress import decode_progress
from stream_attr.contract.topics import BUYER_DAYS, CHANGELOG, CLOSINGS, TICKS
from stream_attr.kafka.admin import create_topics
from stream_attr.processor.ports import PROGRESS_KEY
from tests.kafka.conftest import any_broker
from tests.kafka.verdicts import RealWorker
from tests.kafka.worker_process import messages


@any_broker
@pytest.mark.parametrize(
    ("topic", "key", "value", "place"),
    [
        (BUYER_DAYS, None, b"\x09\x99", "topic buyer-days, partition 1, offset 0"),
        (CLOSINGS, None, b"\x09\x95", "topic agent-day-closings, partition 1, offset 0"),
        (TICKS, None, b'{"version":9}', "topic ticks, partition 1, offset 0"),
        (CHANGELOG, PROGRESS_KEY, b'{"version":9}', "topic buyer-state-changelog, key progress"),
    ],
    ids=[BUYER_DAYS, CLOSINGS, TICKS, CHANGELOG],
)
def test_an_older_worker_ends_before_a_newer_ones_record_whenever_it_is_started(
    broker, topic_prefix, tmp_path, topic, key, value, place
):
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce(topic_prefix + topic, value, key, 1)
    assert producer.flush(30) == 0
    worker = RealWorker(
        broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "events", "--accept-future")
    )
    try:
        for _ in range(2):
            worker.start()
            assert worker.wait() == 1
            said = worker.output()
            assert said.count(f"{place}: this ") == 1
            assert "is of version 9, which a newer program wrote, and this one reads versions up to " in said
            assert "Traceback" not in said
            worker.log.write_bytes(b"")
    finally:
        if worker.runs():
            worker.kill()
    own = [m for m in messages(broker.bootstrap, topic_prefix + CHANGELOG) if m.value() != value]
    progress = [decode_progress(m.value()) for m in own if m.key() == PROGRESS_KEY]
    assert all(known.offsets.get(topic, 0) == 0 for known in progress)
