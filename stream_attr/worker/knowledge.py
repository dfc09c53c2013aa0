"""Settings and rosters: read whole by every worker before it judges anything, then followed live.

Each record goes into the one book of this worker. What follows from it, a dead letter for a refused record
and a new look at what is pending of the shop, has to happen exactly once, through crashes too: so each
partition keeps, with its progress, how far settings and roster had gone when it last judged, and the dead
letters belong to partition 0.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream_attr.codec.versions import require_readable
from stream_attr.processor.records import Output, Record
from stream_attr.worker.config import Book, WorkerConfig
from stream_attr.worker.contact import will_pass
from stream_attr.worker.layout import KNOWLEDGE
from stream_attr.worker.logs import client_logging
from stream_attr.worker.store import KNOWLEDGE_KEY

__all__ = ["Consequences", "Knowledge"]

logger = logging.getLogger(__name__)

_POLL_S = 0.2
_MEETING_S = 10.0
_ASKING_S = 1.0
_BATCH = 10_000
_VERSION = 1
"""Of the record that says how far a partition knows settings and roster."""


class Consequences(NamedTuple):
    """What a partition owes for knowledge that it has not yet judged with."""

    shops: frozenset[str]
    """Shops of which something has changed."""
    dead_letters: list[Output]
    """Refused records, in the order of the topics."""
    known: bytes
    """The record that says so, once this is done."""


class _ShopRecord(msgspec.Struct):
    shop_id: str


_decode_shop = msgspec.json.Decoder(_ShopRecord).decode


class _Entry(NamedTuple):
    topic: str
    offset: int
    shop_id: str
    dead_letter: Output | None


class Knowledge:
    """The book of this worker, how far it was read, and what came of each record."""

    def __init__(
        self, config: WorkerConfig, book: Book, on_refusal: Callable[[str], None] = lambda _user: None
    ) -> None:
        """``on_refusal`` is told, as long as it is so, that the broker refuses our user."""
        self._book = book
        self.lock = threading.Lock()
        """Held while the book is changed, and by every judge at work: so nothing changes under a judge, and
        as judging is Python alone, one judge at a time is as fast as many."""
        self._entries: list[_Entry] = []
        self._positions = dict.fromkeys(KNOWLEDGE, 0)
        self._met: set[bytes] = set()
        self._reading = threading.Lock()
        """Held while records are asked for: by one thread at a time."""
        self.whole = False
        """Whether all that was there at the start has been applied."""
        self._names = {config.topic(name): name for name in KNOWLEDGE}
        self._read_to = dict.fromkeys(self._names, 0)
        self._consumer = _consumer(config, on_refusal)

    @property
    def records(self) -> int:
        """How many records have been applied; whoever saw another number has something new to look at."""
        return len(self._entries)

    def read_whole(self, stop: Callable[[], bool]) -> bool:
        """Read both topics to the ends that fetch responses first name, and apply them by their time.

        Where the broker is away it waits for it; False: told to ``stop`` before, and nothing was applied.

        Raises:
            KafkaException: the broker failed for good.
        """
        left = set(self._names)
        goals: dict[str, int] = {}
        found: list[Record] = []
        self._consumer.assign([TopicPartition(name, 0, 0) for name in self._names])
        while left:
            if stop():
                return False
            for message in self._consumer.consume(_BATCH, timeout=_POLL_S):
                topic, error = str(message.topic()), message.error()
                if error is None:
                    found.append(self._record(message))
                    self._read_to[topic] = found[-1].offset + 1
                    if topic not in goals:  # while records keep coming in, the client reports no end
                        goals[topic] = self._consumer.get_watermark_offsets(
                            TopicPartition(topic, 0), cached=True
                        )[1]
                    if found[-1].offset + 1 >= goals[topic]:
                        left.discard(topic)
                elif error.code() == KafkaError._PARTITION_EOF:
                    self._read_to[topic] = message.offset() or 0
                    left.discard(topic)
                elif not will_pass(error):
                    raise KafkaException(error)
        self._apply(found)
        self.whole = True
        logger.info("settings and rosters read: %s records", f"{len(found):,}")
        return True

    def follow(self) -> bool:
        """Wait a moment for new records and apply them; whether there were any.

        Raises:
            KafkaException: the broker failed for good.
        """
        with self._reading:
            return self._read()

    def strangers(self, records: Iterable[Record]) -> set[bytes]:
        """Return the shops among events that this worker has not met before, as their keys name them."""
        return {(record.key or b"").partition(b"|")[0] for record in records} - self._met

    def meet(self, shops: set[bytes], stop: Callable[[], bool]) -> bool:
        """Read on to the present ends: what was sent of a shop before its first event is known then.

        Later changes need no such care: they hold from today at the earliest, and what is pending follows.
        Where the broker is away it waits for it; False: told to ``stop`` before.

        Raises:
            KafkaException: the broker failed for good.
        """
        with self._reading:
            for name in self._names:
                while True:
                    if stop():
                        return False
                    if (end := self._end(name)) is None:
                        time.sleep(_POLL_S)
                        continue
                    if self._read_to_offset(name, end):
                        break
                    if self._end(name) is not None:  # so it was not that the broker went away
                        logger.warning("%s is not read to its end: a transaction on it stays open", name)
                        break
        self._met |= shops
        return True

    def answers(self) -> bool:
        """Whether some broker answers, asked now."""
        try:
            self._consumer.list_topics(timeout=_ASKING_S)
        except KafkaException:
            return False
        return True

    def _end(self, name: str) -> int | None:
        """The present end of a topic; None: nobody answers."""
        try:
            return int(self._consumer.get_watermark_offsets(TopicPartition(name, 0), timeout=_ASKING_S)[1])
        except KafkaException as error:
            cause = error.args[0]
            if will_pass(cause) or cause.code() == KafkaError._UNKNOWN_PARTITION:  # a leader is not known
                return None
            raise

    def _read_to_offset(self, name: str, end: int) -> bool:
        """Read on to an offset; False: it takes too long."""
        deadline = time.monotonic() + _MEETING_S
        while self._read_to[name] < end:
            if time.monotonic() > deadline:
                return False
            self._read()
        return True

    def _read(self) -> bool:
        found = []
        for message in self._consumer.consume(_BATCH, timeout=_POLL_S):
            error = message.error()
            if error is None:
                found.append(self._record(message))
            elif error.code() != KafkaError._PARTITION_EOF and not will_pass(error):
                raise KafkaException(error)
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                self._read_to[str(message.topic())] = (message.offset() or 0) + (error is None)
        if found:  # else nobody waits here for the judges
            self._apply(found)
        return bool(found)

    def _apply(self, records: list[Record]) -> None:
        """Take records into the book, across the topics by their Kafka timestamp."""
        with self.lock:
            for record in sorted(records, key=lambda found: found.timestamp):
                dead_letter = self._book.apply(record)
                shop_id = "" if dead_letter is not None else _decode_shop(record.value or b"").shop_id
                self._entries.append(_Entry(record.topic, record.offset, shop_id, dead_letter))
                self._positions[record.topic] = record.offset + 1

    def consequences(self, known: bytes | None, partition: int) -> Consequences | None:
        """What a partition owes that last judged with ``known``; None: nothing new. Called with the lock.

        Raises:
            NewerVersionError: a newer program wrote it.
        """
        before: dict[str, int] = orjson.loads(known) if known else {}
        version = before.pop("version", _VERSION)
        require_readable(version, _VERSION, "record of what is known of settings and roster", KNOWLEDGE_KEY)
        now = orjson.dumps({**self._positions, "version": _VERSION})
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


def _consumer(config: WorkerConfig, on_refusal: Callable[[str], None]) -> Consumer:
    def see(error: KafkaError) -> None:
        if error.code() == KafkaError._AUTHENTICATION and config.security.user is not None:
            on_refusal(config.security.user)

    return Consumer(
        {
            **config.security.rdkafka(config.broker),
            "group.id": config.group,  # demanded by the client; it neither joins nor commits
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
            **client_logging(),
            "error_cb": see,
        }
    )
