"""Workers that die: at every step of a batch's transaction, and at random under load."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.kafka.verdicts import inputs
from tests.kafka.worker_hooked import STEPS
from tests.kafka.worker_process import until

SMALL_BATCHES = ("--batch-records=100",)
"""So that there is always something in hand when a worker dies."""
QUICKLY = ("--session-timeout=1s",)
"""Until the next one is given the partitions."""
KILLS = 10


@pytest.mark.fault(
    "SIGKILL of a worker at each step of a batch's transaction",
    "the next owner aborts what is open and judges the batch again, or goes on behind it",
)
def test_a_worker_is_killed_at_each_step_of_a_batch(installation, traffic, trial):
    """Each time at its third batch, so that three other partitions have something under way."""
    installation.publish(*inputs(traffic))
    worker = installation.worker(*QUICKLY, hooks=SMALL_BATCHES)
    for step in STEPS:
        worker.start(f"--at={step}", "--nth=3")
        assert worker.wait() == -signal.SIGKILL, step
        trial.tried += 1
    assert installation.not_judged(), "there was something to judge at every kill"
    worker.hooks = ()
    worker.start()
    installation.finish(worker)
    trial.compare(worker, traffic)
    assert worker.stop() == 0


@pytest.mark.fault(
    "SIGKILL of a worker at random under load", "the same; the whole current batch is judged again"
)
def test_a_worker_is_killed_at_random_under_load(installation, traffic, trial):
    chance = random.Random(7)
    installation.publish(*inputs(traffic))
    worker = installation.worker(*QUICKLY, hooks=SMALL_BATCHES)
    for _ in range(KILLS):
        worker.start()
        until(lambda: worker.metric("stream_attr_records_total") > 0, worker)
        time.sleep(chance.random() * 0.1)
        worker.kill()
        trial.tried += 1
    assert installation.not_judged(), "there was something to judge at every kill"
    worker.hooks = ()
    worker.start()
    installation.finish(worker)
    trial.compare(worker, traffic)
    assert worker.stop() == 0
