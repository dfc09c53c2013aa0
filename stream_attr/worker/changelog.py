"""Recovery of a partition's state: its changelog read in bulk into the local store, from where that stands.

It runs after the partition's producer has fenced every former owner, so nobody writes the changelog
meanwhile and its end is the end. The end is taken from fetch responses: what the embedded broker says when it
is asked for the latest offset is too low.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

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

from stream_attr.broker.contract import topic_definitions
from stream_attr.processor.records import CHANGELOG
from stream_attr.worker.contact import will_pass
from stream_attr.worker.logs import client_logging
from stream_attr.worker.store import Change, LocalStore
from stream_attr.worker.wall_clock import wall_clock_ms

__all__ = ["Interrupted", "catch_up", "topic_id"]

logger = logging.getLogger(__name__)

_BATCH = 10_000
_POLL_S = 0.1
_LOG_EVERY_S = 5.0
_SILENCE_S = 10.0
_TIMEOUT_S = 20.0
_DAY_MS = 86_400_000


class Interrupted(Exception):  # noqa: N818 -- asked for, not an error
    """Recovery was asked to stop: the partition goes elsewhere."""


def topic_id(broker: str, topic: str) -> str:
    """Identity of a topic: another one of the same name, made anew, has another.

    Raises:
        KafkaException: the broker does not answer or knows no such topic.
    """
    admin = AdminClient({"bootstrap.servers": broker, **client_logging()})
    described = admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_S)
    return str(described[topic].result().topic_id)


def catch_up(
    store: LocalStore,
    *,
    broker: str,
    topic: str,
    partition: int,
    identity: str,
    stop: Callable[[], bool],
) -> int:
    """Bring the store to the end of the changelog partition; returns that end (the next offset).

    A store that stands at another changelog, outside of this one, or that was last written too long ago, is
    thrown away first.

    Raises:
        Interrupted: ``stop`` said so; what was read is kept.
        KafkaException: the broker failed for good.
    """
    consumer = _consumer(broker)
    recovery = _Recovery(consumer, store, TopicPartition(topic, partition), identity, stop)
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
    ) -> None:
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

    def read(self, start: int) -> int:
        """Apply the changelog from an offset on; returns its end.

        Raises:
            _OutsideError: the changelog has no such offset.
            Interrupted, KafkaException: see ``catch_up``.
        """
        topic, partition = self._place.topic, self._place.partition
        self._consumer.assign([TopicPartition(topic, partition, start)])
        position, taken = start, 0
        logged = heard = time.monotonic()
        while True:
            if self._stop():
                raise Interrupted
            messages = self._consumer.consume(_BATCH, timeout=_POLL_S)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_S:
                # A broker that went away and came back may leave the client without its word that this is
                # the end: asked anew it gives it.
                heard = time.monotonic()
                self._consumer.assign([TopicPartition(topic, partition, position)])
            changes, position, ended = _changes(messages, position)
            if changes:
                self._store.write(changes, self._identity, position)
                taken += len(changes)
            if ended:
                if taken:
                    logger.info("partition %s: %s changelog records recovered", partition, f"{taken:,}")
                else:
                    self._store.write((), self._identity, position)
                return position
            if not messages and 0 <= self._end() < position:  # the embedded broker answers with nothing
                raise _OutsideError(f"it stands at changelog offset {position}, and the end is {self._end()}")
            if time.monotonic() - logged > _LOG_EVERY_S:
                logged = time.monotonic()
                logger.info(
                    "partition %s: recovering, at %s of %s", partition, f"{position:,}", f"{self._end():,}"
                )

    def _end(self) -> int:
        """The end as the last fetch response told it."""
        return int(self._consumer.get_watermark_offsets(self._place, cached=True)[1])


def _trusted_for_ms() -> int:
    """How long after its last write a store may be continued from the changelog.

    Compaction keeps a tombstone for ``delete.retention.ms``, so a store as old as that may lack deletions. A
    day less leaves time to read them.
    """
    return int(topic_definitions()[CHANGELOG].config["delete.retention.ms"]) - _DAY_MS


def _changes(messages: list[Message], position: int) -> tuple[list[Change], int, bool]:
    """What was read in its order, the offset after it, and whether that is the end.

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
            return changes, max(position, message.offset() or 0), True
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise _OutsideError(f"it stands at a changelog offset that is not there: {error.str()}")
        elif not will_pass(error):
            raise KafkaException(error)
    return changes, position, False


def _consumer(broker: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "stream-attr-recovery",  # demanded by the client; it neither joins nor commits
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16_384,
            **client_logging(),
        }
    )
