"""What holds for all tests: where their files are, signals of what they start, and which stay together.

A test that needs a broker carries the marker ``kafka``, one that needs PostgreSQL ``database``: by itself,
or by a fixture that is one. All others are unit tests (``make test-unit``): they can start neither, and the
processes that they start no broker.
Where tests run beside each other, those of one file stay together, and those that need a cluster of three.
Files of tests are kept in memory where there is room for them: to make a database on a disk costs the
processor twenty times as much. ``TMPDIR`` names another place. Modules are compiled once, whatever the
environment says of bytecode: tests start a thousand programs.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import shlex
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from stream_attr.ledger.database.embedded import EmbeddedPostgres, EmbeddedPostgresError

ON_CLUSTER = re.compile(r"^tests/kafka/faults/|\[(?:[^\]]*-)?cluster[-\]]")
"""Ids of tests on a cluster of three: a process that runs one starts one (``tests/kafka/conftest.py``)."""
OF_WORKERS = re.compile(r"^tests/kafka/faults/test_(kills|local_store|workers)\.py")
"""Half of these, by the time that they take: what is done to workers."""
CLUSTER, SECOND_CLUSTER = "cluster", "second cluster"

SERVERS = {
    "kafka": frozenset({"broker", "embedded", "apache", "cluster"}),
    "database": frozenset({"postgres"}),
}
"""By marker, the fixtures that are such a server."""
NO_BROKER = "a test without the marker `kafka` starts no broker"
NO_DATABASE = "a test without the marker `database` or `kafka` starts no database"
_REFUSING = pytest.StashKey[str]()

MEMORY = "/dev/shm"
ROOM = 6 << 30
"""Bytes that must be free there: four times what five processes were seen to keep there at once."""

FOR_CHILDREN = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


def pytest_configure() -> None:
    """Keep files in memory; have what a test starts get default signals, though our own caller ignores some.

    What is ignored (by ``nohup``, or by a shell for its background jobs) stays so in all that is started from
    here; what is caught does not. So it is caught, and nothing done about it.
    """
    for number in FOR_CHILDREN:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = MEMORY
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _has_room(folder: str) -> bool:
    """Whether files of tests, programs among them, can be kept in a file system."""
    try:
        found = os.statvfs(folder)
    except FileNotFoundError:
        return False
    return not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize >= ROOM


def _together(nodeid: str) -> str:
    """What the tests that are to stay with this one have in common."""
    if ON_CLUSTER.search(nodeid):
        return SECOND_CLUSTER if OF_WORKERS.search(nodeid) else CLUSTER
    return nodeid.partition("::")[0]


class ByFile(LoadScopeScheduling):
    """All of a file are run by one process, which starts each broker once; all on clusters by two."""

    def _split_scope(self, nodeid: str) -> str:
        return _together(nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector the tests themselves: a million objects, all of which stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """More processes than cores: tests of brokers wait for much of their time; unit tests do not."""
    cores = len(os.sched_getaffinity(0))
    return cores + (1 if config.option.markexpr.startswith("not kafka") else 4)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a server; begin with what takes longest, where tests run beside each other."""
    for item in items:
        if isinstance(item, pytest.Function):
            for marker, fixtures in SERVERS.items():
                if fixtures.intersection(item.fixturenames):
                    item.add_marker(marker)
    if not hasattr(config, "workerinput"):
        return

    def turn(item: pytest.Item) -> tuple[int, bool]:
        place = {SECOND_CLUSTER: 0, CLUSTER: 1}.get(_together(item.nodeid), 2)
        return place, item.get_closest_marker("kafka") is None

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Take the place of the scheduler that ``--dist`` names."""
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have a test that is not marked start no server, nor a broker in a process of its own."""
    if item.get_closest_marker("kafka") is not None:
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("database") is None:
            patch.setattr(EmbeddedPostgres, "start", _refuse_database)
        patch.setenv("PATH", _without_brokers(item.config), prepend=os.pathsep)
        patch.setenv("CALF_TANSU_BIN", NO_BROKER)  # instead of the embedded one
        return (yield)


def _refuse_database(_: EmbeddedPostgres) -> None:
    raise EmbeddedPostgresError(NO_DATABASE)


def _without_brokers(config: pytest.Config) -> str:
    """A folder of programs that say that no broker is to be started, under the names of what starts one."""
    if _REFUSING not in config.stash:
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        for program in ("java", "podman"):
            file = Path(folder.name, program)
            file.write_text(f"#!/bin/sh\necho {shlex.quote(NO_BROKER)} >&2\nexit 1\n")
            file.chmod(0o700)
        config.stash[_REFUSING] = folder.name
    return config.stash[_REFUSING]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a test fail that is skipped for want of a broker which it was not to start at all."""
    report = yield
    if report.skipped and NO_BROKER in str(report.longrepr):
        report.outcome, report.longrepr = "failed", f"{item.nodeid}: {NO_BROKER}"
    return report


@pytest.fixture
def no_file_descriptors() -> AbstractContextManager[None]:
    """While the context lasts, nothing can be opened in this process."""
    return _no_file_descriptors()


@contextmanager
def _no_file_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[0] + 1, limits[1]))
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for number in held:
            os.close(number)
