"""What holds for all tests: the signals of what they start, and which of them stay together.

Where tests run beside each other, those of one broker stay together, and those of one file.
"""

from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

BROKER = re.compile(r"\[(?:[^\]]*-)?(embedded|apache|cluster)[-\]]")
"""A parameter that names a broker; each broker is one for the whole run (``tests/kafka/conftest.py``)."""
FAULTS = "tests/kafka/faults/"


FOR_CHILDREN = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


def pytest_configure() -> None:
    """Have every program that a test starts get default signals, though our own caller ignores some.

    What is ignored (by ``nohup``, or by a shell for its background jobs) stays so in all that is started from
    here; what is caught does not. So it is caught, and nothing done about it.
    """
    for number in FOR_CHILDREN:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def _together(nodeid: str) -> str:
    """What the tests that are to stay with this one have in common."""
    if nodeid.startswith(FAULTS):
        return "cluster"
    broker = BROKER.search(nodeid)
    return nodeid.partition("::")[0] if broker is None else broker[1]


class ByBroker(LoadScopeScheduling):
    """Tests of a broker wait more than they work: all of one broker's are run by one process."""

    def _split_scope(self, nodeid: str) -> str:
        return _together(nodeid)


LONGEST_FIRST = ("cluster", "apache", "embedded")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, where tests run beside each other."""
    if not hasattr(config, "workerinput"):
        return
    place = {broker: number for number, broker in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(_together(item.nodeid), len(place)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByBroker:
    """Take the place of the scheduler that ``--dist`` names."""
    return ByBroker(config, log)


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
