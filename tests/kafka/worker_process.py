"""Workers as processes of their own, with the toy judge, and what tests read off the topics afterwards."""

from __future__ import annotations

import collections
import json
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.stall import Stall
from tests.kafka import forks
from tests.kafka.worker_toy import EVERY

HERE = Path(__file__).resolve().parent
PATIENCE_S = 60.0
"""How long what is waited for may make no progress (see ``Stall``)."""
LONGEST_S = 300.0
"""The timeout of what returns as soon as it is done: so long it takes on no machine."""


@dataclass
class WorkerProcess:
    """One worker; ``args`` are those of ``worker_toy.py``."""

    bootstrap: str
    prefix: str
    data_dir: Path
    args: tuple[str, ...] = ()
    port: int = field(default_factory=server.free_port)

    def __post_init__(self) -> None:
        self.log = self.data_dir.with_suffix(f".{self.port}.log")
        self.process: subprocess.Popen[bytes] | forks.Fork | None = None
        self.environment: dict[str, str] | None = None
        """Another one than ours."""
        self.own_interpreter = False
        """Whether it is not to be a fork (see ``forks``)."""

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self.process = forks.spawn(
                self.command(), log, environment=self.environment, own_interpreter=self.own_interpreter
            )
        return self

    def command(self) -> list[str]:
        return [
            sys.executable,
            str(HERE / "worker_toy.py"),
            f"--broker={self.bootstrap}",
            f"--prefix={self.prefix}",
            f"--data-dir={self.data_dir}",
            f"--web-port={self.port}",
            *self.args,
        ]

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait until it ends by itself; returns its exit code."""
        assert self.process is not None
        return until_ended(self.process, self.log)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def get(self, path: str, timeout_s: float = LONGEST_S) -> tuple[int, bytes]:
        """Status and body; status 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, HTTPException):  # it has ended, maybe within its answer
            return 0, b""

    def until_ready(self) -> Self:
        until(lambda: self.get("/ready")[0] == 200, self)
        return self

    def held(self) -> list[int]:
        """Partitions that it judges; none while it is not ready."""
        status, body = self.get("/ready")
        return json.loads(body)["partitions"] if status == 200 else []

    def metric(self, name: str) -> float:
        """Sum over all labels."""
        return sum(self.samples(name))

    def samples(self, name: str) -> list[float]:
        """One value for each set of labels."""
        _, body = self.get("/metrics")
        lines = (line for line in body.decode().splitlines() if line.startswith((f"{name}{{", f"{name} ")))
        return [float(line.rpartition(" ")[2]) for line in lines]

    def progress(self) -> object:
        """Something else whenever it has got on, as far as it shows."""
        return self.log.stat().st_size, self.get("/metrics", timeout_s=1)

    def output(self) -> str:
        return self.log.read_text()[-6000:]


@contextmanager
def workers(
    bootstrap: str, prefix: str, folder: Path, *args: str, count: int = 1
) -> Iterator[list[WorkerProcess]]:
    """Workers not yet started, each with a data directory of its own; killed at the end if they still run."""
    made = [WorkerProcess(bootstrap, prefix, folder / f"worker{i}", args) for i in range(count)]
    try:
        yield made
    finally:
        for worker in made:
            if worker.runs():
                worker.kill()


def until(condition: Callable[[], object], *workers: WorkerProcess, patience_s: float = PATIENCE_S) -> None:
    """Wait until it is so; fails when one of the workers has ended or they have come to a standstill.

    They get on as long as they write into their logs, answer otherwise than before or use the processor.
    ``patience_s``: see ``Stall``; without workers there is nothing but this to go by.
    """
    pids = [worker.process.pid for worker in workers if worker.process is not None]
    stall = Stall(patience_s, pids, lambda: [worker.progress() for worker in workers])
    while True:
        begun = time.monotonic()
        if condition():
            return
        if stall.has_come() or any(not worker.runs() for worker in workers):
            said = "\n".join(worker.output() for worker in workers)
            raise AssertionError(f"it did not come about; said was:\n{said}")
        took_s = time.monotonic() - begun
        time.sleep(min(max(0.1, 2 * took_s), 1))  # looking must not take the machine from what is looked at


def until_ended(process: subprocess.Popen[bytes] | forks.Fork, log: Path) -> int:
    """Wait until a process ends by itself; returns its exit code, fails when it has come to a standstill."""
    stall = Stall(PATIENCE_S, [process.pid], lambda: log.stat().st_size)
    while process.poll() is None:
        assert not stall.has_come(), f"it does not end; said was:\n{log.read_text()[-6000:]}"
        time.sleep(0.05)
    return process.wait()


class Traffic:
    """Numbered events of some buyers, some of them repeated, sent to both topics."""

    def __init__(self, bootstrap: str, prefix: str, buyers: int = 97, seed: int = 7) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
        self._prefix = prefix
        self._buyers = buyers
        self._random = random.Random(seed)
        self._ts = 1_790_000_000_000
        self._number = 0
        self.sent: collections.Counter[bytes] = collections.Counter()
        """Events per buyer, repeats not counted."""

    def send(self, count: int) -> None:
        for _ in range(count):
            self._number += 1
            self._ts += self._random.randrange(1000)
            key = b"jd:1|b%d" % self._random.randrange(self._buyers)
            topic = "order-events" if self._random.random() < 0.1 else "chat-events"
            value = json.dumps({"event_id": f"e{self._number}", "ts": self._ts, "text": "x" * 120})
            for _ in range(2 if self._random.random() < 0.02 else 1):
                self._producer.produce(self._prefix + topic, key=key, value=value)
            self.sent[key] += 1
            self._producer.poll(0)
        assert self._producer.flush(LONGEST_S) == 0

    def put(self, topic: str, value: object, *, key: str | None = None, partition: int = -1) -> None:
        """Send one record as it stands."""
        self._producer.produce(self._prefix + topic, json.dumps(value), key, partition)
        assert self._producer.flush(LONGEST_S) == 0


def read(bootstrap: str, topic: str) -> list[tuple[bytes, bytes | None]]:
    """All that a ``read_committed`` reader sees of a topic: key and value, in order within a partition."""
    return [(message.key() or b"", message.value()) for message in messages(bootstrap, topic)]


def read_json(bootstrap: str, topic: str) -> list[tuple[bytes, Any]]:
    """The same with values parsed, of a topic without tombstones."""
    found = []
    for key, value in read(bootstrap, topic):
        assert value is not None, f"a tombstone on {topic}: {key!r}"
        found.append((key, json.loads(value)))
    return found


def messages(bootstrap: str, topic: str) -> list[Message]:
    """All that a ``read_committed`` reader sees of a topic, in order within a partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    found: list[Message] = []
    try:
        partitions = consumer.list_topics(topic, timeout=LONGEST_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        left = set(partitions)
        ends: dict[int, int] = {}
        while left:
            for message in consumer.consume(10_000, timeout=0.2):
                error, number = message.error(), message.partition()
                if error is None:
                    found.append(message)
                    if number not in ends:  # while records keep coming in, the client reports no end
                        ends[number] = consumer.get_watermark_offsets(
                            TopicPartition(topic, number), cached=True
                        )[1]
                    if message.offset() + 1 >= ends[number]:
                        left.discard(number)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    left.discard(number)
    finally:
        consumer.close()
    return found


def configure_topics(bootstrap: str, topics: Iterable[str], name: str, value: str) -> None:
    """Set a setting of some topics."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resources = [
        ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry]) for topic in topics
    ]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.incremental_alter_configs(resources).values():
        done.result(LONGEST_S)


def counts(bootstrap: str, prefix: str) -> dict[bytes, list[int]]:
    """What the toy emitted per buyer, in order."""
    emitted: dict[bytes, list[int]] = collections.defaultdict(list)
    for key, value in read(bootstrap, prefix + "attribution-decisions"):
        said = json.loads(value or b"{}")
        if "n" in said:
            emitted[key].append(said["n"])
    return dict(emitted)


def until_counted(
    bootstrap: str, prefix: str, expected: dict[bytes, list[int]], *workers: WorkerProcess
) -> None:
    """Wait until a reader sees what the toy is to emit per buyer, and no more.

    Kafka writes the end of a committed transaction to one topic after another: the state may be seen first.
    """
    try:
        until(lambda: counts(bootstrap, prefix) == expected, *workers)
    except AssertionError:
        assert counts(bootstrap, prefix) == expected  # what differs
        raise


def expected(traffic: Traffic) -> dict[bytes, list[int]]:
    """What it has to emit: one output per EVERY events of a buyer."""
    return {key: list(range(EVERY, sent + 1, EVERY)) for key, sent in traffic.sent.items() if sent >= EVERY}


def state(bootstrap: str, prefix: str) -> dict[bytes, int]:
    """Events counted per buyer, as the changelog has it last."""
    last = {key: value for key, value in read(bootstrap, prefix + "buyer-state-changelog") if key > b"\x01"}
    return {key: json.loads(value)["n"] for key, value in last.items() if value is not None}


def check(broker: Any, prefix: str, traffic: Traffic, worker: WorkerProcess) -> None:
    """Wait until all is judged, then compare: outputs as a reader sees them, and the state."""
    until(lambda: worker.held() and worker.metric("stream_attr_lag_records") == 0, worker)
    until(lambda: state(broker.bootstrap, prefix) == dict(traffic.sent), worker)
    if broker.has_transactions:
        until_counted(broker.bootstrap, prefix, expected(traffic), worker)
    else:
        emitted = counts(broker.bootstrap, prefix)
        once = {key: list(dict.fromkeys(values)) for key, values in emitted.items()}
        assert {key: sorted(values) for key, values in once.items()} == expected(traffic)
