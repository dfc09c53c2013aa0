"""The distinct values of an indexed column, found by the index one after the other."""

from __future__ import annotations

from psycopg.sql import SQL, Composed, Identifier

__all__ = ["distinct"]

_DISTINCT = SQL(
    "WITH RECURSIVE seen AS (SELECT min({column}) AS one FROM {table} WHERE {where}"
    " UNION ALL SELECT (SELECT min({column}) FROM {table} WHERE {where} AND {column} > one)"
    " FROM seen WHERE one IS NOT NULL) SELECT one FROM seen WHERE one IS NOT NULL"
)
_ALL = SQL("true")


def distinct(table: str, column: str, where: SQL = _ALL) -> Composed:
    """Return a query of the values that a column has, sorted, without NULL.

    ``DISTINCT`` reads each row's entry of an index, this one entry for each value: of a shop's agents some
    fifty instead of millions. ``where`` holds the columns fixed that the index has before this one.
    """
    return _DISTINCT.format(table=Identifier(table), column=Identifier(column), where=where)
