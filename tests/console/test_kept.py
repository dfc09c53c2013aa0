"""Reports that are kept for a while: which, for how long, and for whom."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stream_attr.console import kept
from stream_attr.console.kept import Kept
from stream_attr.errors import UnusableError
from stream_attr.ledger.reports.report import AsOf, Report
from stream_attr.ledger.texts import Text


class Clock:
    """A clock that goes on when somebody makes a report."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(kept, "time", clock)
    return clock


class Maker:
    """Makes reports, each of which takes so many seconds and has so many rows."""

    def __init__(self, clock: Clock, seconds: float, rows: int = 1) -> None:
        self.calls = 0
        self._clock, self._seconds, self._rows = clock, seconds, rows

    def __call__(self) -> Report:
        self.calls += 1
        self._clock.now += self._seconds
        rows = ((number,) for number in range(self._rows))
        return Report("sales", Text("", ""), (), rows, AsOf((), "UTC"))


@pytest.mark.parametrize(
    ("seconds", "after", "makes"),
    [(0.05, 0.0, 2), (0.2, 1.9, 1), (0.2, 2.1, 2), (9.0, 59.0, 1), (9.0, 61.0, 2)],
    ids=["short", "ten times as long", "longer", "a minute", "more than a minute"],
)
def test_a_report_is_kept_for_ten_times_what_it_took(
    clock: Clock, seconds: float, after: float, makes: int
) -> None:
    reports, make = Kept(), Maker(clock, seconds)
    first = reports.report("key", make)
    clock.now += after
    second = reports.report("key", make)
    assert list(first.rows) == list(second.rows) == [(0,)]
    assert make.calls == makes


def test_another_key_is_another_report_and_long_ones_are_not_kept(clock: Clock) -> None:
    reports, make = Kept(), Maker(clock, 1.0)
    reports.report(("agent", "kf-1"), make)
    reports.report(("agent", "kf-2"), make)
    assert make.calls == 2
    long = Maker(clock, 1.0, Kept.MOST_ROWS + 1)
    for _ in range(2):
        reports.report("long", long)
    assert long.calls == 2


def test_the_oldest_is_let_go(clock: Clock) -> None:
    reports, make = Kept(), Maker(clock, 0.2)
    for key in range(Kept.MOST + 1):
        reports.report(key, make)
        clock.now -= 0.2
    made = make.calls
    reports.report(Kept.MOST, make)
    assert make.calls == made
    reports.report(0, make)
    assert make.calls == made + 1


def test_many_at_once_make_it_once(clock: Clock) -> None:
    reports, begun, make = Kept(), threading.Barrier(8), Maker(clock, 1.0)

    def ask(_: int) -> Report:
        begun.wait(10)
        return reports.report("key", make)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))
    assert make.calls == 1
    assert all(list(one.rows) == [(0,)] for one in found)


def test_what_fails_is_not_kept(clock: Clock) -> None:
    reports, make = Kept(), Maker(clock, 1.0)

    def fail() -> Report:
        raise UnusableError("there is no such agent")

    with pytest.raises(UnusableError):
        reports.report("key", fail)
    assert list(reports.report("key", make).rows) == [(0,)]
