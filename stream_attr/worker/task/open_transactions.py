"""Transactions of other producers that stay open on an input: records behind their begin cannot be read.

A read-committed consumer reads up to the last stable offset. A producer that dies within a transaction, or
whose transaction the broker has lost track of, holds that offset; consumer lag does not show it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from stream_attr.worker.task.input_merge import End

__all__ = ["OpenTransactions"]

logger = logging.getLogger(__name__)

_PATIENCE_S = 60.0
"""Java's default of ``transaction.timeout.ms``: after it the broker aborts what a producer left open."""


@dataclass(slots=True)
class _Held:
    """A last stable offset that does not move, and since when on the monotonic clock."""

    offset: int
    records: int
    since: float
    warned: bool = False


class OpenTransactions:
    """The open transactions on one partition's inputs, as seen in fetch responses."""

    def __init__(self, partition: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._partition = partition
        self._clock = clock
        self._held: dict[str, _Held] = {}

    def observe(self, topic: str, end: End) -> None:
        """Record how far a topic can be read and how far it goes. ``topic``: its name on the broker."""
        records = end.high_watermark - end.end
        held = self._held.get(topic)
        if held is not None and (records <= 0 or held.offset != end.end):
            del self._held[topic]
            if held.warned:
                logger.warning(
                    "topic %s, partition %s: the open transaction has ended; reading continues",
                    topic,
                    self._partition,
                )
            held = None
        if records <= 0:
            return
        if held is None:
            held = self._held[topic] = _Held(end.end, records, self._clock())
        held.records = records
        if not held.warned and self.seconds(topic) >= _PATIENCE_S:
            held.warned = True
            logger.warning(
                "topic %s, partition %s: a producer's transaction has been open for %.0f s, and %s offsets "
                "from %s on cannot be read until it ends; find it and abort it "
                "(docs/operations.md#streamattropentransaction)",
                topic,
                self._partition,
                self.seconds(topic),
                held.records,
                held.offset,
            )

    def records(self, topic: str) -> int:
        """High watermark minus last stable offset: the number of offsets that cannot be read yet."""
        held = self._held.get(topic)
        return 0 if held is None else held.records

    def seconds(self, topic: str) -> float:
        """Seconds since the last stable offset moved, while offsets behind it cannot be read."""
        held = self._held.get(topic)
        return 0.0 if held is None else self._clock() - held.since
