"""How far the workers have read each partition of the inputs: the table ``input_partition``.

Their progress lies in the changelog, last in each of their transactions. So the end of a partition of it is
enough; what else lies there, buyers' state, is passed over undecoded. This is no part of the sink's batches:
it says what the workers had read at a time, whether the ledger has what came of it or not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import psycopg
from confluent_kafka import KafkaException, TopicPartition
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from stream_attr.codec.internal.progress import Progress, decode_progress
from stream_attr.codec.internal.seen_inputs import SEEN_INPUTS_KEY, SeenInputs, decode_seen_inputs
from stream_attr.codec.versions import NewerVersionError
from stream_attr.contract.topics import CHANGELOG, CHAT, ORDERS, RULINGS
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import QUIET, Reader
from stream_attr.kafka.connection import reason_of
from stream_attr.kafka.security import Security
from stream_attr.ledger.database.connect import DatabaseAway
from stream_attr.ledger.sink.tables import INPUT_PARTITION
from stream_attr.processor.ports import PROGRESS_KEY

__all__ = ["InputWatch", "Reached", "store_reached"]

logger = logging.getLogger(__name__)

_EVERY_S: Final = 5.0
_TIMEOUT_S: Final = 2.0
_TAIL: Final = 64
"""So many offsets before a partition's end are looked at first; more where they hold no progress."""
_LONGEST_TAIL: Final = _TAIL * 4**8
_READ: Final = 500
_PAUSE_S: Final = 0.02
_EVENTS: Final = (CHAT, ORDERS, RULINGS)


class Reached(NamedTuple):
    """How far a partition of the inputs had been read at a time."""

    progress: Progress
    known_ts: int
    """When that was written, epoch milliseconds."""
    seen: SeenInputs | None = None
    """What the worker had noticed; None: it was an older one."""


class InputWatch:
    """Keeps the table up to date, on a thread of its own, while this sink is the one to do it."""

    def __init__(
        self,
        bootstrap: str,
        security: Security,
        prefix: str,
        group: str,
        connect: Callable[[], Connection[Any]],
        is_ours: Callable[[], bool],
    ) -> None:
        """``connect`` returns a connection to a ledger that has the schema, in autocommit mode.

        ``is_ours``: whether this sink is the one of its group that keeps the table.
        """
        self._bootstrap = bootstrap
        self._security = security
        self._topic = prefix + CHANGELOG
        self._group = prefix + group
        self._connect = connect
        self._is_ours = is_ours
        self._ends: dict[int, int] = {}
        """By partition, where it ended when its progress was read last."""
        self._tails: dict[int, int] = {}
        self._reported: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Look every few seconds, until stopped. What fails is tried again, and logged once."""
        with Reader(self._bootstrap, self._security, self._group, QUIET) as reader:
            while not stop.wait(_EVERY_S):
                if not self._is_ours():
                    self._ends.clear()
                    continue
                try:
                    if found := self._look(reader, stop):
                        with self._connect() as connection:
                            store_reached(connection, found)
                except KafkaException as error:
                    self._report(f"{self._topic} cannot be read: {reason_of(error)}")
                except (NewerVersionError, DatabaseAway, psycopg.Error, StreamAttrError) as error:
                    self._report(str(error))
                else:
                    self._reported = None
                    continue
                self._ends.clear()

    def _report(self, why: str) -> None:
        if why != self._reported:
            logger.warning("how far workers have read the inputs is not known: %s; it is tried again", why)
            self._reported = why

    def _look(self, reader: Reader, stop: threading.Event) -> dict[int, Reached]:
        """Return the progress of the partitions that have moved since."""
        topic = reader.metadata(_TIMEOUT_S, self._topic).topics[self._topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        ends, positions = {}, []
        for number in sorted(topic.partitions):
            bounds = reader.bounds(self._topic, number, _TIMEOUT_S)
            if bounds is None or stop.is_set():
                return {}
            if bounds[1] == self._ends.get(number) or bounds[0] == bounds[1]:
                continue
            ends[number] = bounds[1]
            tail = self._tails.get(number, _TAIL)
            positions.append(TopicPartition(self._topic, number, max(bounds[0], bounds[1] - tail)))
        found = self._read(reader, positions, stop)
        for number, end in ends.items():
            if number in found:
                self._ends[number] = end
                self._tails[number] = _TAIL
            else:
                self._tails[number] = min(self._tails.get(number, _TAIL) * 4, _LONGEST_TAIL)
        return found

    def _read(
        self, reader: Reader, positions: list[TopicPartition], stop: threading.Event
    ) -> dict[int, Reached]:
        """Read partitions to their ends; returns the last progress of each that has one there."""
        found: dict[int, Reached] = {}
        left = {one.partition for one in positions}
        reader.assign(positions)
        until = time.monotonic() + _EVERY_S
        while left and time.monotonic() < until and not stop.is_set():
            for message in reader.read(_READ, _PAUSE_S):
                number, error = int(message.partition() or 0), message.error()
                if error is not None:
                    if kind_of(error) is ErrorKind.END_OF_PARTITION:
                        left.discard(number)
                    elif kind_of(error) is ErrorKind.UNREADABLE:
                        raise KafkaException(error)
                elif (value := message.value()) is None:
                    continue
                elif message.key() == PROGRESS_KEY:
                    found[number] = Reached(decode_progress(value, PROGRESS_KEY), message.timestamp()[1])
                elif message.key() == SEEN_INPUTS_KEY and number in found:
                    found[number] = found[number]._replace(seen=decode_seen_inputs(value))
        reader.assign([])
        return found


def store_reached(connection: Connection[Any], found: Mapping[int, Reached]) -> None:
    """Write how far partitions were read, by their number; what is older than what is there is left.

    Raises:
        psycopg.Error: the database refuses, or is away.
    """
    for number, (progress, known_ts, seen) in sorted(found.items()):
        for topic in _EVENTS:
            if (offset := progress.offsets.get(topic)) is None:
                continue
            noticed: tuple[int | None, ...] = (None, None, None)
            if seen is not None:
                noticed = (*seen.murmur2.get(topic, (0, 0)), seen.other_content.get(topic, 0))
            read = (offset, progress.seen.get(topic), progress.watermark, known_ts)
            connection.execute(_WRITE, (topic, number, *read, *noticed))


_READ_UP_TO: Final = ("next", "seen_ts", "watermark", "known_ts", "keys", "murmur2_keys", "other_content")
_WRITE: Final = SQL(
    "INSERT INTO {table} AS held (topic, source_partition, {columns}) VALUES (%s, %s, {values})"
    " ON CONFLICT (topic, source_partition) DO UPDATE SET {changes} WHERE held.known_ts <= excluded.known_ts"
).format(
    table=Identifier(INPUT_PARTITION),
    columns=SQL(", ").join(map(Identifier, _READ_UP_TO)),
    values=SQL(", ").join([SQL("%s")] * len(_READ_UP_TO)),
    changes=SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(one)) for one in _READ_UP_TO),
)
