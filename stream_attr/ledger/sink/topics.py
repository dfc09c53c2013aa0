"""Fills the ledger from the topics of a broker, as one of several sinks that share the partitions.

Partitions are shared by a consumer group, but the group's offsets are not used: where to go on stands in the
ledger, written with the records. After whatever was lost, the database's connection or a partition, the batch
at hand is dropped and reading goes on from there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaException, Message, TopicPartition
from psycopg import Connection

from stream_attr.errors import StreamAttrError
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import LOGGED, Reader
from stream_attr.kafka.connection import connect, reason_of
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import TopicsMissingError
from stream_attr.ledger.database.connect import DatabaseAway
from stream_attr.ledger.roll_up.kept import RollUp
from stream_attr.ledger.sink.batch import Batch, FencedError, Source, prepare, write
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.ledger.sink.offsets import claim
from stream_attr.ledger.sink.partitions import Partitions, passes
from stream_attr.ledger.sink.status import Status
from stream_attr.ledger.sink.tables import TOPICS
from stream_attr.processor.ports import Record

__all__ = ["OffsetWentBackError", "TopicSink"]

logger = logging.getLogger(__name__)

BATCH_RECORDS: Final = 5_000
BATCH_BYTES: Final = 16 << 20
LINGER_S: Final = 0.5
"""A batch is written when it has so many records or bytes, or its first record has waited so long."""
_READ: Final = 500
_PAUSE_S: Final = 0.05
_RETRY_S: Final = 1.0
_CHECK_EVERY_S: Final = 5.0
_DAYS_EVERY_S: Final = 10.0
_DAYS_S: Final = 1.0
"""How long days are made at once, and how often: nothing is read meanwhile."""
_TRIAL_S: Final = 30.0
"""How long a partition that cannot be read is left out before it is tried again."""
_MOST_FENCED: Final = 5
"""Batches fenced in a row: another sink writes the same partitions without being of the group."""
_CLIENT: Final = {
    **LOGGED,
    "session.timeout.ms": 10_000,  # how long one may be silent before others take its partitions
    "max.poll.interval.ms": 900_000,  # how long a batch may take: statements end before (see `batch.prepare`)
    "fetch.message.max.bytes": 1 << 20,
    "fetch.max.bytes": 16 << 20,
    "queued.max.messages.kbytes": 32 << 10,
}
_AWAY: Final = (
    DatabaseAway,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # of a replica that is not promoted yet
)


class OffsetWentBackError(StreamAttrError):
    """A partition ends before what the ledger has of it."""


class UnreadableTopicError(StreamAttrError):
    """A topic cannot be read; the message says which, and why."""


class TopicSink:
    """Reads all output topics, settings, roster and rulings, and writes them to the ledger."""

    def __init__(
        self,
        bootstrap: str,
        security: Security,
        prefix: str,
        group: str,
        open_database: Callable[[], Connection[Any]],
        metrics: SinkMetrics,
        status: Status,
    ) -> None:
        """Connect to the broker.

        ``open_database``: returns a connection in autocommit mode to a ledger that has the schema; raises
        DatabaseAway while that cannot be had.

        Raises:
            BrokerUnreachable: no broker answers.
            TopicsMissingError: a topic does not exist.
        """
        self._bootstrap = bootstrap
        self._security = security
        self._group = prefix + group
        self._names = {prefix + topic: topic for topic in TOPICS}
        self._prefix = prefix
        self._open_database = open_database
        self._metrics = metrics
        self._status = status
        cluster = connect(bootstrap, security)[1]
        if missing := sorted(self._names.keys() - cluster.topics.keys()):
            raise TopicsMissingError(
                f"no topic {', '.join(missing)} on {bootstrap}; "
                f"create them with: {topics_command(bootstrap, prefix)}"
            )
        self._partitions = Partitions(bootstrap, security, prefix, TOPICS, metrics)
        self._connection: Connection[Any] | None = None
        self._sources: list[Source] = []
        """The partitions that the group gave to this sink."""
        self._batch: Batch | None = None
        """What comes next; None: it is not known yet where to go on."""
        self._reached: Mapping[Source, int] = {}
        """How far the ledger has each partition."""
        self._bytes = 0
        self._begun = 0.0
        self._next_try = self._next_check = 0.0
        self._next_trial = self._next_days = 0.0
        self._days = RollUp()
        self._fenced = 0

    def run(self, stop: threading.Event) -> None:
        """Fill the ledger until stopped; what has been read by then is written.

        Raises:
            OtherSourceError: a topic was recreated, or the ledger was filled from elsewhere.
            OffsetWentBackError: the broker has lost records that the ledger has.
            FencedError: a sink outside of the group writes the same partitions.
            UnreadableTopicError: the broker refuses a topic.
            DatabaseError, psycopg.Error: the database refuses what it is asked.
        """
        try:
            with Reader(self._bootstrap, self._security, self._group, _CLIENT) as reader:
                reader.join(self._names, self._assigned, self._revoked)
                while not stop.is_set():
                    self._step(reader)
                if self._batch is not None and self._batch.ends:
                    self._write(reader)
        except KafkaException as error:
            raise UnreadableTopicError(f"the topics cannot be read: {reason_of(error)}") from error
        finally:
            self._status.reason = "it has ended"
            self._disconnect()

    def _step(self, reader: Reader) -> None:
        self._status.move()
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + _CHECK_EVERY_S
            self._check(reader)
        if self._batch is None and now >= self._next_try:
            self._next_try = now + _RETRY_S
            self._go_on(reader)
        for message in reader.read(_READ, _PAUSE_S):
            self._take(reader, message)
        batch = self._batch
        if batch is None or not batch.ends:
            self._begun = time.monotonic()
            self._make_days(reader)
        elif len(batch) >= BATCH_RECORDS or self._bytes >= BATCH_BYTES:
            self._write(reader)
        elif time.monotonic() - self._begun >= LINGER_S:
            self._write(reader)
            self._make_days(reader)

    def _make_days(self, reader: Reader) -> None:
        """Make what days come to, now and then, once all that there is has been read."""
        if self._batch is None or self._connection is None or time.monotonic() < self._next_days:
            return
        self._next_days = time.monotonic() + _DAYS_EVERY_S
        try:
            self._days.make(self._connection, _DAYS_S)
        except _AWAY as error:
            self._lose_database(reader, error)

    def _assigned(self, partitions: list[TopicPartition]) -> None:
        self._sources = sorted((self._names[one.topic], one.partition) for one in partitions)
        self._forget()

    def _revoked(self, _partitions: list[TopicPartition]) -> None:
        self._sources = []
        self._forget()

    def _forget(self) -> None:
        """Drop the batch: where to go on is read from the ledger."""
        self._batch = None
        self._next_try = 0.0
        self._metrics.forget()
        self._partitions.forget()
        self._status.sources = []

    def _go_on(self, reader: Reader) -> None:
        """Find out where to go on, and read from there, if the database and the broker answer."""
        try:
            if self._connection is None:
                connection = self._open_database()
                prepare(connection)
                self._connection = connection
            begins = claim(self._connection, self._partitions.ids(self._sources))
        except _AWAY as error:
            self._lose_database(reader, error)
            return
        except KafkaException as error:
            if not passes(error.args[0]):
                raise
            return
        positions = self._partitions.positions(reader, begins)
        if positions is None:
            return
        reader.assign(positions)
        self._batch, self._bytes, self._reached = Batch(begins), 0, begins
        self._metrics.away(False)
        none_yet = "the group has no partition for it yet"
        self._status.reason = self._partitions.why_not() if self._sources else none_yet
        self._status.sources = self._sources

    def _take(self, reader: Reader, message: Message) -> None:
        """Add a record to the batch, or do what an error asks for."""
        topic, partition = message.topic() or "", int(message.partition() or 0)
        error = message.error()
        if error is None:
            self._partitions.answered()
            if self._batch is not None:
                self._partitions.read((self._names[topic], partition))
                value, offset = message.value(), int(message.offset() or 0)
                kind, timestamp = message.timestamp()
                self._batch.add(
                    Record(
                        self._names[topic], partition, offset, timestamp if kind else -1, message.key(), value
                    )
                )
                self._bytes += len(value or b"")
            return
        kind_of_error = kind_of(error)
        if kind_of_error is ErrorKind.END_OF_PARTITION:
            self._partitions.answered()
            if self._batch is not None:
                self._partitions.read((self._names[topic], partition))
                self._batch.advance((self._names[topic], partition), int(message.offset() or 0))
        elif kind_of_error is ErrorKind.NO_SUCH_OFFSET:
            self._find_out_why(reader, (self._names[topic], partition))
        elif kind_of_error is ErrorKind.UNREADABLE and topic:
            self._leave_out(reader, (self._names[topic], partition), error.str())
        elif not passes(error):
            raise UnreadableTopicError(f"{topic or 'the topics'} cannot be read: {error.str()}")

    def _leave_out(self, reader: Reader, source: Source, why: str) -> None:
        """Go on without a partition of which a batch is damaged, or compressed with an unknown codec."""
        self._partitions.leave_out(source, why)
        self._next_trial = time.monotonic() + _TRIAL_S
        if self._batch is not None and self._batch.ends:
            self._write(reader)
        self._lose_positions(reader)
        self._status.reason = self._partitions.why_not()

    def _find_out_why(self, reader: Reader, source: Source) -> None:
        """Go on where a partition begins now, if what was to be read of it has been deleted.

        (Where it ends is asked only after the broker has refused an offset: the embedded broker names the
        first offset of the last batch as the last one.)

        Raises:
            OffsetWentBackError: the partition ends before what the ledger has of it.
        """
        topic, partition = self._prefix + source[0], source[1]
        reached = self._reached.get(source, 0)
        bounds = self._partitions.bounds(reader, source)
        if bounds is not None and reached > bounds[1] and self._partitions.is_the_same(source):
            raise OffsetWentBackError(
                f"partition {partition} of {topic} ends at offset {bounds[1]}, and the ledger has it up to "
                f"{reached}: the broker has lost records, as one that was restored from an older copy; once "
                "it is right, fill the ledger again with --rebuild, which empties it first"
            )
        self._lose_positions(reader)

    def _write(self, reader: Reader) -> None:
        """Write the batch, or drop it and read again from where the ledger stands."""
        assert self._batch is not None
        assert self._connection is not None
        begun = time.monotonic()
        try:
            write(self._connection, self._batch)
        except FencedError:
            self._fenced += 1
            if self._fenced >= _MOST_FENCED:
                raise
            self._metrics.fenced()
            logger.warning("another sink has written what this one was about to; it reads on from there")
            self._lose_positions(reader)
        except _AWAY as error:
            self._lose_database(reader, error)
        else:
            self._fenced = 0
            self._metrics.written(self._batch, time.monotonic() - begun)
            self._batch, self._bytes = self._batch.following(), 0
            self._reached = self._batch.begins

    def _lose_positions(self, reader: Reader) -> None:
        reader.assign([])
        self._batch = None
        self._next_try = 0.0

    def _lose_database(self, reader: Reader, error: Exception) -> None:
        """Wait for the database: what was read is read again later."""
        away = self._connection is None or self._connection.broken
        state = "is away" if away else "takes no batch now"
        reason = f"the database {state}: {str(error).strip().partition(chr(10))[0]}"
        if self._status.reason != reason:
            logger.warning("%s; it is tried again every second", reason)
        self._status.reason = reason
        self._metrics.away(True)
        self._disconnect()
        self._lose_positions(reader)
        self._next_try = time.monotonic() + _RETRY_S

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _check(self, reader: Reader) -> None:
        """Check that the topics are the same ones and can be read, and set the lag."""
        again = time.monotonic() >= self._next_trial and self._partitions.try_again()
        if self._partitions.are_recreated() or again:
            self._lose_positions(reader)
        reason = self._partitions.why_not()
        if reason is not None or (self._batch is not None and self._sources):
            self._status.reason = reason
        self._set_lag(reader)

    def _set_lag(self, reader: Reader) -> None:
        """Set how far each partition is behind, while the database is away too."""
        reads = self._batch is not None
        for source in self._reached.keys() & self._sources:
            if reads and not self._partitions.is_left_out(source):
                end = reader.fetched_end(self._prefix + source[0], source[1])
            else:
                bounds = self._partitions.bounds(reader, source)
                if bounds is None:
                    return
                end = bounds[1]
            if end >= 0:
                self._metrics.lag(source, max(end - self._reached[source], 0))
