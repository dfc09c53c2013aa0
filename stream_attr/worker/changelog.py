"""Recovery of a partition's state: its changelog read in bulk into the local store, from where that stands.

It runs after the partition's producer has fenced every former owner, so nobody writes the changelog
meanwhile and its end is the end. The end is taken from fetch responses: what the embedded broker says when it
is asked for the latest offset is too low.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_attr.worker.store import Change, LocalStore

__all__ = ["Interrupted", "catch_up", "topic_id"]

logger = logging.getLogger(__name__)

_BATCH = 10_000
_POLL_S = 0.1
_LOG_EVERY_S = 5.0
_TIMEOUT_S = 20.0


class Interrupted(Exception):  # noqa: N818 -- asked for, not an error
    """Recovery was asked to stop: the partition goes elsewhere."""


def topic_id(broker: str, topic: str) -> str:
    """Identity of a topic: another one of the same name, made anew, has another.

    Raises:
        KafkaException: the broker does not answer or knows no such topic.
    """
    admin = AdminClient({"bootstrap.servers": broker})
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

    A store that stands at another changelog, or outside of this one, is thrown away first.

    Raises:
        Interrupted: ``stop`` said so; what was read is kept.
        KafkaException: the broker failed for good.
    """
    consumer = _consumer(broker)
    try:
        start = _start(consumer, store, topic, partition, identity)
        return _read(consumer, store, topic, partition, identity, start, stop)
    finally:
        consumer.close()


def _start(consumer: Consumer, store: LocalStore, topic: str, partition: int, identity: str) -> int:
    """Where to read on: the store's own offset, or, in doubt, the beginning with an empty store.

    The broker's word on the end may be too low on the embedded broker: then a store is rebuilt in vain.
    """
    first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_S)
    offset = store.changelog_offset(identity)
    if offset is not None and first <= offset <= end:
        return offset
    if offset is not None:
        logger.warning(
            "partition %s: local state thrown away: it stands at changelog offset %s, outside of %s to %s",
            partition,
            offset,
            first,
            end,
        )
    store.clear()
    return int(first)


def _read(
    consumer: Consumer,
    store: LocalStore,
    topic: str,
    partition: int,
    identity: str,
    start: int,
    stop: Callable[[], bool],
) -> int:
    consumer.assign([TopicPartition(topic, partition, start)])
    position, taken = start, 0
    logged = time.monotonic()
    while True:
        if stop():
            raise Interrupted
        messages = consumer.consume(_BATCH, timeout=_POLL_S)
        changes, position, ended = _changes(messages, position)
        if changes:
            store.write(changes, identity, position)
            taken += len(changes)
        if ended:
            if taken:
                logger.info("partition %s: %s changelog records recovered", partition, f"{taken:,}")
            else:
                store.write((), identity, position)
            return position
        if time.monotonic() - logged > _LOG_EVERY_S:
            logged = time.monotonic()
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            logger.info("partition %s: recovering, at %s of %s", partition, f"{position:,}", f"{end:,}")


def _changes(messages: list[Message], position: int) -> tuple[list[Change], int, bool]:
    """What was read in its order, the offset after it, and whether that is the end.

    Raises:
        KafkaException: the broker failed for good.
    """
    changes: list[Change] = []
    for message in messages:
        error = message.error()
        if error is None:
            changes.append((message.key() or b"", message.value()))
            position = message.offset() + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            return changes, position, True
        elif not error.retriable():
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
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16_384,
        }
    )
