"""Whether chat, orders and rulings are partitioned alike (RULEBOOK 11): those of one buyer must meet.

Kafka places a record by its key. Producers do not all place it alike: Java's use murmur2, librdkafka's CRC-32
unless configured. If the senders of chat and of orders differ, the chat of most buyers lies in another
partition than their orders, and orders are judged silent. A ruling in another partition waits for its
order in vain.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka.partitioner import murmur2

from stream_attr.worker.startup.topics_check import EVENTS

__all__ = ["PartitionerWatch"]

logger = logging.getLogger(__name__)

_EVERY_S = 3600.0
_KEYS = 1_000
"""The share is that of the last so many different keys; of a topic."""
_ENOUGH = 50
"""A share of fewer keys says nothing: they may lie there by chance."""
_AGREES = 0.99
_PER_FETCH = 100
_PER_S = 200.0
"""So many keys of a topic are looked at in a second, on average: murmur2 takes some 5 µs in Python."""
_MOST = 500.0


class _Sample:
    """Keys of one topic, and whether each lies where murmur2 puts it."""

    def __init__(self, now_s: float) -> None:
        self._keys: dict[bytes, bool] = {}
        """The one seen last is the last one."""
        self._agreeing = 0
        self._may_look_at = _MOST
        self._at_s = now_s

    def add(self, records: Sequence[Any], partition: int, partitions: int, now_s: float) -> None:
        """Look at some of the records of a partition, spread evenly over them."""
        self._may_look_at = min(_MOST, self._may_look_at + (now_s - self._at_s) * _PER_S)
        self._at_s = now_s
        count = min(len(records), _PER_FETCH, int(self._may_look_at))
        if count == 0:
            return
        for record in records[:: -(-len(records) // count)]:
            if record.key is not None:
                self._put(record.key, (murmur2(record.key) & 0x7FFFFFFF) % partitions == partition)
                self._may_look_at -= 1

    def _put(self, key: bytes, agrees: bool) -> None:
        self._agreeing += agrees - self._keys.pop(key, False)
        self._keys[key] = agrees
        if len(self._keys) > _KEYS:
            self._agreeing -= self._keys.pop(next(iter(self._keys)))

    @property
    def counts(self) -> tuple[int, int]:
        """How many keys there are, and how many of them lie where murmur2 puts them."""
        return len(self._keys), self._agreeing

    @property
    def share(self) -> float | None:
        """The share of keys that lie where murmur2 puts them; None: there are too few."""
        return self._agreeing / len(self._keys) if len(self._keys) >= _ENOUGH else None


class PartitionerWatch:
    """Samples the keys of the event topics; logs, at most once an hour, that their partitioners differ."""

    def __init__(
        self, partitions: int, prefix: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``partitions``: of each topic. ``prefix``: of the topics' names in messages."""
        self._partitions = partitions
        self._prefix = prefix
        self._clock = clock
        self._samples = {topic: _Sample(clock()) for topic in EVENTS}
        self._warned = -_EVERY_S

    def add(self, topic: str, records: Sequence[Any]) -> None:
        """Look at records fetched from one partition. ``topic``: without prefix."""
        sample = self._samples.get(topic)
        if sample is None or not records:
            return
        now_s = self._clock()
        sample.add(records, records[0].partition, self._partitions, now_s)
        if now_s - self._warned >= _EVERY_S and (warning := self.warning) is not None:
            self._warned = now_s
            logger.warning("%s", warning)

    @property
    def shares(self) -> Mapping[str, float]:
        """By topic, the share of its keys that lie where murmur2 puts them; without those of too few keys."""
        return {topic: share for topic, one in self._samples.items() if (share := one.share) is not None}

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """By topic, how many keys were looked at last, and how many of them lie where murmur2 puts them."""
        return {topic: one.counts for topic, one in self._samples.items()}

    @property
    def warning(self) -> str | None:
        """That the partitioners differ, and the remedy; None: they do not, as far as it is known."""
        shares = self.shares
        if len({share >= _AGREES for share in shares.values()}) < 2:
            return None
        wrong = min(shares, key=lambda topic: shares[topic])
        right = max(shares, key=lambda topic: shares[topic])
        return (
            f"{self._prefix}{right} and {self._prefix}{wrong} are partitioned differently: "
            f"{shares[right]:.1%} and {shares[wrong]:.1%} of their keys lie where murmur2 puts them, so "
            f"those of one buyer are judged apart; have the senders of {self._prefix}{wrong} use murmur2 "
            "(librdkafka: partitioner=murmur2), see StreamAttrPartitionersDiffer in docs/operations.md"
        )
