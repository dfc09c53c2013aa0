"""An installation to be tried: topics of its own on the cluster, its workers, and what is sent to it."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from apache_kafka import Cluster, KafkaUnavailable

from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded import server
from tests.kafka.aftermath import not_judged
from tests.kafka.verdicts import EXPIRED, FINAL, RealWorker, inputs, pass_time, stream_attr
from tests.kafka.worker_process import HERE, until, until_ended

PARTITIONS = 4
DAYS = 2
"""Over which the events of the tests' traffic are spread."""
STEP_S = 0.1


@dataclass
class HookedWorker(RealWorker):
    """The real worker, with hooks of ``worker_hooked.py`` in it."""

    hooks: tuple[str, ...] = ()
    started_with: tuple[str, ...] = ()

    def start(self, *hooks: str) -> Self:
        """Start it, with these hooks beside its own."""
        self.started_with = hooks
        return super().start()

    def command(self) -> list[str]:
        words = [*self.hooks, *self.started_with, "--", *self.words()]
        return [sys.executable, str(HERE / "worker_hooked.py"), *words]

    def until_frozen(self) -> None:
        """Wait until it has stopped itself."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status")
        until(lambda: "\nState:\tT" in status.read_text(), self)


@dataclass
class Installation:
    """One of its own for each test."""

    bootstrap: str
    prefix: str
    folder: Path
    workers: list[HookedWorker] = field(default_factory=list)

    def create(self) -> None:
        """Make the topics."""
        create_topics(self.bootstrap, partitions=PARTITIONS, prefix=self.prefix)

    def worker(self, *args: str, hooks: tuple[str, ...] = ()) -> HookedWorker:
        """Another worker, with a data directory of its own; not started yet."""
        data_dir = self.folder / f"worker{len(self.workers)}"
        args = args if "--clock" in args else ("--clock", "events", "--accept-future", *args)
        self.workers.append(HookedWorker(self.bootstrap, self.prefix, data_dir, args, hooks=hooks))
        return self.workers[-1]

    def publish(self, *words: str) -> None:
        """Run ``stream-attr publish`` to its end."""
        stream_attr("publish", *self.target(), *words)

    @contextmanager
    def load(self, folder: Path, speed: int) -> Iterator[Load]:
        """Have a folder's events sent meanwhile, at first at so many times their own pace; see ``Load``."""
        self.publish(*inputs(folder, "roster", "settings"))
        words = [
            "publish",
            *self.target(),
            "--delivery-timeout=10m",
            "--chat",
            "-",
            *inputs(folder, "orders", "rulings"),
        ]
        log = self.folder / "publish.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "stream_attr", *words], stdin=subprocess.PIPE, stdout=out, stderr=out
            )
        chat = (folder / "chat.jsonl").read_bytes().splitlines(keepends=True)
        load = Load(process, log, chat, DAYS * 86_400 / speed)
        load.start()
        try:
            yield load
        finally:
            server.stop(process)
            load.join()

    def finish(self, worker: HookedWorker) -> None:
        """Let the time go on until all is final and expired, on the one worker that is left."""
        until(lambda: not self.not_judged(), worker)
        for when in (FINAL, EXPIRED):
            pass_time(worker, PARTITIONS, when)

    def not_judged(self) -> list[str]:
        """Partitions of the inputs that have not been judged to their end."""
        return not_judged(self.bootstrap, self.prefix)

    def target(self) -> tuple[str, ...]:
        """Options that say to any command where it is."""
        return ("--broker", self.bootstrap, "--topic-prefix", self.prefix)


class Load(threading.Thread):
    """Feeds chat to a ``publish``, which sends the orders as their time comes.

    Every second it feeds the same part of what is left, and the rest when it is told to: so there is more to
    come for as long as a fault takes, however slow the machine is.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, chat: list[bytes], pace_s: float) -> None:
        """``pace_s``: how long it would take if it went on as it begins."""
        super().__init__()
        self._process = process
        self._log = log
        self._left = chat
        self._pace_s = pace_s
        self._hurry = threading.Event()

    def run(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as into:
            while self._left:
                everything = self._hurry.wait(STEP_S)
                count = len(self._left) if everything else math.ceil(len(self._left) * STEP_S / self._pace_s)
                into.writelines(self._left[:count])
                into.flush()
                self._left = self._left[count:]

    def goes_on(self) -> bool:
        """Whether there is more to come."""
        return bool(self._left) and self._process.poll() is None

    def until_sent(self) -> None:
        """Have all the rest sent, and wait for the last of it."""
        self._hurry.set()
        self.join()
        assert until_ended(self._process, self._log) == 0, self._log.read_text()


@contextmanager
def installed(cluster: Cluster, prefix: str, folder: Path) -> Iterator[Installation]:
    """Topics on a cluster and no worker yet.

    At the end, whatever has happened, workers that are left are killed, and the cluster is whole for the next
    test: nodes that are down are started, and where they do not come up, all of them again, without data.
    """
    made = Installation(cluster.bootstrap, prefix, folder)
    try:
        made.create()
        yield made
    finally:
        for worker in made.workers:
            if worker.runs():
                worker.kill()
        try:
            cluster.start()
        except KafkaUnavailable:
            cluster.reset()
            cluster.start()


def until_it_judges(worker: HookedWorker, more: int = 1) -> None:
    """Wait until a worker has judged so many records more than now."""
    goal = worker.metric("stream_attr_records_total") + more
    until(lambda: worker.metric("stream_attr_records_total") >= goal, worker)
