"""Programs in forks of a process that has imported their modules: most of what their start costs.

Such a program is a child of the process of the tests, as one that ``server.spawn`` starts: it ends with it,
has a session of its own and default signals. What it has not is a command line, and an interpreter, of its
own: what the environment says to an interpreter or to the loader comes too late.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
import importlib
import json
import math
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

from stream_attr.kafka.embedded import server

MODULES = (
    "stream_attr.cli.adapt",
    "stream_attr.cli.gateway",
    "stream_attr.cli.generate",
    "stream_attr.cli.ledger",
    "stream_attr.cli.publish",
    "stream_attr.cli.pull",
    "stream_attr.cli.replay",
    "stream_attr.cli.worker",
    "tests.kafka.sink_hooked",
    "tests.kafka.worker_hooked",
    "tests.kafka.worker_toy",
)
"""What the programs import."""

_LONGEST_MESSAGE = 1 << 20
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Fork:
    """A program that runs, with what tests use of ``subprocess.Popen``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float = math.inf) -> int:
        """Wait until it has ended; returns its exit code, as ``Popen`` has it.

        Raises:
            subprocess.TimeoutExpired: it has not within so many seconds.
        """
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forking:
    """The process that has the modules, and is asked for forks."""

    def __init__(self) -> None:
        self.environment = _environment()
        self._lock = threading.Lock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 -- as long as the process
        self._asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with asked:
            words = ["-m", "tests.kafka.forks", str(asked.fileno()), str(os.getpid())]
            self._process = server.spawn([sys.executable, *words], self._log, inherited=[asked.fileno()])
        atexit.register(self._end)

    def start(self, words: Sequence[str], log: IO[bytes]) -> Fork:
        """Start a program: its words are those behind ``python``; it writes into this log."""
        with self._lock:
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # then it is our child, once the one between has ended
            try:
                socket.send_fds(self._asking, [json.dumps(words).encode()], [log.fileno()])
                pid = self._asking.recv(_LONGEST_MESSAGE)
            finally:
                _prctl(_PR_SET_CHILD_SUBREAPER, 0)
        if not pid:
            self._log.seek(0)
            raise ChildProcessError(self._log.read().decode(errors="replace"))
        return Fork(int(pid))

    def _end(self) -> None:
        self._asking.close()
        self._process.wait()
        self._log.close()


def spawn(
    command: Sequence[str],
    log: IO[bytes],
    *,
    environment: Mapping[str, str] | None = None,
    own_interpreter: bool = False,
) -> subprocess.Popen[bytes] | Fork:
    """Start a program as ``server.spawn`` does, as a fork where it is one of Python's and that does as well.

    It does not where the environment is another one than at the first call, nor elsewhere than on Linux.
    """
    does = command[0] == sys.executable and environment is None and not own_interpreter
    if does and sys.platform == "linux" and _forking().environment == _environment():
        return _forking().start(command[1:], log)
    return server.spawn(command, log, environment=environment)


@functools.cache
def _forking() -> Forking:
    return Forking()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _next_program(asked: socket.socket, tester: int) -> list[str]:
    """Fork for each that is asked for, as long as the tests run; returns its words, in the fork."""
    while True:
        message, files, _, _ = socket.recv_fds(asked, _LONGEST_MESSAGE, 1)
        if not message:
            sys.exit()
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if os.fork() != 0:
                os._exit(0)
            _become_child_of(tester, between)
            asked.send(str(os.getpid()).encode())
            asked.close()
            os.dup2(files[0], 1)
            os.dup2(files[0], 2)
            os.close(files[0])
            words: list[str] = json.loads(message)
            return words
        os.close(files[0])
        os.waitpid(between, 0)


def _become_child_of(tester: int, between: int) -> None:
    while os.getppid() == between:
        time.sleep(0.001)
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != tester:
        os._exit(1)


def _run(words: list[str]) -> None:
    """Do what ``python`` does with these words."""
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def main() -> None:
    asked, tester = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for name in MODULES:
        importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a fork has none of the other threads"  # noqa: PTH208
    gc.freeze()  # a collection in a fork would copy all pages
    _run(_next_program(asked, tester))


if __name__ == "__main__":
    main()
