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
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import NamedTuple

import msgspec
import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream_attr.codec.versions import require_readable
from stream_attr.kafka.clients import CLIENTS, consume
from stream_attr.processor.ports import Output, Record
from stream_attr.worker.config import ShopRegistry, WorkerConfig
from stream_attr.worker.ops.broker_health import will_pass
from stream_attr.worker.ops.logs import client_logging
from stream_attr.worker.ops.unreadable import READ_AGAIN_S, Unreadable, is_unreadable
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS
from stream_attr.worker.state.store import GLOBAL_TABLES_KEY

__all__ = ["Consequences", "GlobalTables"]

logger = logging.getLogger(__name__)

_POLL_S = 0.01
_IDLE_POLL_S = 0.05
_RETRY_S = 1.0
_CATCH_UP_S = 10.0
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


class _Request(NamedTuple):
    """Shops of which events have come in for the first time, and what is resolved once they are known."""

    shops: set[bytes]
    known: Future[None]


class _CatchUp(NamedTuple):
    """One reading to the ends, for all the requests that had come in when the ends were asked for."""

    requests: list[_Request]
    ends: dict[str, int]
    deadline: float
    """On the monotonic clock."""


class GlobalTables:
    """The book of this worker, how far it was read, and what came of each record.

    One thread reads (``bootstrap``, then ``follow`` over and over). Others leave it a request and wait for
    that outside of any lock, so a client that hangs holds up nobody who is told to stop.
    """

    def __init__(
        self,
        config: WorkerConfig,
        registry: ShopRegistry,
        on_refusal: Callable[[str], None] = lambda _user: None,
        unreadable: Unreadable | None = None,
    ) -> None:
        """``on_refusal`` is told, as long as it is so, that the broker refuses our user."""
        self._registry = registry
        self._unreadable = unreadable or Unreadable()
        self.lock = threading.Lock()
        """Held while the book is changed, and by every judge at work: so nothing changes under a judge, and
        as judging is Python alone, one judge at a time is as fast as many."""
        self._entries: list[_Entry] = []
        self._positions = dict.fromkeys(GLOBAL_TOPICS, 0)
        self._met: set[bytes] = set()
        self._unapplied: deque[Record] = deque()
        """Read, and not yet applied: by the reading thread alone."""
        self._requests: list[_Request] = []
        self._requested = threading.Condition()
        """Guards the requests; notified of each."""
        self._catch_up: _CatchUp | None = None
        self._followed_at: float | None = None
        self._failure: str | None = None
        self.whole = False
        """Whether all that was there at the start has been applied."""
        self._names = {config.topic(name): name for name in GLOBAL_TOPICS}
        self._read_to = dict.fromkeys(self._names, 0)
        self._consumer = _consumer(config, on_refusal)
        CLIENTS.add(self._consumer)

    @property
    def records(self) -> int:
        """How many records have been applied; whoever saw another number has something new to look at."""
        return len(self._entries)

    def why_waiting(self, patience_s: float) -> str | None:
        """Why settings and rosters are not up to date, as a sentence; None: they are, or soon will be."""
        if self._failure is not None:
            return self._failure
        if self._followed_at is not None and (silent_s := time.monotonic() - self._followed_at) > patience_s:
            return f"settings and rosters have not been read for {silent_s:.0f} s: the Kafka client hangs"
        return None

    def bootstrap(self, stop: Callable[[], bool]) -> bool:
        """Read both topics to the ends that fetch responses first name, and apply them by their time.

        Where the broker is away it waits for it; False: told to ``stop`` before.

        Raises:
            KafkaException: the broker failed for good.
        """
        if not self._unapplied:  # else it was told to stop while it could not apply them
            found = self._read_to_ends(stop)
            if found is None:
                return False
            self._unapplied.extend(found)
        while not self._apply():
            if stop():
                return False
            time.sleep(_RETRY_S)
        self.whole = True
        logger.info("settings and rosters read: %s records", f"{self.records:,}")
        return True

    def _read_to_ends(self, stop: Callable[[], bool]) -> list[Record] | None:
        """Return the records of both topics; None: told to ``stop`` before the ends."""
        left = set(self._names)
        goals: dict[str, int] = {}
        found: list[Record] = []
        self._consumer.assign([TopicPartition(name, 0, 0) for name in self._names])
        while left:
            if stop():
                return None
            for message in self._readable(consume(self._consumer, _BATCH, _POLL_S)):
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
        return found

    def follow(self) -> bool:
        """Wait a moment for new records, and apply what came; whether there was anything.

        Requests of unknown shops that have come in meanwhile are served together, by one look at the ends.

        Raises:
            KafkaException: the broker failed for good.
        """
        if self._catch_up is None:
            self._catch_up = self._begin_catch_up()
        self._read()
        before = self.records
        if self._unapplied and not self._apply():
            time.sleep(_RETRY_S)
        self._end_catch_up()
        self._followed_at = time.monotonic()
        return self.records > before

    def unknown_shops(self, records: Iterable[Record]) -> set[bytes]:
        """Return the shops among events that this worker has not met before, as their keys name them."""
        return {(record.key or b"").partition(b"|")[0] for record in records} - self._met

    def catch_up(self, shops: set[bytes]) -> Future[None]:
        """Have the present ends read: what was sent of a shop before its first event is known then.

        Later changes need no such care: they hold from today at the earliest, and what is pending follows.
        While the broker is away the result is waited for; who is told to stop drops it.
        """
        request = _Request(shops, Future())
        with self._requested:
            self._requests.append(request)
            self._requested.notify()
        return request.known

    def _begin_catch_up(self) -> _CatchUp | None:
        """Look up the ends for all requests there are; None: there are none, or nobody answers."""
        with self._requested:
            if not self._requests:
                self._requested.wait(_IDLE_POLL_S)
            requests, self._requests = self._requests, []
        if not requests:
            return None
        ends = {name: end for name in self._names if (end := self._end(name)) is not None}
        if len(ends) == len(self._names):
            return _CatchUp(requests, ends, time.monotonic() + _CATCH_UP_S)
        with self._requested:
            self._requests = requests + self._requests
        return None

    def _end_catch_up(self) -> None:
        """Resolve the requests under way if the ends have been read, or if that takes too long."""
        if self._catch_up is None or self._unapplied:
            return
        requests, ends, deadline = self._catch_up
        left = [name for name, end in ends.items() if self._read_to[name] < end]
        if left and time.monotonic() <= deadline:
            return
        if any((name, 0) in self._unreadable for name in left):  # what it says of a shop may change verdicts
            return
        self._catch_up = None
        if left and any(self._end(name) is None for name in left):  # it is the broker that went away
            with self._requested:
                self._requests = requests + self._requests
            return
        for name in left:
            logger.warning("%s is not read to its end: a transaction on it stays open", name)
        for request in requests:
            self._met |= request.shops
            request.known.set_result(None)

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

    def _read(self) -> None:
        """Take what has been fetched; a moment is waited for it only while somebody waits for the ends."""
        for message in self._readable(
            consume(self._consumer, _BATCH, _POLL_S if self._catch_up is not None else 0.0)
        ):
            error = message.error()
            if error is None:
                self._unapplied.append(self._record(message))
            elif error.code() != KafkaError._PARTITION_EOF and not will_pass(error):
                raise KafkaException(error)
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                self._read_to[str(message.topic())] = (message.offset() or 0) + (error is None)

    def _readable(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Yield messages as they come; where a batch of a topic cannot be read, go back and pause."""
        failed: set[str] = set()
        for message in messages:
            topic, error = str(message.topic()), message.error()
            if topic in failed:
                continue
            if error is None and (message.offset() or 0) < self._read_to[topic]:
                continue  # the client lost track in a damaged batch, and begins at the beginning
            if error is not None and is_unreadable(error):
                failed.add(topic)
                self._unreadable.failed(topic, 0, error.str())
            else:
                if error is None or error.code() == KafkaError._PARTITION_EOF:
                    self._unreadable.read(topic, 0)
                yield message
        if failed:  # a seek is refused while the client finds its way
            self._consumer.assign([TopicPartition(topic, 0, end) for topic, end in self._read_to.items()])
            time.sleep(READ_AGAIN_S)

    def _apply(self) -> bool:
        """Take what was read into the book, across the topics by their Kafka timestamp.

        False: the machine cannot do it now, which is no fault of the record in question; to be tried again.
        """
        self._unapplied = deque(sorted(self._unapplied, key=lambda found: found.timestamp))
        with self.lock:
            while self._unapplied:
                record = self._unapplied[0]
                try:
                    dead_letter = self._registry.apply(record)
                except OSError as error:
                    self._failed(record, error)
                    return False
                shop_id = "" if dead_letter is not None else _decode_shop(record.value or b"").shop_id
                self._entries.append(_Entry(record.topic, record.offset, shop_id, dead_letter))
                self._positions[record.topic] = record.offset + 1
                self._unapplied.popleft()
        self._failure = None
        return True

    def _failed(self, record: Record, error: OSError) -> None:
        if self._failure is None:
            logger.error("%s offset %s cannot be applied: %s; retrying", record.topic, record.offset, error)
        self._failure = f"{record.topic} offset {record.offset} cannot be applied: {error}"

    def consequences(self, known: bytes | None, partition: int) -> Consequences | None:
        """What a partition owes that last judged with ``known``; None: nothing new. Called with the lock.

        Raises:
            NewerVersionError: a newer program wrote it.
        """
        before: dict[str, int] = orjson.loads(known) if known else {}
        version = before.pop("version", _VERSION)
        require_readable(
            version, _VERSION, "record of what is known of settings and roster", GLOBAL_TABLES_KEY
        )
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
        CLIENTS.remove(self._consumer)
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
            "check.crcs": True,
            "fetch.wait.max.ms": 100,
            **client_logging(),
            "error_cb": see,
        }
    )
