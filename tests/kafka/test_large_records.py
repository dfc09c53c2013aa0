"""Records that are larger than a record may be, than its topic says, or than what is fetched at a time."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from confluent_kafka import KafkaError, Producer

from tests.kafka.verdicts import RealWorker, stream_attr
from tests.kafka.worker_process import LONGEST_S, configure_topics, read_json, until

NOW = int(time.time() * 1000)
KEY = b"jd:1|b-1"
LARGEST = 8 * 1024 * 1024
"""What an operator may have let the input topics take."""
SIZES = (300_000, 1_100_000, 6_000_000)
"""Over what a record may be; over what one fetch of a partition is to bring; over all fetches together."""


def message(number, **more):
    ids = {"event_id": f"c{number}", "shop_id": "jd:1", "buyer_id": "b-1", "agent_id": "amy"}
    return json.dumps({**ids, "ts": NOW - 1000 + number, "sender": "agent", **more}).encode()


@pytest.fixture
def worker(broker, topic_prefix, tmp_path):
    words = ("--broker", broker.bootstrap, "--topic-prefix", topic_prefix, "--partitions", "1")
    stream_attr("topics", "create", *words)
    if broker.kind != "embedded":  # it knows no limit
        configure_topics(broker.bootstrap, [topic_prefix + "chat-events"], "max.message.bytes", str(LARGEST))
    one = RealWorker(
        broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "events", "--accept-future")
    )
    yield one
    if one.runs():
        one.kill()


def test_a_record_however_large_is_one_dead_letter_and_what_follows_is_judged(worker):
    producer = Producer({"bootstrap.servers": worker.bootstrap, "message.max.bytes": LARGEST})
    failed: list[KafkaError] = []

    def send(key, value):
        def is_taken():
            failed.clear()
            producer.produce(
                worker.prefix + "chat-events",
                value,
                key,
                partition=0,
                on_delivery=lambda error, _: failed.append(error) if error is not None else None,
            )
            producer.flush(LONGEST_S)  # each is a batch of its own
            return not any(error.code() == KafkaError.MSG_SIZE_TOO_LARGE for error in failed)

        until(is_taken)  # what the topic takes from now on may reach the broker a little later
        assert not failed

    large = [message(number, text="x" * size) for number, size in enumerate(SIZES)]
    for number, value in enumerate(large):
        send(KEY, message(10 + number))
        send(KEY, value)
    send(b"k" * 900_000, message(20))
    send(KEY, message(21))
    worker.start()
    until(lambda: worker.metric("stream_attr_records_total") == 2 * len(large) + 2, worker)
    letters = read_json(worker.bootstrap, worker.prefix + "dead-letters")
    assert {letter["code"] for _, letter in letters} == {"too_large"}
    assert [(letter["length"], letter["sha256"]) for _, letter in letters[:-1]] == [
        (len(value), hashlib.sha256(value).hexdigest()) for value in large
    ]
    assert (letters[-1][0], letters[-1][1]["field"]) == (b"k" * 65_536, "key")
    assert worker.metric("stream_attr_events_total") == len(large) + 1
    assert worker.stop() == 0
