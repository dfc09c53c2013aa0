"""The demo's worker, what fills its ledger, and the console: the real ones, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from stream_attr.errors import StreamAttrError
from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.stall import Stall

__all__ = ["DemoProcess", "demo_console", "demo_ledger", "demo_worker"]

READY_S = 60.0
"""How many seconds a process may do nothing (see ``Stall``) before it is ready."""


@dataclass(frozen=True, slots=True)
class DemoProcess:
    """A running command. Its methods raise StreamAttrError with the end of its log if it has failed."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def check(self) -> None:
        """Raise StreamAttrError if it has ended."""
        if self.process.poll() is not None:
            self._fail(f"the {self.name} ended with status {self.process.returncode}")

    def await_ready(self) -> None:
        """Return when it is ready; raise StreamAttrError if it ends or comes to a standstill before."""
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
        self._fail(f"the {self.name} was not ready after {time.monotonic() - begun:.0f} seconds")

    def is_behind(self) -> bool:
        """Whether records wait to be judged; True also where it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
                metrics = answer.read().decode()
        except OSError:
            return True
        return any(map(float, re.findall(r"^stream_attr_lag_records\{.* (\S+)$", metrics, re.MULTILINE)))

    def _fail(self, problem: str) -> NoReturn:
        self.log.seek(0)
        last = self.log.read().decode(errors="replace")[-2_000:].strip() or "nothing"
        raise StreamAttrError(f"{problem}; its log ends with:", *last.splitlines())


def demo_worker(bootstrap: str, port: int, folder: Path) -> AbstractContextManager[DemoProcess]:
    """Run a worker on a broker and a web port for as long as the context lasts."""
    options = {
        "--broker": bootstrap,
        "--web-port": str(port),
        "--store": "memory",
        "--clock": "events",
        "--session-timeout": "4s",  # the embedded broker lets the first join wait for half of it
    }
    return _running("worker", port, folder, options)


def demo_ledger(bootstrap: str, port: int, folder: Path) -> AbstractContextManager[DemoProcess]:
    """Fill a ledger, in an embedded database, from a broker for as long as the context lasts."""
    return _running("ledger", port, folder, {"--broker": bootstrap, "--web-port": str(port)})


def demo_console(
    bootstrap: str, port: int, folder: Path, events: Path | None = None
) -> AbstractContextManager[DemoProcess]:
    """Serve the console of the ledger in a folder, which publishes to a broker, while the context lasts.

    ``events``: stored ones, on which rules can be tried.
    """
    options = {"--broker": bootstrap, "--port": str(port), "--web-port": str(server.free_port())}
    stored = {} if events is None else {"--events": str(events)}
    return _running("console", port, folder, options | stored)


@contextmanager
def _running(name: str, port: int, folder: Path, options: Mapping[str, str]) -> Iterator[DemoProcess]:
    every = {"--data-dir": str(folder / "data"), **options}
    words = [word for option in every.items() for word in option]
    # The user's variables are for another broker and database than these.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STREAM_ATTR_")}
    with (folder / f"{name}.log").open("w+b") as log:
        process = server.spawn(
            [sys.executable, "-m", "stream_attr", name, *words], log, environment=environment
        )
        try:
            yield DemoProcess(name, f"http://{server.HOST}:{port}", process, log)
        finally:
            server.stop(process)
