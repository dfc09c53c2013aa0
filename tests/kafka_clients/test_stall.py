"""When a wait is given up: not while something moves or works, but not never either."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from stream_attr.kafka.embedded import stall
from stream_attr.kafka.embedded.stall import Stall


class Machine:
    """A clock, a log and one process, moved by hand."""

    def __init__(self) -> None:
        self.now = self.used_s = 0.0
        self.log = 0

    def gives_up_after(self, stall: Stall, *, working: float = 0.0, writing_every_s: int = 10**9) -> int:
        """Seconds until it gives up; ``working``: the part of a core that the process gets."""
        for second in range(1, 10_000):
            self.now += 1
            self.used_s += working
            self.log += second % writing_every_s == 0
            if stall.has_come():
                return second
        raise AssertionError("it never gives up")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(stall, "_cpu_s", lambda _: made.used_s)
    return made


@pytest.fixture
def wait(machine: Machine) -> Stall:
    return Stall(60, [1], lambda: machine.log, lambda: machine.now)


def test_it_gives_up_where_nothing_moves(machine: Machine, wait: Stall) -> None:
    assert machine.gives_up_after(wait) == 66


def test_what_polls_now_and_then_does_not_move(machine: Machine, wait: Stall) -> None:
    assert machine.gives_up_after(wait, working=0.05) == 66


def test_a_process_that_works_is_waited_for_though_it_gets_little_of_a_core(
    machine: Machine, wait: Stall
) -> None:
    assert machine.gives_up_after(wait, working=0.2) == 300


def test_a_log_that_grows_is_waited_for(machine: Machine, wait: Stall) -> None:
    assert machine.gives_up_after(wait, writing_every_s=50) == 300


def test_it_counts_from_the_last_movement(machine: Machine, wait: Stall) -> None:
    machine.now += 59
    machine.log += 1
    assert not wait.has_come()
    assert machine.gives_up_after(wait) == 60


def test_one_look_does_not_do_however_late_it_comes(machine: Machine, wait: Stall) -> None:
    machine.now += 200
    assert not wait.has_come()


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_a_process_has_used_grows_with_its_work(busy: subprocess.Popen[bytes]) -> None:
    first = stall._cpu_s(busy.pid)
    while stall._cpu_s(busy.pid) < first + 0.1:
        assert busy.poll() is None
    busy.kill()
    busy.wait()
    assert stall._cpu_s(busy.pid) == 0
