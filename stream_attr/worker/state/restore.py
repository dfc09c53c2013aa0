"""Restores a partition's local store from its changelog, from the offset that the store is at.

It runs after the partition's producer has fenced every former owner, so nobody writes the changelog meanwhile
and its end is final.

A store at the end needs no records, and may be unable to read the last ones: a restarted broker may take a
transaction for ended without having written the end marker into the partition (KAFKA-5202: partitions whose
leader is unknown at that moment are left out). What was committed then stays unreadable until the next
transaction of the same producer ends there.

A changelog may have another history than the store although it has the store's offset: its broker was
restored from an older copy, and another worker wrote on. The last record of every batch is its lineage. So a
store is continued only if the last lineage in the changelog says that the same epoch wrote the records before
the store's offset. Not verified is the last batch of a store while the broker hides it (see above).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Message

from stream_attr.contract.registry import topic_definitions
from stream_attr.contract.topics import CHANGELOG
from stream_attr.kafka.clients import LOGGED, Reader
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.processor.ports import PROGRESS_KEY
from stream_attr.wall_clock import wall_clock_ms
from stream_attr.worker.ops.unreadable import Unreadable
from stream_attr.worker.state.changelog_reader import (
    READER_SETTINGS,
    ChangelogReader,
    Interrupted,
    NoSuchOffsetError,
)
from stream_attr.worker.state.lineage import LINEAGE_KEY, Lineage, decode_lineage, encode_lineage
from stream_attr.worker.state.store import LocalStore
from stream_attr.worker.task.topic_ids import TopicRecreatedError

__all__ = ["Interrupted", "Restored", "restore"]

logger = logging.getLogger(__name__)

_RETRY_S = 0.01
_DAY_MS = 86_400_000
_TAIL = 64
"""How many records before the end the last lineage is looked for first; aborted records may follow it."""


class Restored(NamedTuple):
    """A store at the end of its changelog."""

    offset: int
    """The changelog's next offset."""
    open_transaction: bool
    """Whether the last transaction, which the store holds, has no end marker in the changelog."""
    lineage: Lineage
    """Of the changelog's last batch."""


def restore(
    store: LocalStore,
    *,
    broker: str,
    topic: str,
    partition: int,
    topic_id: str,
    stop: Callable[[], bool],
    security: Security = UNSECURED,
    group: str = "stream-attr",
    unreadable: Unreadable | None = None,
    may_be_empty: bool = True,
) -> Restored:
    """Bring the store to the end of the changelog partition.

    The store is cleared first if it belongs to another changelog or to another history of it, if its offset
    does not exist, or if it was last written too long ago.

    Raises:
        Interrupted: ``stop`` returned True; what was read is kept.
        KafkaException: the broker failed permanently.
        NewerVersionError: a newer program wrote the changelog's lineage.
        TopicRecreatedError: the changelog is empty, and ``may_be_empty`` is False.
    """
    unreadable = unreadable or Unreadable()
    try:
        with Reader(broker, security, group, {**LOGGED, **READER_SETTINGS}) as reader:
            changelog = ChangelogReader(reader, topic, partition, stop, unreadable)
            restoring = _Restore(changelog, store, partition, topic_id)
            restoring.find_lineage()
            if not may_be_empty and restoring.changelog_is_empty:
                raise TopicRecreatedError.of(
                    [topic],
                    f"the state of partition {partition} is missing, and the input topics are the same as "
                    "before. Restore the topic, or start from scratch with other topics (--topic-prefix); to "
                    "judge the inputs from their beginning without state, start once with --lost-input "
                    "continue. See docs/operations.md#a-recreated-topic",
                )
            start = restoring.trusted_offset()
            if start is not None:
                try:
                    return restoring.apply_from(start)
                except NoSuchOffsetError as error:
                    logger.warning("partition %s: local state discarded: %s", partition, error)
            store.clear()
            return restoring.apply_from(OFFSET_BEGINNING)
    finally:
        unreadable.forget(topic, partition)


class _LastBatch(NamedTuple):
    """The last batch in the changelog; defaults: there is none."""

    end: int = 0
    """The offset after it."""
    lineage: Lineage = Lineage()


class _Restore:
    """One store on its way to the end of its changelog."""

    def __init__(self, changelog: ChangelogReader, store: LocalStore, partition: int, topic_id: str) -> None:
        self._changelog = changelog
        self._store = store
        self._partition = partition
        self._topic_id = topic_id
        self._last: _LastBatch | None = None
        self._readable_end = 0

    def find_lineage(self) -> None:
        """Find the lineage of the last batch: near the end, or further back if necessary.

        Raises:
            Interrupted, KafkaException, NewerVersionError: see ``restore``.
        """
        first, end = self._changelog.bounds()
        count = _TAIL

        def take(messages: list[Message]) -> None:
            for message in messages:
                if message.key() == PROGRESS_KEY:  # of a batch before lineages existed, if none follows
                    self._last = _LastBatch(end=(message.offset() or 0) + 1)
                elif message.key() == LINEAGE_KEY:
                    self._last = _LastBatch((message.offset() or 0) + 1, decode_lineage(message.value()))

        while self._last is None:
            start = max(first, end - count)
            try:
                self._readable_end = self._changelog.read(start, take).offset
            except NoSuchOffsetError:  # a new leader may at first show less than there is
                time.sleep(_RETRY_S)
                first, end = self._changelog.bounds()
                continue
            if start == first:
                self._last = self._last or _LastBatch()
            count *= 16

    @property
    def changelog_is_empty(self) -> bool:
        """Whether the changelog holds no batch."""
        return self._last == _LastBatch()

    def trusted_offset(self) -> int | None:
        """The offset to continue the store from; None: it has to be rebuilt from scratch."""
        checkpoint = self._store.checkpoint(self._topic_id)
        if checkpoint is None:
            return None
        age_ms = wall_clock_ms() - checkpoint.written_ts
        if not 0 <= age_ms < _max_age_ms():
            logger.warning(
                "partition %s: local state discarded: it was last written %.1f days ago, and the changelog "
                "may have compacted deletions away since",
                self._partition,
                age_ms / _DAY_MS,
            )
            return None
        if not self._same_history(checkpoint.offset):
            logger.warning(
                "partition %s: local state discarded: it belongs to another history of the changelog, as "
                "after a broker was restored from an older copy",
                self._partition,
            )
            return None
        return checkpoint.offset

    def _same_history(self, offset: int) -> bool:
        """Whether the changelog holds, before the offset, the records that the store was built from."""
        assert self._last is not None
        own, changelog = decode_lineage(self._store.get(LINEAGE_KEY)), self._last.lineage
        if changelog.epochs and self._last.end < offset <= self._readable_end:
            return False  # the changelog lacks the last batch of the store
        last = min(offset, self._readable_end) - 1
        return own.epoch_at(last) == changelog.epoch_at(last)

    def apply_from(self, start: int) -> Restored:
        """Apply the changelog to the store, from an offset to the end.

        Raises:
            NoSuchOffsetError: the changelog does not have that offset.
            Interrupted, KafkaException: see ``restore``.
        """
        assert self._last is not None
        lineage = self._last.lineage
        own = [(LINEAGE_KEY, encode_lineage(lineage))] if lineage.epochs else []
        """The last lineage contains all earlier ones, so it is right at whatever offset the store stops."""
        position, restored = max(start, 0), 0

        def take(messages: list[Message]) -> None:
            nonlocal position, restored
            position = (messages[-1].offset() or 0) + 1
            changes = [
                (key, message.value()) for message in messages if (key := message.key() or b"") != LINEAGE_KEY
            ]
            self._store.write(changes + own, self._topic_id, position)
            restored += len(changes)

        end = self._changelog.read(start, take)
        if restored:
            logger.info("partition %s: restored %s changelog records", self._partition, f"{restored:,}")
        else:
            self._store.write(own, self._topic_id, position)
        return Restored(end.offset, end.open_transaction, lineage)


def _max_age_ms() -> int:
    """How long after its last write a store may be continued from the changelog.

    Compaction keeps a tombstone for ``delete.retention.ms``, so an older store may lack deletions. One day
    less leaves time to read them.
    """
    return int(topic_definitions()[CHANGELOG].config["delete.retention.ms"]) - _DAY_MS
