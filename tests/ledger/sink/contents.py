"""What a ledger holds, to be compared."""

from __future__ import annotations

from typing import Any

from psycopg.sql import SQL, Identifier

from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.sink.tables import FILLED


def contents(ledger: Database, *tables: str) -> dict[str, list[Any]]:
    """All rows of the tables that the sink fills, or of some, each as text, sorted."""
    with ledger.connection() as connection:
        return {
            table: sorted(
                text
                for (text,) in connection.execute(
                    SQL("SELECT kept::text FROM {} AS kept").format(Identifier(table))
                )
            )
            for table in tables or FILLED
        }


def rows(ledger: Database, query: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with ledger.connection() as connection:
        return connection.execute(query.encode()).fetchall()
