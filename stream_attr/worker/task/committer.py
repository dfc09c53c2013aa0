"""How a batch becomes durable: outputs, changed state and progress, together or not at all.

One producer per partition, its transactional id made of the application and the partition: whoever opens a
partition fences every former owner of it, so a worker that was only thought dead can commit nothing more.
The source offsets are a record in the same transaction (the progress), not the group's: this client cannot
commit offsets for a consumer that is another client's.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_attr.contract.topics import CHANGELOG
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.clients import CLIENTS
from stream_attr.processor.ports import Output
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.ops.logs import client_logging
from stream_attr.worker.state.store import Change

__all__ = ["ChangelogLostError", "CommitError", "Committer", "Fenced", "Undecided", "open_committer"]

_TRY_S = 1.0
_TRANSACTION_TIMEOUT_S = 60
"""After so long a broker aborts an open transaction and fences its producer, as a new owner would."""
_CLOCKS_DIFFER_S = 5

_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})


Stop = Callable[[], bool]
"""Asked, while something has to be waited for, whether to give up."""


def never() -> bool:
    """Wait however long it takes."""
    return False


class CommitError(StreamAttrError):
    """A batch cannot be made durable; whatever of it was sent is aborted."""


class Fenced(CommitError):  # noqa: N818 -- a state: the partition has another owner
    """Another worker has taken the partition over."""


class Undecided(CommitError):  # noqa: N818 -- a state: the changelog knows
    """Whether a batch was committed is not known here, and this producer cannot go on.

    Another one under the same id ends what it has left open: then the changelog tells.
    """


class ChangelogLostError(CommitError):
    """The changelog ends before the offset that the partition's state goes up to; nothing was committed."""


class Committer(Protocol):
    """Makes the batches of one partition durable, one after the other."""

    def commit(
        self,
        outputs: Iterable[Output],
        state: Iterable[Change],
        progress: Iterable[Change],
        stop: Stop = never,
        least: int = 0,
    ) -> int:
        """Write a batch and wait until it is durable, however long; returns the changelog's next offset.

        ``progress`` (at least one record) is written last. ``stop`` is asked while the broker is away.
        ``least``: the changelog offset before which no record of the batch can come to lie.

        Raises:
            ChangelogLostError: one did; nothing was committed (without transactions: no progress).
            Fenced: the partition has another owner; nothing was committed.
            Undecided: it may have been committed or not (without transactions: a part of it), also because
                ``stop`` said so while the broker was away. Nothing but ``close`` may be called then.
        """

    def close(self) -> None:
        """Let go of the broker; nothing is pending then."""


class TransactionalCommitter:
    """A batch is one transaction."""

    def __init__(self, config: WorkerConfig, partition: int, stop: Stop = never) -> None:
        """Fence the partition's former owners and end what they left open, however long that takes.

        Raises:
            Undecided: ``stop`` said so before the broker answered.
            CommitError: the broker refuses.
        """
        self._transactional_id = f"{config.group}-{partition}"
        self._begun = time.monotonic()
        self._usable = True
        self._producer = _PartitionProducer(
            config,
            partition,
            {
                "transactional.id": self._transactional_id,
                "transaction.timeout.ms": _TRANSACTION_TIMEOUT_S * 1000,
            },
        )
        try:
            self._attempt(self._producer.client.init_transactions, stop)
        except BaseException:
            self.close()
            raise

    def commit(
        self,
        outputs: Iterable[Output],
        state: Iterable[Change],
        progress: Iterable[Change],
        stop: Stop = never,
        least: int = 0,
    ) -> int:
        """Write a batch in one transaction."""
        producer = self._producer
        self._begun = time.monotonic()
        try:
            producer.client.begin_transaction()
            producer.send_outputs(outputs)
            producer.send_changes(state)
            producer.send_changes(progress, producer.acknowledged)
        except:  # noqa: E722 -- see _raised_by_client
            raise self._given_up(_raised_by_client()) from None
        self._attempt(producer.deliver, stop)
        try:
            producer.require_at_least(least)
        except ChangelogLostError:
            with contextlib.suppress(CommitError):  # then the partition's next owner aborts it
                self._attempt(producer.client.abort_transaction, stop)
            raise
        self._attempt(producer.client.commit_transaction, stop)
        self._attempt(producer.await_report, stop)
        return producer.next_offset()

    def close(self) -> None:
        """End the client, after an error without ceremony: its next owner aborts what it left open."""
        self._producer.close(orderly=self._usable)

    def _attempt(self, call: Callable[[float], None], stop: Stop) -> None:
        """Call until it is done; what may be tried again is, until asked to stop."""
        while True:
            try:
                call(_TRY_S)
            except:  # noqa: E722 -- see _raised_by_client
                error = _raised_by_client()
                if not error.retriable() or stop():
                    raise self._given_up(error) from None
            else:
                return

    def _given_up(self, error: KafkaError) -> CommitError:
        """Name the error as the worker knows it.

        Who is fenced has another owner, unless the transaction was open for so long that the broker itself
        has ended it. ``produce`` says of being fenced only that it is fatal; the abort after it tells more.
        """
        self._usable = False
        cause = error
        if cause.code() not in _FENCED:
            try:
                self._producer.client.abort_transaction(_TRY_S)
            except:  # noqa: E722 -- see _raised_by_client
                if (refused := _raised_by_client()).code() in _FENCED:
                    cause = refused
        open_s = time.monotonic() - self._begun
        if cause.code() in _FENCED and open_s < _TRANSACTION_TIMEOUT_S - _CLOCKS_DIFFER_S:
            return Fenced(cause.str())
        return Undecided(f"{self._transactional_id}: {cause.str()}")


class PlainCommitter:
    """For a broker without usable transactions: outputs acknowledged, then state, then progress.

    After a crash in between, a batch is judged again: its outputs may appear twice, no fact is lost.
    """

    def __init__(self, config: WorkerConfig, partition: int) -> None:
        self._usable = True
        self._producer = _PartitionProducer(
            config, partition, {"enable.idempotence": True, "message.timeout.ms": 0}
        )

    def commit(
        self,
        outputs: Iterable[Output],
        state: Iterable[Change],
        progress: Iterable[Change],
        stop: Stop = never,
        least: int = 0,
    ) -> int:
        """Write a batch in three acknowledged steps."""
        producer = self._producer
        try:
            producer.send_outputs(outputs, producer.refused)
            producer.flush(stop)
            producer.send_changes(state, producer.refused)
            producer.flush(stop)
            producer.require_at_least(least)
            producer.send_changes(progress, producer.acknowledged)
            producer.flush(stop)
            producer.require_at_least(least)
        except CommitError:
            self._usable = False
            raise
        except:  # noqa: E722 -- see _raised_by_client
            self._usable = False
            raise Undecided(_raised_by_client().str()) from None
        return producer.next_offset()

    def close(self) -> None:
        """End the client."""
        self._producer.close(orderly=self._usable)


def open_committer(
    config: WorkerConfig, partition: int, *, transactions: bool, stop: Stop = never
) -> Committer:
    """Open the committer of a partition; where the broker is away it waits for it, until told to ``stop``.

    Raises:
        Undecided: it was told to.
        CommitError: the broker refuses it.
    """
    return (
        TransactionalCommitter(config, partition, stop) if transactions else PlainCommitter(config, partition)
    )


def _raised_by_client() -> KafkaError:
    """Return what the client's call that has just failed says of it; raise on what is not the client's.

    confluent-kafka 2.16 raises a fatal error out of whichever call happens to serve the client's queue: as a
    ``KafkaError``, which is no ``BaseException`` (only a bare ``except`` knows it, a thread of a pool would
    die of it), or, where there was something to be logged on top, as the cause of a ``SystemError``; where
    logging has eaten it, this has no cause: "<method … of 'cimpl.Producer' objects> returned NULL …".
    """
    error: object = sys.exc_info()[1]
    if isinstance(error, SystemError):
        eaten = KafkaError(KafkaError._FATAL, str(error)) if "cimpl." in str(error) else None
        error = error.__cause__ or eaten
    if isinstance(error, KafkaException):
        error = error.args[0]
    if isinstance(error, KafkaError):
        return error
    raise  # noqa: PLE0704 -- called where something is being handled


_BY_KEY = -1
"""The partition of a record that goes where its key says."""
_Acknowledge = Callable[[KafkaError | None, Message], None]


class _PartitionProducer:
    """One partition's producer, and the changelog offset of what it wrote last."""

    def __init__(self, config: WorkerConfig, partition: int, mode: Mapping[str, str | bool | int]) -> None:
        self._config = config
        self._partition = partition
        self._changelog = config.topic(CHANGELOG)
        self._next_offset = -1
        self._first_sent = False
        self._first_offset: int | None = None
        """Where the first record of the batch came to lie in the changelog; None: it is not known yet."""
        self._failure: KafkaError | None = None
        self.client = Producer(
            {
                **config.security.rdkafka(config.broker),
                "acks": "all",
                "partitioner": "murmur2_random",  # as Java clients place a key
                "linger.ms": 50,  # a commit flushes at once: this only lets a batch gather
                "batch.size": 256 * 1024,
                "message.max.bytes": 8 * 1024 * 1024,  # as the changelog takes: a busy buyer's state
                "compression.type": "none",  # every client can read it with nothing else installed
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 256 * 1024,
                **client_logging(),
                **mode,
            }
        )
        CLIENTS.add(self.client)

    def send_outputs(self, outputs: Iterable[Output], acknowledge: _Acknowledge | None = None) -> None:
        """Queue outputs, each to the partition that it or its key says."""
        for output in outputs:
            where = _BY_KEY if output.partition is None else output.partition
            self._send(self._config.topic(output.topic), output.value, output.key, where, acknowledge)

    def send_changes(self, changes: Iterable[Change], acknowledge: _Acknowledge | None = None) -> None:
        """Queue changelog records."""
        left = iter(changes)
        if not self._first_sent:
            for key, value in left:
                self._send(self._changelog, value, key, self._partition, self._noting_first(acknowledge))
                self._first_sent = True
                break
        for key, value in left:
            self._send(self._changelog, value, key, self._partition, acknowledge)

    def _noting_first(self, acknowledge: _Acknowledge | None) -> _Acknowledge:
        def note(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self._first_offset = message.offset()
            if acknowledge is not None:
                acknowledge(error, message)

        return note

    def require_at_least(self, offset: int) -> None:
        """Return unless the batch's first record is known to lie before a changelog offset.

        Raises:
            ChangelogLostError: it does.
        """
        if self._first_offset is not None and self._first_offset < offset:
            raise ChangelogLostError(
                f"topic {self._changelog}, partition {self._partition}: a record came to lie at offset "
                f"{self._first_offset}, and the partition's state goes up to {offset}: the topic was made "
                "anew, or its broker has lost records (was restored from an older copy, or had an unclean "
                "leader election). Nothing was committed there; see "
                "docs/operations.md#the-changelog-has-lost-records"
            )

    def deliver(self, timeout_s: float) -> None:
        """Wait until everything queued is delivered or has failed, which the commit then tells.

        Raises:
            KafkaException: it takes longer; it may be tried again.
        """
        if left := self.client.flush(timeout_s):
            raise KafkaException(
                KafkaError(KafkaError._TIMED_OUT, f"{left} records are not acknowledged", retriable=True)
            )

    def refused(self, error: KafkaError | None, _message: Message) -> None:
        """Note that a record could not be written, if it could not."""
        if error is not None:
            self._failure = self._failure or error

    def acknowledged(self, error: KafkaError | None, message: Message) -> None:
        """Note what became of the last record of the changelog."""
        self.refused(error, message)
        offset = message.offset()
        if error is None and offset is not None:
            self._next_offset = offset + 1

    def flush(self, stop: Stop) -> None:
        """Wait until everything queued is acknowledged.

        Raises:
            Undecided: something was refused, or it was told to stop before.
        """
        while left := self.client.flush(_TRY_S):
            if stop():
                break
        if left or self._failure:
            said = self._failure.str() if self._failure else f"{left} records are not acknowledged"
            raise Undecided(f"{self._changelog}, partition {self._partition}: {said}")

    def close(self, *, orderly: bool) -> None:
        """End the client; if not orderly, without waiting for what is under way."""
        CLIENTS.remove(self.client)
        if not orderly:
            self.client.purge()
            del self.client  # closing it would wait for the broker, to abort what its next owner will
        else:
            self.client.close()

    def await_report(self, timeout_s: float) -> None:
        """Wait until it is told where the progress record lies, which is durable by now."""
        while self._next_offset < 0:
            self.client.poll(timeout_s)

    def next_offset(self) -> int:
        """The changelog's offset after the progress record, which the last commit has made durable."""
        offset, self._next_offset = self._next_offset, -1
        self._first_sent, self._first_offset = False, None
        return offset

    def _send(self, *record: Any) -> None:
        while True:
            try:
                self.client.produce(*record)  # by place: names take twice as long as all the rest
            except BufferError:  # the queue is full: deliveries drain it
                self.client.poll(0.1)
            else:
                return
