"""Input that retention has deleted before it was judged: the worker stops there, or goes on when told to."""

from __future__ import annotations

import json

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_attr.contract.topics import CHANGELOG, CHAT
from stream_attr.kafka.admin import create_topics
from stream_attr.processor.ports import PROGRESS_KEY
from stream_attr.worker.startup.topics_check import INPUTS
from tests.kafka.worker_process import Traffic, messages, until, workers

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
    said = gap.output()
    assert (
        f"topic {topic_prefix}chat-events, partition 1: judged up to offset 40, and the topic begins at 50: "
        "10 offsets were deleted before they were judged. Nothing has been skipped." in said
    )
    assert "--lost-input continue" in said
    assert said.count("10 offsets were deleted") == 1
    assert "Traceback" not in said


def test_with_the_option_it_continues_and_logs_an_error(gap):
    gap.args = ("--lost-input=continue",)
    gap.start()
    until(lambda: gap.metric("stream_attr_records_total") == 50, gap)
    assert gap.metric("stream_attr_lost_records_total") == 10
    assert "10 offsets were deleted before they were judged; continuing without them" in gap.output()
    assert gap.stop() == 0


def test_once_it_continued_the_option_is_not_needed_again_even_without_new_records(gap, broker, topic_prefix):
    delete_before(broker, topic_prefix + CHAT, 1, 100)
    gap.args = ("--lost-input=continue",)
    gap.start()
    until(lambda: gap.metric("stream_attr_lost_records_total") == 60, gap)
    until(lambda: positions(broker, topic_prefix, 1)[CHAT] == 100, gap)
    assert gap.stop() == 0
    gap.args = ()
    gap.start().until_ready()
    Traffic(broker.bootstrap, topic_prefix).put(
        CHAT, {"event_id": "e100", "ts": 1_790_000_000_100}, partition=1
    )
    until(lambda: gap.metric("stream_attr_records_total") == 1, gap)
    assert gap.stop() == 0


def test_what_transactions_leave_in_a_topic_is_no_lost_input(broker, topic_prefix, tmp_path):
    """Its producers' own markers, and what they aborted; our own in what partitions tell each other."""
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": topic_prefix})
    producer.init_transactions()

    def send(event_id):
        producer.begin_transaction()
        for topic in INPUTS:
            event = json.dumps({"event_id": event_id + topic, "ts": 1_790_000_000_000})
            producer.produce(topic_prefix + topic, event, "jd:1|b", 1)
        producer.flush()

    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        send("committed-")
        producer.commit_transaction()
        send("aborted-")
        producer.abort_transaction()
        ends = dict.fromkeys(INPUTS, 4)
        until(lambda: positions(broker, topic_prefix, 1) == ends, worker)
        assert worker.metric("stream_attr_lag_records") == 0
        assert worker.stop() == 0
        for topic, end in ends.items():
            delete_before(broker, topic_prefix + topic, 1, end)
        worker.start().until_ready()
        send("later-")
        producer.commit_transaction()
        until(
            lambda: worker.metric("stream_attr_events_total") == len(INPUTS) - 1, worker
        )  # but for the tick
        assert worker.metric("stream_attr_lost_records_total") == 0
        assert worker.stop() == 0


def test_what_came_in_and_went_while_a_worker_that_had_judged_nothing_was_away_is_lost(
    broker, topic_prefix, tmp_path
):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        until(lambda: positions(broker, topic_prefix, 1) == dict.fromkeys(INPUTS, 0), worker)
        assert worker.stop() == 0
        traffic = Traffic(broker.bootstrap, topic_prefix)
        for number in range(3):
            traffic.put(CHAT, {"event_id": f"e{number}", "ts": 1_790_000_000_000}, partition=1)
        delete_before(broker, topic_prefix + CHAT, 1, 2)
        assert worker.start().wait() == 1
        assert "2 offsets were deleted before they were judged" in worker.output()


def positions(broker, prefix, partition):
    """Where a partition's reading goes on, by topic, as its last progress record has it."""
    found = [
        json.loads(message.value())["positions"]
        for message in messages(broker.bootstrap, prefix + CHANGELOG)
        if message.partition() == partition and message.key() == PROGRESS_KEY
    ]
    return found[-1] if found else {}


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
