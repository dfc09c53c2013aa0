"""A batch of records, written in one transaction: fenced by offsets, guarded by revisions (LEDGER 2).

The ledger depends on the records alone, not on how they are divided into batches: of the rows of one key the
one with the greatest revision and offset holds, within a batch as between batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Self, TypeAlias

from psycopg import Connection, Cursor, Error, OperationalError, Rollback, errors
from psycopg.sql import SQL, Identifier

from stream_attr.codec.visible import visible
from stream_attr.errors import StreamAttrError
from stream_attr.ledger.sink.rows import Row, UnstorableError, known_at, row_of
from stream_attr.ledger.sink.staging import STAGES, Step, names, steps_of
from stream_attr.ledger.sink.tables import OFFSETS, UNSTORED
from stream_attr.processor.ports import Record

__all__ = ["Batch", "FencedError", "Source", "prepare", "write"]

Source: TypeAlias = tuple[str, int]
"""A topic without prefix, and a partition of it; of files their topic, and their number among its files."""

_UNFIT: Final = (
    errors.DataError,
    errors.IntegrityError,
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,  # JSON that is nested deeper than PostgreSQL follows
)
"""Errors of rows that cannot be stored."""


_BOUNDS: Final = {
    "idle_in_transaction_session_timeout": "60s",
    "statement_timeout": "2min",
    "lock_timeout": "30s",
}
"""How long a transaction may wait for its sink, how long a statement may take, and wait for a lock. One that
hangs, on a machine that was suspended or cut off, must not keep its partitions from the others for ever; and
a sink that waits must not be taken for dead by its group."""


class FencedError(StreamAttrError):
    """Another sink has written what this one was about to write."""


class Batch:
    """Records of some sources, each from the offset on up to which the ledger has it."""

    def __init__(self, begins: Mapping[Source, int]) -> None:
        self.begins = begins
        self.ends: dict[Source, int] = {}
        """The offset behind the last record, of each source that has moved."""
        self.known_ts: dict[Source, int] = {}
        """When the last record came, epoch milliseconds."""
        self.watermarks: dict[Source, int] = {}
        self.rows: list[Row] = []
        self.unstored: list[tuple[Record, str]] = []
        """Records that cannot be stored, and why."""
        self._steps: Sequence[Step] | None = None

    def __len__(self) -> int:
        """The number of records."""
        return len(self.rows) + len(self.unstored)

    def add(self, record: Record) -> None:
        """Add the next record of its source."""
        self._steps = None
        source = record.topic, record.partition
        self.ends[source] = record.offset + 1
        known_ts = record.timestamp
        try:
            row = row_of(record)
        except UnstorableError as error:
            self.unstored.append((record, str(error)))
        else:
            self.rows.append(row)
            if row.watermark is not None:
                self.watermarks[source] = max(row.watermark, self.watermarks.get(source, 0))
                known_ts = known_at(record, row.watermark)
        if known_ts > self.known_ts.get(source, -1):
            self.known_ts[source] = known_ts

    def advance(self, source: Source, end: int) -> None:
        """Pass over offsets that hold no record, such as those of a transaction's end."""
        if end > self.ends.get(source, self.begins[source]):
            self.ends[source] = end

    def following(self) -> Batch:
        """Return an empty batch that begins where this one ends."""
        return Batch({**self.begins, **self.ends})

    def refuse(self, unfit: Iterable[tuple[Row, str]]) -> None:
        """Turn rows that the database does not take into records that are not stored."""
        refused = {id(row): why for row, why in unfit}
        self.unstored += [(row.record, refused[id(row)]) for row in self.rows if id(row) in refused]
        self.rows = [row for row in self.rows if id(row) not in refused]
        self._steps = None

    def ready(self) -> Self:
        """Make beforehand what is to be sent to the database, which may be at another batch meanwhile."""
        self._steps = steps_of(self.rows)
        return self

    @property
    def steps(self) -> Sequence[Step]:
        """What writes the rows."""
        return steps_of(self.rows) if self._steps is None else self._steps

    @property
    def stored(self) -> Counter[str]:
        """The number of rows by topic."""
        return Counter(row.record.topic for row in self.rows)


def prepare(connection: Connection[Any]) -> None:
    """Make the temporary tables in which rows are staged, and bound what may hang; once per connection.

    Raises:
        psycopg.Error: the database refuses, or is away.
    """
    with connection.transaction():
        for name, value in _BOUNDS.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        for stage in STAGES:
            connection.execute(stage)


def write(connection: Connection[Any], batch: Batch) -> None:
    """Write a batch and its offsets in one transaction, or nothing of it.

    Rows that the database does not take become rows of ``unstored``; ``batch`` then says so.

    Raises:
        FencedError: the ledger does not stand where the batch begins.
        psycopg.OperationalError: the database is away, or has ended the connection.
        psycopg.Error: it refuses all of it.
    """
    while True:
        try:
            with connection.transaction(), connection.cursor() as cursor:
                _fence(cursor, batch)
                _apply(cursor, batch.steps)
                _keep_unstored(cursor, batch.unstored)
        except _UNFIT:
            unfit = _unfit(connection, batch.rows)
            if not unfit:
                raise
            batch.refuse(unfit)
        except Error as error:
            if connection.closed and not isinstance(error, OperationalError):  # it was idle for too long
                raise OperationalError(error.diag.message_primary or str(error)) from error
            raise
        else:
            return


def _fence(cursor: Cursor[Any], batch: Batch) -> None:
    """Move the offsets, if they are where the batch begins; they stay locked until the transaction ends.

    Raises:
        FencedError: they are not.
    """
    for source, end in sorted(batch.ends.items()):
        topic, partition = source
        begin = batch.begins[source]
        cursor.execute(
            _MOVE,
            (
                end,
                batch.known_ts.get(source),
                batch.watermarks.get(source),
                topic,
                partition,
                begin,
            ),
        )
        if cursor.rowcount != 1:
            raise FencedError(
                f"partition {partition} of {topic} is no longer at offset {begin} in the ledger: another "
                "'stream-attr ledger' writes it, and this one has written nothing of its last batch"
            )


_MOVE: Final = SQL(
    "UPDATE {} SET next = %s, known_ts = greatest(known_ts, %s), watermark = greatest(watermark, %s) "
    "WHERE topic = %s AND source_partition = %s AND next = %s"
).format(Identifier(OFFSETS))


def _apply(cursor: Cursor[Any], steps: Iterable[Step]) -> None:
    """Stage rows and write those that the guard lets through."""
    for step in steps:
        _copy(cursor, step)
        for statement in step.statements:
            cursor.execute(statement)


def _keep_unstored(cursor: Cursor[Any], unstored: Sequence[tuple[Record, str]]) -> None:
    # Not `executemany`: behind its pipeline the server does not time an idle transaction (PostgreSQL 18).
    for record, why in unstored:
        source = (record.topic, record.partition, record.offset, record.timestamp)
        cursor.execute(_UNSTORED, (*source, visible(why), record.key, record.value))


def _unfit(connection: Connection[Any], rows: Sequence[Row]) -> list[tuple[Row, str]]:
    """Return the rows that the database does not take, and what it says of each; writes nothing.

    By halves: a few bad rows of many cost a few attempts.
    """
    if not rows:
        return []
    try:
        with connection.transaction() as attempt, connection.cursor() as cursor:
            _apply(cursor, steps_of(rows))
            raise Rollback(attempt)
    except _UNFIT as error:
        if len(rows) == 1:
            return [(rows[0], error.diag.message_primary or str(error))]
    else:
        return []
    half = len(rows) // 2
    return _unfit(connection, rows[:half]) + _unfit(connection, rows[half:])


def _copy(cursor: Cursor[Any], step: Step) -> None:
    with cursor.copy(step.copy) as copy:
        copy.write(step.lines)


_UNSTORED: Final = SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
    Identifier(UNSTORED.name), names(UNSTORED.columns), SQL(", ").join([SQL("%s")] * len(UNSTORED.columns))
)
