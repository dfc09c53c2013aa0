"""Migrations: numbered SQL files, run by Alembic, each in one transaction."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import psycopg
import sqlalchemy
from alembic import op
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from psycopg import errors

from stream_attr.ledger.database.connect import Connection, Database, DatabaseError
from stream_attr.ledger.database.publish import publish
from stream_attr.ledger.database.schema import (
    LATEST,
    MIGRATIONS,
    SCHEMA,
    VERSION_TABLE,
    refuse_newer,
    version_of,
)

__all__ = ["migrate"]

_LOCK: Final = 0x6C65_6467_6572
"""An advisory lock of PostgreSQL: one program migrates at a time."""


def migrate(database: Database, to: str = LATEST) -> str | None:
    """Lead the ledger's schema to a migration, making it if there is none; done already: nothing happens.

    Of two programs that do so at once the second waits, and finds it done. Returns what an administrator has
    yet to do, in a sentence; None: nothing.

    Raises:
        SchemaError: a later program has made the schema.
        DatabaseAway: the database cannot be reached, or was lost.
        DatabaseError: it cannot be used, or this user may not create there.
    """
    with database.connection(autocommit=True, application="stream-attr migrate") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])  # until the connection ends
        version = version_of(connection)
        refuse_newer(version)
        if version is None:
            _create_schema(connection)
        connection.autocommit = False
        if version != to:
            _run(connection, to)
        return publish(connection)


def _create_schema(connection: Connection) -> None:
    found = connection.execute("SELECT to_regnamespace(%s)", [SCHEMA]).fetchone()
    if found is not None and found[0] is not None:
        return
    try:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
    except errors.InsufficientPrivilege as error:
        name, user = connection.info.dbname, connection.info.user
        raise DatabaseError(
            f"user {user!r} may not create the ledger in database {name!r}: have its administrator run "
            f'GRANT CREATE ON DATABASE "{name}" TO "{user}"'
        ) from error


def _run(connection: Connection, to: str) -> None:
    """Run what is missing, through Alembic on the given connection."""
    scripts = ScriptDirectory(str(Path(__file__).parent))
    scripts.revision_map = RevisionMap(_revisions)

    def missing(current: Any, _context: Any) -> Any:
        return scripts._upgrade_revs(to, current)

    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: connection, poolclass=sqlalchemy.StaticPool
    )
    with (
        engine.connect() as sqlalchemy_connection,
        EnvironmentContext(Config(), scripts, fn=missing) as environment,
    ):
        environment.configure(
            connection=sqlalchemy_connection,
            version_table=VERSION_TABLE,
            version_table_schema=SCHEMA,
            transaction_per_migration=True,
        )
        try:
            with environment.begin_transaction():
                environment.run_migrations()
        except sqlalchemy.exc.DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise error.orig from error
            raise


def _revisions() -> list[Script]:
    """The migrations as Alembic has them: a chain."""
    scripts = []
    before = None
    for number, file in MIGRATIONS.items():
        module = ModuleType(file.stem)
        module.__dict__.update(revision=number, down_revision=before, upgrade=partial(_execute, file))
        scripts.append(Script(module, number, file))
        before = number
    return scripts


def _execute(file: Path) -> None:
    """Run a file's statements in the migration's transaction."""
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(file.read_text("utf-8").encode())
