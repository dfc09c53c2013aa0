"""One partition's Kafka producer: sends outputs and changelog records, and tracks the latters' offsets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_attr.contract.topics import CHANGELOG
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.clients import LOGGED
from stream_attr.kafka.clock_steps import CLIENTS
from stream_attr.processor.ports import Output
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.state.store import Change

__all__ = ["ChangelogLostError", "CommitError", "PartitionProducer", "raised_by_client"]

_BY_KEY = -1
"""The partition that the record's key determines."""

_OnDelivery = Callable[[KafkaError | None, Message], None]


class CommitError(StreamAttrError):
    """A batch cannot be committed; whatever of it was sent is aborted."""


class ChangelogLostError(CommitError):
    """The changelog ends before the offset that the partition's state goes up to; nothing was committed."""


def raised_by_client() -> KafkaError:
    """Return the error of the client's call that has just failed; re-raises whatever is not the client's.

    confluent-kafka 2.16 raises a fatal error out of whichever call happens to serve the client's queue: as a
    ``KafkaError``, which is not a ``BaseException`` (only a bare ``except`` catches it, and it would end a
    thread of a pool), or, if something was to be logged as well, as the cause of a ``SystemError``; if
    logging swallowed it, that has no cause: "<method … of 'cimpl.Producer' objects> returned NULL …".
    """
    error: object = sys.exc_info()[1]
    if isinstance(error, SystemError):
        swallowed = KafkaError(KafkaError._FATAL, str(error)) if "cimpl." in str(error) else None
        error = error.__cause__ or swallowed
    if isinstance(error, KafkaException):
        error = error.args[0]
    if isinstance(error, KafkaError):
        return error
    raise  # noqa: PLE0704 -- called where an exception is being handled


class PartitionProducer:
    """Sends the records of one batch after the other."""

    def __init__(self, config: WorkerConfig, partition: int, mode: Mapping[str, str | bool | int]) -> None:
        """``mode``: settings that differ with and without transactions."""
        self._config = config
        self._partition = partition
        self._changelog = config.topic(CHANGELOG)
        self._next_offset = -1
        self._first_sent = False
        self._first_offset: int | None = None
        """The changelog offset of the batch's first record; None: not known yet."""
        self.failure: KafkaError | None = None
        """The first record that could not be written, since the producer was made."""
        self.client = Producer(
            {
                **config.security.rdkafka(config.broker),
                "acks": "all",
                "partitioner": "murmur2_random",  # as Java clients place a key
                "linger.ms": 50,  # a commit flushes at once: this only lets a batch gather
                "batch.size": 256 * 1024,
                "message.max.bytes": 8 * 1024 * 1024,  # as the changelog allows: a busy buyer's state
                "compression.type": "none",  # every client can read it without further libraries
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 256 * 1024,
                **LOGGED,
                **mode,
            }
        )
        CLIENTS.add(self.client)

    def send_outputs(self, outputs: Iterable[Output], on_delivery: _OnDelivery | None = None) -> None:
        """Queue outputs, each for its partition or that of its key."""
        for output in outputs:
            where = _BY_KEY if output.partition is None else output.partition
            self._send(self._config.topic(output.topic), output.value, output.key, where, on_delivery)

    def send_changes(self, changes: Iterable[Change], on_delivery: _OnDelivery | None = None) -> None:
        """Queue changelog records."""
        left = iter(changes)
        if not self._first_sent:
            for key, value in left:
                self._send(self._changelog, value, key, self._partition, self._recording_first(on_delivery))
                self._first_sent = True
                break
        for key, value in left:
            self._send(self._changelog, value, key, self._partition, on_delivery)

    def _recording_first(self, on_delivery: _OnDelivery | None) -> _OnDelivery:
        def record(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self._first_offset = message.offset()
            if on_delivery is not None:
                on_delivery(error, message)

        return record

    def require_offset_from(self, offset: int) -> None:
        """Return unless the batch's first record is known to lie before a changelog offset.

        Raises:
            ChangelogLostError: it does.
        """
        if self._first_offset is not None and self._first_offset < offset:
            raise ChangelogLostError(
                f"topic {self._changelog}, partition {self._partition}: a record was written at offset "
                f"{self._first_offset}, and the partition's state goes up to {offset}: the topic was "
                "recreated, or its broker has lost records (was restored from an older copy, or had an "
                "unclean leader election). Nothing was committed there; see "
                "docs/operations.md#the-changelog-has-lost-records"
            )

    def deliver(self, timeout_s: float) -> None:
        """Wait until all queued records are delivered or have failed; the commit then reports a failure.

        Raises:
            KafkaException: it takes longer; may be called again.
        """
        if left := self.client.flush(timeout_s):
            raise KafkaException(
                KafkaError(KafkaError._TIMED_OUT, f"{left} records are not acknowledged", retriable=True)
            )

    def record_failure(self, error: KafkaError | None, _message: Message) -> None:
        """Delivery report: keep the first failure."""
        if error is not None:
            self.failure = self.failure or error

    def record_progress(self, error: KafkaError | None, message: Message) -> None:
        """Delivery report of the progress record: keep its offset."""
        self.record_failure(error, message)
        offset = message.offset()
        if error is None and offset is not None:
            self._next_offset = offset + 1

    def await_progress(self, timeout_s: float) -> None:
        """Wait for the delivery report of the progress record, which is committed already."""
        while self._next_offset < 0:
            self.client.poll(timeout_s)

    def next_offset(self) -> int:
        """End the batch; returns the changelog offset after its progress record."""
        offset, self._next_offset = self._next_offset, -1
        self._first_sent, self._first_offset = False, None
        return offset

    def close(self, *, orderly: bool) -> None:
        """Close the client; if not orderly, without waiting for records in flight."""
        CLIENTS.remove(self.client)
        if not orderly:
            self.client.purge()
            del (
                self.client
            )  # closing it would wait for the broker, to abort what the next owner aborts anyway
        else:
            self.client.close()

    def _send(self, *record: Any) -> None:
        while True:
            try:
                self.client.produce(*record)  # by position: keywords take twice as long as all the rest
            except BufferError:  # the queue is full: deliveries drain it
                self.client.poll(0.1)
            else:
                return
