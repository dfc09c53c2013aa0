"""Topics that are deleted and recreated under their old names: offsets on them mean something else."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from stream_attr.kafka.admin import create_topics
from tests.kafka.worker_process import Traffic, counts, messages, until, workers

BUYER = "jd:1|b0"
CHANGELOG = "buyer-state-changelog"


class Trial:
    """A worker that has judged ten chat events of one buyer on the only partition."""

    def __init__(self, broker, prefix, worker):
        self.bootstrap, self.prefix, self.worker = broker.bootstrap, prefix, worker
        create_topics(broker.bootstrap, partitions=1, prefix=prefix)
        self.traffic = Traffic(broker.bootstrap, prefix)
        self.number = 0
        worker.start()
        self.chat(10)
        self.until_judged(10)

    def chat(self, count):
        for _ in range(count):
            self.number += 1
            event = {"event_id": f"e{self.number}", "ts": 1_790_000_000_000 + self.number}
            self.traffic.put("chat-events", event, key=BUYER)

    def until_judged(self, records):
        until(lambda: self.worker.metric("stream_attr_records_total") >= records, self.worker)

    def recreate(self, name):
        """Delete the topic and make it again as it was."""
        topic, admin = self.prefix + name, AdminClient({"bootstrap.servers": self.bootstrap})
        admin.delete_topics([topic])[topic].result(30)

        def made():
            try:
                admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
            except KafkaException:  # the deletion is under way
                return False
            return True

        until(made)
        self.traffic = Traffic(self.bootstrap, self.prefix)  # a producer of before knows the old one

    def ends_saying(self, *sentences):
        assert self.worker.wait() == 1
        said = self.worker.output()
        assert all(sentence in said for sentence in sentences), said
        assert "Traceback" not in said
        self.worker.log.write_bytes(b"")

    def counted(self):
        """Outputs of the buyer: one for each eight events."""
        return counts(self.bootstrap, self.prefix).get(BUYER.encode(), [])


@pytest.fixture
def trial(broker, topic_prefix, tmp_path):
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        yield Trial(broker, topic_prefix, worker)


def test_an_input_recreated_meanwhile_is_read_from_its_beginning_with_the_option(trial):
    assert trial.worker.stop() == 0
    trial.recreate("chat-events")
    trial.chat(15)  # more than were judged of the old: its offset is there
    for _ in range(2):
        trial.worker.start()
        trial.ends_saying(
            f"topic {trial.prefix}chat-events was deleted and recreated (another topic id)",
            "start once with --lost-input continue",
        )
    assert trial.counted() == [8]
    trial.worker.args = ("--lost-input=continue",)
    trial.worker.start()
    trial.until_judged(15)
    assert trial.counted() == [8, 16, 24]
    assert (
        f"{trial.prefix}chat-events recreated or rewritten; reading from the beginning"
        in trial.worker.output()
    )
    assert trial.worker.stop() == 0
    trial.worker.args = ()
    trial.worker.start().until_ready()
    trial.chat(7)
    trial.until_judged(7)
    assert trial.counted() == [8, 16, 24, 32]
    assert trial.worker.stop() == 0


@pytest.mark.parametrize("topic", ["shop-settings", "order-events", "rulings"])
def test_a_topic_recreated_under_a_running_worker_ends_it_until_the_option_is_given(trial, topic, broker):
    if broker.kind == "embedded":
        pytest.skip("librdkafka 2.16 crashes if a topic that it reads is recreated on the embedded broker")
    trial.recreate(topic)
    trial.ends_saying(f"{trial.prefix}{topic}")  # it has seen the new one, or none for a moment
    trial.worker.start()
    trial.ends_saying("start once with --lost-input continue")
    trial.worker.args = ("--lost-input=continue",)
    trial.worker.start().until_ready()
    assert trial.worker.stop() == 0
    trial.worker.args = ()  # nothing came in meanwhile: that it was told to is remembered all the same
    trial.worker.start().until_ready()
    assert trial.worker.stop() == 0


def test_nothing_is_committed_on_a_recreated_changelog_nor_after_a_restart(trial, broker):
    trial.recreate(CHANGELOG)
    trial.chat(6)
    trial.ends_saying(CHANGELOG)
    if broker.has_transactions:
        assert messages(trial.bootstrap, trial.prefix + CHANGELOG) == []
        assert trial.counted() == [8]
        trial.worker.start()
        trial.ends_saying(
            f"topic {trial.prefix}{CHANGELOG} was deleted and recreated",
            "the state of partition 0 is missing",
        )
        trial.worker.args = ("--lost-input=continue",)
        trial.worker.start()
        trial.until_judged(16)
        assert trial.counted() == [8, 8, 16]
        assert trial.worker.stop() == 0


def test_recreated_ticks_stop_no_worker(trial):
    assert trial.worker.stop() == 0
    trial.worker.args = ("--clock=wall", "--idle-tick-ms=400")
    trial.worker.start()
    until(lambda: len(messages(trial.bootstrap, trial.prefix + "ticks")) >= 3, trial.worker)
    assert trial.worker.stop() == 0
    trial.recreate("ticks")
    before = judged_ticks(trial)
    trial.worker.start()
    until(lambda: judged_ticks(trial) > before, trial.worker)
    assert trial.worker.stop() == 0


def judged_ticks(trial):
    return sum(m.key() == b"tick" for m in messages(trial.bootstrap, trial.prefix + "attribution-decisions"))
