"""Our program measured from outside: by a worker's web port, its log, and what the system says of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from stream_attr.kafka.embedded import server

__all__ = [
    "BY_EVENTS",
    "PATIENT",
    "Spent",
    "Worker",
    "cpu_s",
    "resident_mb",
    "timed",
    "tree_cpu_s",
    "worker_words",
]

PATIENCE_S = 600.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
BY_EVENTS = ("--clock", "events", "--accept-future")
PATIENT = "60s"
"""Session timeout of workers that are frozen while their topics are filled."""
PROGRAM = ("-m", "stream_attr")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took."""

    cpu_s: float
    wall_s: float


def timed(*words: str) -> Spent:
    """Run a command of ours in a process of its own."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-P", "-m", "stream_attr", *words], stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(words)} ended with {process.returncode}")
    return Spent(used.ru_utime + used.ru_stime, time.perf_counter() - begun)


def worker_words(
    bootstrap: str, prefix: str, data: Path, port: int, program: Sequence[str] = PROGRAM
) -> list[str]:
    """The words of a worker; more options may follow. ``program``: what Python is to run."""
    return [
        *(sys.executable, "-P", *program, "worker", "--broker", bootstrap),
        *("--topic-prefix", prefix, "--data-dir", str(data), "--web-port", str(port)),
    ]


class Worker:
    """``stream-attr worker``, several times one after the other on one data directory."""

    def __init__(
        self, bootstrap: str, prefix: str, data: Path, *words: str, program: Sequence[str] = PROGRAM
    ) -> None:
        self._port = server.free_port()
        self._log = data.with_suffix(".log")
        self._words = [*worker_words(bootstrap, prefix, data, self._port, program), *words]
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[float]:
        """Start it, and end it as an operator does; gives the seconds until it was ready."""
        begun = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = server.spawn(self._words, log)
        try:
            while self._ask("/ready") is None:
                self._alive(begun)
                time.sleep(0.05)
            yield time.perf_counter() - begun
        finally:
            server.stop(self._process)

    def held(self) -> list[int]:
        """Partitions that it judges."""
        answer = self._ask("/ready")
        return [] if answer is None else json.loads(answer)["partitions"]

    def metric(self, name: str) -> float:
        """Sum over all labels; 0 while it does not answer."""
        lines = (self._ask("/metrics") or b"").decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + "{"))

    def resident_mb(self) -> float:
        """Memory that it holds now."""
        return resident_mb(self.pid)

    def threads(self) -> dict[tuple[int, str], float]:
        """Seconds of CPU time that each thread has taken, by number and name."""
        found = {}
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(OSError):  # it has ended meanwhile
                nanoseconds = (thread / "schedstat").read_text(encoding="ascii").split()[0]
                name = (thread / "comm").read_text(encoding="utf-8").strip()
                found[int(thread.name), name] = int(nanoseconds) / 1_000_000_000
        return found

    def freeze(self) -> None:
        """Let it do nothing, until it is to go on."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def output(self) -> str:
        """What it logged since it was started."""
        return self._log.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def _alive(self, begun: float) -> None:
        assert self._process is not None
        if self._process.poll() is not None or time.perf_counter() - begun > PATIENCE_S:
            raise AssertionError(f"the worker is not ready; its output:\n{self.output()}")

    def _ask(self, path: str) -> bytes | None:
        """The body of a good answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
                body: bytes = answer.read()
                return body
        except (urllib.error.URLError, OSError):
            return None


def cpu_s(pid: int) -> float:
    """Seconds of CPU time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def tree_cpu_s(pid: int) -> float:
    """Seconds of CPU time of a process, its children, and those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    ended = (int(fields[13]) + int(fields[14])) / TICKS_A_SECOND
    return cpu_s(pid) + ended + sum(cpu_s(int(one)) for one in children)


def resident_mb(pid: int) -> float:
    """Memory that a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024
