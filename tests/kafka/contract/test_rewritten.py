"""Whether the record of an input that was judged last is still the one at its offset."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.kafka.admin import create_topics
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.state.lineage import Judged, digest_of
from stream_attr.worker.task.rewritten import rewritten
from tests.kafka.worker_process import LONGEST_S, messages

RECORDS = 3


@pytest.fixture
def judged(broker, topic_prefix):
    """Make topics with three records each, and return how one of a topic, by its offset, was judged."""
    create_topics(broker.bootstrap, partitions=1, prefix=topic_prefix)
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for topic in (CHAT, ORDERS):
        for number in range(RECORDS):
            producer.produce(topic_prefix + topic, b"%d" % number, b"jd:1|b", 0)
            assert producer.flush(LONGEST_S) == 0  # a batch for each: the embedded broker counts these

    def judged(topic, offset):
        [found] = [one for one in messages(broker.bootstrap, topic_prefix + topic) if one.offset() == offset]
        return Judged(offset, digest_of(found.key(), found.value(), found.timestamp()[1]))

    return judged


@pytest.fixture
def found(broker, topic_prefix):
    config = WorkerConfig(broker=broker.bootstrap, topic_prefix=topic_prefix)
    return lambda known: rewritten(config, 0, known, lambda: False)


def test_what_is_as_it_was_judged_is_not_rewritten(judged, found):
    assert found({CHAT: judged(CHAT, 2), ORDERS: judged(ORDERS, 0)}) == []


def test_another_record_at_the_offset_is(judged, found):
    assert found({CHAT: judged(CHAT, 2), ORDERS: judged(ORDERS, 1)._replace(offset=0)}) == [ORDERS]


def test_a_topic_that_ends_before_what_was_judged_is(judged, found):
    """Its broker was restored from an older copy: what comes next gets offsets that were judged."""
    assert found({CHAT: judged(CHAT, 2), ORDERS: Judged(RECORDS, 1)}) == [ORDERS]


def test_a_topic_that_ends_long_before_what_was_judged_is(broker, judged, found):
    if broker.kind == "embedded":
        pytest.skip("the embedded broker answers with nothing there")
    assert found({CHAT: judged(CHAT, 2), ORDERS: Judged(RECORDS + 4, 1)}) == [ORDERS]


def test_what_retention_has_is_not(broker, topic_prefix, judged, found):
    if broker.kind == "embedded":
        pytest.skip("the embedded broker deletes no records when told to")
    known = {CHAT: judged(CHAT, 2), ORDERS: judged(ORDERS, 1)}
    place = TopicPartition(topic_prefix + ORDERS, 0, RECORDS)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.delete_records([place])[place].result(LONGEST_S)
    assert found(known) == []
