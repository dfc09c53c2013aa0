"""Dead letters of a worker, listed and sent again: what was held up counts in the end, and counts once."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from stream_attr.cli import main
from stream_attr.codec.records.dead_letter import encode_dead_letter
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.kafka.admin import create_topics
from stream_attr.rules.vocabulary import Code
from tests.codec.test_visible import controls
from tests.kafka.verdicts import RealWorker, decisions, last, stream_attr
from tests.kafka.worker_process import LONGEST_S, read, until

pytestmark = pytest.mark.kafka
PARTITIONS = 3
T = 1_793_498_400_000
DAY_MS = 86_400_000
IDS = {"shop_id": "jd:1", "buyer_id": "b-1"}
KEY = b"jd:1|b-1"


def chat(number: int, ts: int, sender: str = "agent", **more) -> bytes:
    event = {**IDS, "event_id": f"m-{number}", "agent_id": "A", "ts": ts, "sender": sender, **more}
    return json.dumps(event).encode()


def order(kind: str, ts: int, **more) -> bytes:
    event = {**IDS, "event_id": f"e-{kind}", "order_id": "o-1", "ts": ts, "type": kind, "amount": 100, **more}
    return json.dumps(event).encode()


@pytest.fixture
def send(broker, topic_prefix):
    """Send a record as it stands; the topics are made with the first one."""
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2"})

    def send(topic: str, value: bytes, key: bytes | None = KEY) -> None:
        producer.produce(topic_prefix + topic, value, key)
        assert producer.flush(LONGEST_S) == 0

    return send


@pytest.fixture
def run(broker, topic_prefix):
    """``dead-letters`` with these words; returns its result."""

    def run(name: str, *words: str):
        target = ("--broker", broker.bootstrap, "--topic-prefix", topic_prefix)
        return CliRunner().invoke(main, ["dead-letters", name, *target, *words])

    return run


@pytest.fixture
def start(broker, topic_prefix, tmp_path):
    """Start a worker with these options; only one at a time."""
    started: list[RealWorker] = []

    def start(*options: str) -> RealWorker:
        for before in started:
            before.stop()
        worker = RealWorker(broker.bootstrap, topic_prefix, tmp_path / "worker", options)
        started.append(worker)
        return worker.start().until_ready()

    yield start
    for worker in started:
        if worker.runs():
            worker.kill()


def verdict(broker, prefix):
    """Outcome and credited agent of the order as they stand; None while there is none."""
    found = last(decisions(broker.bootstrap, prefix + "attribution-decisions"))
    if not found:
        return None
    [one] = found.values()
    return one["outcome"], (one["credit"] or {}).get("agent_id")


def test_hostile_keys_and_values_are_shown_visibly(send, run, tmp_path) -> None:
    send("chat-events", chat(1, T))  # so that the topics are there
    hostile = "\x1b[31m\u202e\x9b\nFAKE"
    letters = [
        encode_dead_letter(
            RefusedRecord(Code.KEY_MISMATCH, hostile),
            topic="chat-events",
            partition=0,
            offset=offset,
            key=hostile.encode(),
            value=value,
        )
        for offset, value in enumerate([chat(1, T, "buyer"), chat(2, T, hostile)])
    ]
    path = tmp_path / "letters.jsonl"
    path.write_bytes(b"\n".join(letters))
    for options in (["--dry-run"], ["--dry-run", "--fix-key"]):
        tried = run("replay", *options, str(path))
        assert tried.exit_code == 1
        assert "key \\x1b[31m\\u202e\\x9b\\nFAKE" in tried.stdout
        assert controls(tried.stdout + tried.stderr) == {"\n"}


def test_what_was_sent_under_a_wrong_key_is_judged_once_it_is_mended(
    broker, topic_prefix, send, run, start
) -> None:
    now = time.time_ns() // 1_000_000
    worker = start()
    send("order-events", order("created", now - 60_000))
    send("order-events", order("paid", now - 30_000))
    send("chat-events", chat(1, now - 120_000, "buyer"), b"jd:1|b-2")
    send("chat-events", chat(2, now - 110_000), None)
    send("chat-events", chat(3, now - 110_000, text="x" * 300_000))
    send("chat-events", chat(4, now + 3_600_000))
    send("chat-events", b'{"shop_id": "jd:1"')
    until(lambda: worker.metric("stream_attr_dead_letters_total") == 5, worker)
    assert verdict(broker, topic_prefix) == ("silent", None)

    listed = run("list")
    assert (listed.exit_code, len(listed.stdout.splitlines())) == (0, 5)
    assert "5 dead letters: 2 key_mismatch, 1 " in listed.stderr
    assert "xxx" not in listed.stdout
    before = len(read(broker.bootstrap, topic_prefix + "chat-events"))
    tried = run("replay", "--fix-key", "--dry-run")
    assert tried.exit_code == 1
    assert tried.stdout.count("to chat-events, by its key, key jd:1|b-1 instead of ") == 2
    assert len(read(broker.bootstrap, topic_prefix + "chat-events")) == before
    unmended = run("replay", "--code", "key_mismatch")
    assert (unmended.exit_code, "held back, 2: its key is not that of its value" in unmended.stdout) == (
        1,
        True,
    )

    done = run("replay", "--fix-key")
    assert done.exit_code == 1
    assert [line.split() for line in done.stdout.splitlines() if line.startswith("all ")] == [
        ["all", "2", "0", "3"]
    ]
    for said in (
        "held back, 1: only a part of the record is kept",
        f"too_large  key jd:1|b-1  65,536 of {len(chat(3, now, text='x' * 300_000)):,} bytes",
        "held back, 1: its time is still more than 10 minutes in the future",
        "held back, 1: it would be refused again unchanged",
        "not_json: not JSON in UTF-8",
    ):
        assert said in done.stdout
    until(lambda: verdict(broker, topic_prefix) == ("credited", "A"), worker)

    again = run("replay", "--code", "key_mismatch", "--fix-key")
    assert again.exit_code == 0
    until(lambda: worker.metric("stream_attr_repeated_events_total") == 2, worker)
    assert verdict(broker, topic_prefix) == ("credited", "A")
    since = again.stderr.rpartition("--since ")[2].strip()
    assert "0 dead letters" in run("list", "--since", since).stderr
    assert "5 dead letters" in run("list", "--before", since).stderr


def test_an_order_that_was_given_up_is_decided_once_history_is_kept_for_longer(
    broker, topic_prefix, send, run, start
) -> None:
    worker = start("--clock", "events", "--accept-future", "--history-days", "33")
    target = ("--broker", broker.bootstrap, "--topic-prefix", topic_prefix)
    send("order-events", order("paid", T))
    stream_attr("publish", *target, "--until", str(T + 46 * DAY_MS))
    until(lambda: worker.metric("stream_attr_dead_letters_total") == 1, worker)
    held = run("replay")
    assert (held.exit_code, "incomplete_order" in held.stdout) == (1, True)
    assert "held back, 1: it is older than the history that was kept" in held.stdout

    worker = start("--clock", "events", "--accept-future", "--history-days", "90")
    send("order-events", order("created", T - 3_600_000))
    sent = run("replay", "--code", "incomplete_order", "--topic", "order-events", "--shop", "jd:1")
    assert (sent.exit_code, "it is older" in sent.stdout) == (0, False)
    until(lambda: verdict(broker, topic_prefix) == ("silent", None), worker)
    assert worker.metric("stream_attr_dead_letters_total") == 0


@pytest.mark.usefixtures("send")
def test_dead_letters_of_a_replay_of_files_are_sent_to_a_broker(broker, topic_prefix, run, tmp_path) -> None:
    records = [order("paid", T, buyer_id=f"b-{n}", event_id=f"e-{n}", order_id=f"o-{n}") for n in range(9)]
    (tmp_path / "orders.jsonl").write_bytes(b"\n".join([*records, b"[]"]))
    stream_attr("replay", "--orders", str(tmp_path / "orders.jsonl"), "--out", str(tmp_path / "out"))
    done = run("replay", str(tmp_path / "out" / "dead-letters.jsonl"))
    assert done.exit_code == 1
    assert [line.split() for line in done.stdout.splitlines()[1:4]] == [
        ["incomplete_order", "9", "0", "0"], ["not_an_object", "0", "0", "1"], ["all", "9", "0", "1"]
    ]  # fmt: skip
    found = read(broker.bootstrap, topic_prefix + "order-events")
    assert sorted(value or b"" for _, value in found) == sorted(records)
    assert {key for key, _ in found} == {b"jd:1|b-%d" % n for n in range(9)}


def test_what_is_mended_by_hand_is_published(broker, topic_prefix, send, run, start, tmp_path) -> None:
    worker = start("--clock", "events", "--accept-future")
    send("order-events", order("created", T, amount="12900"))
    send("order-events", order("paid", T + 1, amount="12900").replace(b", ", b",\n  "))
    until(lambda: worker.metric("stream_attr_dead_letters_total") == 2, worker)
    listed = run("list", "--values", "--topic", "order-events", "--code", "bad_type")
    lines = listed.stdout.splitlines()
    assert (listed.exit_code, len(lines)) == (0, 2)
    (tmp_path / "mended.jsonl").write_text(listed.stdout.replace('"12900"', "12900"))
    target = ("--broker", broker.bootstrap, "--topic-prefix", topic_prefix)
    stream_attr("publish", *target, "--orders", str(tmp_path / "mended.jsonl"))
    until(lambda: verdict(broker, topic_prefix) == ("silent", None), worker)


def test_records_of_the_topic_that_are_not_dead_letters_are_counted(send, run) -> None:
    send("dead-letters", b"{}")
    listed = run("list")
    assert (listed.exit_code, listed.stdout) == (1, "")
    assert "1 records of " in listed.stderr
    assert "are not dead letters" in listed.stderr
    assert "0 dead letters in the part that could be read\n" in listed.stderr


def test_json_lines_of_a_list_are_read_back(send, run, start, tmp_path) -> None:
    worker = start("--clock", "events", "--accept-future")
    send("chat-events", chat(1, T), b"wrong")
    send("order-events", order("paid", T), b"wrong")
    until(lambda: worker.metric("stream_attr_dead_letters_total") == 2, worker)
    path = tmp_path / "letters.jsonl"
    path.write_text(run("list", "--json").stdout)
    only = run("replay", str(path), "--fix-key", "--topic", "chat-events", "--dry-run")
    assert (only.exit_code, only.stdout.count("would be sent")) == (0, 1)
    assert [line.split() for line in only.stdout.splitlines() if line.startswith("all ")] == [
        ["all", "1", "0", "0"]
    ]
