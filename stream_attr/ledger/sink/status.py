"""Whether a sink fills the ledger now, and why not: written by the sink, read by web port and metrics."""

from __future__ import annotations

import time
from typing import Final

from stream_attr.ledger.sink.batch import Source

__all__ = ["Status"]

_STILL_S: Final = 30.0
"""How long a sink may be at one thing, such as a batch, before it counts as one that does not get on."""


class Status:
    """What ``/ready`` says."""

    def __init__(self) -> None:
        self.reason: str | None = "it is starting"
        """Why the ledger is not being filled, as far as the sink knows; None: it is."""
        self.sources: list[Source] = []
        """The partitions that it reads."""
        self._moved = time.monotonic()

    def move(self) -> None:
        """Say that the sink is about to read again."""
        self._moved = time.monotonic()

    def why_not(self) -> str | None:
        """Return why the ledger is not being filled; None: it is."""
        still_s = time.monotonic() - self._moved
        if self.reason is None and still_s >= _STILL_S:
            return f"it has waited for {still_s:.0f} s, for the database most likely"
        return self.reason
