"""Workers that share an installation: joining and leaving under load, and coming back as a zombie."""

from __future__ import annotations

import signal

import pytest

from tests.kafka.verdicts import inputs
from tests.kafka.worker_process import until

from .installation import PARTITIONS, until_it_judges

SPEED = 3_000
"""Two days in a minute, if it went on as it begins."""


def until_shared(*workers):
    """Wait until each has its share, and together they have all."""
    until(
        lambda: (
            all(worker.held() for worker in workers)
            and sorted(n for worker in workers for n in worker.held()) == list(range(PARTITIONS))
        ),
        *workers,
    )


@pytest.mark.fault(
    "a second worker joins and leaves under load, now in an orderly way, now by SIGKILL",
    "partitions move with their state; who lost one can commit nothing for it any more",
)
def test_a_second_worker_joins_and_leaves_under_load(installation, traffic, trial):
    first, second = installation.worker(), installation.worker()
    with installation.load(traffic, SPEED) as load:
        first.start()
        for leave in (second.stop, second.kill, second.stop):
            until_shared(first)
            until_it_judges(first)
            second.start()
            until_shared(first, second)
            until_it_judges(second)
            assert load.goes_on()
            leave()
            trial.tried += 1
        load.until_sent()
    until_shared(first)
    installation.finish(first)
    trial.compare(first, traffic, receipts=False)
    assert first.stop() == 0


@pytest.mark.fault(
    "a worker is frozen beyond its session timeout (SIGSTOP) before it commits a batch, and comes back",
    "it is fenced: its batch is aborted, the new owner has judged it; it joins again",
)
@pytest.mark.parametrize("step", ["outputs half sent", "progress sent"])
def test_a_zombie_commits_nothing(installation, traffic, trial, step):
    installation.publish(*inputs(traffic))
    zombie, heir = installation.worker(hooks=("--batch-records=100",)), installation.worker()
    zombie.start(f"--at={step}", "--nth=5", "--do=freeze").until_frozen()
    heir.start()
    until(lambda: len(heir.held()) == PARTITIONS, heir)
    until_it_judges(heir, 100)
    zombie.signal(signal.SIGCONT)
    until_shared(zombie, heir)
    assert "has another owner now" in zombie.log.read_text()
    trial.tried += 1
    assert zombie.stop() == 0
    until_shared(heir)
    installation.finish(heir)
    trial.compare(heir, traffic)
    assert heir.stop() == 0
