"""What the tests of commands share."""

from __future__ import annotations

import math

import pytest


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands show no progress in a log, as they do where they take seconds: on a slow machine."""
    monkeypatch.setattr("stream_attr.cli.progress._EVERY_S_LOG", math.inf)
