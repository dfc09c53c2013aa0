"""The ledger: how fast it is filled, against a bare COPY and against a worker; and what a sheet costs."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import psycopg
from confluent_kafka import Consumer, KafkaError, TopicPartition

from engines import Traffic
from running import Worker
from stream_attr.collector import without_collector
from stream_attr.contract.topics import OUTPUTS
from stream_attr.kafka.embedded.broker import embedded_broker
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.formats import xlsx_book
from stream_attr.ledger.reports.orders import COLUMNS
from stream_attr.ledger.reports.report import AsOf, Cell, Moment, Money, Report
from stream_attr.ledger.sink.folder import Files, fill
from stream_attr.ledger.sink.offsets import empty
from stream_attr.ledger.sink.tables import FILLED, TOPICS
from stream_attr.ledger.texts import Text
from stream_attr.replay.run import replay
from table import Row
from traffic import generated

__all__ = ["columns_of", "opened", "run"]

EVENTS: Final = 100_000
DAYS: Final = 15
ALTERNATIONS: Final = 3
AGAINST_COPY: Final = 0.6
AGAINST_WORKER: Final = 1.0
SHEET_ROWS: Final = 100_000
SHEET_CPU_S: Final = 25.0
SHEET_MB: Final = 200.0
PATIENCE_S: Final = 300.0
REST_S: Final = 3.0
"""So long without a judged event, and a worker has judged them all."""


def run() -> list[Row]:
    """Measure on 15 days of a large shop: all outputs, filled from files and from topics."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [_against_copy(folder), _against_worker(folder), *_sheet()]


@contextmanager
def opened(folder: Path) -> Iterator[psycopg.Connection[Any]]:
    """Run an embedded database with the ledger's schema, as durable as it is by default."""
    with Database(None, folder) as database:
        migrate(database)
        with database.connect(autocommit=True) as connection:
            yield connection


def _against_copy(folder: Path) -> Row:
    """Fill a ledger from files, and write the rows that this gives without reading any record, in turn.

    Both write to the same tables of one durable database, with their keys, indexes and partitions. The bare
    way is given each row as COPY's own text, made beforehand; it commits once, has no revision to replace, no
    offsets to guard and no record to check. What the ledger takes longer is reading, checking, batches and
    the order of revisions.
    """
    inputs = generated(folder / "generated", EVENTS, DAYS)
    replayed = folder / "replayed"
    replayed.mkdir()
    files = {topic: (replayed / f"{topic}.jsonl").open("wb") for topic in OUTPUTS}
    records = 0
    for output in replay(inputs):
        files[output.topic].write(output.value + b"\n")
        records += 1
    for file in files.values():
        file.close()
    ours, bare = [], []
    with opened(folder / "files") as connection, without_collector():
        fill(connection, Files(replayed))
        rows = {table: _copied(connection, table) for table in FILLED}
        for table in FILLED:
            columns = ", ".join(columns_of(connection, table))
            staged = f"CREATE UNLOGGED TABLE staged_{table} AS SELECT {columns} FROM {table} WITH NO DATA"
            connection.execute(staged.encode())
        for _ in range(ALTERNATIONS):
            empty(connection)
            ours.append(_timed(lambda: fill(connection, Files(replayed))))
            empty(connection)
            bare.append(_timed(lambda: _copy(connection, rows)))
    ratios = [theirs / mine for mine, theirs in zip(ours, bare, strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        "ledger filled, against a bare COPY and INSERT of its rows",
        f"{ratio:.2f} of the speed",
        f"at least {AGAINST_COPY}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"wall clock, {records / statistics.median(ours):,.0f} records/s",
        met=ratio >= AGAINST_COPY,
    )


def columns_of(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Return the columns of a table that are written, in their order."""
    query = (
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
    )
    return [name for (name,) in connection.execute(query, [table])]


def _copied(connection: psycopg.Connection[Any], table: str) -> bytes:
    columns = ", ".join(columns_of(connection, table))
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT".encode()) as copy,
    ):
        return b"".join(copy)


def _copy(connection: psycopg.Connection[Any], rows: Mapping[str, bytes]) -> None:
    """Write rows of tables by way of staging tables, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        for table, lines in rows.items():
            with cursor.copy(f"COPY staged_{table} FROM STDIN".encode()) as copy:
                copy.write(lines)
            columns = ", ".join(columns_of(connection, table))
            insert = f"INSERT INTO {table} ({columns}) SELECT * FROM staged_{table} ON CONFLICT DO NOTHING"
            cursor.execute(insert.encode())
            cursor.execute(f"TRUNCATE staged_{table}".encode())


def _against_worker(folder: Path) -> Row:
    """Have a worker fill topics, then a sink fill a ledger from them.

    The worker's time is from its first output's timestamp to its last one's.
    """
    traffic = Traffic.generate(folder / "sent", EVENTS, DAYS)
    with embedded_broker() as broker:
        prefix = f"{uuid.uuid4().hex[:8]}-"
        traffic.publish(broker.bootstrap, prefix)
        words = ("--clock", "events", "--accept-future", "--session-timeout", "2s")
        worker = Worker(broker.bootstrap, prefix, folder / "worker", *words)
        with worker.running():
            _until_it_rests(worker, traffic.events)
        emitted = Emitted.read(broker.bootstrap, prefix)
        sink = Sink(broker.bootstrap, prefix, folder / "ledger")
        with sink.running():
            per_second = _records_per_second(sink, emitted.records)
    writing_s = emitted.records / per_second
    ratio = emitted.seconds / writing_s
    return Row(
        "ledger filled from topics, against a worker that fills them",
        f"{ratio:.2f} of the speed",
        f"at least {AGAINST_WORKER:.0f}",
        note=f"all outputs, one after the other, embedded broker; {per_second:,.0f} records/s, "
        f"{emitted.seconds:.1f} s of the worker",
        met=ratio >= AGAINST_WORKER,
    )


@dataclass(frozen=True, slots=True)
class Emitted:
    """What the topics hold that a ledger is filled from."""

    records: int
    seconds: float
    """From the first output to the last one."""

    @classmethod
    def read(cls, bootstrap: str, prefix: str) -> Emitted:
        """Read them to their ends."""
        consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "benchmark",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
        known = consumer.list_topics(timeout=10).topics
        left = {(prefix + topic, number) for topic in TOPICS for number in known[prefix + topic].partitions}
        consumer.assign([TopicPartition(*one, 0) for one in left])
        records, times = 0, []
        try:
            while left:
                for message in consumer.consume(10_000, timeout=1):
                    error = message.error()
                    if error is None:
                        records += 1
                        if message.topic().removeprefix(prefix) in OUTPUTS:
                            times.append(message.timestamp()[1])
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard((message.topic(), message.partition()))
                    else:
                        raise AssertionError(error.str())
        finally:
            consumer.close()
        return cls(records, (max(times) - min(times)) / 1000)


class Sink(Worker):
    """``stream-attr ledger`` on an embedded database."""

    def __init__(self, bootstrap: str, prefix: str, data: Path) -> None:
        super().__init__(bootstrap, prefix, data)
        self._words = [
            *(sys.executable, "-P", "-m", "stream_attr", "ledger", "--broker", bootstrap),
            *("--topic-prefix", prefix, "--data-dir", str(data), "--web-port", str(self._port)),
        ]


def _until_it_rests(worker: Worker, events: int) -> None:
    """Wait until a worker has judged so many events and judges no more."""
    begun = rested = time.perf_counter()
    before = 0.0
    while before < events or time.perf_counter() - rested < REST_S:
        now = worker.metric("stream_attr_records_total")
        if now != before:
            before, rested = now, time.perf_counter()
        if time.perf_counter() - begun > PATIENCE_S:
            raise AssertionError(f"it did not come to the end within {PATIENCE_S:.0f} s:\n{worker.output()}")
        time.sleep(0.2)


def _records_per_second(sink: Sink, records: int) -> float:
    """Return the speed from the first records that it has written to the last of so many."""
    begun = time.perf_counter()
    first: tuple[float, float] | None = None
    while (now := time.perf_counter()) - begun < PATIENCE_S:
        done = sink.metric("stream_attr_ledger_records_total")
        if first is None and done > 0:
            first = now, done
        if first is not None and done >= records:
            assert first[1] < records, "all was written before it was looked at"
            return (records - first[1]) / (now - first[0])
        time.sleep(0.02)
    raise AssertionError(f"it did not come to the end within {PATIENCE_S:.0f} s:\n{sink.output()}")


def _sheet() -> list[Row]:
    """Write the sheet of a report in a new process."""
    with get_context("spawn").Pool(1) as pool:
        cpu_s, before_mb, after_mb = pool.apply(_write_sheet)
    return [
        Row(
            f"a sheet of {SHEET_ROWS:,} orders",
            f"{cpu_s:.1f} s of CPU",
            f"at most {SHEET_CPU_S:.0f} s",
            note=f"{len(COLUMNS)} columns",
            met=cpu_s <= SHEET_CPU_S,
        ),
        Row(
            f"memory for a sheet of {SHEET_ROWS:,} orders",
            f"{after_mb:.0f} MB",
            f"at most {SHEET_MB:.0f} MB",
            note=f"resident, the whole process; {before_mb:.0f} MB before",
            met=after_mb <= SHEET_MB,
        ),
    ]


def _write_sheet() -> tuple[float, float, float]:
    """Return CPU seconds, and resident megabytes before and at most."""
    before_mb, before_s = _most_resident_mb(), time.process_time()
    report = Report("orders", Text("Orders", "绩效明细"), list(COLUMNS), _orders(), AsOf((), "Asia/Shanghai"))
    with tempfile.TemporaryFile() as file:
        xlsx_book.write(report, "zh", file)
    return time.process_time() - before_s, before_mb, _most_resident_mb()


def _most_resident_mb() -> float:
    """Return the most memory that this process has held (``ru_maxrss`` counts that of its parent, too)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def _orders() -> Iterator[tuple[Cell, ...]]:
    """Yield rows as the report of orders has them."""
    for number in range(SHEET_ROWS):
        moment = Moment(1_794_412_800_000 + number * 1000, "Asia/Shanghai")
        cells: dict[str, Cell] = {
            **{column.key: f"{column.key}-{number % 5_000}" for column in COLUMNS},
            **{name: Money(1_000 + number, "CNY") for name in ("amount", "refund_completed", "net_amount")},
            **dict.fromkeys(("paid", "created", "final_at"), moment),
            "refund_requested": Money(0, "CNY"),
            "order": f"{3_000_000_000_000 + number}",
            "quantity": number % 7,
            "revision": 1 + number % 3,
        }
        yield tuple(cells[column.key] for column in COLUMNS)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
