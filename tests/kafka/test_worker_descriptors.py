"""File descriptors and threads of a worker that runs: no more than it says at its start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream_attr.kafka.admin import create_topics
from tests.kafka.conftest import any_broker
from tests.kafka.worker_process import Traffic, WorkerProcess, state, until, workers

PARTITIONS = 12


class Limited(WorkerProcess):
    """A worker that may open so many files."""

    limits = "ulimit -n unlimited"

    def command(self):
        return ["sh", "-c", f'{self.limits} && exec "$@"', "sh", *super().command()]


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)


@pytest.fixture
def limited(broker, topic_prefix, tmp_path):
    """Make a worker with these limits of open files, soft and hard."""
    made = []

    def limited(soft, hard):
        worker = Limited(broker.bootstrap, topic_prefix, tmp_path / "worker")
        worker.limits = f"ulimit -Sn {soft} && ulimit -Hn {hard}"
        made.append(worker)
        return worker

    yield limited
    for worker in made:
        if worker.runs():
            worker.kill()


def count(worker, what):
    return len(list(Path(f"/proc/{worker.pid}/{what}").iterdir()))


@pytest.mark.kafka
@pytest.mark.usefixtures("topics")
def test_a_worker_takes_no_more_descriptors_and_threads_than_it_says(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    most = [0, 0]

    def measure():
        for place, what in enumerate(("fd", "task")):
            most[place] = max(most[place], count(worker, what))

    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start()
        until(lambda: measure() or worker.get("/ready")[0] == 200, worker)
        traffic.send(200)
        until(lambda: measure() or state(broker.bootstrap, topic_prefix) == dict(traffic.sent), worker)
        assert worker.stop() == 0
    said = re.search(
        r"need up to ([\d,]+) file descriptors \(limit: [\d,]+\) and (\d+) threads", worker.output()
    )
    assert said is not None
    descriptors, threads = (int(number.replace(",", "")) for number in said.groups())
    state_files = 32 * PARTITIONS  # which there are none of yet
    assert PARTITIONS * 11 < most[0] < descriptors - state_files
    assert PARTITIONS * 3 < most[1] < threads


@pytest.mark.kafka
@any_broker
@pytest.mark.usefixtures("topics")
def test_a_worker_raises_its_limit_and_warns_where_it_is_too_low_for_all_partitions(limited):
    worker = limited(64, 400).start().until_ready()
    assert worker.stop() == 0
    assert f"all {PARTITIONS} partitions need up to" in worker.output()
    assert "this process may open 400: raise its limit" in worker.output()


@pytest.mark.kafka
@any_broker
@pytest.mark.usefixtures("topics")
def test_a_worker_that_cannot_hold_one_partition_says_so(limited):
    worker = limited(64, 100).start()
    assert worker.wait() == 2
    assert "one partition alone needs up to" in worker.output()
    assert "Traceback" not in worker.output()
