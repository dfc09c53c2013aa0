"""Processes of our own: the signals that they are born with."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stream_attr.kafka.embedded import server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

SPAWN = """
import signal, sys
from stream_attr.kafka.embedded import server
with open(sys.argv[1], "wb") as log:
    sys.exit(server.spawn(["cat", "/proc/self/status"], log, outlive_parent=sys.argv[2] == "outlive").wait())
"""
CALLER = "trap '' HUP INT QUIT TERM USR1 USR2; exec \"$@\""
"""A caller that ignores what can be ignored, as ``nohup`` and a shell's background job do a part of."""


def signals(status: str, field: str) -> set[signal.Signals]:
    """Those of a field of ``/proc/…/status``."""
    [bits] = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith(f"{field}:"))
    return {one for one in signal.Signals if bits >> (one - 1) & 1}


@pytest.mark.parametrize("life", ["outlive", "die with its parent"])
def test_a_server_gets_default_signals_whatever_the_caller_ignores(tmp_path: Path, life: str) -> None:
    log = tmp_path / "log"
    words = ["sh", "-c", CALLER, "sh", sys.executable, "-c", SPAWN, str(log), life]
    subprocess.run(words, check=True)
    assert signals(log.read_text(), "SigIgn") == set()


def test_a_server_gets_the_signals_that_the_thread_which_starts_it_has_blocked(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
        with log.open("wb") as file:
            server.spawn(["cat", "/proc/self/status"], file).wait()

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert signals(log.read_text(), "SigBlk") == set()


def test_programs_that_tests_start_get_default_signals() -> None:
    status = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    assert signals(status, "SigIgn").isdisjoint(
        {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}
    )


def test_so_they_do_where_the_caller_of_the_tests_ignores_them() -> None:
    test = f"{__file__}::{test_programs_that_tests_start_get_default_signals.__name__}"
    words = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", test]
    done = subprocess.run(["sh", "-c", CALLER, "sh", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
