"""Recovery of a partition's state: its changelog read in bulk into the local store, from where that stands.

It runs after the partition's producer has fenced every former owner, so nobody writes the changelog
meanwhile and its end is the end. The end is taken from fetch responses: what the embedded broker says when it
is asked for the latest offset is too low. Apache Kafka's answer is the least that the end may be: a broker
that has only just become the leader may at first show less than was committed.

A store that stands at the end needs to read nothing, and may not be able to: a broker that is started anew
may count a transaction as ended without having written so into the partition (KAFKA-5202: partitions whose
leader is not known yet are left out). What was committed stays unreadable then until the same producer's next
transaction ends there.

A changelog may have another history than the store, and the store's offset all the same: its broker was
restored from an older copy, and another worker went on with that. The last record of every batch is its
lineage; so before a store is continued, the last lineage of the changelog must say that the same epoch wrote
what lies before the offset that the store stands at. Not verified is the last batch of a store while the
broker hides it, as above.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from stream_attr.contract.registry import topic_definitions
from stream_attr.contract.topics import CHANGELOG
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.clients import CLIENTS, consume
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.processor.ports import PROGRESS_KEY
from stream_attr.worker.ops.broker_health import will_pass
from stream_attr.worker.ops.logs import client_logging
from stream_attr.worker.ops.unreadable import READ_AGAIN_S, Unreadable, is_unreadable
from stream_attr.worker.state.lineage import LINEAGE_KEY, Lineage, decode_lineage, encode_lineage
from stream_attr.worker.state.store import LocalStore
from stream_attr.worker.task.topic_ids import TopicRecreatedError
from stream_attr.worker.wall_clock import wall_clock_ms

__all__ = ["Caught", "Interrupted", "catch_up"]

logger = logging.getLogger(__name__)

_BATCH = 10_000
_POLL_S = 0.01
_LOG_EVERY_S = 5.0
_SILENCE_S = 2.0
"""Who hears nothing for so long at the end, will not hear that it is the end."""
_TIMEOUT_S = 20.0
_DAY_MS = 86_400_000
_TAIL = 64
"""So many records before the end the last batch's lineage is looked for first; aborted ones may follow it."""


class Interrupted(StreamAttrError):  # noqa: N818 -- asked for, not an error
    """Recovery was asked to stop: the partition goes elsewhere."""


class Caught(NamedTuple):
    """A store at the end of its changelog."""

    offset: int
    """The next one."""
    unended: bool
    """Whether the last transaction, which the store holds, has not ended in the partition."""
    lineage: Lineage
    """The changelog's, as its last batch says."""


def catch_up(
    store: LocalStore,
    *,
    broker: str,
    topic: str,
    partition: int,
    identity: str,
    stop: Callable[[], bool],
    security: Security = UNSECURED,
    group: str = "stream-attr",
    unreadable: Unreadable | None = None,
    may_be_empty: bool = True,
) -> Caught:
    """Bring the store to the end of the changelog partition.

    A store that stands at another changelog, in another history of it, outside of it, or that was last
    written too long ago, is thrown away first.

    Raises:
        Interrupted: ``stop`` said so; what was read is kept.
        KafkaException: the broker failed for good.
        NewerVersionError: a newer program has written the changelog's lineage.
        TopicRecreatedError: there is nothing in the changelog, although it must not be empty.
    """
    consumer = _consumer(broker, security, group)
    CLIENTS.add(consumer)
    unreadable = unreadable or Unreadable()
    place = TopicPartition(topic, partition)
    recovery = _Recovery(consumer, store, place, identity, stop, unreadable)
    try:
        recovery.find_lineage()
        if not may_be_empty and recovery.found_nothing:
            raise TopicRecreatedError.of(
                [topic],
                f"the state of partition {partition} is not there, and the input topics are those of before. "
                "Restore the topic, or begin anew with other topics (--topic-prefix); to judge the inputs "
                "from their beginning with no state, start once with --lost-input continue. See "
                "docs/operations.md#a-topic-made-anew",
            )
        start = recovery.trusted_offset()
        if start is not None:
            try:
                return recovery.read(start)
            except _OutsideError as error:
                logger.warning("partition %s: local state thrown away: %s", partition, error)
        store.clear()
        return recovery.read(OFFSET_BEGINNING)
    finally:
        unreadable.forget(topic, partition)
        CLIENTS.remove(consumer)
        consumer.close()


class _OutsideError(Exception):
    """The store stands at an offset that the changelog does not have."""


class _LastBatch(NamedTuple):
    """What the last batch of a changelog says of itself; nothing where there is none."""

    end: int = 0
    """The offset after it."""
    lineage: Lineage = Lineage()


class _Recovery:
    """One store on its way to the end of its changelog."""

    def __init__(
        self,
        consumer: Consumer,
        store: LocalStore,
        place: TopicPartition,
        identity: str,
        stop: Callable[[], bool],
        unreadable: Unreadable,
    ) -> None:
        self._unreadable = unreadable
        self._consumer = consumer
        self._store = store
        self._place = place
        self._identity = identity
        self._stop = stop
        self._last: _LastBatch | None = None
        self._readable_end = 0

    def find_lineage(self) -> None:
        """Look for the lineage of the last batch, from near the end on, further back if it must be.

        Raises:
            Interrupted, KafkaException, NewerVersionError: see ``catch_up``.
        """
        first, end = self._bounds()
        count = _TAIL

        def see(messages: list[Message]) -> None:
            for message in messages:
                if message.key() == PROGRESS_KEY:  # a batch's, of before there were lineages if none follows
                    self._last = _LastBatch(end=(message.offset() or 0) + 1)
                elif message.key() == LINEAGE_KEY:
                    self._last = _LastBatch((message.offset() or 0) + 1, decode_lineage(message.value()))

        while self._last is None:
            start = max(first, end - count)
            try:
                self._readable_end, _ = self._read_from(start, see)
            except _OutsideError:  # a new leader may at first show less than there is
                time.sleep(_POLL_S)
                first, end = self._bounds()
                continue
            if start == first:
                self._last = self._last or _LastBatch()
            count *= 16

    @property
    def found_nothing(self) -> bool:
        """Whether the changelog holds no batch."""
        return self._last == _LastBatch()

    def trusted_offset(self) -> int | None:
        """Where the store says that it stands; None: it is to be built anew."""
        standing = self._store.standing(self._identity)
        if standing is None:
            return None
        age_ms = wall_clock_ms() - standing.written_ts
        if not 0 <= age_ms < _trusted_for_ms():
            logger.warning(
                "partition %s: local state thrown away: it was last written %.1f days ago, and the changelog "
                "may have forgotten deletions since",
                self._place.partition,
                age_ms / _DAY_MS,
            )
            return None
        if not self._same_history(standing.offset):
            logger.warning(
                "partition %s: local state thrown away: it is of another history of the changelog, as where "
                "a broker was restored from an older copy",
                self._place.partition,
            )
            return None
        return standing.offset

    def _same_history(self, offset: int) -> bool:
        """Whether what lies before the offset that the store stands at is what the changelog has there."""
        assert self._last is not None
        own, changelog = decode_lineage(self._store.get(LINEAGE_KEY)), self._last.lineage
        if changelog.epochs and self._last.end < offset <= self._readable_end:
            return False  # the changelog lacks the batch that the store ends with
        last = min(offset, self._readable_end) - 1
        return own.epoch_at(last) == changelog.epoch_at(last)

    def read(self, start: int) -> Caught:
        """Apply the changelog from an offset on, to its end.

        Raises:
            _OutsideError: the changelog has no such offset.
            Interrupted, KafkaException: see ``catch_up``.
        """
        assert self._last is not None
        lineage = self._last.lineage
        own = [(LINEAGE_KEY, encode_lineage(lineage))] if lineage.epochs else []
        """The last one says all that those before it say, so it holds wherever the store comes to stand."""
        stands, taken = max(start, 0), 0

        def apply(messages: list[Message]) -> None:
            nonlocal stands, taken
            stands = (messages[-1].offset() or 0) + 1
            changes = [
                (key, message.value()) for message in messages if (key := message.key() or b"") != LINEAGE_KEY
            ]
            self._store.write(changes + own, self._identity, stands)
            taken += len(changes)

        end, unended = self._read_from(start, apply)
        if taken:
            logger.info("partition %s: %s changelog records recovered", self._place.partition, f"{taken:,}")
        else:
            self._store.write(own, self._identity, stands)
        return Caught(end, unended, lineage)

    def _read_from(self, start: int, take: Callable[[list[Message]], None]) -> tuple[int, bool]:
        """Hand over the changelog from an offset on; returns its end, and whether that is `Caught.unended`.

        Raises:
            _OutsideError: the changelog has no such offset.
            Interrupted, KafkaException: see ``catch_up``.
        """
        topic, partition = self._place.topic, self._place.partition
        self._consumer.assign([TopicPartition(topic, partition, start)])
        position = start
        least: int | None = None
        logged = record_response = time.monotonic()
        while True:
            if self._stop():
                raise Interrupted
            if least is None:
                least = self._least_end()
            messages = consume(self._consumer, _BATCH, _POLL_S)
            lost_track = (topic, partition) in self._unreadable
            records, position, ended, failure = _records(messages, position, lost_track=lost_track)
            if records:
                take(records)
            if failure is not None:
                self._unreadable.failed(topic, partition, failure.str())
                self._consumer.assign([TopicPartition(topic, partition, position)])
                time.sleep(READ_AGAIN_S)
                continue
            if records or ended:
                self._unreadable.read(topic, partition)
            if messages or position != self._end():
                record_response = time.monotonic()
            unended = time.monotonic() - record_response > _SILENCE_S
            if (ended or unended) and least is not None and position >= least:
                return position, unended
            if not messages and 0 <= self._end() < position:  # the embedded broker answers with nothing
                raise _OutsideError(f"it stands at changelog offset {position}, and the end is {self._end()}")
            if time.monotonic() - logged > _LOG_EVERY_S:
                logged = time.monotonic()
                logger.info(
                    "partition %s: recovering, at %s of %s", partition, f"{position:,}", f"{self._end():,}"
                )

    def _bounds(self) -> tuple[int, int]:
        """The first offset and the least that the end may be.

        Raises:
            Interrupted, KafkaException: see ``catch_up``.
        """
        while not self._stop():
            if (bounds := self._watermarks()) is not None:
                return bounds
        raise Interrupted

    def _least_end(self) -> int | None:
        """What the end is at least; None: the broker does not say it now."""
        bounds = self._watermarks()
        return None if bounds is None else bounds[1]

    def _watermarks(self) -> tuple[int, int] | None:
        """What the broker says of the first offset and the end; None: it does not say it now.

        Raises:
            KafkaException: the broker failed for good.
        """
        try:
            first, end = self._consumer.get_watermark_offsets(self._place, timeout=_TIMEOUT_S)
        except KafkaException as error:
            if will_pass(error.args[0]):
                return None
            raise
        return int(first), int(end)

    def _end(self) -> int:
        """The end as the last fetch response told it."""
        return int(self._consumer.get_watermark_offsets(self._place, cached=True)[1])


def _trusted_for_ms() -> int:
    """How long after its last write a store may be continued from the changelog.

    Compaction keeps a tombstone for ``delete.retention.ms``, so a store as old as that may lack deletions. A
    day less leaves time to read them.
    """
    return int(topic_definitions()[CHANGELOG].config["delete.retention.ms"]) - _DAY_MS


def _records(
    messages: list[Message], position: int, *, lost_track: bool
) -> tuple[list[Message], int, bool, KafkaError | None]:
    """What was read in its order, the offset after it, whether that is the end, and why it cannot be read on.

    ``lost_track``: whether the client may have gone on behind a damaged batch, to wherever that says.

    Raises:
        _OutsideError: the changelog has no such offset.
        KafkaException: the broker failed for good.
    """
    records: list[Message] = []
    for message in messages:
        error = message.error()
        if error is None:
            records.append(message)
            position = message.offset() + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            return records, max(position, message.offset() or 0), True, None
        elif error.code() == KafkaError._AUTO_OFFSET_RESET and not lost_track:
            raise _OutsideError(f"it stands at a changelog offset that is not there: {error.str()}")
        elif is_unreadable(error) or error.code() == KafkaError._AUTO_OFFSET_RESET:
            return records, position, False, error
        elif not will_pass(error):
            raise KafkaException(error)
    return records, position, False, None


def _consumer(broker: str, security: Security, group: str) -> Consumer:
    return Consumer(
        {
            **security.rdkafka(broker),
            "group.id": group,  # demanded by the client; it neither joins nor commits
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "check.crcs": True,
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16_384,
            **client_logging(),
        }
    )
