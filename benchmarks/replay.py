"""Replay: its CPU time against that of reading the same JSON at all, and what more processes gain."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import orjson

from stream_attr.collector import without_collector
from stream_attr.contract.topics import AGENT_DAILY, COMPARISONS, DEAD_LETTERS, DECISIONS, FACTS, INQUIRIES
from stream_attr.replay.run import Inputs, replay
from table import Row
from traffic import generated

__all__ = ["cpu_and_wall", "load_lines", "replay_to_files", "run"]

TOPICS = (DECISIONS, COMPARISONS, FACTS, INQUIRIES, AGENT_DAILY, DEAD_LETTERS)
EVENTS = 1_000_000
DAYS = 15
ALTERNATIONS = 3
TARGET = 25.0
ALL_OUTPUTS = 2 / 3
"""Speed falls by less than a third with facts, inquiries and figures."""


def run() -> list[Row]:
    """Measure on 15 days of a large shop, all decisions written."""
    with tempfile.TemporaryDirectory() as name, without_collector():
        folder = Path(name)
        inputs = generated(folder, EVENTS, DAYS)
        ratios, walls, of_all = _alternate(inputs, folder)
        return [
            Row(
                "replay against orjson.loads of its lines",
                f"{statistics.median(ratios):.1f} times",
                f"at most {TARGET:.0f} times",
                f"{min(ratios):.1f} to {max(ratios):.1f}",
                f"CPU time, {EVENTS:,} events, one process",
                met=statistics.median(ratios) <= TARGET,
            ),
            Row(
                "replay with all outputs",
                f"{of_all:.2f} of the speed",
                f"at least {ALL_OUTPUTS:.2f}",
                note="CPU time; facts, inquiries and figures beside decisions",
                met=of_all >= ALL_OUTPUTS,
            ),
            *_shared(inputs, folder, statistics.median(walls)),
        ]


def _alternate(inputs: Inputs, folder: Path) -> tuple[list[float], list[float], float]:
    """Replay and read in turn.

    Returns the ratios of CPU times, the seconds that a replay took, and the speed with all outputs against
    that of decisions alone.
    """
    lines = [line for path in (*inputs.chat, *inputs.orders) for line in Path(path).read_bytes().splitlines()]
    ratios, walls = [], []
    before, _ = cpu_and_wall(lambda: load_lines(lines))
    for _ in range(ALTERNATIONS):
        spent, wall = cpu_and_wall(lambda: replay_to_files(inputs, folder, 1, reports=False))
        after, _ = cpu_and_wall(lambda: load_lines(lines))
        ratios.append(spent / ((before + after) / 2))
        walls.append(wall)
        before = after
    of_all, _ = cpu_and_wall(lambda: replay_to_files(inputs, folder, 1, reports=True))
    return ratios, walls, spent / of_all


def _shared(inputs: Inputs, folder: Path, alone: float) -> list[Row]:
    cores = os.cpu_count() or 1
    if cores == 1:
        return []
    _, wall = cpu_and_wall(lambda: replay_to_files(inputs, folder, cores, reports=False))
    return [
        Row(
            f"replay in {cores} processes",
            f"{alone / wall:.2f} times as fast",
            note=f"wall clock, {alone:.0f} s in one process, {cores} cores",
        )
    ]


def load_lines(lines: list[bytes]) -> None:
    """Do nothing with them but what nobody can do without."""
    for line in lines:
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError:  # the traffic has some bad records in it
            continue


def replay_to_files(inputs: Inputs, folder: Path, processes: int, *, reports: bool) -> None:
    """Replay, and write what comes of it to a file for each topic."""
    with ExitStack() as stack:
        files = {topic: stack.enter_context((folder / topic).open("wb")) for topic in TOPICS}
        for output in replay(inputs, processes=processes, reports=reports):
            file = files[output.topic]
            file.write(output.value)
            file.write(b"\n")


def cpu_and_wall(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of CPU time and of the wall clock that some work takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall
