"""Which tests stay together where tests run beside each other: those of one broker, and those of one file."""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

BROKER = re.compile(r"\[(?:[^\]]*-)?(embedded|apache|cluster)[-\]]")
"""A parameter that names a broker; each broker is one for the whole run (``tests/kafka/conftest.py``)."""
FAULTS = "tests/kafka/faults/"


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
