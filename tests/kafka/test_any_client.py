"""Another client sends good records and a bad one of every code: decisions and dead letters come out."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from tests.kafka.verdicts import RealWorker, stream_attr
from tests.kafka.worker_process import until

PARTITIONS = 4
DAY = 86_400_000
TODAY = int(time.time() * 1000)
NOW = TODAY - 61 * DAY
"""So long ago that the tick by which all expires is none of the future."""
KEY = "jd:1|b-1"


def chat(number, **more):
    return {
        "event_id": f"c{number}",
        "shop_id": "jd:1",
        "buyer_id": "b-1",
        "agent_id": "amy",
        "ts": NOW - 3_600_000 + number,
        "sender": "buyer",
        "text": "有货吗",
    } | more


def order(number, kind, **more):
    return {
        "event_id": f"o{number}",
        "shop_id": "jd:1",
        "buyer_id": "b-1",
        "order_id": "o-1",
        "ts": NOW - 1_800_000 + number,
        "type": kind,
        "amount": 12900,
    } | more


def without(record, name):
    return {key: value for key, value in record.items() if key != name}


GOOD = [
    ("chat-events", KEY, chat(1)),
    ("chat-events", KEY, chat(2, sender="agent", text="有的")),
    ("order-events", KEY, order(1, "created")),
    ("order-events", KEY, order(2, "paid")),
]
BAD = {
    "not_json": ("chat-events", KEY, b'{"event_id": '),
    "not_an_object": ("chat-events", KEY, ["chat"]),
    "missing_field": ("chat-events", KEY, without(chat(3), "agent_id")),
    "bad_type": ("order-events", KEY, order(3, "refund_requested", amount="129.00")),
    "bad_value": ("chat-events", KEY, chat(4, sender="robot")),
    "key_mismatch": ("chat-events", "b-1", chat(5)),
    "future_timestamp": ("chat-events", KEY, chat(6, ts=TODAY + DAY)),
    "too_late": ("chat-events", KEY, chat(7, ts=NOW - 120 * DAY)),
    "too_large": ("chat-events", KEY, chat(8, text="x" * 300_000)),
    "incomplete_order": ("order-events", KEY, order(4, "paid", order_id="o-without-creation")),
}


def encoded(value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@pytest.fixture
def worker(broker, topic_prefix, tmp_path):
    stream_attr(
        *("topics", "create", "--broker", broker.bootstrap),
        *("--topic-prefix", topic_prefix, "--partitions", str(PARTITIONS)),
    )
    one = RealWorker(broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "wall"))
    yield one.start()
    if one.runs():
        one.kill()


def read_with_kafka_python(bootstrap, topic, count):
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False, group_id=None
    )
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        found: list[tuple[bytes, Any]] = []
        deadline = time.monotonic() + 30
        while len(found) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=500).values():
                found += [(record.key, json.loads(record.value)) for record in records]
        return found
    finally:
        consumer.close()


def test_what_another_client_sends_comes_out_as_decisions_and_dead_letters(broker, topic_prefix, worker):
    worker.until_ready()
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    sent = 0
    for records in (GOOD, BAD.values()):  # what is too late is so behind the watermark of the good ones
        for topic, key, value in records:
            producer.send(topic_prefix + topic, key=key.encode(), value=encoded(value)).get(timeout=30)
            sent += 1
        until(lambda: worker.metric("stream_attr_records_total") == sent, worker)  # noqa: B023 -- called at once
    producer.close()
    stream_attr(
        *(
            "publish",
            "--broker",
            broker.bootstrap,
            "--topic-prefix",
            topic_prefix,
            "--until",
            str(NOW + 60 * DAY),
        )
    )
    until(lambda: worker.metric("stream_attr_dead_letters_total") == len(BAD), worker)

    letters = read_with_kafka_python(broker.bootstrap, topic_prefix + "dead-letters", len(BAD))
    assert sorted(letter["code"] for _, letter in letters) == sorted(BAD)
    for key, letter in letters:
        topic, sent_key, value = BAD[letter["code"]]
        kept = base64.b64decode(letter["value_base64"])
        assert (letter["topic"], key) == (topic, sent_key.encode())
        assert base64.b64decode(letter["key_base64"]) == sent_key.encode()
        assert letter["length"] == len(encoded(value))
        assert kept == encoded(value)[: 64 * 1024 if letter["code"] == "too_large" else None]
    fields = {letter["code"]: letter["field"] for _, letter in letters}
    assert (fields["missing_field"], fields["bad_type"], fields["bad_value"]) == (
        "agent_id",
        "amount",
        "sender",
    )

    decisions = read_with_kafka_python(broker.bootstrap, topic_prefix + "attribution-decisions", 3)
    assert [
        (key, said["revision"], said["reason"], said["status"], said["outcome"]) for key, said in decisions
    ] == [
        (b"jd:1|o-1", 1, "created", "pending", "awaiting_payment"),
        (b"jd:1|o-1", 2, "paid", "pending", "credited"),
        (b"jd:1|o-1", 3, "timer", "final", "credited"),
    ]
    assert decisions[-1][1]["credit"] == {"agent_id": "amy", "basis": "payment", "rule": "payment"}
    assert worker.stop() == 0
