"""Settings and rosters: read whole by every worker before it judges anything, then followed live.

Each record goes into the one book of this worker. What follows from it, a dead letter for a refused record
and a new look at what is pending of the shop, has to happen exactly once, through crashes too: so each
partition keeps, with its progress, how far settings and roster had gone when it last judged, and the dead
letters belong to partition 0.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream_attr.processor.records import Output, Record
from stream_attr.worker.config import Book, WorkerConfig
from stream_attr.worker.layout import KNOWLEDGE

__all__ = ["Consequences", "Gate", "Knowledge"]

logger = logging.getLogger(__name__)

_POLL_S = 0.2
_BATCH = 10_000


class Consequences(NamedTuple):
    """What a partition owes for knowledge that it has not yet judged with."""

    shops: frozenset[str]
    """Shops of which something has changed."""
    dead_letters: list[Output]
    """Refused records, in the order of the topics."""
    known: bytes
    """The record that says so, once this is done."""


class _Entry(NamedTuple):
    topic: str
    offset: int
    shop_id: str
    dead_letter: Output | None


class Knowledge:
    """The book of this worker, how far it was read, and what came of each record."""

    def __init__(self, config: WorkerConfig, book: Book) -> None:
        self._book = book
        self._entries: list[_Entry] = []
        self._positions = dict.fromkeys(KNOWLEDGE, 0)
        self.whole = False
        """Whether all that was there at the start has been applied."""
        self._names = {config.topic(name): name for name in KNOWLEDGE}
        self._consumer = _consumer(config.broker)
        self._consumer.assign([TopicPartition(name, 0, 0) for name in self._names])

    @property
    def positions(self) -> Mapping[str, int]:
        """Next offset per topic."""
        return self._positions

    def read_whole(self) -> None:
        """Read both topics to the ends that the broker now gives, and apply them in the order of their time.

        Raises:
            KafkaException: the broker failed for good.
        """
        ended: set[str] = set()
        found: list[Record] = []
        while len(ended) < len(self._names):
            for message in self._consumer.consume(_BATCH, timeout=_POLL_S):
                error = message.error()
                if error is None:
                    found.append(self._record(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(str(message.topic()))
                elif not error.retriable():
                    raise KafkaException(error)
        self.apply(found)
        self.whole = True
        logger.info("settings and rosters read: %s records", f"{len(found):,}")

    def fetch(self) -> list[Record]:
        """Wait a moment for new records; they are not applied yet.

        Raises:
            KafkaException: the broker failed for good.
        """
        found = []
        for message in self._consumer.consume(_BATCH, timeout=_POLL_S):
            error = message.error()
            if error is None:
                found.append(self._record(message))
            elif error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                raise KafkaException(error)
        return found

    def apply(self, records: list[Record]) -> None:
        """Take records into the book, across the topics by their Kafka timestamp; no judge may be at work."""
        for record in sorted(records, key=lambda found: found.timestamp):
            dead_letter = self._book.apply(record)
            shop_id = (record.key or b"").partition(b"|")[0].decode(errors="replace")
            self._entries.append(_Entry(record.topic, record.offset, shop_id, dead_letter))
            self._positions[record.topic] = max(self._positions[record.topic], record.offset + 1)

    def consequences(self, known: bytes | None, partition: int) -> Consequences | None:
        """What a partition owes that last judged with ``known``; None: nothing new."""
        before: dict[str, int] = orjson.loads(known) if known else {}
        now = orjson.dumps(self._positions)
        if known == now or not (known or self._entries):
            return None
        new = [entry for entry in self._entries if entry.offset >= before.get(entry.topic, 0)]
        return Consequences(
            frozenset(entry.shop_id for entry in new if entry.dead_letter is None),
            [entry.dead_letter for entry in new if entry.dead_letter is not None] if partition == 0 else [],
            now,
        )

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _record(self, message: Message) -> Record:
        return Record(
            self._names[str(message.topic())],
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
            message.key(),
            message.value(),
        )


class Gate:
    """Lets any number of batches through together, or one change of the book alone."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._judging = 0
        self._closed = False

    @asynccontextmanager
    async def judging(self) -> AsyncIterator[None]:
        """While a batch is judged."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._closed)
            self._judging += 1
        try:
            yield
        finally:
            async with self._changed:
                self._judging -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """While the book is changed: after the batches in hand, before the next ones."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._closed)
            self._closed = True
            await self._changed.wait_for(lambda: self._judging == 0)
        try:
            yield
        finally:
            async with self._changed:
                self._closed = False
                self._changed.notify_all()


def _consumer(broker: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "stream-attr-knowledge",  # demanded by the client; it neither joins nor commits
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
            "log_level": 4,
            "logger": logger,
        }
    )
