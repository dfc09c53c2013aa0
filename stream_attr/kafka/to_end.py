"""Topics read once: from where they were left up to their ends at the first fetch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import KafkaException, Message, TopicPartition

from stream_attr.errors import StreamAttrError
from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import QUIET, Reader
from stream_attr.kafka.connection import BrokerUnreachable, reason_of, unreachable
from stream_attr.kafka.security import Security

__all__ = ["NoSuchOffsetError", "UpToEnd"]

_SETTINGS: Final[Mapping[str, Any]] = {**QUIET, "queued.max.messages.kbytes": 16_384}
_BATCH: Final = 1_000
_POLL_S: Final = 0.05
_SILENCE_S: Final = 10.0
"""Silence after which the leaders of the unfinished partitions are checked."""
_METADATA_TIMEOUT_S: Final = 5.0

Partition = tuple[str, int]
"""Topic, with prefix, and partition."""


class NoSuchOffsetError(StreamAttrError):
    """A partition has no such offset any more: it begins after it, or ends before it."""

    partition: Partition
    first: int
    end: int
    """Which offsets it has, half-open."""

    @classmethod
    def of(cls, partition: Partition, first: int, end: int) -> NoSuchOffsetError:
        """Return the error of a partition that has other offsets."""
        topic, number = partition
        error = cls(f"partition {number} of {topic} has the offsets from {first} to before {end} alone")
        error.partition, error.first, error.end = partition, first, end
        return error


class UpToEnd:
    """Reads partitions up to their ends at the first fetch: what is sent meanwhile is left for another time.

    Raises on iteration:
        BrokerUnreachable: the broker answers no longer, or refuses it.
        NoSuchOffsetError: a partition does not have the offset from which to read.
    """

    def __init__(
        self,
        bootstrap: str,
        security: Security,
        group: str,
        positions: Iterable[TopicPartition],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """``settings``: see `Reader`."""
        self.problems: list[str] = []
        """What could not be read, as sentences; complete after the iteration."""
        self._bootstrap = bootstrap
        self._security = security
        self._group = group
        self._positions = list(positions)
        self._settings = {**_SETTINGS, **(settings or {})}

    def __iter__(self) -> Iterator[Message]:
        """Yield the records, of each partition in its order."""
        with Reader(self._bootstrap, self._security, self._group, self._settings) as reader:
            reader.assign(self._positions)
            yield from self._read(reader)

    def _read(self, reader: Reader) -> Iterator[Message]:
        left: set[Partition] = {(one.topic, one.partition) for one in self._positions}
        ends: dict[Partition, int] = {}
        last_message_s = time.monotonic()
        while left:
            for message in reader.read(_BATCH, _POLL_S):
                last_message_s = time.monotonic()
                place, error = (message.topic() or "", int(message.partition() or 0)), message.error()
                if error is not None:
                    kind = kind_of(error)
                    if kind is ErrorKind.NO_SUCH_OFFSET:
                        self._refused_offset(reader, place)
                    if kind is not ErrorKind.END_OF_PARTITION:
                        raise BrokerUnreachable(f"{place[0] or 'the topics'} cannot be read: {error.str()}")
                    left.discard(place)
                    continue
                if place not in ends:  # while records keep arriving, the client reports no end
                    ends[place] = reader.fetched_end(*place)
                offset = int(message.offset() or 0)
                if offset + 1 >= ends[place]:
                    left.discard(place)
                if offset < ends[place]:
                    yield message
            if left and time.monotonic() - last_message_s > _SILENCE_S:
                self._require_leaders(reader, left)
                for topic in sorted({topic for topic, _ in left}):
                    numbers = sorted(number for name, number in left if name == topic)
                    self.problems.append(
                        f"{topic} was not read to its end, a transaction on it is still open: partitions "
                        f"{', '.join(map(str, numbers))}; try again"
                    )
                break

    def _refused_offset(self, reader: Reader, place: Partition) -> None:
        bounds = reader.bounds(*place, _METADATA_TIMEOUT_S)
        if bounds is not None:
            raise NoSuchOffsetError.of(place, *bounds)

    def _require_leaders(self, reader: Reader, partitions: Iterable[Partition]) -> None:
        """Raise unless the leader of each partition exists and answers."""
        for topic in sorted({topic for topic, _ in partitions}):
            try:
                cluster = reader.metadata(_METADATA_TIMEOUT_S, topic)
            except KafkaException as error:
                raise BrokerUnreachable(
                    f"the broker {self._bootstrap} no longer answers: {reason_of(error)}"
                ) from error
            numbers = sorted(number for name, number in partitions if name == topic)
            leaders = {number: cluster.topics[topic].partitions[number].leader for number in numbers}
            if without := [number for number, leader in leaders.items() if leader not in cluster.brokers]:
                raise BrokerUnreachable(
                    f"{topic} cannot be read: partitions {', '.join(map(str, without))} have no "
                    "leader; start the brokers that hold them"
                )
            brokers = [cluster.brokers[leader] for leader in sorted(set(leaders.values()))]
            if problems := unreachable(brokers, cluster.cluster_id, self._bootstrap, self._security):
                raise BrokerUnreachable(f"{topic} cannot be read: {problems[0]}")
