"""``stream-attr demo``: broker, worker, sample traffic and verdicts, all on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any, NoReturn

import click
import orjson
from confluent_kafka import TopicPartition
from rich.console import Console

from stream_attr.cli.demo_screen import DemoScreen
from stream_attr.cli.terminal import echo, unfiltered
from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, ORDERS
from stream_attr.errors import StreamAttrError
from stream_attr.explain.decision import explain_decision
from stream_attr.generate import Plan, write
from stream_attr.generate.story import BUYERS, SHOP_ID, STORY_MS, story
from stream_attr.kafka.admin import create_topics, partition_counts
from stream_attr.kafka.clients import QUIET, Reader
from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.broker import embedded_broker
from stream_attr.kafka.embedded.stall import Stall
from stream_attr.kafka.publish import Inputs, publish
from stream_attr.kafka.security import UNSECURED
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, zone

__all__ = ["command"]

TIMEZONE = "Asia/Shanghai"
PARTITIONS = 4
EVENTS = 3_000
STORY_S = 7
"""How long the story's forty minutes take on the screen."""
CROWD_S = 4
"""The same for the day of generated traffic after it."""
READY_S = 30.0
"""How long the worker may do nothing (see ``Stall``) before it is ready."""
QUIET_S = 1.0
"""All is told when all is judged, nothing is pending and nothing has come for so long."""
PATIENCE_S = 60.0
"""How long the last verdicts may take."""
STORY_ORDER = "o-lin"
SHOWN = (CHAT, ORDERS, DECISIONS, AGENT_DAILY, DEAD_LETTERS)


@click.command(name="demo")
@click.option("--keep", is_flag=True, help="Leave broker and worker running until Ctrl-C.")
def command(keep: bool) -> None:
    """Show the whole system at work: chat and orders go in, verdicts come out, pending ones become final.

    Starts an embedded broker and a worker, sends them an evening written by hand and a day of generated
    traffic, ends with a summary per agent and one order explained, and leaves nothing behind.
    """
    try:
        _demo(keep=keep)
    except KeyboardInterrupt:
        echo("ended", err=True)


def _demo(*, keep: bool) -> None:
    console = Console(file=unfiltered(sys.stdout))
    if not _shows_chinese(console):
        echo(
            f"standard output is in {console.encoding} and cannot show the Chinese words; "
            "with PYTHONUTF8=1 it is in UTF-8",
            err=True,
        )
    screen = DemoScreen(console, TIMEZONE, BUYERS)
    screen.say("stream_attr: which customer-service agent earned each order? 业绩归属", "bold")
    screen.say("starting an embedded broker and a worker ...", "dim")
    with tempfile.TemporaryDirectory(prefix="stream-attr-demo-") as scratch, embedded_broker() as broker:
        create_topics(broker.bootstrap, partitions=PARTITIONS)
        with _worker(broker.bootstrap, Path(scratch)) as worker:
            sample = _Sample(Path(scratch))
            screen.names = sample.names
            worker.await_ready()
            screen.say(f"broker on {broker.bootstrap}, worker on {worker.url}; times in {TIMEZONE}\n", "dim")
            publishing = _Publishing(sample, broker.bootstrap)
            with closing(_Reader(broker.bootstrap)) as reader, screen:
                publishing.start()
                _play(screen, reader, publishing, worker)
            screen.show_summary()
            screen.show_first_day()
            _explain_one(screen)
            if keep:
                _keep(screen, broker.bootstrap, worker)


def _shows_chinese(console: Console) -> bool:
    try:
        "业绩归属".encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return True


class _Sample:
    """The story and a day of generated traffic after it, in files; days old, so that all of it is past."""

    def __init__(self, scratch: Path) -> None:
        shop_zone = zone(TIMEZONE)
        today = shop_zone.day_of(time.time_ns() // 1_000_000)
        self._until = shop_zone.start_of(today)
        day_after = shop_zone.start_of(today - 3)
        self._directory = scratch / "sample"
        write(Plan(seed=7, events=EVENTS, days=1, end_ts=day_after), self._directory)
        # Eight o'clock in the evening before the generated day.
        told = story(day_after - DAY_MS - 4 * HOUR_MS)
        for name, records in (("story-chat", told.chat), ("story-orders", told.orders)):
            lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
            (self._directory / f"{name}.jsonl").write_bytes(lines)
        roster = map(orjson.loads, (self._directory / "roster.jsonl").read_bytes().splitlines())
        self.names: dict[str, str] = {record["agent_id"]: record["name"] for record in roster}

    def _files(self, name: str) -> list[str]:
        return [str(self._directory / f"{name}.jsonl")]

    def publish(self, bootstrap: str) -> None:
        """Send the story at a pace to follow it, then the rest faster, then what time it is."""
        evening = Inputs(
            chat=self._files("story-chat"),
            orders=self._files("story-orders"),
            roster=self._files("roster"),
            settings=self._files("settings"),
        )
        publish(bootstrap, evening, speed=STORY_MS / 1_000 / STORY_S)
        crowd = Inputs(chat=self._files("chat"), orders=self._files("orders"))
        publish(bootstrap, crowd, speed=DAY_MS / 1_000 / CROWD_S, until=self._until)


class _Publishing(Thread):
    """Publishes in the background; a daemon, so that Ctrl-C need not wait for it."""

    def __init__(self, sample: _Sample, broker: str) -> None:
        super().__init__(daemon=True)
        self._sample = sample
        self._broker = broker
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._sample.publish(self._broker)
        except Exception as error:  # told by the main thread, whatever it is
            self.error = error


@dataclass(frozen=True, slots=True)
class _Worker:
    """The real worker in a process of its own."""

    url: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def check(self) -> None:
        """Raise StreamAttrError if it has ended."""
        if self.process.poll() is not None:
            self._complain(f"the worker ended with status {self.process.returncode}")

    def await_ready(self) -> None:
        """Return when it judges; raise StreamAttrError if that does not come about."""
        begun = time.monotonic()
        stall = Stall(READY_S, [self.process.pid], lambda: os.fstat(self.log.fileno()).st_size)
        while not stall.has_come():
            self.check()
            try:
                urllib.request.urlopen(f"{self.url}/ready", timeout=1).close()
            except urllib.error.HTTPError as answer:  # not yet
                answer.close()
            except OSError:  # not even the web server
                pass
            else:
                return
            time.sleep(0.1)
        self._complain(f"the worker was not ready after {time.monotonic() - begun:.0f} seconds")

    def is_behind(self) -> bool:
        """Whether records wait to be judged, or it does not say."""
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
                metrics = answer.read().decode()
        except OSError:
            return True
        return any(map(float, re.findall(r"^stream_attr_lag_records\{.* (\S+)$", metrics, re.MULTILINE)))

    def _complain(self, problem: str) -> NoReturn:
        self.log.seek(0)
        said = self.log.read().decode(errors="replace")[-2_000:].strip() or "nothing"
        raise StreamAttrError(f"{problem}; it said:", *said.splitlines())


@contextmanager
def _worker(bootstrap: str, scratch: Path) -> Iterator[_Worker]:
    port = server.free_port()
    options = {
        "--broker": bootstrap,
        "--store": "memory",
        "--clock": "events",
        "--session-timeout": "4s",  # the embedded broker lets the first join wait for half of it
        "--data-dir": str(scratch / "data"),
        "--web-port": str(port),
    }
    words = [word for option in options.items() for word in option]
    # What the environment says of another broker is not meant for this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_ATTR_")}
    with (scratch / "worker.log").open("w+b") as log:
        process = server.spawn(
            [sys.executable, "-m", "stream_attr", "worker", *words], log, environment=environment
        )
        try:
            yield _Worker(f"http://{server.HOST}:{port}", process, log)
        finally:
            server.stop(process)


class _Reader:
    """Reads the topics that are shown, from their beginning, as any consumer would."""

    def __init__(self, bootstrap: str) -> None:
        self._reader = Reader(bootstrap, UNSECURED, "stream-attr-demo", {**QUIET, "fetch.wait.max.ms": 50})
        counts = partition_counts(bootstrap, SHOWN)
        self._reader.assign(
            TopicPartition(topic, number, 0) for topic, count in counts.items() for number in range(count)
        )

    def read(self) -> list[tuple[str, dict[str, Any]]]:
        """The records that have come since; a bad one as an empty object. Waits a tenth of a second."""
        found = []
        for message in self._reader.read(500, 0.1):
            if message.error():
                continue
            try:
                record = orjson.loads(message.value())
            except orjson.JSONDecodeError:
                record = {}
            found.append((message.topic(), record if isinstance(record, dict) else {}))
        return found

    def close(self) -> None:
        self._reader.close()


def _play(screen: DemoScreen, reader: _Reader, publishing: _Publishing, worker: _Worker) -> None:
    """Show what goes in and comes out until all that was sent is judged and final."""
    last = time.monotonic()
    while True:
        now = time.monotonic()
        found = reader.read()
        for topic, record in found:
            screen.saw(topic, record)
        screen.pause()
        worker.check()
        if found or publishing.is_alive():
            last = now
        elif publishing.error:
            raise StreamAttrError(f"the sample could not be published: {publishing.error}")
        elif now - last > (PATIENCE_S if screen.pending or worker.is_behind() else QUIET_S):
            break
    screen.show_counts()


def _explain_one(screen: DemoScreen) -> None:
    """The story's first order in words."""
    history = screen.history(SHOP_ID, STORY_ORDER)
    if not history:
        raise StreamAttrError(f"the worker said nothing about order {STORY_ORDER}")
    screen.say(f"\nOne of them in words (stream-attr explain {SHOP_ID} {STORY_ORDER}):\n", "bold")
    for line in explain_decision(history[-1], history=history, zone=TIMEZONE):
        screen.say(f"  {line}".rstrip())


def _keep(screen: DemoScreen, bootstrap: str, worker: _Worker) -> None:
    """Say how to talk to what runs, and let it run until it is interrupted or ends by itself."""
    screen.say("\nBroker and worker go on until Ctrl-C. In another terminal:", "bold")
    for line in (
        f"stream-attr explain {SHOP_ID} {STORY_ORDER} --url {worker.url}",
        f"curl {worker.url}/orders/{SHOP_ID}/{STORY_ORDER}",
        f"curl {worker.url}/metrics",
        f"stream-attr publish --broker {bootstrap} --chat chat.jsonl --orders orders.jsonl",
    ):
        screen.say(f"  {line}")
    while True:
        worker.check()
        time.sleep(0.2)
