"""Several processes: the outputs of one, in their order; what goes wrong in one is told."""

from __future__ import annotations

import gzip
import os
import signal
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from stream_attr.contract.topics import DEAD_LETTERS, DECISIONS
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.generate import Plan as Traffic
from stream_attr.generate import write
from stream_attr.replay import processes as processes_module
from stream_attr.replay.processes import (
    MOST_PROCESSES,
    WORTH_A_PROCESS,
    ProcessLostError,
    SharedPartition,
    sensible_number,
)
from stream_attr.replay.run import replay
from stream_attr.replay.share_process import PeerLost
from stream_attr.replay.steps import Plan

END_TS = 1_794_412_800_000


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("traffic")
    write(Traffic(seed=4, events=3_000, days=6, end_ts=END_TS, shops=2), directory)
    with (directory / "settings.jsonl").open("ab") as settings:
        settings.write(b"no settings\n")
    return Inputs(
        **{
            name: [str(directory / f"{name}.jsonl")]
            for name in ("chat", "orders", "rulings", "roster", "settings")
        }
    )


@pytest.fixture(scope="module")
def alone(inputs):
    return list(replay(inputs))


@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_say_what_one_says_in_the_same_order(inputs, alone, processes):
    assert {output.topic for output in alone} >= {DECISIONS, DEAD_LETTERS}
    assert list(replay(inputs, processes=processes)) == alone


def test_they_stop_where_one_stops(inputs):
    until = END_TS - 3 * 86_400_000
    assert list(replay(inputs, processes=2, until=until)) == list(replay(inputs, until=until))


def test_every_process_tells_how_far_the_reading_is(inputs):
    told: list[int] = []
    list(replay(inputs, processes=2, progress=told.append))
    [rulings] = inputs.rulings
    assert told[-1] == 3_000 + len(Path(rulings).read_bytes().splitlines())


def test_a_file_that_breaks_off_is_named(tmp_path):
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(gzip.compress(b'{"event_id": "c-1"}\n' * 1_000)[:-20])
    with pytest.raises(UnusableFileError, match=r"torn\.jsonl\.gz"):
        list(replay(Inputs(chat=[str(torn)]), processes=2))


def test_a_process_that_is_killed_is_told_of(inputs, monkeypatch):
    started: list[SpawnProcess] = []
    start = SpawnProcess.start

    def start_and_note(process):
        start(process)
        started.append(process)

    monkeypatch.setattr(SpawnProcess, "start", start_and_note)
    outputs = replay(inputs, processes=2)
    next(outputs)
    pid = started[1].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    started[1].join()
    with pytest.raises(ProcessLostError, match="process 2 of 2 ended with exit code -9"):
        for _ in outputs:
            pass
    assert not any(process.is_alive() for process in started)


def test_small_input_and_standard_input_are_for_one_process(inputs, tmp_path):
    assert sensible_number(inputs) == 1
    large = tmp_path / "large.jsonl"
    with large.open("wb") as file:
        file.truncate(64 * WORTH_A_PROCESS)
    cores = len(os.sched_getaffinity(0))
    assert sensible_number(Inputs(chat=[str(large)])) == min(cores, MOST_PROCESSES)
    assert sensible_number(Inputs(chat=[str(large)], orders=["-"])) == 1
    assert sensible_number(Inputs(chat=["no such file"])) == 1


def test_nothing_more_is_emitted_once_a_process_has_found_another_one_ended():
    """The first was a step ahead when it ended; the second one's step is missing."""

    class Sent:
        def __init__(self, *messages):
            self.messages = list(messages)

        def receive(self):
            if self.messages:
                return processes_module._encode(self.messages.pop(0))
            raise ProcessLostError("process 1 of 2 ended with exit code -9 before its work was done")

    step = processes_module._Step(1, [], [])
    partition = SharedPartition(Plan(Inputs(), reports=False), 2)
    partition._children = [Sent(step, step, step), Sent(step, PeerLost(0))]  # type: ignore[list-item]
    assert partition.next_batch() is not None
    with pytest.raises(ProcessLostError, match="process 1 of 2"):
        partition.next_batch()
