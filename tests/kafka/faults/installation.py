"""An installation to be tried: topics of its own on the cluster, its workers, and what is sent to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aftermath import not_judged
from verdicts import EXPIRED, FINAL, RealWorker, inputs, pass_time, stream_attr
from worker_process import HERE, until

from stream_attr.broker import server
from stream_attr.broker.topics import create_topics

PARTITIONS = 4


@dataclass
class HookedWorker(RealWorker):
    """The real worker, with hooks of ``worker_hooked.py`` in it."""

    hooks: tuple[str, ...] = ()

    def start(self, *hooks: str) -> HookedWorker:
        """Start it, with these hooks beside its own."""
        words = [*self.hooks, *hooks, "--", *self.words()]
        with self.log.open("ab") as log:
            self.process = server.spawn([sys.executable, str(HERE / "worker_hooked.py"), *words], log)
        return self

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
        args = args if "--clock" in args else ("--clock", "events", *args)
        self.workers.append(HookedWorker(self.bootstrap, self.prefix, data_dir, args, hooks=hooks))
        return self.workers[-1]

    def publish(self, *words: str) -> None:
        """Run ``stream-attr publish`` to its end."""
        stream_attr("publish", *self.target(), *words)

    @contextmanager
    def load(self, folder: Path, speed: int) -> Iterator[Load]:
        """Have the events of a folder sent meanwhile, at so many times their own pace."""
        self.publish(*inputs(folder, "roster", "settings"))
        words = ["publish", *self.target(), *inputs(folder, "chat", "orders"), f"--speed={speed}"]
        with (self.folder / "publish.log").open("wb") as log:
            process = server.spawn([sys.executable, "-m", "stream_attr", *words], log)
        try:
            yield Load(process)
        finally:
            server.stop(process)

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


@dataclass
class Load:
    """Events on their way."""

    process: subprocess.Popen[bytes]

    def goes_on(self) -> bool:
        """Whether there is more to come."""
        return self.process.poll() is None

    def until_sent(self) -> None:
        """Wait for the last of it."""
        assert self.process.wait(180) == 0


def until_it_judges(worker: HookedWorker, more: int = 1) -> None:
    """Wait until a worker has judged so many records more than now."""
    goal = worker.metric("stream_attr_records_total") + more
    until(lambda: worker.metric("stream_attr_records_total") >= goal, worker)
