"""Migrations: once each, by one program at a time, and never back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from stream_attr.ledger.database import schema
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.database.schema import LATEST, MIGRATIONS, SchemaError, require_schema, version_of
from tests.ledger.conftest import address_of


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Database:
    """A database without a ledger."""
    with psycopg.connect(address_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS empty WITH (FORCE)")
        connection.execute("CREATE DATABASE empty")
    return Database(address_of(postgres, "empty"), Path())


def test_each_migration_has_a_number_of_its_own_without_gaps() -> None:
    folder = next(iter(MIGRATIONS.values())).parent
    numbers = sorted(file.name.partition("_")[0] for file in folder.glob("*.sql"))
    assert numbers == [f"{number:04}" for number in range(1, len(MIGRATIONS) + 1)]


def test_two_programs_migrate_at_once_and_the_second_finds_it_done(empty: Database):
    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(migrate, empty) for _ in range(2)]:
            done.result()
    with empty.connection() as connection:
        require_schema(connection)
        assert version_of(connection) == LATEST


def test_a_database_without_a_ledger_is_refused(empty: Database):
    with empty.connection() as connection:
        with pytest.raises(SchemaError, match="holds no ledger yet: stream-attr ledger makes"):
            require_schema(connection)
        assert connection.info.transaction_status == connection.info.transaction_status.IDLE


def test_a_newer_schema_is_refused_by_all(ledger: Database):
    with ledger.connection() as connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
    with (
        ledger.connection() as connection,
        pytest.raises(SchemaError, match="schema is 9999, and") as one,
    ):
        require_schema(connection)
    with pytest.raises(SchemaError, match="pip install --upgrade") as other:
        migrate(ledger)
    assert str(one.value) == str(other.value)


def test_an_older_schema_is_refused_by_readers_and_migrated_by_the_writer(
    ledger: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    added = tmp_path / "9998_more.sql"
    added.write_text("ALTER TABLE refund ADD COLUMN note text DEFAULT 'it''s 5% :now';")
    monkeypatch.setitem(schema.MIGRATIONS, "9998", added)
    monkeypatch.setattr(schema, "LATEST", "9998")
    with (
        ledger.connection() as connection,
        pytest.raises(SchemaError, match=f"schema is {LATEST}, and this program needs 9998: run stream-attr"),
    ):
        require_schema(connection)
    migrate(ledger, "9998")
    with ledger.connection() as connection:
        require_schema(connection)
        assert connection.execute("SELECT note FROM refund").fetchall() == []


def test_a_migration_that_fails_leaves_nothing_of_itself_and_keeps_those_before(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = tmp_path / "9998_broken.sql"
    broken.write_text("CREATE TABLE half (a integer); SELECT 1 / 0;")
    monkeypatch.setitem(schema.MIGRATIONS, "9998", broken)
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty, "9998")
    with empty.connection() as connection:
        assert version_of(connection) == LATEST
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_the_tables_that_grow_are_partitioned_by_shop(ledger: Database):
    with ledger.connection() as connection:
        rows = connection.execute(
            "SELECT inhparent::regclass::text, count(*) FROM pg_inherits JOIN pg_partitioned_table"
            " ON partrelid = inhparent GROUP BY 1"
        ).fetchall()
    grown = ("decision", "decision_revision", "refund", "inquiry", "reception", "agent_day", "service_task")
    assert dict(rows) == dict.fromkeys(grown, 16)


def test_each_migration_has_a_number_of_its_own_and_none_is_missing():
    files = sorted((Path(schema.__file__).parent / "migrations").glob("*.sql"))
    numbers = [int(file.name.partition("_")[0]) for file in files]
    assert numbers == list(range(1, len(files) + 1))
