"""Brokers that die: each of the three in turn, and all at once."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka.worker_process import LONGEST_S, until

from .installation import until_it_judges

SPEED = 2_000
"""Two days in a minute and a half, if it went on as it begins."""


def leaders_and_copies(bootstrap, prefix):
    """Of each partition of an installation: the node that leads it, and how many copies are in step."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = admin.list_topics(timeout=LONGEST_S).topics
    return [
        (partition.leader, len(partition.isrs))
        for name, topic in topics.items()
        if name.startswith(prefix)
        for partition in topic.partitions.values()
    ]


def until_all_copies_are_there(installation, cluster):
    until(
        lambda: all(
            copies == len(cluster.nodes)
            for _, copies in leaders_and_copies(installation.bootstrap, installation.prefix)
        ),
        patience_s=LONGEST_S,
    )


@pytest.mark.fault(
    "SIGKILL of one broker of three under load, and back; each in turn, so the leaders are among them",
    "it goes on with the other two once they have the leads",
)
def test_one_broker_of_three_is_killed_and_comes_back(cluster, installation, traffic, trial):
    worker = installation.worker("--session-timeout=6s")
    with installation.load(traffic, SPEED) as load:
        worker.start()
        for node in cluster.nodes:
            until_it_judges(worker)
            led = leaders_and_copies(installation.bootstrap, installation.prefix)
            assert node.id in {leader for leader, _ in led}
            cluster.kill(node.id)
            until_it_judges(worker, 200)
            assert load.goes_on()
            cluster.start(node.id)
            until_all_copies_are_there(installation, cluster)
            trial.tried += 1
        load.until_sent()
    installation.finish(worker)
    trial.compare(worker, traffic, receipts=False)
    assert worker.stop() == 0


@pytest.mark.fault(
    "all brokers restarted under load, by SIGKILL of all at once and in an orderly way",
    "it waits for them, says so, and goes on",
)
def test_all_brokers_are_restarted(cluster, installation, traffic, trial):
    worker = installation.worker("--session-timeout=6s")
    with installation.load(traffic, SPEED) as load:
        worker.start()
        for end in (cluster.kill, cluster.stop):
            until_it_judges(worker, 200)
            end()
            cluster.start()
            assert load.goes_on()
            trial.tried += 1
        load.until_sent()
    installation.finish(worker)
    trial.compare(worker, traffic, receipts=False)
    assert worker.stop() == 0
