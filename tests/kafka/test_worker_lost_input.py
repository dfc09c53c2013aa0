"""Input that retention has deleted before it was judged: the worker stops there, or goes on when told to."""

from __future__ import annotations

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from worker_process import Traffic, until, workers

from stream_attr.broker.topics import create_topics

PARTITIONS = 2


def delete_before(broker, topic, partition, offset):
    """Delete what lies before an offset, as retention does."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    place = TopicPartition(topic, partition, offset)
    admin.delete_records([place])[place].result()


@pytest.fixture(autouse=True)
def _deletes(broker):
    if broker.kind == "embedded":
        pytest.skip("the embedded broker keeps everything and deletes no records")


@pytest.fixture
def gap(broker, topic_prefix, tmp_path):
    """A worker has judged 40 chat events of partition 1 and was stopped; of the 60 after them 10 are gone."""
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    traffic = Traffic(broker.bootstrap, topic_prefix)

    def chat(first, last):
        for number in range(first, last):
            event = {"event_id": f"e{number}", "ts": 1_790_000_000_000 + number}
            traffic.put("chat-events", event, key="jd:1|b", partition=1)

    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start()
        chat(0, 40)
        until(lambda: worker.metric("stream_attr_records_total") == 40, worker)
        assert worker.stop() == 0
        chat(40, 100)
        delete_before(broker, topic_prefix + "chat-events", 1, 50)
        yield worker


def test_it_stops_before_the_gap_and_names_the_remedy(gap, topic_prefix):
    assert gap.start().wait() == 1
    said = gap.said()
    assert (
        f"topic {topic_prefix}chat-events, partition 1: judged up to offset 40, and the topic begins at 50: "
        "10 offsets were deleted before they were judged. Nothing has been skipped." in said
    )
    assert "--lost-input continue" in said
    assert said.count("10 offsets were deleted") == 1
    assert "Traceback" not in said


def test_it_goes_on_when_told_to_loudly(gap):
    gap.args = ("--lost-input=continue",)
    gap.start()
    until(lambda: gap.metric("stream_attr_records_total") == 50, gap)
    assert gap.metric("stream_attr_lost_records_total") == 10
    assert "10 offsets were deleted before they were judged; going on without them" in gap.said()
    assert gap.stop() == 0


def test_a_new_installation_begins_where_the_topic_does(broker, topic_prefix, tmp_path):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    traffic = Traffic(broker.bootstrap, topic_prefix)
    for number in range(20):
        event = {"event_id": f"e{number}", "ts": 1_790_000_000_000 + number}
        traffic.put("chat-events", event, key="jd:1|b", partition=1)
    delete_before(broker, topic_prefix + "chat-events", 1, 5)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start()
        until(lambda: worker.metric("stream_attr_records_total") == 15, worker)
        assert worker.stop() == 0
