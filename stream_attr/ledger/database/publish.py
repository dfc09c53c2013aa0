"""What migrations leave to be derived: views, comments, and the role that may read the views alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection, errors, sql

from stream_attr.ledger.database.connect import DatabaseError
from stream_attr.ledger.database.schema import SCHEMA
from stream_attr.ledger.database.texts import TABLES, columns_of, describe
from stream_attr.ledger.database.views import VIEWS, View

__all__ = ["CONSOLE", "READER", "may_become_console", "publish"]

READER: Final = "stream_attr_reader"
"""The role that may read the views ``report_*``, and nothing else."""
CONSOLE: Final = "stream_attr_console"
"""The role as which the console reads: rows of the shops in ``stream_attr.shops``, and nothing else."""
READ_BY_CONSOLE: Final = (
    "decision",
    "decision_revision",
    "refund",
    "inquiry",
    "reception",
    "agent_day",
    "day_roll_up",
    "service_task",
    "shop_settings",
    "roster",
    "rule_change",
    "ruling",
    "dead_letter",
    "alert_state",
    "alert_message",
    "goal",
    "appeal",
    "lab_trial",
    "lab_pay",
    "pay_scheme",
    "pay_person",
    "pay_run",
    "pay_statement",
    "sink_offset",
    "input_partition",
)
"""All but the last two have row-level security."""
_COLUMNS_OF_CONSOLE: Final = (("unstored", "topic"),)
"""Of tables of no shop, the columns that can be read: enough to count their rows."""
_SET_OPTION: Final = 16_00_00
"""Since this version of PostgreSQL a member may be one without the right to SET ROLE."""

_NAMES: Final = [f"{SCHEMA}.{view.name}" for view in VIEWS]
_ABOUT: Final = "The ledger of stream_attr. Read its views report_*; its tables change. Definitions"


def publish(connection: Connection[Any]) -> str | None:
    """Write views and comments if they are others than this program's, and let the reading role read.

    Within the transaction of the connection. Returns what an administrator has yet to do, in a sentence.

    Raises:
        DatabaseError: a view has to be recreated, and something of the administrator's depends on it.
    """
    comments = list(_comments(connection))
    parts = [*(view.query for view in VIEWS), *(comment.as_string(connection) for comment in comments)]
    about = f"{_ABOUT} {hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}."
    query = (
        "SELECT obj_description(%s::regnamespace), bool_and(to_regclass(name) IS NOT NULL)"
        " FROM unnest(%s::text[]) AS name"
    )
    found = connection.execute(query, [SCHEMA, _NAMES]).fetchone()
    if found != (about, True):
        for view in VIEWS:
            _define(connection, view)
        for comment in comments:
            connection.execute(comment)
        connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(SCHEMA), about))
    readable = {READER: [view.name for view in VIEWS], CONSOLE: list(READ_BY_CONSOLE)}
    to_do = {role: _grant(connection, role, names) for role, names in readable.items()}
    if to_do[CONSOLE] is None:
        for table, column in _COLUMNS_OF_CONSOLE:
            _grant_column(connection, CONSOLE, table, column)
        may_become_console(connection)
    return "; ".join(one for one in to_do.values() if one is not None) or None


def _define(connection: Connection[Any], view: View) -> None:
    name, query = sql.Identifier(view.name), sql.SQL(view.query)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE OR REPLACE VIEW {} AS {}").format(name, query))
    except errors.InvalidTableDefinition:  # a column is gone, or is of another type
        pass
    else:
        return
    try:
        connection.execute(sql.SQL("DROP VIEW {}").format(name))
    except errors.DependentObjectsStillExist as error:
        raise DatabaseError(
            f"view {view.name} has to be recreated, and others depend on it ({error.diag.message_detail}): "
            "drop those, run the command again, then make them again"
        ) from error
    connection.execute(sql.SQL("CREATE VIEW {} AS {}").format(name, query))


def _comments(connection: Connection[Any]) -> Iterator[sql.Composed]:
    """The comment of each table and view, and of those of their columns that have a text."""
    there: dict[str, set[str]] = {}
    columns = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s", [SCHEMA]
    )
    for table, column in columns.fetchall():
        there.setdefault(table, set()).add(column)
    for table in TABLES:
        yield _comment("TABLE", [table], describe(table))
        for column, text in columns_of(table).items():
            if column in there[table]:
                yield _comment("COLUMN", [table, column], text)
    for view in VIEWS:
        yield _comment("VIEW", [view.name], view.text)
        for one in view.columns:
            yield _comment("COLUMN", [view.name, one.name], one.text)


def _comment(kind: str, path: list[str], text: str) -> sql.Composed:
    name = sql.Identifier(SCHEMA, *path)
    return sql.SQL("COMMENT ON {} {} IS {}").format(sql.SQL(kind), name, sql.Literal(text))


def _grant(connection: Connection[Any], name: str, readable: list[str]) -> str | None:
    """Let a role read tables or views; returns what to do if it is not there and cannot be made."""
    role = sql.Identifier(name)
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
        except errors.InsufficientPrivilege:
            return (
                f"there is no role {name}, and user {connection.info.user!r} may not create it: "
                f"have an administrator run CREATE ROLE {name} NOLOGIN, then run the command again"
            )
        except (errors.DuplicateObject, errors.UniqueViolation):
            pass  # made for another database of the server just now
    query = (
        "SELECT has_schema_privilege(%(role)s, %(schema)s, 'USAGE') AND"
        " bool_and(has_table_privilege(%(role)s, name, 'SELECT')) FROM unnest(%(names)s::text[]) AS name"
    )
    names = [f"{SCHEMA}.{one}" for one in readable]
    found = connection.execute(query, {"role": name, "schema": SCHEMA, "names": names}).fetchone()
    if found == (True,):
        return None
    schema = sql.Identifier(SCHEMA)
    tables = sql.SQL(", ").join(sql.Identifier(SCHEMA, one) for one in readable)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role))
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(tables, role))
    return None


def _grant_column(connection: Connection[Any], role: str, table: str, column: str) -> None:
    query = "SELECT has_column_privilege(%s, %s, %s, 'SELECT')"
    if connection.execute(query, (role, f"{SCHEMA}.{table}", column)).fetchone() == (True,):
        return
    grant = sql.SQL("GRANT SELECT ({}) ON {} TO {}")
    connection.execute(
        grant.format(sql.Identifier(column), sql.Identifier(SCHEMA, table), sql.Identifier(role))
    )


def may_become_console(connection: Connection[Any]) -> str | None:
    """Let the user of this connection read as `CONSOLE`; returns what to do if it may not let itself."""
    way = "SET" if connection.info.server_version >= _SET_OPTION else "MEMBER"
    if connection.execute("SELECT pg_has_role(%s, %s)", (CONSOLE, way)).fetchone() == (True,):
        return None
    user = connection.info.user
    try:
        with connection.transaction():
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(CONSOLE)))
    except errors.InsufficientPrivilege:
        return (
            f"user {user!r} may not read as role {CONSOLE}, as the console does: "
            f'have an administrator run GRANT {CONSOLE} TO "{user}", then run the command again'
        )
    return None
