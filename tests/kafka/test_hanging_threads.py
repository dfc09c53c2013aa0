"""Clients that hang: a wall clock that is set back under librdkafka, and a thread that never comes back."""

from __future__ import annotations

import collections
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stream_attr.kafka import clock_steps
from stream_attr.kafka.admin import create_topics
from tests.kafka.conftest import any_broker
from tests.kafka.worker_process import Traffic, WorkerProcess, state, until, workers

pytestmark = pytest.mark.kafka

MAIN_THREAD = "rdk:main"
"""Name of the thread of a client of librdkafka that runs its timers; a wait of it is a second at most."""


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)


@pytest.fixture(scope="module")
def wall_clock(tmp_path_factory):
    """A library that, preloaded, puts the wall clock of a process an hour ahead and back again."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc): the wall clock of a worker cannot be set back here")
    library = tmp_path_factory.mktemp("wall-clock") / "wall_clock.so"
    source = Path(__file__).with_name("wall_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class Clocked(WorkerProcess):
    """A worker whose wall clock is ahead for as long as a file is there."""

    def __post_init__(self):
        super().__post_init__()
        self.ahead = self.data_dir.with_suffix(".ahead")

    def on_clock(self, library):
        self.environment = {**os.environ, "LD_PRELOAD": str(library), "CLOCK_AHEAD": str(self.ahead)}
        return self

    def set_back(self):
        """Put it an hour ahead until every client waits for a moment by that clock; then back."""
        self.ahead.touch()
        until(self.all_clients_have_seen_it, self)
        time.sleep(2 * clock_steps._CHECK_EVERY_S)  # the event loop looks at it before it answers after that
        assert self.get("/health")[0] == 200
        self.ahead.unlink()

    def all_clients_have_seen_it(self):
        seen = self.ahead.with_suffix(".ahead.seen")
        names = seen.read_text().split() if seen.exists() else []
        running = [
            task.joinpath("comm").read_text().strip() for task in Path(f"/proc/{self.pid}/task").iterdir()
        ]
        return 0 < running.count(MAIN_THREAD) <= names.count(MAIN_THREAD)


@pytest.mark.usefixtures("topics")
def test_a_wall_clock_that_is_set_back_holds_up_no_new_shop_and_no_shutdown(
    broker, topic_prefix, wall_clock, tmp_path
):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    worker = Clocked(broker.bootstrap, topic_prefix, tmp_path / "worker").on_clock(wall_clock)
    try:
        worker.start().until_ready()
        traffic.send(50)
        until(lambda: state(broker.bootstrap, topic_prefix) == dict(traffic.sent), worker)
        worker.set_back()
        expected = collections.Counter(traffic.sent)
        for shop in range(5):
            key = f"jd:new-{shop}|b"
            traffic.put("chat-events", {"event_id": "e", "ts": 1_790_000_000_000}, key=key)
            expected[key.encode()] += 1
            until(lambda: state(broker.bootstrap, topic_prefix) == dict(expected), worker)
        assert worker.held() == [0, 1]
        assert worker.stop() == 0
    finally:
        if worker.runs():
            worker.kill()
    assert "the wall clock was set back by 3600.0 s" in worker.output()
    assert "a commit is in doubt" not in worker.output()


ASLEEP = """
import pathlib, sys, time
from confluent_kafka import Producer
from stream_attr.kafka.clock_steps import Clients

reports = []
client = Producer(
    {"bootstrap.servers": sys.argv[1], "statistics.interval.ms": 50, "stats_cb": reports.append}
)
ahead = pathlib.Path(sys.argv[2])
seen = ahead.with_suffix(".ahead.seen")

def until(condition):
    while not condition():
        client.poll(0)
        time.sleep(0.05)

client.list_topics()
until(lambda: len(reports) > 2)
ahead.touch()
until(lambda: seen.exists() and "rdk:main" in seen.read_text())
ahead.unlink()
client.poll(0)
before = len(reports)
clients = Clients()
clients.add(client)
clients.wake()
until(lambda: len(reports) > before + 1)
"""
"""A client whose main thread reports by a timer: set back while it waits, it reports no more until woken."""


def test_a_client_that_a_step_of_the_clock_put_to_sleep_is_woken(broker, wall_clock, tmp_path):
    ahead = tmp_path / "clock.ahead"
    environment = {**os.environ, "LD_PRELOAD": str(wall_clock), "CLOCK_AHEAD": str(ahead)}
    command = [sys.executable, "-c", ASLEEP, broker.bootstrap, str(ahead)]
    subprocess.run(command, env=environment, check=True, timeout=60)


@any_broker
@pytest.mark.usefixtures("topics")
def test_a_record_that_waits_is_lag_and_not_ready_and_a_hanging_thread_ends_with_the_process(
    broker, topic_prefix, tmp_path
):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path, "--hang") as [worker]:
        worker.start().until_ready()
        traffic.put("chat-events", {"event_id": "e", "ts": 1_790_000_000_000}, key="jd:1|b", partition=0)
        until(lambda: b"for the settings and rosters of new shops" in worker.get("/ready")[1], worker)
        assert worker.get("/ready")[0] == 503
        assert worker.metric("stream_attr_lag_records") == 1
        worker.signal(signal.SIGTERM)
        until(lambda: worker.get("/health")[0] == 0)
        worker.signal(signal.SIGUSR1)  # who looks where it hangs, and who is impatient, does not end it
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 1
        assert "it did not stop within 5 s" in worker.output()
        assert "settings_0 at threading.py" in worker.output()
