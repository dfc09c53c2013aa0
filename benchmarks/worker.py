"""The worker against plain Faust: events a second, from a topic filled beforehand to the last decision.

Both judge the same traffic on the same broker, one process each, one after the other and again; the peer a
first part of it. The time is read off the decisions: from the first one's to the last one's timestamp. With
the worker the events of the first batch are not counted, as they were judged before its first decision.
"""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

from confluent_kafka import Consumer, TopicPartition

from stream_attr.broker import server
from stream_attr.broker.embedded import embedded_broker
from stream_attr.broker.publish import Inputs, publish
from stream_attr.broker.topics import create_topics
from stream_attr.processor.records import DECISIONS
from stream_attr.replay.session import Inputs as Files
from stream_attr.replay.session import replay
from stream_attr.worker.config import WorkerConfig
from table import Row
from traffic import generated

__all__ = ["run"]

REPOSITORY = Path(__file__).resolve().parents[1]
EVENTS = 100_000
PEER_EVENTS = 8_000
DAYS = 15
KINDS = ("chat", "orders", "roster", "settings")
PARTITIONS = 4
TARGET = 8.0
ALL_OUTPUTS = 2 / 3
"""Speed falls by less than a third with facts, inquiries and figures."""
SESSION_TIMEOUT_S = 2.0
SILENCE_S = 2.0
"""So long without a decision, and the last one has been."""
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Traffic:
    """Generated files and how many events they hold."""

    folder: Path
    events: int

    def path(self, kind: str) -> Path:
        """The file of a kind: ``chat``, ``orders``, ``roster`` or ``settings``."""
        return self.folder / f"{kind}.jsonl"

    @cached_property
    def orders(self) -> int:
        """Orders that a decision has to come out of."""
        files = {kind: (str(self.path(kind)),) for kind in KINDS}
        return len({output.key for output in replay(Files(**files)) if output.topic == DECISIONS})

    def publish(self, bootstrap: str, prefix: str) -> None:
        """Make the topics and fill them."""
        create_topics(bootstrap, partitions=PARTITIONS, prefix=prefix)
        publish(
            bootstrap,
            Inputs(**{kind: (str(self.path(kind)),) for kind in KINDS}),
            prefix=prefix,
        )

    def first(self, events: int, folder: Path) -> Traffic:
        """The first so many events, in the traffic's own mixture of chat and orders."""
        folder.mkdir()
        for kind in ("roster", "settings"):
            (folder / f"{kind}.jsonl").write_bytes(self.path(kind).read_bytes())
        taken = 0
        for kind in ("chat", "orders"):
            lines = self.path(kind).read_bytes().splitlines(keepends=True)
            part = lines[: len(lines) * events // self.events]
            (folder / f"{kind}.jsonl").write_bytes(b"".join(part))
            taken += len(part)
        return Traffic(folder, taken)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was read off the topic of decisions."""

    seconds: float
    """From the first to the last."""
    orders: int


Command = Callable[[str, str, Path, Traffic], list[str]]
"""Broker, prefix, data directory and traffic to the words of a process."""


def run() -> list[Row]:
    """Measure on the embedded broker, and on Apache Kafka where it can be run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = _generate(folder / "whole")
        part = whole.first(PEER_EVENTS, folder / "part")
        with embedded_broker() as broker:
            rows = _compare("embedded broker", broker.bootstrap, folder, whole, part, rounds=2)
        try:
            with _apache_kafka().cluster(folder / "kafka") as kafka:
                rows += _compare("Apache Kafka", kafka.bootstrap, folder, whole, part, rounds=1)
        except _apache_kafka().KafkaUnavailable as reason:
            print(f"not measured on Apache Kafka: {reason}", file=sys.stderr)
    return rows


def _compare(
    broker: str, bootstrap: str, folder: Path, whole: Traffic, part: Traffic, *, rounds: int
) -> list[Row]:
    """Worker and peer in turn, decisions alone; then the worker with all that it tells."""
    ours, theirs, all_told = [], [], []
    counted = whole.events - WorkerConfig().batch_records
    for _ in range(rounds):
        ours.append(_rate(_worker, bootstrap, folder, whole, counted))
        theirs.append(_rate(_peer, bootstrap, folder, part, part.events))
        all_told.append(_rate(_worker_of_all, bootstrap, folder, whole, counted))
    ratios = [mine / peers for mine, peers in zip(ours, theirs, strict=True)]
    ratio = statistics.mean(ratios)
    return [
        Row(
            f"worker against plain Faust, {broker}",
            f"{ratio:.1f} times",
            f"at least {TARGET:.0f} times",
            f"{min(ratios):.1f} to {max(ratios):.1f}" if rounds > 1 else "",
            f"{_mean(ours)} events/s against {_mean(theirs)}",
            met=ratio >= TARGET,
        ),
        Row(
            f"worker with all outputs, {broker}",
            f"{statistics.mean(all_told) / statistics.mean(ours):.2f} of decisions alone",
            f"at least {ALL_OUTPUTS:.2f}",
            "",
            f"{_mean(all_told)} events/s",
            met=statistics.mean(all_told) / statistics.mean(ours) >= ALL_OUTPUTS,
        ),
    ]


def _mean(rates: list[float]) -> str:
    return f"{statistics.mean(rates):,.0f}"


def _rate(command: Command, bootstrap: str, folder: Path, traffic: Traffic, events: int) -> float:
    """Events a second of one process over topics of its own."""
    prefix = f"{uuid.uuid4().hex[:8]}-"
    traffic.publish(bootstrap, prefix)
    with tempfile.TemporaryDirectory(dir=folder) as data, tempfile.TemporaryFile() as log:
        process = server.spawn(command(bootstrap, prefix, Path(data), traffic), log)
        try:
            judged = _read(bootstrap, prefix + DECISIONS, process)
        except BaseException:
            log.seek(0)
            print(log.read().decode(errors="replace"), file=sys.stderr)
            raise
        finally:
            server.stop(process)
    if judged.orders != traffic.orders:
        raise AssertionError(f"{judged.orders} orders were decided instead of {traffic.orders}")
    return events / judged.seconds


def _worker(bootstrap: str, prefix: str, data: Path, _traffic: Traffic) -> list[str]:
    return [
        *(
            sys.executable,
            "-P",
            "-m",
            "stream_attr",
            "worker",
            "--broker",
            bootstrap,
            "--topic-prefix",
            prefix,
        ),
        *("--data-dir", str(data), "--web-port", str(server.free_port()), "--clock", "events"),
        *("--session-timeout", f"{SESSION_TIMEOUT_S:.0f}s", "--decisions-only"),
    ]


def _worker_of_all(bootstrap: str, prefix: str, data: Path, traffic: Traffic) -> list[str]:
    return [word for word in _worker(bootstrap, prefix, data, traffic) if word != "--decisions-only"]


def _peer(bootstrap: str, prefix: str, data: Path, traffic: Traffic) -> list[str]:
    return [
        *(sys.executable, str(REPOSITORY / "benchmarks" / "plain_faust.py"), "--broker", bootstrap),
        *("--prefix", prefix, "--partitions", str(PARTITIONS), "--data-dir", str(data)),
        *("--settings", str(traffic.path("settings")), "--roster", str(traffic.path("roster"))),
        *("--session-timeout", str(SESSION_TIMEOUT_S)),
    ]


def _read(bootstrap: str, topic: str, process: subprocess.Popen[bytes]) -> Judged:
    """Read decisions until none has come for a while.

    Raises:
        AssertionError: the process ended, or no decision came at all.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "benchmark",  # demanded by the client; it neither joins nor commits
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    orders: set[bytes] = set()
    first, last = sys.maxsize, 0
    heard = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() - heard < SILENCE_S:
            for message in consumer.consume(10_000, timeout=0.2):
                if message.error() is not None:
                    raise AssertionError(message.error().str())
                _, ts = message.timestamp()
                first, last = min(first, ts), max(last, ts)
                orders.add(message.key() or b"")
                heard = time.monotonic()
            if process.poll() is not None:
                raise AssertionError(f"the process ended by itself with {process.returncode}")
    finally:
        consumer.close()
    if last <= first:
        raise AssertionError(f"no decisions within {PATIENCE_S:.0f} s")
    return Judged((last - first) / 1000, len(orders))


def _generate(folder: Path) -> Traffic:
    generated(folder, EVENTS, DAYS)
    return Traffic(folder, EVENTS)


def _apache_kafka() -> ModuleType:
    """``deploy/kafka/apache_kafka.py``, which is no part of a package."""
    folder = str(REPOSITORY / "deploy" / "kafka")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("apache_kafka")
