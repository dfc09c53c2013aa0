"""The real worker, killed in the middle: what the topics say last is what the reference model says."""

from __future__ import annotations

import hashlib
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from stream_attr.contract.topics import (
    AGENT_DAILY,
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ORDERS,
    RULINGS,
    TASKS,
)
from tests.kafka.aftermath import not_judged
from tests.kafka.faults.installation import HookedWorker
from tests.kafka.verdicts import FINAL, inputs, pass_time, stream_attr
from tests.kafka.worker_process import read_json, until
from tests.properties.strategies import World
from tests.properties.subject import Run
from tests.properties.test_invariants import decided, model_of
from tests.properties.test_reports import MODELS
from tests.properties.test_reports import emitted as last_reports
from tests.properties.test_reports import model_of as reports_of
from tests.properties.test_tasks import assert_open_ones_are_the_models

PARTITIONS = 4
KILLED_AT = ("judged", "outputs half sent", "progress sent", "committed")
RULED = 3
SINCE = 1_793_900_000_000
"""Before all that is generated: by such a clock no task fell due so long ago that it is not opened."""
WATERMARK = FINAL[1] * 1000


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    """Two days of two shops, with rulings; not much, for the model looks at all of it for each verdict."""
    folder = tmp_path / "traffic"
    stream_attr(
        "generate", "--seed", "48", "--events", "3000", "--days", "2", "--shops", "2", "--out", str(folder)
    )
    return folder


def accepted(folder: Path, letters: list[dict[str, Any]]) -> World:
    """What the files hold, without what was refused."""
    refused = {(letter["topic"], letter["sha256"]) for letter in letters}

    def records(name: str, topic: str = "") -> list[dict[str, Any]]:
        lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
        return [json.loads(one) for one in lines if (topic, hashlib.sha256(one).hexdigest()) not in refused]

    events = [records(*one) for one in (("chat", CHAT), ("orders", ORDERS), ("rulings", RULINGS))]
    return World(records("settings"), records("roster"), *events)


def emitted(worker: HookedWorker) -> Run:
    """What a reader sees of all topics."""
    outcome = Run()
    for topic in (DECISIONS, COMPARISONS):
        outcome.emitted += [record for _, record in read_json(worker.bootstrap, worker.prefix + topic)]
    for topic in (FACTS, INQUIRIES, AGENT_DAILY, TASKS):
        records = read_json(worker.bootstrap, worker.prefix + topic)
        outcome.reports[topic] = [(key.decode(), record) for key, record in records]
    return outcome


def until_as_the_model_says(worker: HookedWorker, world: World) -> None:
    """Wait: Kafka writes the end of a committed transaction to one topic after another."""
    decisions = model_of(world, WATERMARK)
    reports = {topic: reports_of(world, topic, WATERMARK) for topic in MODELS}
    found: dict[str, Any] = {}

    def as_expected() -> bool:
        outcome = emitted(worker)
        found["decisions"] = {key: decided(one) for key, one in outcome.last().items()}
        found["reports"] = {topic: last_reports(outcome, topic) for topic in MODELS}
        return found == {"decisions": decisions, "reports": reports}

    try:
        until(as_expected, worker)
    except AssertionError:
        assert found["decisions"] == decisions
        assert found["reports"] == reports
        raise
    outcome = emitted(worker)
    assert outcome.reports[TASKS]
    assert_open_ones_are_the_models(outcome, world, WATERMARK)


@pytest.mark.parametrize("broker", ["apache"], indirect=True, scope="session")
def test_killed_in_the_middle_it_says_what_the_model_says(broker, topic_prefix, tmp_path, traffic):
    there = ("--broker", broker.bootstrap, "--topic-prefix", topic_prefix)
    stream_attr("topics", "create", *there, "--partitions", str(PARTITIONS))
    stream_attr("publish", *there, *inputs(traffic))
    (tmp_path / "clock").write_text(str(SINCE))
    worker = HookedWorker(
        broker.bootstrap,
        topic_prefix,
        tmp_path / "worker",
        ("--accept-future",),
        hooks=(f"--clock-file={tmp_path / 'clock'}", "--batch-records=100"),
    )
    try:
        for step in KILLED_AT:
            worker.start(f"--at={step}", "--nth=3")
            assert worker.wait() == -signal.SIGKILL, step
        assert not_judged(broker.bootstrap, topic_prefix), "there was something to judge at every kill"
        worker.start()
        pass_time(worker, PARTITIONS, FINAL)
        letters = [letter for _, letter in read_json(broker.bootstrap, topic_prefix + DEAD_LETTERS)]
        world = accepted(traffic, letters)
        assert len(world.rulings) == RULED
        until_as_the_model_says(worker, world)
        assert worker.stop() == 0
    finally:
        if worker.runs():
            worker.kill()
