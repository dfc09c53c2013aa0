"""A broker that is restored from an older copy of its disk, and who has judged what is lost with it."""

from __future__ import annotations

import shutil

import apache_kafka
import pytest

from stream_attr.kafka.admin import create_topics
from tests.kafka.conftest import NO_KAFKA, REQUIRED
from tests.kafka.worker_process import Traffic, state, until, until_counted, workers

pytestmark = pytest.mark.kafka
PREFIX = "restored."
LOST, OTHERS = b"jd:1|lost", 120


class Node:
    """Apache Kafka of one node whose disk can be copied and put back."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.bootstrap = cluster.bootstrap

    def _copy(self, source, target):
        self.cluster.stop()
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        self.cluster.start()

    def save(self):
        self._copy(self.folder / "node-1", self.folder / "copy")

    def restore(self, partition=""):
        """Put the copy back, of the whole disk or of one partition's folder alone."""
        self._copy(self.folder / "copy" / partition, self.folder / "node-1" / partition)


@pytest.fixture
def node(tmp_path):
    try:
        with apache_kafka.cluster(tmp_path / "kafka", brokers=1) as cluster:
            create_topics(cluster.bootstrap, partitions=1, prefix=PREFIX)
            yield Node(cluster, tmp_path / "kafka")
    except apache_kafka.KafkaUnavailable as error:
        (pytest.fail if REQUIRED else pytest.skip)(f"{NO_KAFKA}{error}")


def chat(node, buyer, ids):
    """Send one chat event of a buyer for each id."""
    traffic = Traffic(node.bootstrap, PREFIX)
    for number, name in enumerate(ids):
        traffic.put("chat-events", {"event_id": name, "ts": 1_790_000_000_000 + number}, key=buyer)


def judge(node, worker, buyers):
    """Have a worker judge until these buyers' states are so, and end it."""
    worker.start().until_ready()

    def judged():
        found = state(node.bootstrap, PREFIX)
        return all(found.get(buyer) == events for buyer, events in buyers.items())

    until(judged, worker)
    assert worker.stop() == 0


def test_a_store_of_a_lost_history_is_not_judged_by_although_its_offset_is_there_again(node, tmp_path):
    with workers(node.bootstrap, PREFIX, tmp_path, count=2) as [first, second]:
        chat(node, "jd:1|kept", "abcde")
        judge(node, first, {b"jd:1|kept": 5})
        node.save()
        chat(node, LOST.decode(), [f"lost{n}" for n in range(20)])
        judge(node, first, {LOST: 20})
        node.restore()
        assert LOST not in state(node.bootstrap, PREFIX)
        for number in range(OTHERS):
            chat(node, f"jd:1|other{number}", [f"other{number}"])
        judge(node, second, {b"jd:1|other%d" % number: 1 for number in range(OTHERS)})
        chat(node, LOST.decode(), [f"again{n}" for n in range(8)])
        judge(node, first, {LOST: 8})
        assert "it belongs to another history of the changelog" in first.log.read_text()
        assert "another history" not in second.log.read_text()
        until_counted(node.bootstrap, PREFIX, {LOST: [8]})
        first.log.write_bytes(b"")
        judge(node, first, {LOST: 8})
        assert "local state discarded" not in first.output()  # it is of this history now


def test_an_input_restored_from_an_older_copy_than_the_changelog_is_not_read_on_behind_new_records(
    node, tmp_path
):
    with workers(node.bootstrap, PREFIX, tmp_path) as [worker]:
        chat(node, "jd:1|kept", "abcde")
        judge(node, worker, {b"jd:1|kept": 5})
        node.save()
        chat(node, LOST.decode(), [f"lost{n}" for n in range(6)])
        judge(node, worker, {LOST: 6})
        node.restore(f"{PREFIX}chat-events-0")
        chat(node, "jd:1|new", [f"new{n}" for n in range(16)])  # the first six lie where others were judged
        for _ in range(2):
            assert worker.start().wait() == 1
            assert (
                f"topic {PREFIX}chat-events: another record is at the offset of a judged one"
                in worker.output()
            )
            assert "start once with --lost-input continue" in worker.output()
            assert "Traceback" not in worker.output()
        worker.args = ("--lost-input=continue",)
        judge(node, worker, {b"jd:1|new": 16, b"jd:1|kept": 5, LOST: 6})
        worker.args = ()
        judge(node, worker, {b"jd:1|new": 16})
        until_counted(node.bootstrap, PREFIX, {b"jd:1|new": [8, 16]})
