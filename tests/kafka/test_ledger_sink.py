"""The sink of the ledger on a broker: the ledger equals the topics, whatever happens to either side."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import psycopg
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from stream_attr.contract.topics import DECISIONS, INQUIRIES, ROSTER
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres
from stream_attr.ledger.database.migrate import migrate
from tests.kafka.sink_process import PARTITIONS, SinkProcess, Trial
from tests.kafka.worker_process import until
from tests.ledger.conftest import address_of, ledger, ledger_template, postgres  # noqa: F401 -- fixtures
from tests.ledger.sink.contents import contents, rows
from tests.ledger.sink.test_rows import first


@pytest.fixture
def trial(broker, topic_prefix, ledger: Database, tmp_path) -> Iterator[Trial]:  # noqa: F811
    made = Trial(broker.bootstrap, topic_prefix, ledger, tmp_path)
    yield made
    made.end()


def test_it_holds_what_the_topics_say_and_ends_in_order(trial):
    trial.decide(20)
    trial.send(ROSTER, json.dumps(first(ROSTER)).encode())
    trial.send(INQUIRIES, json.dumps(first(INQUIRIES)).encode(), b"{", key="jd:1|b")
    sink = trial.sink().start()
    trial.until_equal(sink)
    trial.decide(5, revision=2)
    trial.until_equal(sink)
    sink.until_ready()
    until(lambda: contents(trial.ledger, "inquiry", "roster", "unstored")["unstored"], sink)
    assert sink.metric("stream_attr_ledger_unstored_records_total") == 1
    assert sink.metric("stream_attr_ledger_records_total") == trial.revisions + 2
    until(lambda: sink.metric("stream_attr_ledger_lag_records") == 0, sink)
    assert sink.stop() == 0
    assert "Traceback" not in sink.output()
    [(known_ts,)] = rows(trial.ledger, "SELECT min(known_ts) FROM decision")
    assert known_ts > 1_700_000_000_000
    before = contents(trial.ledger)
    again = trial.sink().start().until_ready()
    assert again.stop() == 0
    assert contents(trial.ledger) == before
    rebuilt = trial.sink("--rebuild").start()
    trial.until_equal(rebuilt)
    until(lambda: rebuilt.metric("stream_attr_ledger_records_total") == trial.revisions + 2, rebuilt)


def test_it_makes_what_days_come_to_once_they_are_over(trial):
    with trial.ledger.connection() as connection:
        for day in ("2026-11-10", "2026-11-11"):
            connection.execute(
                "INSERT INTO agent_day VALUES ('jd:1', '*', %s, 1, 'final', 'timer', 0, 0, 0, '{}')", (day,)
            )
    sink = trial.sink().start()
    until(lambda: rows(trial.ledger, "SELECT day::text FROM day_roll_up") == [("2026-11-10",)], sink)


def test_killed_and_started_again_it_goes_on(trial):
    trial.decide(30)
    sink = trial.sink().start()
    until(lambda: rows(trial.ledger, "SELECT 1 FROM decision LIMIT 1"), sink)
    sink.kill()
    trial.decide(30, revision=2)
    trial.until_equal(sink.start())


def test_two_share_the_partitions_and_one_that_was_stopped_does_not_write(trial):
    first_sink, second = trial.sink().start().until_ready(), trial.sink()
    trial.decide(10)
    trial.until_equal(first_sink)
    first_sink.signal(signal.SIGSTOP)
    second.start()
    trial.decide(10, revision=2)
    trial.until_equal(second)
    first_sink.signal(signal.SIGCONT)
    trial.decide(10, revision=3)
    trial.until_equal(first_sink, second)
    assert [sink.stop() for sink in (first_sink, second)] == [0, 0]


def test_a_database_that_is_away_is_waited_for(broker, topic_prefix, tmp_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pg")  # so short that its socket is in it, at the same address again
    server = EmbeddedPostgres(folder, {"fsync": "off"})
    with server:
        with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE own")
        with Database(address_of(server, "own"), tmp_path) as database:
            migrate(database)
            trial = Trial(broker.bootstrap, topic_prefix, database, tmp_path)
            sink = trial.sink().start()
            try:
                trial.decide(5)
                trial.until_equal(sink)
                server.close()
                trial.decide(5, revision=2)
                until(lambda: b"the database is away" in sink.get("/ready")[1], sink)
                assert sink.get("/ready")[0] == 503
                until(lambda: sink.metric("stream_attr_ledger_lag_records") >= 5, sink)
                server.start()
                trial.until_equal(sink)
                sink.until_ready()
                assert sink.stop() == 0
            finally:
                if sink.runs():
                    sink.kill()


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it is stopped"])
def test_a_topic_that_was_recreated_stops_it_in_one_sentence(trial, broker, running):
    if running and broker.kind == "embedded":
        pytest.skip("librdkafka 2.16 crashes if a topic that it reads is recreated on the embedded broker")
    trial.decide(3)
    sink = trial.sink().start()
    trial.until_equal(sink)
    if not running:
        assert sink.stop() == 0
    topic, admin = trial.prefix + DECISIONS, AdminClient({"bootstrap.servers": trial.bootstrap})
    admin.delete_topics([topic])[topic].result(30)

    def made() -> bool:
        try:
            admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(30)
        except KafkaException:  # the deletion is under way
            return False
        return True

    until(made)
    before = contents(trial.ledger)
    if not running:
        sink.start()
    assert sink.wait() == 2
    said = sink.output()
    assert "topic attribution-decisions is not the one that the ledger was filled from" in said
    assert "--rebuild" in said
    assert "Traceback" not in said
    assert contents(trial.ledger) == before


def test_topics_that_are_missing_are_named(broker, topic_prefix, ledger, tmp_path):  # noqa: F811
    sink = SinkProcess(broker.bootstrap, topic_prefix, tmp_path / "s", (f"--database={ledger.address}",))
    assert sink.start().wait() == 2
    assert "stream-attr topics create" in sink.output()
