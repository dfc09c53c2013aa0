"""Which schema the ledger has, and which this program knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from psycopg import Connection, errors
from psycopg.pq import TransactionStatus

from stream_attr.errors import UnusableError

__all__ = [
    "LATEST",
    "MIGRATIONS",
    "NO_LEDGER",
    "SCHEMA",
    "VERSION_TABLE",
    "SchemaError",
    "require_schema",
    "version_of",
]

SCHEMA: Final = "stream_attr"
"""The schema that holds the tables; the search path of our connections."""
VERSION_TABLE: Final = "schema_version"
MIGRATIONS: Final = {
    file.name.partition("_")[0]: file
    for file in sorted(Path(__file__).with_name("migrations").glob("[0-9]*_*.sql"))
}
"""By number, the SQL that leads there from the number before."""
NO_LEDGER: Final = "{} holds no ledger yet: stream-attr ledger makes and fills it"
LATEST: Final = max(MIGRATIONS)


class SchemaError(UnusableError):
    """The ledger has another schema than this program needs."""


def version_of(connection: Connection[Any]) -> str | None:
    """Return the number of the last migration; None: the database holds no ledger.

    Raises:
        SchemaError: this user may not read it.
    """
    try:
        found = connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.{VERSION_TABLE}"]).fetchone()
        if found is None or found[0] is None:
            return None
        row = connection.execute(f"SELECT version_num FROM {SCHEMA}.{VERSION_TABLE}").fetchone()
    except errors.InsufficientPrivilege as error:
        raise SchemaError(
            f"user {connection.info.user!r} may not read the ledger in database {connection.info.dbname!r} "
            f"({error.diag.message_primary}): use the user that made it"
        ) from error
    return None if row is None else str(row[0])


def refuse_newer(version: str | None) -> None:
    """Refuse a schema that a later program has made.

    Raises:
        SchemaError: it is one.
    """
    if version is not None and version not in MIGRATIONS:
        raise SchemaError(
            f"the ledger's schema is {version}, and this program knows it up to {LATEST}: "
            "a newer stream-attr has written it; pip install --upgrade 'stream-attr[ledger]'"
        )


def require_schema(connection: Connection[Any]) -> None:
    """Have the ledger be of the schema that this program knows; leaves no transaction open that it began.

    Raises:
        SchemaError: there is none, it is older or newer, or this user may not read it.
    """
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    version = version_of(connection)
    if idle and not connection.autocommit:
        connection.rollback()
    if version is None:
        raise SchemaError(NO_LEDGER.format(f"database {connection.info.dbname!r}"))
    refuse_newer(version)
    if version != LATEST:
        raise SchemaError(
            f"the ledger's schema is {version}, and this program needs {LATEST}: "
            "run stream-attr ledger of this version, which migrates it"
        )
