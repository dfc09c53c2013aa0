"""How a batch is committed: outputs, changed state and progress, all or nothing.

Each partition has a producer whose transactional id consists of the application and the partition: whoever
opens a partition fences its former owners, so a worker that was wrongly taken for dead can commit no more.
The input offsets are a record in the same transaction (the progress), not the group's: this client cannot
commit offsets for a consumer that belongs to another library.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from confluent_kafka import KafkaError

from stream_attr.contract.topics import CHANGELOG
from stream_attr.processor.ports import Output
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.state.store import Change
from stream_attr.worker.task.partition_producer import (
    ChangelogLostError,
    CommitError,
    PartitionProducer,
    raised_by_client,
)

__all__ = ["ChangelogLostError", "CommitError", "CommitInDoubt", "Committer", "Fenced", "open_committer"]

_TRY_S = 1.0
_TRANSACTION_TIMEOUT_S = 60
"""After it the broker aborts an open transaction and fences its producer, as a new owner would."""
_CLOCKS_DIFFER_S = 5

_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})


Stop = Callable[[], bool]
"""Polled while waiting for the broker: whether to give up."""


def never() -> bool:
    """Never give up."""
    return False


class Fenced(CommitError):  # noqa: N818 -- a state: the partition has another owner
    """Another worker has taken the partition over."""


class CommitInDoubt(CommitError):  # noqa: N818 -- a state: the changelog tells the result
    """Whether a batch was committed is unknown here, and this producer cannot continue.

    A new producer with the same id completes or aborts the transaction; then the changelog tells the result.
    """


class Committer(Protocol):
    """Commits the batches of one partition, one after the other."""

    def commit(
        self,
        outputs: Iterable[Output],
        state: Iterable[Change],
        progress: Iterable[Change],
        stop: Stop = never,
        min_offset: int = 0,
    ) -> int:
        """Write a batch and wait until it is committed, however long; returns the changelog's next offset.

        ``progress`` (at least one record) is written last. ``stop`` is polled while the broker is away.
        ``min_offset``: the changelog's next offset so far; no record of the batch can lie before it.

        Raises:
            ChangelogLostError: a record does; nothing was committed (without transactions: no progress).
            Fenced: the partition has another owner; nothing was committed.
            CommitInDoubt: it may or may not have been committed (without transactions: in part), or ``stop``
                returned True while the broker was away. Only ``close`` may be called afterwards.
        """

    def close(self) -> None:
        """Disconnect from the broker; no batch is pending then."""


class TransactionalCommitter:
    """Each batch is one transaction."""

    def __init__(self, config: WorkerConfig, partition: int, stop: Stop = never) -> None:
        """Fence the partition's former owners and abort their open transaction, however long that takes.

        Raises:
            CommitInDoubt: ``stop`` returned True before the broker answered.
            CommitError: the broker refuses it.
        """
        self._transactional_id = f"{config.group}-{partition}"
        self._begun = time.monotonic()
        self._usable = True
        self._producer = PartitionProducer(
            config,
            partition,
            {
                "transactional.id": self._transactional_id,
                "transaction.timeout.ms": _TRANSACTION_TIMEOUT_S * 1000,
            },
        )
        try:
            self._retry(self._producer.client.init_transactions, stop)
        except BaseException:
            self.close()
            raise

    def commit(
        self,
        outputs: Iterable[Output],
        state: Iterable[Change],
        progress: Iterable[Change],
        stop: Stop = never,
        min_offset: int = 0,
    ) -> int:
        """Write a batch in one transaction."""
        producer = self._producer
        self._begun = time.monotonic()
        try:
            producer.client.begin_transaction()
            producer.send_outputs(outputs)
            producer.send_changes(state)
            producer.send_changes(progress, producer.record_progress)
        except:  # noqa: E722 -- see raised_by_client
            raise self._failed(raised_by_client()) from None
        self._retry(producer.deliver, stop)
        try:
            producer.require_offset_from(min_offset)
        except ChangelogLostError:
            with contextlib.suppress(CommitError):  # then the partition's next owner aborts it
                self._retry(producer.client.abort_transaction, stop)
            raise
        self._retry(producer.client.commit_transaction, stop)
        self._retry(producer.await_progress, stop)
        return producer.next_offset()

    def close(self) -> None:
        """Close the client; after an error at once, as the next owner aborts an open transaction."""
        self._producer.close(orderly=self._usable)

    def _retry(self, call: Callable[[float], None], stop: Stop) -> None:
        """Call until it succeeds, again after each retriable error, until ``stop`` returns True."""
        while True:
            try:
                call(_TRY_S)
            except:  # noqa: E722 -- see raised_by_client
                error = raised_by_client()
                if not error.retriable() or stop():
                    raise self._failed(error) from None
            else:
                return

    def _failed(self, error: KafkaError) -> CommitError:
        """Translate a client's error.

        A fenced producer has a successor, unless the transaction was open for so long that the broker itself
        aborted it. ``produce`` reports being fenced only as fatal; the abort afterwards tells more.
        """
        self._usable = False
        cause = error
        if cause.code() not in _FENCED:
            try:
                self._producer.client.abort_transaction(_TRY_S)
            except:  # noqa: E722 -- see raised_by_client
                if (refused := raised_by_client()).code() in _FENCED:
                    cause = refused
        open_s = time.monotonic() - self._begun
        if cause.code() in _FENCED and open_s < _TRANSACTION_TIMEOUT_S - _CLOCKS_DIFFER_S:
            return Fenced(cause.str())
        return CommitInDoubt(f"{self._transactional_id}: {cause.str()}")


class PlainCommitter:
    """For a broker without usable transactions: outputs are acknowledged, then state, then progress.

    After a crash in between, the batch is judged again: its outputs may appear twice, no fact is lost.
    """

    def __init__(self, config: WorkerConfig, partition: int) -> None:
        self._place = f"{config.topic(CHANGELOG)}, partition {partition}"
        self._usable = True
        self._producer = PartitionProducer(
            config, partition, {"enable.idempotence": True, "message.timeout.ms": 0}
        )

    def commit(
        self,
        outputs: Iterable[Output],
        state: Iterable[Change],
        progress: Iterable[Change],
        stop: Stop = never,
        min_offset: int = 0,
    ) -> int:
        """Write a batch in three acknowledged steps."""
        producer = self._producer
        try:
            producer.send_outputs(outputs, producer.record_failure)
            self._flush(stop)
            producer.send_changes(state, producer.record_failure)
            self._flush(stop)
            producer.require_offset_from(min_offset)
            producer.send_changes(progress, producer.record_progress)
            self._flush(stop)
            producer.require_offset_from(min_offset)
        except CommitError:
            self._usable = False
            raise
        except:  # noqa: E722 -- see raised_by_client
            self._usable = False
            raise CommitInDoubt(raised_by_client().str()) from None
        return producer.next_offset()

    def close(self) -> None:
        """Close the client."""
        self._producer.close(orderly=self._usable)

    def _flush(self, stop: Stop) -> None:
        """Wait until all queued records are acknowledged.

        Raises:
            CommitInDoubt: a record was refused, or ``stop`` returned True before.
        """
        producer = self._producer
        while left := producer.client.flush(_TRY_S):
            if stop():
                break
        if left or producer.failure:
            reason = producer.failure.str() if producer.failure else f"{left} records are not acknowledged"
            raise CommitInDoubt(f"{self._place}: {reason}")


def open_committer(
    config: WorkerConfig, partition: int, *, transactions: bool, stop: Stop = never
) -> Committer:
    """Open the committer of a partition; waits for a broker that is away, until ``stop`` returns True.

    Raises:
        CommitInDoubt: ``stop`` returned True.
        CommitError: the broker refuses it.
    """
    return (
        TransactionalCommitter(config, partition, stop) if transactions else PlainCommitter(config, partition)
    )
