"""``stream-attr publish`` and ``topics create`` when things go wrong: what is told, and with which status."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer, TopicPartition

from stream_attr.cli import main
from stream_attr.contract.topics import CHAT
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.broker import EmbeddedBroker
from stream_attr.kafka.embedded.stall import Stall

TICK = ("--until", "1793500000000")
PARTITIONS = 2
EVENTS = 5_000


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
    monkeypatch.setattr("stream_attr.kafka.connection._NOBODY_THERE_S", 0)
    done = run(*command, "--broker", "127.0.0.1:1")
    assert done.exit_code == 2
    assert "no Kafka broker answers at 127.0.0.1:1: " in done.stderr
    assert "Connection refused; start one with 'stream-attr broker' or 'make kafka-up'" in done.stderr
    assert "--broker HOST:PORT" in done.stderr


@dataclass(frozen=True)
class Going:
    """``publish`` at work in a process of its own."""

    broker: EmbeddedBroker
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so."""
        stall = Stall(60, [self.process.pid], self.output)
        while not condition():
            assert not stall.has_come(), self.output()
            time.sleep(0.05)

    def until_some_are_there(self) -> None:
        """Wait until the broker has some of the records."""
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": "ends"})
        places = [TopicPartition(CHAT, partition) for partition in range(PARTITIONS)]
        self.until(lambda: any(consumer.get_watermark_offsets(place)[1] for place in places))
        consumer.close()

    def until_ended(self) -> int:
        """Wait until it ends by itself; returns its exit code."""
        self.until(lambda: self.process.poll() is not None)
        return self.process.returncode


Publishing = Callable[..., AbstractContextManager[Going]]


@pytest.fixture
def publishing(broker: EmbeddedBroker, tmp_path: Path) -> Publishing:
    """Has chat published that lasts for minutes, with further options; it is ended at the end."""
    create_topics(broker.bootstrap, partitions=PARTITIONS)
    file, log = tmp_path / "chat.jsonl", tmp_path / "log"
    file.write_bytes(b"".join(map(chat, range(EVENTS))))

    @contextmanager
    def start(*options: str) -> Iterator[Going]:
        words = ("publish", "--broker", broker.bootstrap, "--chat", str(file), "--speed", "20", *options)
        with log.open("wb") as out:
            process = server.spawn([sys.executable, "-m", "stream_attr", *words], out)
        try:
            yield Going(broker, process, log)
        finally:
            server.stop(process)

    return start


@pytest.mark.kafka
def test_the_remedy_for_missing_topics_is_for_this_very_broker(broker: EmbeddedBroker) -> None:
    done = run("publish", *TICK, "--broker", broker.bootstrap, "--topic-prefix", "shop-1.")
    assert done.exit_code == 2
    remedy = f"stream-attr topics create --broker {broker.bootstrap} --topic-prefix shop-1."
    assert f"no topic shop-1.ticks on {broker.bootstrap}; create them with: {remedy}\n" in done.stderr
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
        f"Acknowledged before that: 1 to agent-roster, {sent:,} to chat-events on {broker.bootstrap}. "
        "Sending all again is safe: repeated events count once."
    )


@pytest.mark.kafka
def test_a_broker_that_goes_is_reported_with_what_it_has_acknowledged(publishing: Publishing) -> None:
    with publishing("--delivery-timeout", "5s") as going:
        going.until_some_are_there()
        going.broker.process.kill()
        assert going.until_ended() == 1
    problem, account = going.output().splitlines()[-2:]
    assert problem == (
        f"Error: the broker {going.broker.bootstrap} did not take all records: "
        "no acknowledgement within 5 s (--delivery-timeout)"
    )
    acknowledged, _, rest = account.removeprefix("Acknowledged before that: ").partition(" to chat-events ")
    assert 0 < int(acknowledged.replace(",", "")) < EVENTS
    assert rest == f"on {going.broker.bootstrap}. Sending all again is safe: repeated events count once."


@pytest.mark.kafka
def test_who_interrupts_it_twice_is_told_no_more_than_was_acknowledged(publishing: Publishing) -> None:
    with publishing("--delivery-timeout", "10m") as going:
        going.until_some_are_there()
        going.broker.process.send_signal(signal.SIGSTOP)
        silent = rf"published \d+ records, no answer from {going.broker.bootstrap} for"
        going.until(lambda: re.search(silent, going.output()) is not None)
        shown = re.findall(r"published ([\d,]+) records", going.output())[-1]
        going.process.send_signal(signal.SIGINT)
        time.sleep(1)  # it waits for what is under way
        going.process.send_signal(signal.SIGINT)
        assert going.until_ended() == 1
    assert f"Acknowledged before that: {shown} to chat-events " in going.output()


@pytest.mark.kafka
def test_a_broker_that_does_not_answer_is_waited_for_visibly(publishing: Publishing) -> None:
    with publishing("--delivery-timeout", "10m") as going:
        going.until_some_are_there()
        going.broker.process.send_signal(signal.SIGSTOP)
        silent = (
            rf"published \d+ records, no answer from {going.broker.bootstrap} for \d+ s, waiting up to 600 s"
        )
        going.until(lambda: re.search(silent, going.output()) is not None)
        going.broker.process.send_signal(signal.SIGCONT)
        going.until(lambda: re.search(r"records, [\d,]+/s$", going.output()) is not None)


@pytest.mark.parametrize("command", [["publish", "--chat", "-"], ["dead-letters", "replay"]])
@pytest.mark.parametrize("duration", ["999ms", "25h", "soon"])
def test_a_delivery_timeout_out_of_range_is_refused(command: list[str], duration: str) -> None:
    done = run(*command, "--delivery-timeout", duration)
    assert done.exit_code == 2
    assert "Invalid value for '--delivery-timeout'" in done.stderr


def test_a_missing_file_is_told_before_anything_is_sent() -> None:
    done = run("publish", "--chat", "no-such-file.jsonl")
    assert done.exit_code == 2
    assert done.stderr.endswith("No such file or directory\nNothing was sent to 127.0.0.1:9092.\n")
