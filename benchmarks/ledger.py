"""The ledger: how fast it is filled, against a bare COPY and against a worker; and what a sheet costs."""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import psycopg
from confluent_kafka import Consumer, TopicPartition

from engines import PARTITIONS, Traffic
from running import Worker
from stream_attr.contract.topics import OUTPUTS
from stream_attr.kafka.embedded.broker import embedded_broker
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.formats import xlsx_book
from stream_attr.ledger.reports.orders import COLUMNS
from stream_attr.ledger.reports.report import AsOf, Cell, Moment, Money, Report
from stream_attr.ledger.sink.folder import Files, fill
from stream_attr.ledger.sink.offsets import empty
from stream_attr.ledger.texts import Text
from stream_attr.replay.run import replay
from stream_attr.replay.steps import without_collector
from table import Row
from traffic import generated

__all__ = ["opened", "run"]

EVENTS: Final = 100_000
DAYS: Final = 15
ALTERNATIONS: Final = 3
AGAINST_COPY: Final = 0.6
AGAINST_WORKER: Final = 1.0
SHEET_ROWS: Final = 100_000
SHEET_CPU_S: Final = 25.0
SHEET_MB: Final = 200.0
PATIENCE_S: Final = 300.0


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
    """Fill a ledger and copy the same bytes, in turn."""
    inputs = generated(folder / "generated", EVENTS, DAYS)
    replayed = folder / "replayed"
    replayed.mkdir()
    files = {topic: (replayed / f"{topic}.jsonl").open("wb") for topic in OUTPUTS}
    for output in replay(inputs):
        files[output.topic].write(output.value + b"\n")
    for file in files.values():
        file.close()
    lines = [
        (topic, number, line.decode())
        for topic in OUTPUTS
        for number, line in enumerate((replayed / f"{topic}.jsonl").read_bytes().splitlines())
    ]
    ours, bare = [], []
    with opened(folder / "files") as connection, without_collector():
        for _ in range(ALTERNATIONS):
            empty(connection)
            ours.append(_timed(lambda: fill(connection, Files(replayed))))
            connection.execute(_BARE)
            bare.append(_timed(lambda: _copy(connection, lines)))
    ratios = [theirs / mine for mine, theirs in zip(ours, bare, strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        "ledger filled, against a bare COPY and INSERT",
        f"{ratio:.2f} of the speed",
        f"at least {AGAINST_COPY}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"wall clock, {len(lines) / statistics.median(ours):,.0f} records/s of the same bytes",
        met=ratio >= AGAINST_COPY,
    )


_BARE: Final = """
DROP TABLE IF EXISTS bare, staged;
CREATE UNLOGGED TABLE staged (topic text, number bigint, value text);
CREATE TABLE bare (topic text, number bigint, value json, PRIMARY KEY (topic, number));
"""


def _copy(connection: psycopg.Connection[Any], lines: Sequence[tuple[str, int, str]]) -> None:
    """Write lines as they are, by a staging table, and replace what is there."""
    with connection.transaction(), connection.cursor() as cursor:
        with cursor.copy("COPY staged FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
        cursor.execute(
            "INSERT INTO bare SELECT topic, number, value::json FROM staged"
            " ON CONFLICT (topic, number) DO UPDATE SET value = excluded.value"
        )


def _against_worker(folder: Path) -> Row:
    """Have a worker fill topics, then a sink fill a ledger from them."""
    traffic = Traffic.generate(folder / "sent", EVENTS, DAYS)
    with embedded_broker() as broker:
        prefix = f"{uuid.uuid4().hex[:8]}-"
        traffic.publish(broker.bootstrap, prefix)
        words = ("--clock", "events", "--accept-future", "--session-timeout", "2s")
        worker = Worker(broker.bootstrap, prefix, folder / "worker", *words)
        with worker.running():
            judging = _until_none_is_left(worker, "stream_attr_lag_records", "stream_attr_records_total")
        told = _records(broker.bootstrap, prefix)
        sink = Sink(broker.bootstrap, prefix, folder / "ledger")
        with sink.running():
            writing = _until_none_is_left(
                sink, "stream_attr_ledger_lag_records", "stream_attr_ledger_records_total"
            )
    ratio = judging / writing
    return Row(
        "ledger filled from topics, against a worker that fills them",
        f"{ratio:.2f} of the speed",
        f"at least {AGAINST_WORKER:.0f}",
        note=f"all outputs, one after the other, embedded broker; {told / writing:,.0f} records/s",
        met=ratio >= AGAINST_WORKER,
    )


class Sink(Worker):
    """``stream-attr ledger`` on an embedded database."""

    def __init__(self, bootstrap: str, prefix: str, data: Path) -> None:
        super().__init__(bootstrap, prefix, data)
        self._words = [
            *(sys.executable, "-P", "-m", "stream_attr", "ledger", "--broker", bootstrap),
            *("--topic-prefix", prefix, "--data-dir", str(data), "--web-port", str(self._port)),
        ]


def _until_none_is_left(process: Worker, lag: str, done: str) -> float:
    """Return the seconds from its first record until it has all."""
    begun = time.perf_counter()
    first: float | None = None
    while time.perf_counter() - begun < PATIENCE_S:
        if first is None and process.metric(done) > 0:
            first = time.perf_counter()
        if first is not None and process.metric(lag) == 0:
            return time.perf_counter() - first
        time.sleep(0.05)
    raise AssertionError(f"it did not come to the end within {PATIENCE_S:.0f} s:\n{process.said()}")


def _records(bootstrap: str, prefix: str) -> int:
    """Count the offsets of all output topics."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "benchmark"})
    try:
        partitions = [
            TopicPartition(prefix + topic, number) for topic in OUTPUTS for number in range(PARTITIONS)
        ]
        return sum(consumer.get_watermark_offsets(one, timeout=10)[1] for one in partitions)
    finally:
        consumer.close()


def _sheet() -> list[Row]:
    """Write the sheet of a report in a process of its own, whose memory is its own."""
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
    before = resource.getrusage(resource.RUSAGE_SELF)
    report = Report("orders", Text("Orders", "绩效明细"), list(COLUMNS), _orders(), AsOf((), "Asia/Shanghai"))
    with tempfile.TemporaryFile() as file:
        xlsx_book.write(report, "zh", file)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, before.ru_maxrss / 1024, after.ru_maxrss / 1024


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
