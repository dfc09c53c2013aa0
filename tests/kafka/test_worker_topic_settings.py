"""Topics whose settings lose data: a worker and ``topics create`` say which, and what to do."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from stream_attr.cli import main
from stream_attr.kafka.admin import create_topics
from tests.kafka.verdicts import RealWorker
from tests.kafka.worker_process import until

pytestmark = pytest.mark.kafka
DAY_MS = 86_400_000
BAD = {
    "buyer-state-changelog": {"cleanup.policy": "delete", "retention.ms": "604800000"},
    "shop-settings": {"retention.ms": "604800000"},
    "chat-events": {"retention.ms": str(DAY_MS)},
    "order-events": {"retention.ms": str(DAY_MS)},
}
SAID = (
    "buyer-state-changelog: cleanup.policy is delete instead of compact, so records older than the retention",
    "shop-settings: message.timestamp.type is CreateTime instead of LogAppendTime, so a sender can back-date",
    "shop-settings: retention.ms is 604800000 instead of -1, so records are deleted that are still needed",
    "order-events: retention.ms is 86400000 instead of 3024000000, so records are deleted",
)


@pytest.fixture
def prefix(broker, topic_prefix):
    """Topics of two partitions, those above with bad settings."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for name, config in BAD.items():
        partitions = 1 if name == "shop-settings" else 2
        topic = NewTopic(topic_prefix + name, partitions, 1, config=config)
        admin.create_topics([topic])[topic_prefix + name].result(30)
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    return topic_prefix


def test_a_worker_warns_of_settings_that_lose_data_and_of_records_too_old_to_be_kept(
    broker, prefix, tmp_path
):
    worker = RealWorker(
        broker.bootstrap, prefix, tmp_path / "data", ("--clock", "events", "--accept-future")
    ).start()
    try:
        worker.until_ready()
        log = worker.log.read_text()
        for sentence in SAID:
            assert f"{prefix}{sentence}" in log
        assert "days ago, and retention.ms is" not in log

        old_ms = time.time_ns() // 1_000_000 - 3 * DAY_MS
        event = {"shop_id": "jd:1", "buyer_id": "b", "agent_id": "A", "sender": "buyer", "event_id": "m"}
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce(
            prefix + "chat-events", json.dumps({**event, "ts": old_ms}), "jd:1|b", timestamp=old_ms
        )
        assert producer.flush(30) == 0
        until(lambda: worker.metric("stream_attr_records_total") == 1, worker)
        warning = "records arrive with timestamps of 3.0 days ago, and retention.ms is 1.0 days,"
        assert f"topic {prefix}chat-events, partition " in worker.log.read_text()
        assert warning in worker.log.read_text()
    finally:
        worker.stop()


def test_topics_create_refuses_what_is_wrong_and_warns_of_what_is_at_risk(broker, prefix):
    words = ["topics", "create", "--broker", broker.bootstrap, "--topic-prefix", prefix, "--partitions", "2"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert sum(line.startswith("Error: topic ") for line in lines) == 2
    assert (
        f"Error: topic {prefix}buyer-state-changelog: its cleanup.policy is delete instead of"
        in result.stderr
    )
    assert f"Warning: topic {prefix}{SAID[2]}" in result.stderr
    assert f"Warning: topics {prefix}chat-events, {prefix}{SAID[3]}" in result.stderr
