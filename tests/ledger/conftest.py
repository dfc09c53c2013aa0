"""A real PostgreSQL for the tests of the ledger: the embedded one, once per process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.embedded import USER, EmbeddedPostgres
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.roll_up import kept

_numbers = itertools.count(1)
_TEMPLATE = "ledger_template"
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def address_of(server: EmbeddedPostgres, name: str) -> str:
    """Return the address of a database of the server."""
    return conninfo.make_conninfo("", host=str(server.socket), user=USER, dbname=name)


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    """On a slow machine an autovacuum can hold a table for longer than the roll-up of days waits.

    Not by ``monkeypatch``, which would then undo what a test sets only after its ledger is dropped.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "_TIMEOUTS", "")
        yield


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server, without syncs; for databases of the test's own (``address_of``)."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), _NOT_DURABLE) as server:
        yield server


@pytest.fixture(scope="session")
def ledger_template(postgres: EmbeddedPostgres) -> str:
    """The name of a database that has the schema; nobody may be connected to it."""
    with psycopg.connect(address_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    with Database(address_of(postgres, _TEMPLATE), Path()) as database:
        migrate(database)
    return _TEMPLATE


@pytest.fixture
def ledger(postgres: EmbeddedPostgres, ledger_template: str) -> Iterator[Database]:
    """A database of the test's own with the schema and no rows: ``with ledger.connection() as connection``.

    Its ``address`` is what ``--database`` takes. It is dropped in the end, whoever is still connected.
    """
    name = f"ledger_{next(_numbers)}"
    with psycopg.connect(address_of(postgres, "postgres"), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(ledger_template)))
    with Database(address_of(postgres, name), Path()) as database:
        yield database
    with psycopg.connect(address_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
