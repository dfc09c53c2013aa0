"""One engine's rate: events a second, from topics filled beforehand to the last decision.

All engines judge the same traffic on the same broker, one process each, one after the other. The time is read
off the decisions: from the first one's to the last one's timestamp; the events of an engine's first batch are
not counted, as they were judged before its first decision.
"""

from __future__ import annotations

import importlib
import os
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

from running import worker_words
from stream_attr.contract.topics import DECISIONS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded import server
from stream_attr.kafka.publish import Inputs, publish
from stream_attr.replay.run import Inputs as Files
from stream_attr.replay.run import replay
from stream_attr.worker.config import WorkerConfig
from traffic import KINDS, generated

__all__ = [
    "AIOKAFKA",
    "CONFLUENT",
    "FAUST",
    "PARTITIONS",
    "QUIX",
    "WORKER",
    "Engine",
    "Judged",
    "Traffic",
    "apache_kafka",
    "judge",
    "rate",
]

REPOSITORY = Path(__file__).resolve().parents[1]
PARTITIONS = 4
SESSION_TIMEOUT_S = 2.0
SILENCE_S = 2.0
"""So long without a decision, and the last one has been; unless orders are missing."""
STALLED_S = 20.0
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Traffic:
    """Generated files and how many events they hold."""

    folder: Path
    events: int

    @classmethod
    def generate(cls, folder: Path, events: int, days: int) -> Traffic:
        """Generate so many events of a large shop, over so many days."""
        generated(folder, events, days)
        return cls(folder, events)

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
            send_refused=True,  # changes of the roster half-way, which a replay takes
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
    decided_ts: dict[bytes, int]
    """When each order was first decided, by its key."""
    decisions: dict[bytes, bytes]
    """The last of each order, by its key."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs the judging."""

    name: str
    words: Callable[[str, str, Path, Traffic], list[str]]
    """Broker, prefix, data directory and traffic to the words of a process that emits all outputs."""
    batch: int
    """How many events it may judge before its first decision is written."""


def rate(engine: Engine, bootstrap: str, folder: Path, traffic: Traffic, *, reports: bool) -> float:
    """Events a second of one process over topics of its own.

    Raises:
        AssertionError: see ``judge``.
    """
    judged = judge(engine, bootstrap, folder, traffic, reports=reports)
    return (traffic.events - engine.batch) / judged.seconds


def judge(
    engine: Engine,
    bootstrap: str,
    folder: Path,
    traffic: Traffic,
    *,
    reports: bool,
    started: Callable[[int], None] = lambda _pid: None,
) -> Judged:
    """Have one process judge the traffic, from topics of its own.

    ``started`` is called with the number of the process.

    Raises:
        AssertionError: it ended by itself, or not every order was decided.
    """
    prefix = f"{uuid.uuid4().hex[:8]}-"
    traffic.publish(bootstrap, prefix)
    with tempfile.TemporaryDirectory(dir=folder) as data, tempfile.TemporaryFile() as log:
        words = engine.words(bootstrap, prefix, Path(data), traffic)
        process = server.spawn([*words, *([] if reports else ["--decisions-only"])], log)
        try:
            started(process.pid)
            judged = _read(bootstrap, prefix + DECISIONS, process, traffic.orders)
        except BaseException:
            log.seek(0)
            print(log.read().decode(errors="replace"), file=sys.stderr)
            raise
        finally:
            server.stop(process)
    if len(judged.decisions) != traffic.orders:
        raise AssertionError(
            f"{engine.name}: {len(judged.decisions)} orders were decided instead of {traffic.orders}"
        )
    return judged


def _worker(bootstrap: str, prefix: str, data: Path, _traffic: Traffic) -> list[str]:
    return [
        *worker_words(bootstrap, prefix, data, server.free_port()),
        *("--clock", "events", "--accept-future", "--session-timeout", f"{SESSION_TIMEOUT_S:.0f}s"),
    ]


def _peer(script: str, python: str = sys.executable) -> Callable[[str, str, Path, Traffic], list[str]]:
    def words(bootstrap: str, prefix: str, data: Path, traffic: Traffic) -> list[str]:
        return [
            *(python, str(REPOSITORY / "benchmarks" / "peers" / script), "--broker", bootstrap),
            *("--prefix", prefix, "--partitions", str(PARTITIONS), "--data-dir", str(data)),
            *("--settings", str(traffic.path("settings")), "--roster", str(traffic.path("roster"))),
            *("--session-timeout", str(SESSION_TIMEOUT_S)),
        ]

    return words


WORKER = Engine("worker", _worker, WorkerConfig().batch_records)
FAUST = Engine("plain Faust", _peer("plain_faust.py"), 0)
AIOKAFKA = Engine("bare aiokafka", _peer("bare_aiokafka.py"), 4_000)
CONFLUENT = Engine("bare confluent-kafka", _peer("bare_confluent.py"), 4_000)
QUIX = Engine("Quix Streams", _peer("quix.py", os.environ.get("STREAM_ATTR_QUIX_PYTHON", sys.executable)), 0)
"""It does not go with our release of confluent-kafka: ``make performance`` gives it a Python of its own."""


def _read(bootstrap: str, topic: str, process: subprocess.Popen[bytes], goal: int) -> Judged:
    """Read decisions until there is one of so many orders, and none has come for a while.

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
    decided_ts: dict[bytes, int] = {}
    decisions: dict[bytes, bytes] = {}
    first, last = sys.maxsize, 0
    last_record = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() - last_record < (SILENCE_S if len(decisions) >= goal else STALLED_S):
            for message in consumer.consume(10_000, timeout=0.2):
                if message.error() is not None:
                    raise AssertionError(message.error().str())
                _, ts = message.timestamp()
                first, last = min(first, ts), max(last, ts)
                key = message.key() or b""
                decided_ts.setdefault(key, ts)
                decisions[key] = message.value() or b""
                last_record = time.monotonic()
            if process.poll() is not None:
                raise AssertionError(f"the process ended by itself with {process.returncode}")
    finally:
        consumer.close()
    if last <= first:
        raise AssertionError(f"no decisions within {PATIENCE_S:.0f} s")
    return Judged((last - first) / 1000, decided_ts, decisions)


def apache_kafka() -> ModuleType:
    """``deploy/kafka/apache_kafka.py``, which is no part of a package."""
    folder = str(REPOSITORY / "deploy" / "kafka")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("apache_kafka")
