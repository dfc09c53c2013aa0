"""Where the ledger is: by address, embedded, shared; and what is said when it cannot be used."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from stream_attr.kafka.secret import Secret
from stream_attr.ledger.database import connect
from stream_attr.ledger.database.connect import Connection, Database, DatabaseAway, DatabaseError
from stream_attr.ledger.database.embedded import EmbeddedPostgres, EmbeddedPostgresError
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.database.schema import SchemaError, require_schema
from tests.ledger.conftest import address_of

SECRET = "s3cret"


def test_a_connection_works_in_the_ledgers_schema_and_commits_at_the_end(ledger: Database):
    with ledger.connection() as connection:
        connection.execute("INSERT INTO sink_offset VALUES ('t', 0, 5)")
    with pytest.raises(psycopg.errors.DivisionByZero), ledger.connection() as connection:
        connection.execute("UPDATE sink_offset SET next = 6 WHERE 1 / (next - 5) > 0")
    with ledger.pool(most=1) as pool, pool.connection() as connection:
        assert connection.execute("SELECT next FROM sink_offset").fetchall() == [(5,)]


@pytest.mark.database
def test_without_an_address_it_is_embedded_and_two_programs_share_it(tmp_path: Path):
    with Database(None, tmp_path) as first:
        migrate(first)
        with Database(None, tmp_path) as second:
            with second.connection() as connection:
                require_schema(connection)
            assert second.name == first.name == f"the embedded database in {tmp_path}"
            assert second.address == first.address
        with first.connection() as connection:  # the second leaves it running
            require_schema(connection)
    with Database(None, tmp_path) as again, again.connection() as connection:
        require_schema(connection)


def test_a_folder_that_cannot_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As root a mode does not bind, so the system's answer is made here."""
    folder = tmp_path / "ledger"

    def stat(path: Path, **_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", stat)
    says = f"the embedded database in {folder} cannot be read: Permission denied; run it as the user who"
    with pytest.raises(EmbeddedPostgresError, match=re.escape(says)), Database(None, folder, create=False):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:12/s3cret@db/ledger",
        "postgresql://me:s3cret/more@db/ledger",
        "postgresql://me:s3cret@more@db/ledger",
        "postgresql://me:s3cret%@db/ledger",
        "host=db password=s3cret x",
        "nonsense s3cret",
        "  ",
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(address: str):
    with pytest.raises(
        DatabaseError, match="--database is not the address of a PostgreSQL: write"
    ) as refused:
        Database(address, Path())
    assert SECRET not in str(refused.value)


def test_one_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        address = f"postgresql://me:{SECRET}@127.0.0.1:{port}/books"
        with Database(address, tmp_path) as database, pytest.raises(DatabaseAway) as refused:
            database.connect()
    said = str(refused.value)
    assert f"database 'books' on 127.0.0.1:{port} cannot be reached (Connection refused): check" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dbname": "no_such"}, 'database "no_such" does not exist'),
        ({"user": "no_such"}, 'role "no_such" does not exist.: check the user'),
    ],
)
def test_a_database_and_a_user_that_are_not_there_are_named(
    postgres: EmbeddedPostgres, changes: dict[str, str], said: str
):
    address = conninfo.make_conninfo(address_of(postgres, "postgres"), **changes)
    with Database(address, Path()) as database, pytest.raises(DatabaseError, match=said):
        database.connect()


@pytest.mark.database
def test_a_wrong_password_is_named_and_not_shown(tmp_path: Path):
    with EmbeddedPostgres(tmp_path) as server:
        with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE payroll LOGIN PASSWORD 'right'")
            rules = server.folder / "data" / "pg_hba.conf"
            rules.write_text(f"local all payroll scram-sha-256\n{rules.read_text()}")
            connection.execute("SELECT pg_reload_conf()")
            assert connection.execute("SELECT count(*) FROM pg_hba_file_rules").fetchone() is not None
        for password in (SECRET, None):
            changes = {"user": "payroll"} if password is None else {"user": "payroll", "password": password}
            address = conninfo.make_conninfo(address_of(server, "postgres"), **changes)
            with Database(address, Path()) as database, pytest.raises(DatabaseError) as refused:
                database.connect()
            assert "check the password: --database-password-file, PGPASSWORD" in str(refused.value)
            assert SECRET not in str(refused.value)
        with Database(address, Path(), Secret("right")) as database:
            database.connect().close()
        twice = conninfo.make_conninfo(address, password=SECRET)
        with pytest.raises(DatabaseError, match="both have a password: keep one"):
            Database(twice, Path(), Secret("right"))


def test_rights_that_are_missing_are_named(postgres: EmbeddedPostgres, ledger: Database):
    with ledger.connection() as connection:
        connection.execute("CREATE ROLE stranger LOGIN")
    try:
        address = conninfo.make_conninfo(ledger.address, user="stranger")
        with Database(address, Path()) as database:
            with (
                pytest.raises(SchemaError, match="use the user that made"),
                database.connection() as connection,
            ):
                require_schema(connection)
            denied = "permission denied for schema stream_attr: use the user"
            with pytest.raises(DatabaseError, match=denied), database.connection() as connection:
                connection.execute("SELECT FROM stream_attr.decision")
        empty = conninfo.make_conninfo(address_of(postgres, "postgres"), user="stranger")
        granted = 'GRANT CREATE ON DATABASE "postgres" TO "stranger"'
        with Database(empty, Path()) as database, pytest.raises(DatabaseError, match=granted):
            migrate(database)
    finally:
        with ledger.connection() as connection:
            connection.execute("DROP ROLE stranger")


def test_a_query_that_is_cancelled_and_a_replica_are_no_lost_connection(ledger: Database):
    said = "canceling statement due to statement timeout: try again"
    with pytest.raises(DatabaseAway, match=said), ledger.connection() as connection:
        connection.execute("SET statement_timeout = 50; SELECT pg_sleep(60)")
    with pytest.raises(DatabaseError, match="name the primary"), ledger.connection() as connection:
        connection.execute("SET TRANSACTION READ ONLY; DELETE FROM decision")


def test_one_that_is_too_old_is_refused(ledger: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connect, "_OLDEST", 99)
    with pytest.raises(DatabaseError, match="is PostgreSQL 18, and the ledger needs 99 or newer"):
        ledger.connect()


@pytest.mark.database
def test_one_that_is_lost_is_away_and_why_is_said(folder: Path):
    with Database(None, folder) as database:
        server = database._server
        assert server is not None
        lost = "was lost: terminating connection due to administrator"
        with pytest.raises(DatabaseAway, match=lost), database.connection() as connection:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(DatabaseAway, match=r"in .* has ended"), database.connection() as connection:
            kill(server, connection)
        with pytest.raises(DatabaseAway, match="has ended"):
            database.connect()


def kill(server: EmbeddedPostgres, connection: Connection) -> None:
    """Kill the server, and use a connection to it then."""
    os.kill(server.pid, signal.SIGKILL)
    while server.ended() is None:
        time.sleep(0.01)
    connection.execute("SELECT pg_sleep(10)")


def test_a_connection_that_is_lost_at_once_is_a_database_that_is_away(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_connection = psycopg.connect

    def lost(*arguments: Any, **parameters: Any) -> Connection:
        made = open_connection(*arguments, **parameters)
        with open_connection(ledger.address, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [made.info.backend_pid])
        return made

    monkeypatch.setattr(psycopg, "connect", lost)
    with pytest.raises(DatabaseAway, match="was lost"):
        ledger.connect()


@pytest.mark.database
def test_an_embedded_server_that_has_died_is_started_again_by_whoever_is_left(folder: Path):
    def running(database: Database) -> bool:
        try:
            database.connect().close()
        except DatabaseAway:
            return False
        return True

    def ended(server: int) -> None:
        os.kill(server, signal.SIGKILL)
        while running(one):
            time.sleep(0.01)

    def revived(database: Database) -> None:  # one that is ending answers nobody, and has not ended
        database.revive()
        while not running(database):
            time.sleep(0.01)
            database.revive()

    with Database(None, folder) as one:
        assert one._server is not None
        one.revive()
        one.connect().close()
        ended(one._server.pid)
        revived(one)
        with Database(None, folder) as other:
            other.revive()
            other.connect().close()
            one.__exit__(None, None, None)
            assert not running(other)
            revived(other)
