"""Recovery of a partition's state: its changelog read in bulk into the local store, from where that stands.

It runs after the partition's producer has fenced every former owner, so nobody writes the changelog
meanwhile and its end is the end. The end is taken from fetch responses: what the embedded broker says when it
is asked for the latest offset is too low. Apache Kafka's answer is the least that the end may be: a broker
that has only just become the leader may at first show less than was committed.

A store that stands at the end needs to read nothing, and may not be able to: a broker that is started anew
may count a transaction as ended without having written so into the partition (KAFKA-5202: partitions whose
leader is not known yet are left out). What was committed stays unreadable then until the same producer's next
transaction ends there.
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
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from stream_attr.broker.clients import CLIENTS, consume
from stream_attr.broker.contract import topic_definitions
from stream_attr.broker.security import UNSECURED, Security
from stream_attr.processor.records import CHANGELOG
from stream_attr.worker.contact import will_pass
from stream_attr.worker.logs import client_logging
from stream_attr.worker.store import Change, LocalStore
from stream_attr.worker.unreadable import READ_AGAIN_S, Unreadable, is_unreadable
from stream_attr.worker.wall_clock import wall_clock_ms

__all__ = ["Caught", "Interrupted", "catch_up", "topic_id"]

logger = logging.getLogger(__name__)

_BATCH = 10_000
_POLL_S = 0.01
_LOG_EVERY_S = 5.0
_SILENCE_S = 2.0
"""Who hears nothing for so long at the end, will not hear that it is the end."""
_TIMEOUT_S = 20.0
_DAY_MS = 86_400_000
_LOOK_AGAIN_S = 0.2


class Interrupted(Exception):  # noqa: N818 -- asked for, not an error
    """Recovery was asked to stop: the partition goes elsewhere."""


def topic_id(broker: str, topic: str, security: Security = UNSECURED) -> str:
    """Identity of a topic: another one of the same name, made anew, has another.

    A broker of several may not have heard yet of a topic that has just been made.

    Raises:
        KafkaException: the broker does not answer, or knows no such topic for longer than that.
    """
    admin = AdminClient({**security.rdkafka(broker), **client_logging()})
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        described = admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_S)
        try:
            return str(described[topic].result().topic_id)
        except KafkaException as error:
            unheard_of = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
            if not unheard_of or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_AGAIN_S)


class Caught(NamedTuple):
    """A store at the end of its changelog."""

    offset: int
    """The next one."""
    unended: bool
    """Whether the last transaction, which the store holds, has not ended in the partition."""


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
) -> Caught:
    """Bring the store to the end of the changelog partition.

    A store that stands at another changelog, outside of this one, or that was last written too long ago, is
    thrown away first.

    Raises:
        Interrupted: ``stop`` said so; what was read is kept.
        KafkaException: the broker failed for good.
    """
    consumer = _consumer(broker, security, group)
    CLIENTS.add(consumer)
    unreadable = unreadable or Unreadable()
    place = TopicPartition(topic, partition)
    recovery = _Recovery(consumer, store, place, identity, stop, unreadable)
    try:
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
        return standing.offset

    def read(self, start: int) -> Caught:
        """Apply the changelog from an offset on, to its end.

        Raises:
            _OutsideError: the changelog has no such offset.
            Interrupted, KafkaException: see ``catch_up``.
        """
        topic, partition = self._place.topic, self._place.partition
        self._consumer.assign([TopicPartition(topic, partition, start)])
        position, taken = start, 0
        least: int | None = None
        logged = heard = time.monotonic()
        while True:
            if self._stop():
                raise Interrupted
            if least is None:
                least = self._least_end()
            messages = consume(self._consumer, _BATCH, _POLL_S)
            changes, position, ended, failure = _changes(messages, position)
            if changes:
                self._store.write(changes, self._identity, position)
                taken += len(changes)
            if failure is not None:
                self._unreadable.failed(topic, partition, failure.str())
                self._consumer.seek(TopicPartition(topic, partition, position))
                time.sleep(READ_AGAIN_S)
                continue
            if changes or ended:
                self._unreadable.read(topic, partition)
            if messages or position != self._end():
                heard = time.monotonic()
            unended = time.monotonic() - heard > _SILENCE_S
            if (ended or unended) and least is not None and position >= least:
                if taken:
                    logger.info("partition %s: %s changelog records recovered", partition, f"{taken:,}")
                else:
                    self._store.write((), self._identity, position)
                return Caught(position, unended=unended)
            if not messages and 0 <= self._end() < position:  # the embedded broker answers with nothing
                raise _OutsideError(f"it stands at changelog offset {position}, and the end is {self._end()}")
            if time.monotonic() - logged > _LOG_EVERY_S:
                logged = time.monotonic()
                logger.info(
                    "partition %s: recovering, at %s of %s", partition, f"{position:,}", f"{self._end():,}"
                )

    def _least_end(self) -> int | None:
        """What the end is at least; None: the broker does not say it now.

        Raises:
            KafkaException: the broker failed for good.
        """
        try:
            return int(self._consumer.get_watermark_offsets(self._place, timeout=_TIMEOUT_S)[1])
        except KafkaException as error:
            if will_pass(error.args[0]):
                return None
            raise

    def _end(self) -> int:
        """The end as the last fetch response told it."""
        return int(self._consumer.get_watermark_offsets(self._place, cached=True)[1])


def _trusted_for_ms() -> int:
    """How long after its last write a store may be continued from the changelog.

    Compaction keeps a tombstone for ``delete.retention.ms``, so a store as old as that may lack deletions. A
    day less leaves time to read them.
    """
    return int(topic_definitions()[CHANGELOG].config["delete.retention.ms"]) - _DAY_MS


def _changes(messages: list[Message], position: int) -> tuple[list[Change], int, bool, KafkaError | None]:
    """What was read in its order, the offset after it, whether that is the end, and why it cannot be read on.

    Raises:
        _OutsideError: the changelog has no such offset.
        KafkaException: the broker failed for good.
    """
    changes: list[Change] = []
    for message in messages:
        error = message.error()
        if error is None:
            changes.append((message.key() or b"", message.value()))
            position = message.offset() + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            return changes, max(position, message.offset() or 0), True, None
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise _OutsideError(f"it stands at a changelog offset that is not there: {error.str()}")
        elif is_unreadable(error):
            return changes, position, False, error
        elif not will_pass(error):
            raise KafkaException(error)
    return changes, position, False, None


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
