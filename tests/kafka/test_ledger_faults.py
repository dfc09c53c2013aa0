"""Faults under the ledger's sink, on Apache Kafka and a PostgreSQL that is killed, hangs or has a full disk.

Each ends by comparing the ledger with the topics: nothing is lost, nothing is there twice.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from apache_kafka import Cluster
from confluent_kafka.admin import AdminClient
from psycopg.sql import SQL, Identifier

from stream_attr.contract.topics import AGENT_DAILY, DECISIONS, INQUIRIES
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres, running_in
from stream_attr.ledger.database.migrate import migrate
from tests.kafka.sink_hooked import STEPS
from tests.kafka.sink_process import SinkProcess, Trial
from tests.kafka.small_disk import fill, mounted
from tests.kafka.test_compression import damaged, flip
from tests.kafka.worker_process import LONGEST_S, messages, until
from tests.ledger.conftest import address_of
from tests.ledger.sink.contents import rows
from tests.ledger.sink.test_rows import first

ORDERS = 12
TEMPLATE = "template_of_faults"
AT_EACH_STEP = tuple(f"--at={step}" for step in STEPS)


class Server:
    """A PostgreSQL of these tests' own: what it has committed survives its being killed."""

    def __init__(self, folder: Path) -> None:
        self.postgres = EmbeddedPostgres(folder, {"fsync": "off"})
        self.count = 0

    def execute(self, query: str, *names: str) -> None:
        with psycopg.connect(address_of(self.postgres, "postgres"), autocommit=True) as connection:
            connection.execute(SQL(query).format(*map(Identifier, names)))

    @contextmanager
    def ledger(self, tablespace: str = "pg_default") -> Iterator[Database]:
        self.count += 1
        name = f"ledger_{self.count}"
        self.execute("CREATE DATABASE {} TEMPLATE {} TABLESPACE {}", name, TEMPLATE, tablespace)
        with Database(address_of(self.postgres, name), Path()) as ledger:
            yield ledger
        self.execute("DROP DATABASE {} WITH (FORCE)", name)

    def kill(self) -> None:
        os.kill(self.postgres.pid, signal.SIGKILL)

    def start_again(self) -> None:
        self.postgres.close()
        self.postgres.start()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("pg"))
    with made.postgres:
        made.execute("CREATE DATABASE {}", TEMPLATE)
        with Database(address_of(made.postgres, TEMPLATE), Path()) as database:
            migrate(database)
        yield made


@pytest.fixture
def trial(apache: Cluster, topic_prefix: str, server: Server, tmp_path: Path) -> Iterator[Trial]:
    with server.ledger() as ledger:
        made = Trial(apache.bootstrap, topic_prefix, ledger, tmp_path)
        yield made
        made.end()


def until_frozen(sink: SinkProcess) -> None:
    until(sink.is_frozen, sink)


def test_the_sink_is_killed_at_each_step_of_a_batch(trial):
    for number, step in enumerate(STEPS, 1):
        trial.decide(ORDERS, revision=number, transactional=True)
        killed = trial.sink(f"--group={number}", hooks=(f"--at={step}",))  # the group would wait for the dead
        assert killed.start().wait() == -signal.SIGKILL
    sink = trial.sink().start().until_ready()
    trial.compare(sink)
    assert sink.stop() == 0


def test_the_database_is_killed_at_each_step_of_a_batch(trial, server):
    sink = trial.sink(hooks=(*AT_EACH_STEP, "--do=freeze")).start()
    for number in range(1, len(STEPS) + 1):
        trial.decide(ORDERS, revision=number, transactional=True)
        until_frozen(sink)
        server.kill()
        server.start_again()
        sink.signal(signal.SIGCONT)
    trial.compare(sink)
    assert sink.stop() == 0


def test_the_broker_is_killed_at_each_step_of_a_batch(trial, apache):
    sink = trial.sink(hooks=(*AT_EACH_STEP, "--do=freeze")).start()
    try:
        for number in range(1, len(STEPS) + 1):
            trial.decide(ORDERS, revision=number, transactional=True)
            trial.until_committed()
            until_frozen(sink)
            apache.kill()
            apache.start()
            sink.signal(signal.SIGCONT)
    finally:
        apache.start()
    trial.compare(sink)
    assert sink.stop() == 0


def test_a_broker_that_is_away_is_reported_and_does_not_hold_up_the_end(trial, apache):
    trial.decide(ORDERS, transactional=True)
    sink = trial.sink(hooks=("--hasty",)).start()
    trial.until_equal(sink)
    apache.kill()
    try:
        until(lambda: b"the broker has not answered" in sink.get("/ready")[1], sink)
        assert sink.metric("stream_attr_ledger_ready") == 0
        assert sink.stop() == 0
    finally:
        apache.start()
    trial.decide(ORDERS, revision=2, transactional=True)
    trial.compare(sink.start())


@pytest.mark.parametrize("step", ["read", "written"], ids=["before its transaction", "within it"])
def test_a_zombie_writes_nothing(trial, step):
    trial.decide(ORDERS, transactional=True)
    zombie, other = trial.sink(hooks=("--hasty", f"--at={step}", "--do=freeze")), trial.sink()
    zombie.start()
    until_frozen(zombie)
    trial.until_equal(other.start())  # its group and, within the transaction, its server have given it up
    zombie.signal(signal.SIGCONT)
    trial.decide(ORDERS, revision=2, transactional=True)
    trial.compare(zombie, other)
    assert zombie.stop() == 0
    assert "Traceback" not in zombie.output()
    if step == "read":
        assert "another sink has written what this one was about to" in zombie.output()


def test_a_batch_that_waits_longer_than_its_group_does_is_written_in_the_end(trial):
    sink = trial.sink(hooks=("--hasty",)).start().until_ready()
    admin, group = AdminClient({"bootstrap.servers": trial.bootstrap}), f"{trial.prefix}stream-attr-ledger"

    def is_left() -> bool:
        return not admin.describe_consumer_groups([group])[group].result(LONGEST_S).members

    with trial.ledger.connection() as other:
        other.execute("LOCK TABLE decision IN SHARE MODE")
        trial.decide(ORDERS, transactional=True)
        until(lambda: b"it has waited for" in sink.get("/ready")[1], sink)
        until(is_left, sink)
    trial.decide(ORDERS, revision=2, transactional=True)
    trial.compare(sink)
    assert sink.runs()


def test_a_database_that_hangs_does_not_hold_up_the_end(trial):
    sink = trial.sink(hooks=("--hasty",)).start().until_ready()
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
    with trial.ledger.connection() as connection:
        [(backend,)] = connection.execute(query, ["stream-attr ledger"]).fetchall()
    os.kill(backend, signal.SIGSTOP)
    try:
        trial.decide(ORDERS, transactional=True)
        until(lambda: b"it has waited for" in sink.get("/ready")[1], sink)
        assert sink.stop() == 1
        assert "it did not stop within 5 s" in sink.output()
    finally:
        os.kill(backend, signal.SIGCONT)
    trial.compare(trial.sink().start())


def test_a_full_disk_is_waited_for(trial, server, small_disk):
    server.execute(f"CREATE TABLESPACE small LOCATION '{small_disk / 'tablespace'}'")
    with server.ledger("small") as trial.ledger:
        sink = trial.sink().start().until_ready()
        filling = fill(small_disk)
        trial.decide(500, transactional=True)
        until(lambda: b"No space left on device" in sink.get("/ready")[1], sink)
        assert sink.metric("stream_attr_ledger_database_away") == 1
        filling.unlink()
        trial.compare(sink)
        assert sink.stop() == 0
    server.execute("DROP TABLESPACE small")


def test_records_that_cannot_be_stored_stop_nothing(trial):
    agents_day = json.dumps(first(AGENT_DAILY)).encode()
    unfit = [
        None,
        b"",
        b"{",
        b"\xff",
        agents_day[:-1] + b', "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        agents_day.replace(b'"watermark": ', b'"watermark": 9' + b"0" * 20),
        agents_day.replace(b'"revision": ', b'"revision": 9' + b"0" * 20),
        agents_day.replace(b'"revision": ', b'"revision": 9' + b"0" * 5_000),
        json.dumps(first(AGENT_DAILY) | {"agent_id": "a\0b"}).encode(),
        json.dumps(first(AGENT_DAILY) | {"agent_id": random.Random(1).randbytes(9_000).hex()}).encode(),
    ]
    trial.decide(ORDERS)
    trial.send(AGENT_DAILY, *unfit, agents_day)
    trial.send(DECISIONS, b"[]")
    sink = trial.sink().start()
    until(lambda: sink.metric("stream_attr_ledger_unstored_records_total") == len(unfit) + 1, sink)
    found = rows(
        trial.ledger, "SELECT value FROM unstored WHERE topic = 'agent-daily' ORDER BY source_offset"
    )
    assert [None if value is None else bytes(value) for (value,) in found] == unfit
    assert rows(trial.ledger, "SELECT count(*) FROM agent_day") == [(1,)]
    trial.until_equal(sink)
    assert sink.stop() == 0


def test_a_damaged_batch_is_named_and_read_once_it_is_mended(trial, request):
    trial.send(INQUIRIES, json.dumps(first(INQUIRIES)).encode())
    trial.decide(ORDERS, transactional=True)
    sink = trial.sink(hooks=("--hasty",))
    [partition] = {message.partition() for message in messages(trial.bootstrap, trial.prefix + INQUIRIES)}
    with damaged(request, f"{trial.prefix}{INQUIRIES}-{partition}", 0, flip):
        sink.start()
        trial.until_equal(sink)  # the others go on
        said = f"partition {partition} of {trial.prefix}{INQUIRIES} cannot be read".encode()
        until(lambda: said in sink.get("/ready")[1], sink)
        trial.decide(ORDERS, revision=2, transactional=True)
        trial.until_equal(sink)
        until(lambda: sink.metric("stream_attr_ledger_lag_records") == 1, sink)
        assert rows(trial.ledger, "SELECT count(*) FROM inquiry") == [(0,)]
    until(lambda: rows(trial.ledger, "SELECT count(*) FROM inquiry") == [(1,)], sink)
    sink.until_ready()
    trial.compare(sink)


def test_an_offset_that_went_back_stops_it_in_one_sentence(trial):
    trial.decide(ORDERS, transactional=True)
    sink = trial.sink().start()
    trial.until_equal(sink)
    assert sink.stop() == 0
    with trial.ledger.connection() as connection:  # as if the broker had lost what came last
        connection.execute(f"UPDATE sink_offset SET next = next + 50 WHERE topic = '{DECISIONS}'")
    assert sink.start().wait() == 1
    assert "the broker has lost records" in sink.output()
    assert "--rebuild" in sink.output()
    assert "Traceback" not in sink.output()
    trial.compare(trial.sink("--rebuild").start())


def test_an_embedded_database_that_dies_is_started_again(trial, tmp_path):
    folder = tmp_path / "d"
    sink = SinkProcess(trial.bootstrap, trial.prefix, tmp_path / "own", (f"--data-dir={folder}",))
    trial.sinks.append(sink)
    trial.decide(ORDERS, transactional=True)
    sink.start().until_ready()
    with Database(None, folder / "ledger") as trial.ledger:
        trial.until_equal(sink)
    postmaster = int((folder / "ledger/data/postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    trial.decide(ORDERS, revision=2, transactional=True)
    until(lambda: "it is started again" in sink.output() and sink.get("/ready")[0] == 200, sink)
    assert running_in(folder / "ledger") is not None
    with Database(None, folder / "ledger") as trial.ledger:
        trial.compare(sink)
    assert sink.stop() == 0
    assert running_in(folder / "ledger") is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    with mounted(tmp_path / "disk", mebibytes=64) as folder:
        (folder / "tablespace").mkdir()
        yield folder
