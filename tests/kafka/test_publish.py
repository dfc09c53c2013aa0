"""publish: files on the topics, keyed and partitioned so that any other client agrees."""

from __future__ import annotations

import json
import time
from collections import defaultdict

import pytest
from click.testing import CliRunner
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, Message, TopicPartition
from kafka.partitioner import murmur2

from stream_attr.cli import main
from stream_attr.kafka.admin import create_topics, partition_counts
from stream_attr.kafka.embedded.stall import Stall
from tests.kafka.worker_process import PATIENCE_S

PARTITIONS = 3
T = 1_793_500_000_000


def chat(number: int, buyer: str = "b-1", **more) -> bytes:
    event = {
        "event_id": f"m-{number}", "shop_id": "jd:1", "buyer_id": buyer, "agent_id": "A", "ts": T + number,
        "sender": "buyer", "text": "在吗",
    }  # fmt: skip
    return json.dumps(event | more, ensure_ascii=False).encode()


def order(number: int, buyer: str = "b-1") -> bytes:
    event = {
        "event_id": f"e-{number}", "shop_id": "jd:1", "buyer_id": buyer, "order_id": f"o-{number}",
        "ts": T + number, "type": "created", "amount": 100,
    }  # fmt: skip
    return json.dumps(event).encode()


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)


@pytest.fixture
def run(broker, topic_prefix):
    def run(*arguments: str, stdin: bytes | None = None):
        base = ["publish", "--broker", broker.bootstrap, "--topic-prefix", topic_prefix]
        return CliRunner().invoke(main, [*base, *arguments], input=stdin)

    return run


@pytest.fixture
def read(broker, topic_prefix):
    """Everything on a topic, per partition, in order."""

    def read(topic: str, expected: int):
        name = topic_prefix + topic
        count = partition_counts(broker.bootstrap, [name])[name]
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": name, "log_level": 2})
        consumer.assign([TopicPartition(name, partition, 0) for partition in range(count)])
        found: defaultdict[int, list[Message]] = defaultdict(list)

        def count_found():
            return sum(len(messages) for messages in found.values())

        stall = Stall(PATIENCE_S, progress=count_found)
        try:
            while count_found() < expected and not stall.has_come():
                for message in consumer.consume(1000, timeout=0.2):
                    assert message.error() is None
                    found[message.partition()].append(message)
            assert not consumer.consume(1, timeout=0.3), "more records than expected"
        finally:
            consumer.close()
        assert count_found() == expected
        return found

    return read


@pytest.mark.usefixtures("topics")
def test_events_carry_the_bytes_of_the_file_under_the_key_of_their_buyer(run, read, tmp_path):
    lines = [chat(n, f"买家-{n}") for n in range(20)]
    (tmp_path / "chat.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    before = time.time() * 1000
    result = run("--chat", str(tmp_path / "chat.jsonl"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "published 20 to chat-events" in result.stderr
    for partition, messages in read("chat-events", 20).items():
        for message in messages:
            event = json.loads(message.value())
            key = f"jd:1|{event['buyer_id']}".encode()
            assert message.value() in lines
            assert message.key() == key
            # What the Java client's default partitioner does: murmur2, made positive, modulo.
            assert partition == (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
            assert message.timestamp()[1] >= before - 1000, "the record's time is now, not the event's"


@pytest.mark.usefixtures("topics")
def test_chat_and_orders_of_a_buyer_share_a_partition(run, read, tmp_path):
    buyers = [f"b-{n}" for n in range(12)]
    (tmp_path / "chat.jsonl").write_bytes(b"\n".join(chat(n, b) for n, b in enumerate(buyers)))
    (tmp_path / "orders.jsonl").write_bytes(b"\n".join(order(n, b) for n, b in enumerate(buyers)))
    result = run("--chat", str(tmp_path / "chat.jsonl"), "--orders", str(tmp_path / "orders.jsonl"))
    assert result.exit_code == 0
    where = [
        {m.key(): partition for partition, messages in read(topic, 12).items() for m in messages}
        for topic in ("chat-events", "order-events")
    ]
    assert where[0] == where[1]
    assert len(set(where[0].values())) > 1


@pytest.mark.usefixtures("topics")
def test_roster_and_settings_are_keyed_and_stamped_by_the_broker(run, read, broker, tmp_path):
    roster = {"shop_id": "jd:1", "agent_id": "A", "role": "presale", "effective_from": "2026-11-01"}
    settings = {"shop_id": "jd:1", "effective_from": "2026-11-01"}
    (tmp_path / "roster.jsonl").write_text(json.dumps(roster))
    (tmp_path / "settings.jsonl").write_text(json.dumps(settings))
    result = run("--roster", str(tmp_path / "roster.jsonl"), "--settings", str(tmp_path / "settings.jsonl"))
    assert result.exit_code == 0, result.stderr
    [record] = read("agent-roster", 1)[0]
    assert (record.key(), json.loads(record.value())) == (b"jd:1|A", roster)
    if broker.kind != "embedded":  # which stores the setting and does not honour it
        assert record.timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME
    [record] = read("shop-settings", 1)[0]
    assert (record.key(), json.loads(record.value())) == (b"jd:1", settings)


@pytest.mark.usefixtures("topics")
def test_lines_without_a_key_go_to_partition_0_as_they_stand(run, read, tmp_path):
    bad = [b"not json \xff\xfe", b"[]", b'{"shop_id": "jd:1"}', b'{"shop_id": 1, "buyer_id": "b"}', b"null"]
    (tmp_path / "chat.jsonl").write_bytes(b"\n".join([*bad, chat(1)]))
    result = run("--chat", str(tmp_path / "chat.jsonl"))
    assert result.exit_code == 0
    assert "5 of them without a key, to partition 0" in result.stderr
    messages = [m for some in read("chat-events", 6).values() for m in some]
    assert [m.value() for m in messages if m.key() is None and m.partition() == 0] == bad


@pytest.mark.usefixtures("topics")
def test_until_ends_with_a_tick_on_every_partition(run, read):
    assert run("--until", "2026-11-01T00:00:00Z").exit_code == 0
    ticks = read("ticks", PARTITIONS)
    assert sorted(ticks) == list(range(PARTITIONS))
    assert {m.value() for some in ticks.values() for m in some} == {b'{"ts":1793491200000}'}


@pytest.mark.usefixtures("topics")
def test_until_in_the_future_is_sent_and_spoken_of(run, read):
    past, future = run("--until", "2020-01-01T00:00:00Z"), run("--until", "2099-01-01T00:00:00Z")
    assert (past.exit_code, future.exit_code) == (0, 0)
    assert "future" not in past.stderr
    assert "workers will refuse these ticks as future_timestamp, unless started with" in future.stderr
    simulated = run("--until", "2099-01-01T00:00:00Z", "--accept-future")
    assert (simulated.exit_code, "future" in simulated.stderr) == (0, False)
    read("ticks", 3 * PARTITIONS)


@pytest.mark.usefixtures("topics")
def test_an_event_of_the_future_is_sent_and_counted(run, read, tmp_path):
    lines = [chat(1), chat(2, ts=3_976_214_400_000), chat(3)]
    (tmp_path / "chat.jsonl").write_bytes(b"\n".join(lines))
    done = run("--chat", str(tmp_path / "chat.jsonl"))
    assert done.exit_code == 0
    assert "1 of them more than 10 minutes ahead of the wall clock" in done.stderr
    again = run("--chat", str(tmp_path / "chat.jsonl"), "--accept-future")
    assert "wall clock" not in again.stderr
    read("chat-events", 6)


@pytest.mark.usefixtures("topics")
def test_standard_input(run, read):
    assert run("--orders", "-", stdin=order(1) + b"\n" + order(2)).exit_code == 0
    [messages] = read("order-events", 2).values()
    assert [m.value() for m in messages] == [order(1), order(2)]


@pytest.mark.usefixtures("topics")
def test_speed_keeps_the_pace_of_the_events(run, read, tmp_path):
    (tmp_path / "chat.jsonl").write_bytes(b"\n".join(chat(n * 30_000) for n in range(4)))
    assert run("--chat", str(tmp_path / "chat.jsonl"), "--speed", "60").exit_code == 0
    [messages] = read("chat-events", 4).values()
    stamps = [m.timestamp()[1] for m in messages]
    assert stamps[-1] - stamps[0] >= 750, "half of 90 s of events at 60 times their pace: it may begin late"


@pytest.mark.usefixtures("topics")
def test_a_record_too_large_for_us_is_sent_one_too_large_for_the_broker_is_named(run, read, tmp_path):
    big = chat(1, text="x" * 300 * 1024)
    (tmp_path / "chat.jsonl").write_bytes(b"\n".join([big, chat(2, text="x" * 1_100_000), chat(3)]))
    result = run("--chat", str(tmp_path / "chat.jsonl"))
    assert result.exit_code == 2
    assert "chat.jsonl, line 2: " in result.stderr
    [messages] = read("chat-events", 2).values()
    assert [m.value() for m in messages] == [big, chat(3)]


def test_missing_topics_are_named_and_not_made(run, broker, topic_prefix, tmp_path):
    (tmp_path / "chat.jsonl").write_bytes(chat(1))
    result = run("--chat", str(tmp_path / "chat.jsonl"))
    assert result.exit_code == 2
    assert f"no topic {topic_prefix}chat-events" in result.stderr
    assert (
        f"stream-attr topics create --broker {broker.bootstrap} --topic-prefix {topic_prefix}"
        in result.stderr
    )
    assert partition_counts(broker.bootstrap, [topic_prefix + "chat-events"]) == {}


@pytest.mark.usefixtures("topics")
def test_a_broken_second_file_stops_before_the_first_is_sent(run, read, tmp_path):
    (tmp_path / "chat.jsonl").write_bytes(chat(1))
    result = run("--chat", str(tmp_path / "chat.jsonl"), "--orders", str(tmp_path / "missing.jsonl"))
    assert (result.exit_code, "missing.jsonl" in result.stderr) == (2, True)
    read("chat-events", 0)


def settings_of(**fields) -> str:
    return json.dumps({"shop_id": "jd:1", "effective_from": "2025-01-01"} | fields) + "\n"


@pytest.mark.usefixtures("topics")
def test_settings_that_a_worker_would_refuse_are_not_sent_and_nothing_else_is(run, read, tmp_path):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text(settings_of(timezone="Europe/Berlin"))
    assert run("--settings", str(first)).exit_code == 0
    second.write_text(
        settings_of(effective_from="2098-01-01")
        + settings_of(effective_from="2025-06-01")
        + settings_of(effective_from="2098-01-01", timezone="Asia/Shanghai")
        + settings_of(shop_id="jd:2", preset="nobody")
    )
    roster, events = tmp_path / "roster.jsonl", tmp_path / "chat.jsonl"
    roster.write_text('{"shop_id": "jd:1"}\n')
    events.write_bytes(chat(1))
    result = run("--settings", str(second), "--roster", str(roster), "--chat", str(events))
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.removeprefix("Error: ").split(": ")[:3] for line in lines[:4]] == [
        [f"{second}:2", "bad_value", "effective_from"],
        [f"{second}:3", "bad_value", "timezone"],
        [f"{second}:4", "bad_value", "preset"],
        [f"{roster}:1", "missing_field", "agent_id"],
    ]
    assert "--send-refused" in lines[4]
    assert lines[-1].startswith("Nothing was sent to ")
    assert len(read("shop-settings", 1)[0]) == 1
    assert not read("chat-events", 0)
    assert run("--settings", str(second), "--roster", str(roster), "--send-refused").exit_code == 0
    assert len(read("shop-settings", 5)[0]) == 5


@pytest.mark.usefixtures("topics")
def test_settings_that_are_on_their_topic_already_are_not_sent_again(run, read, tmp_path):
    """So that a call which was interrupted can be repeated, with its events."""
    settings, events = tmp_path / "settings.jsonl", tmp_path / "chat.jsonl"
    settings.write_text(settings_of())
    events.write_bytes(chat(1))
    assert run("--settings", str(settings)).exit_code == 0
    result = run("--settings", str(settings), "--chat", str(events))
    assert (result.exit_code, result.stderr.splitlines()) == (
        0,
        [
            "published 1 to chat-events",
            "1 not sent again: on the settings or roster topic already",
        ],
    )
    assert len(read("shop-settings", 1)[0]) == 1
