"""Events that retention deletes on arrival, because their senders gave them an old timestamp."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stream_attr.rules.shop.days import DAY_MS
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["RetentionWatch"]

logger = logging.getLogger(__name__)

_EVERY_S = 3600.0


class RetentionWatch:
    """Warns, at most once an hour per topic, of records that are older than the topic's retention.

    Kafka deletes by the records' timestamps. If these are the senders' (``CreateTime``), history sent with
    its original times may be deleted before a worker that was away has judged it.
    """

    def __init__(
        self,
        retention_ms: Mapping[str, int],
        prefix: str = "",
        now_ms: Callable[[], int] = wall_clock_ms,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``retention_ms``: by topic (without ``prefix``), of topics with senders' timestamps."""
        self._retention_ms = retention_ms
        self._prefix = prefix
        self._now_ms = now_ms
        self._clock = clock
        self._warned: dict[str, float] = {}

    def check(self, topic: str, records: Sequence[Any]) -> None:
        """Check records fetched from one partition. ``topic``: without prefix."""
        retention_ms = self._retention_ms.get(topic)
        if retention_ms is None or not records:
            return
        newest_ms = max(records[0].timestamp, records[-1].timestamp)  # a log segment expires by its newest
        now_s = self._clock()
        if not 0 <= newest_ms < self._now_ms() - retention_ms:
            return
        if now_s - self._warned.get(topic, -_EVERY_S) < _EVERY_S:
            return
        self._warned[topic] = now_s
        name = self._prefix + topic
        logger.warning(
            "topic %s, partition %s: records arrive with timestamps of %.1f days ago, and retention.ms is "
            "%.1f days, so Kafka deletes them at once, judged or not; "
            "kafka-configs.sh --alter --topic %s --add-config message.timestamp.type=LogAppendTime",
            name,
            records[0].partition,
            (self._now_ms() - newest_ms) / DAY_MS,
            retention_ms / DAY_MS,
            name,
        )
