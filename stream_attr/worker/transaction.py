"""How a batch becomes durable: outputs, changed state and progress, together or not at all.

One producer per partition, its transactional id made of the application and the partition: whoever opens a
partition fences every former owner of it, so a worker that was only thought dead can commit nothing more.
The source offsets are a record in the same transaction (the progress), not the group's: this client cannot
commit offsets for a consumer that is another client's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_attr.processor.records import CHANGELOG, Output
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.store import Change

__all__ = ["CommitError", "Committer", "Fenced", "open_committer"]

logger = logging.getLogger(__name__)

_PATIENCE_S = 60.0
_TRY_S = 10.0

_FENCED = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)


class CommitError(Exception):
    """A batch could not be made durable; whatever of it was sent is aborted."""


class Fenced(CommitError):  # noqa: N818 -- a state: the partition has another owner
    """Another worker has taken the partition over."""


class Committer(Protocol):
    """Makes the batches of one partition durable, one after the other."""

    def commit(self, outputs: Iterable[Output], state: Iterable[Change], progress: Iterable[Change]) -> int:
        """Write a batch and wait until it is durable; returns the changelog's next offset.

        ``progress`` (at least one record) is written last.

        Raises:
            Fenced: the partition has another owner; nothing was committed.
            CommitError: nothing was committed (without transactions: perhaps a part).
        """

    def close(self) -> None:
        """Let go of the broker; nothing is pending then."""


class TransactionalCommitter:
    """A batch is one transaction."""

    def __init__(self, config: WorkerConfig, partition: int) -> None:
        """Fence the partition's former owners and end what they left open.

        Raises:
            CommitError: the broker refuses, or does not answer for a minute.
        """
        self._transactional_id = f"{config.topic_prefix}{config.app_id}-{partition}"
        self._producer = _PartitionProducer(config, partition, {"transactional.id": self._transactional_id})
        self._usable = True
        self._attempt(self._producer.client.init_transactions)

    def commit(self, outputs: Iterable[Output], state: Iterable[Change], progress: Iterable[Change]) -> int:
        """Write a batch in one transaction."""
        producer = self._producer
        try:
            producer.client.begin_transaction()
            producer.send_outputs(outputs)
            producer.send_changes(state)
            producer.send_changes(progress, producer.acknowledged)
        except KafkaException as error:
            raise self._given_up(error) from error
        self._attempt(producer.client.commit_transaction)
        return producer.next_offset()

    def close(self) -> None:
        """End the client, after an error without ceremony: its next owner aborts what it left open."""
        if self._usable:
            self._producer.client.close()

    def _attempt(self, call: Callable[[float], None]) -> None:
        """Call until it is done; what may be tried again is, for a minute."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                call(_TRY_S)
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > deadline:
                    raise self._given_up(error) from error
            else:
                return

    def _given_up(self, error: KafkaException) -> CommitError:
        """Abort where that can be done, and name the error as the worker knows it."""
        cause: KafkaError = error.args[0]
        if cause.code() in _FENCED:
            self._usable = False
            return Fenced(cause.str())
        try:
            self._producer.client.abort_transaction(_TRY_S)
        except KafkaException as refused:
            self._usable = False
            final: KafkaError = refused.args[0]
            if final.code() in _FENCED:  # what ``produce`` only calls fatal
                return Fenced(final.str())
        return CommitError(f"{self._transactional_id}: {cause.str()}")


class PlainCommitter:
    """For a broker without usable transactions: outputs acknowledged, then state, then progress.

    After a crash in between, a batch is judged again: its outputs may appear twice, no fact is lost.
    """

    def __init__(self, config: WorkerConfig, partition: int) -> None:
        self._producer = _PartitionProducer(config, partition, {"enable.idempotence": True})

    def commit(self, outputs: Iterable[Output], state: Iterable[Change], progress: Iterable[Change]) -> int:
        """Write a batch in three acknowledged steps."""
        producer = self._producer
        producer.send_outputs(outputs, producer.acknowledged)
        producer.flush()
        producer.send_changes(state, producer.acknowledged)
        producer.flush()
        producer.send_changes(progress, producer.acknowledged)
        producer.flush()
        return producer.next_offset()

    def close(self) -> None:
        """End the client."""
        self._producer.client.purge()
        self._producer.client.close()


def open_committer(config: WorkerConfig, partition: int, *, transactions: bool) -> Committer:
    """Open the committer of a partition.

    Raises:
        CommitError: the broker refuses it.
    """
    return (TransactionalCommitter if transactions else PlainCommitter)(config, partition)


_Acknowledge = Callable[[KafkaError | None, Message], None]


class _PartitionProducer:
    """One partition's producer, and the changelog offset of what it wrote last."""

    def __init__(self, config: WorkerConfig, partition: int, mode: Mapping[str, str | bool]) -> None:
        self._config = config
        self._partition = partition
        self._changelog = config.topic(CHANGELOG)
        self._next_offset = -1
        self._failure: KafkaError | None = None
        self.client = Producer(
            {
                "bootstrap.servers": config.broker,
                "acks": "all",
                "partitioner": "murmur2_random",  # as Java clients place a key
                "linger.ms": 50,  # a commit flushes at once: this only lets a batch gather
                "batch.size": 256 * 1024,
                "message.max.bytes": 8 * 1024 * 1024,  # as the changelog takes: a busy buyer's state
                "compression.type": "none",  # every client can read it with nothing else installed
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 256 * 1024,
                "log_level": 4,
                "logger": logger,
                **mode,
            }
        )

    def send_outputs(self, outputs: Iterable[Output], acknowledge: _Acknowledge | None = None) -> None:
        """Queue outputs, each to the partition that it or its key says."""
        for output in outputs:
            where = {} if output.partition is None else {"partition": output.partition}
            self._send(
                self._config.topic(output.topic),
                value=output.value,
                key=output.key,
                on_delivery=acknowledge,
                **where,
            )

    def send_changes(self, changes: Iterable[Change], acknowledge: _Acknowledge | None = None) -> None:
        """Queue changelog records."""
        for key, value in changes:
            self._send(
                self._changelog, value=value, key=key, partition=self._partition, on_delivery=acknowledge
            )

    def acknowledged(self, error: KafkaError | None, message: Message) -> None:
        """Note what became of a record."""
        offset = message.offset()
        if error is not None:
            self._failure = self._failure or error
        elif message.topic() == self._changelog and offset is not None:
            self._next_offset = offset + 1

    def flush(self) -> None:
        """Wait until everything queued is acknowledged.

        Raises:
            CommitError: something was not.
        """
        left = self.client.flush(_PATIENCE_S)
        if left or self._failure:
            said = self._failure.str() if self._failure else f"not acknowledged within {_PATIENCE_S:.0f} s"
            raise CommitError(f"{self._changelog}, partition {self._partition}: {said}")

    def next_offset(self) -> int:
        """The changelog's offset after the progress record, which the last commit has made durable."""
        while self._next_offset < 0:  # durable, but its report is still under way to us
            self.client.poll(_TRY_S)
        offset, self._next_offset = self._next_offset, -1
        return offset

    def _send(self, topic: str, **record: Any) -> None:
        while True:
            try:
                self.client.produce(topic, **record)
            except BufferError:  # the queue is full: deliveries drain it
                self.client.poll(0.1)
            else:
                return
