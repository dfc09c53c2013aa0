"""Reads one partition of the changelog in bulk, from an offset to the end.

The end is taken from fetch responses: the embedded broker's answer to a request for the latest offset is too
low. Apache Kafka's answer is a lower bound: a broker that has just become the leader may at first show less
than was committed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from stream_attr.errors import StreamAttrError
from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import Reader
from stream_attr.worker.ops.unreadable import READ_AGAIN_S, Unreadable

__all__ = ["READER_SETTINGS", "ChangelogReader", "End", "Interrupted", "NoSuchOffsetError"]

logger = logging.getLogger(__name__)

READER_SETTINGS = {"queued.max.messages.kbytes": 16_384}

_BATCH = 10_000
_POLL_S = 0.01
_LOG_EVERY_S = 5.0
_SILENCE_S = 2.0
"""Silence after which a missing end-of-partition means an open transaction."""
_REQUEST_TIMEOUT_S = 20.0


class Interrupted(StreamAttrError):  # noqa: N818 -- requested, not an error
    """Recovery was stopped on request: the partition is assigned to another worker."""


class NoSuchOffsetError(StreamAttrError):
    """The changelog does not have the requested offset; handled within the restore."""


class End(NamedTuple):
    """The end of the changelog partition."""

    offset: int
    """The next offset."""
    open_transaction: bool
    """Whether the last transaction has no end marker in the partition, so its records stay unreadable."""


class ChangelogReader:
    """Reads one partition; ``stop`` is polled, and ends any method with `Interrupted`."""

    def __init__(
        self, reader: Reader, topic: str, partition: int, stop: Callable[[], bool], unreadable: Unreadable
    ) -> None:
        self._reader = reader
        self._topic = topic
        self._partition = partition
        self._stop = stop
        self._unreadable = unreadable

    def bounds(self) -> tuple[int, int]:
        """Return the first offset and a lower bound of the end; waits for the broker.

        Raises:
            Interrupted: ``stop`` returned True.
            KafkaException: the broker failed permanently.
        """
        while not self._stop():
            if (bounds := self._request_bounds()) is not None:
                return bounds
        raise Interrupted

    def read(self, start: int, take: Callable[[list[Message]], None]) -> End:
        """Pass all records from offset ``start`` on to ``take``, in lists; returns the end.

        Raises:
            NoSuchOffsetError: the changelog does not have ``start``.
            Interrupted: ``stop`` returned True.
            KafkaException: the broker failed permanently.
        """
        self._seek(start)
        position = start
        lower_bound: int | None = None
        logged_s = response_s = time.monotonic()
        while True:
            if self._stop():
                raise Interrupted
            if lower_bound is None:
                bounds = self._request_bounds()
                lower_bound = None if bounds is None else bounds[1]
            messages = self._reader.read(_BATCH, _POLL_S)
            lost_track = (self._topic, self._partition) in self._unreadable
            chunk = _sort_out(messages, position, lost_track=lost_track)
            position = chunk.position
            if chunk.records:
                take(chunk.records)
            if chunk.failure is not None:
                self._unreadable.failed(self._topic, self._partition, chunk.failure.str())
                self._seek(position)
                time.sleep(READ_AGAIN_S)
                continue
            if chunk.records or chunk.ended:
                self._unreadable.read(self._topic, self._partition)
            end = self._reader.fetched_end(self._topic, self._partition)
            if messages or position != end:
                response_s = time.monotonic()
            open_transaction = time.monotonic() - response_s > _SILENCE_S
            if (chunk.ended or open_transaction) and lower_bound is not None and position >= lower_bound:
                return End(position, open_transaction)
            if not messages and 0 <= end < position:  # the embedded broker returns nothing, and no error
                raise NoSuchOffsetError(f"it is at changelog offset {position}, and the end is {end}")
            if time.monotonic() - logged_s > _LOG_EVERY_S:
                logged_s = time.monotonic()
                logger.info(
                    "partition %s: restoring, at offset %s of %s",
                    self._partition,
                    f"{position:,}",
                    f"{end:,}",
                )

    def _seek(self, offset: int) -> None:
        self._reader.assign([TopicPartition(self._topic, self._partition, offset)])

    def _request_bounds(self) -> tuple[int, int] | None:
        return self._reader.bounds(self._topic, self._partition, _REQUEST_TIMEOUT_S)


class _Chunk(NamedTuple):
    """The result of one poll."""

    records: list[Message]
    position: int
    """The offset after them."""
    ended: bool
    """Whether that is the end of the partition."""
    failure: KafkaError | None = None
    """Why the next batch cannot be read."""


def _sort_out(messages: list[Message], position: int, *, lost_track: bool) -> _Chunk:
    """Separate the records, in order, from the client's errors.

    ``lost_track``: whether the client may have gone on behind a damaged batch, to whatever offset that names.

    Raises:
        NoSuchOffsetError: the changelog does not have the requested offset.
        KafkaException: the broker failed permanently.
    """
    records: list[Message] = []
    for message in messages:
        error = message.error()
        if error is None:
            records.append(message)
            position = message.offset() + 1
            continue
        match kind_of(error):
            case ErrorKind.END_OF_PARTITION:
                return _Chunk(records, max(position, message.offset() or 0), ended=True)
            case ErrorKind.NO_SUCH_OFFSET if not lost_track:
                raise NoSuchOffsetError(f"it is at a changelog offset that does not exist: {error.str()}")
            case ErrorKind.UNREADABLE | ErrorKind.NO_SUCH_OFFSET:
                return _Chunk(records, position, ended=False, failure=error)
            case ErrorKind.TRANSIENT:
                pass
            case ErrorKind.FATAL:
                raise KafkaException(error)
    return _Chunk(records, position, ended=False)
