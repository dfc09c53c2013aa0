"""Files in, decisions out, through the real worker: what the topics say last is what ``replay`` says."""

from __future__ import annotations

import json
import random
import time

import pytest

from tests.kafka.aftermath import unlike
from tests.kafka.faults.installation import HookedWorker
from tests.kafka.verdicts import (
    EVENTS,
    EXPIRED,
    FINAL,
    RealWorker,
    decisions,
    inputs,
    last,
    last_of_file,
    parts_of,
    pass_time,
    revisions,
    stream_attr,
    until_at_rest,
    verdicts,
)
from tests.kafka.worker_process import read_json, until

from .conftest import any_broker

YEAR_2096 = 3_976_214_400_000
DECISIONS = "attribution-decisions"
COMPARISONS = "attribution-comparisons"
REPORTS = ("reception-facts", "inquiry-outcomes", "agent-daily")
PARTITIONS = 4


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    """Two days of two shops (one judged under further profiles), and what ``replay`` makes of them."""
    folder = tmp_path_factory.mktemp("traffic")
    stream_attr(
        "generate", "--seed", "5", "--events", "20000", "--days", "2", "--shops", "2", "--out", str(folder)
    )
    stream_attr("replay", *inputs(folder), "--out", str(folder / "out"))
    return folder


@pytest.fixture
def worker(broker, topic_prefix, tmp_path):
    stream_attr(
        "topics",
        "create",
        "--broker",
        broker.bootstrap,
        "--topic-prefix",
        topic_prefix,
        "--partitions",
        str(PARTITIONS),
    )
    one = RealWorker(
        broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "events", "--accept-future")
    )
    yield one
    if one.runs():
        one.kill()


def publish(worker, *words):
    stream_attr("publish", "--broker", worker.bootstrap, "--topic-prefix", worker.prefix, *words)


def until_reported_as_replayed(worker, folder):
    """Wait until facts, inquiries and figures are those of the replay; partitions tell each other of them."""
    differing: list[str] = []

    def as_replayed():
        differing[:] = [
            line
            for topic in REPORTS
            for line in unlike(
                topic, decisions(worker.bootstrap, worker.prefix + topic), folder / "out" / f"{topic}.jsonl"
            )
        ]
        return not differing

    try:
        until(as_replayed, worker)
    except AssertionError as error:
        raise AssertionError("\n".join(differing[:5])) from error


def assert_as_replayed(worker, folder):
    until_reported_as_replayed(worker, folder)
    for topic in (DECISIONS, COMPARISONS):
        emitted = decisions(worker.bootstrap, worker.prefix + topic)
        assert last(emitted) == last_of_file(folder / "out" / f"{topic}.jsonl")
    return decisions(worker.bootstrap, worker.prefix + DECISIONS)


def test_the_last_records_of_the_topics_are_those_of_replay(worker, traffic):
    worker.start()
    publish(worker, *inputs(traffic))
    until(lambda: worker.metric("stream_attr_records_total") > 0, worker)
    pass_time(worker, PARTITIONS, FINAL)
    emitted = assert_as_replayed(worker, traffic)
    assert emitted
    assert all(one == list(range(1, len(one) + 1)) for one in revisions(emitted).values())
    pass_time(worker, PARTITIONS, EXPIRED)
    until(lambda: worker.metric("stream_attr_buyers") == 0, worker)
    assert worker.stop() == 0


def test_the_web_port_returns_the_last_decision(worker, traffic):
    worker.start()
    publish(worker, *inputs(traffic))
    until_at_rest(worker)
    told = last(decisions(worker.bootstrap, worker.prefix + DECISIONS))
    for key in sorted(told)[::50]:
        shop_id, order_id, _ = key.split("|")
        status, body = worker.get(f"/orders/{shop_id}/{order_id}")
        assert status == 200
        assert verdicts(last([json.loads(body)])) == {key: verdicts(told)[key]}
    assert worker.get("/orders/jd:10086/no-such-order")[0] == 404


def test_five_kills_at_random_change_no_last_verdict(broker, worker, traffic, tmp_path):
    """Each kill falls into a part of its own, so that there always is something in hand."""
    chance = random.Random(broker.kind)
    publish(worker, *inputs(traffic, "roster", "settings"))
    for part in parts_of(traffic, tmp_path, 5):
        publish(worker, *inputs(part, *EVENTS))
        worker.start().until_ready()
        until(lambda: worker.metric("stream_attr_records_total") > 0, worker)
        time.sleep(chance.random() * 0.4)
        worker.kill()
    worker.start()
    pass_time(worker, PARTITIONS, FINAL)
    emitted = assert_as_replayed(worker, traffic)
    if broker.has_transactions:
        assert all(one == list(range(1, len(one) + 1)) for one in revisions(emitted).values())
    letters = [letter for _, letter in read_json(worker.bootstrap, worker.prefix + "dead-letters")]
    places = [(one["topic"], one["partition"], one["offset"]) for one in letters]
    if broker.has_transactions:
        assert len(places) == len(set(places))
    assert worker.stop() == 0


def test_of_two_workers_one_is_killed_and_all_is_emitted_as_in_replay(broker, worker, traffic, tmp_path):
    """Facts, inquiries and figures too: what partitions tell each other survives the one that told it."""
    other = RealWorker(
        broker.bootstrap, worker.prefix, tmp_path / "other", ("--clock", "events", "--accept-future")
    )
    try:
        publish(worker, *inputs(traffic, "roster", "settings"))
        worker.start()
        other.start()
        until(lambda: len(worker.held()) == len(other.held()) == PARTITIONS // 2, worker, other)
        publish(worker, *inputs(traffic, *EVENTS))
        until(lambda: other.metric("stream_attr_records_total") > 0, worker, other)
        other.kill()
        until(lambda: len(worker.held()) == PARTITIONS, worker)
        pass_time(worker, PARTITIONS, FINAL)
        until_reported_as_replayed(worker, traffic)
        told = last(decisions(worker.bootstrap, worker.prefix + DECISIONS))
        assert verdicts(told) == verdicts(last_of_file(traffic / "out" / f"{DECISIONS}.jsonl"))
        assert worker.stop() == 0
    finally:
        if other.runs():
            other.kill()


@any_broker
@pytest.mark.parametrize("clock", ["wall", "events"])
def test_one_event_of_2096_in_each_topic_leaves_all_else_as_it_was(worker, traffic, tmp_path, clock):
    chat = {"event_id": "c-2096", "agent_id": "A", "sender": "buyer"}
    order = {"event_id": "o-2096", "order_id": "o-2096", "type": "created", "amount": 100}
    for kind, event in (("chat", chat), ("orders", order)):
        lines = (traffic / f"{kind}.jsonl").read_bytes().splitlines(keepends=True)
        event |= {"shop_id": "jd:10086", "buyer_id": "b-2096", "ts": YEAR_2096}
        lines.insert(len(lines) // 3, json.dumps(event).encode() + b"\n")
        (tmp_path / f"{kind}.jsonl").write_bytes(b"".join(lines))
    (tmp_path / "clock").write_text(str(FINAL[1] * 1000))
    hooks = (f"--clock-file={tmp_path / 'clock'}",)
    one = HookedWorker(worker.bootstrap, worker.prefix, worker.data_dir, ("--clock", clock), hooks=hooks)
    publish(
        one,
        *inputs(traffic, "roster", "settings"),
        *inputs(tmp_path, "chat", "orders"),
        *inputs(traffic, "rulings"),
    )
    try:
        one.start()
        until(lambda: one.metric("stream_attr_records_total") > 0, one)
        until_at_rest(one)
        publish(one, "--until", "2096-01-01T00:00:00Z")  # refused in each partition
        pass_time(one, PARTITIONS, FINAL)
        assert_as_replayed(one, traffic)
        letters = [letter for _, letter in read_json(one.bootstrap, one.prefix + "dead-letters")]
        refused = [letter["topic"] for letter in letters if letter["code"] == "future_timestamp"]
        assert sorted(refused) == ["chat-events", "order-events", *["ticks"] * PARTITIONS]
        assert one.stop() == 0
    finally:
        if one.runs():
            one.kill()
