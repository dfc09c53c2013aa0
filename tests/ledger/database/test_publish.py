"""What other programs see: comments, views, and the role that may read the views alone."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, errors

from stream_attr.ledger.database import publish
from stream_attr.ledger.database.connect import Connection, Database, DatabaseError
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.database.publish import READER
from stream_attr.ledger.database.texts import TABLES
from stream_attr.ledger.database.views import VIEWS

SCHEMAS = Path(__file__).parents[3] / "schemas"
NOON = 1_762_000_000_123


def comments(connection: Connection) -> dict[tuple[str, str], str | None]:
    """The comment of each table, view and column; of a partition none, for nobody reads one by itself."""
    rows = connection.execute("""
        SELECT relname, coalesce(attname, ''),
            CASE WHEN attnum IS NULL THEN obj_description(c.oid, 'pg_class')
            ELSE col_description(c.oid, attnum) END
        FROM pg_class c LEFT JOIN (
            SELECT attrelid, attname, attnum FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
            UNION ALL SELECT oid, NULL, NULL FROM pg_class
        ) a ON attrelid = c.oid
        WHERE relnamespace = 'stream_attr'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
    """).fetchall()
    return {(table, column): text for table, column, text in rows}


def test_every_table_view_and_column_says_what_it_holds(ledger: Database):
    with ledger.connection() as connection:
        found = comments(connection)
    assert {table for table, _ in found} == {*TABLES, *(view.name for view in VIEWS)}
    assert [name for name, text in found.items() if not text or not text.endswith(".")] == []


def test_a_records_field_says_what_its_schema_says(ledger: Database):
    own = {("decision", "profile"), ("decision_revision", "profile")}  # further profiles, too
    with ledger.connection() as connection:
        found = comments(connection)
    compared = 0
    for table, (record, _) in TABLES.items():
        if record is None:
            continue
        schema = json.loads((SCHEMAS / f"{record.name}.schema.json").read_text())
        assert (found[table, ""] or "").endswith(schema["description"])
        for name, field in schema["properties"].items():
            if (table, name) in found and (table, name) not in own:
                assert found[table, name] == field["description"]
                compared += 1
    assert compared > 100


def test_done_once_nothing_is_written_again(ledger: Database):
    with ledger.connection() as connection:
        before = connection.execute("SELECT max(xmin::text::bigint) FROM pg_description").fetchone()
        views = connection.execute(
            "SELECT array_agg(xmin::text) FROM pg_class WHERE relkind = 'v'"
        ).fetchone()
    assert migrate(ledger) is None
    with ledger.connection() as connection:
        query = "SELECT max(xmin::text::bigint) FROM pg_description"
        assert connection.execute(query).fetchone() == before
        query = "SELECT array_agg(xmin::text) FROM pg_class WHERE relkind = 'v'"
        assert connection.execute(query).fetchone() == views


@pytest.fixture
def reader(ledger: Database) -> Iterator[Connection]:
    """A connection of the reading role."""
    with ledger.connection() as connection:
        connection.execute(f"SET SESSION AUTHORIZATION {READER}".encode())
        yield connection


def test_the_reading_role_reads_every_view_and_nothing_else(reader: Connection):
    for view in VIEWS:
        reader.execute(f"SELECT * FROM {view.name}".encode())
    for table in TABLES:
        with pytest.raises(errors.InsufficientPrivilege), reader.transaction():
            reader.execute(f"SELECT * FROM {table}".encode())
    for statement in (
        "DELETE FROM report_orders",
        "UPDATE report_refunds SET amount = 0",
        "CREATE TABLE stream_attr.mine (a integer)",
        "CREATE TABLE public.mine (a integer)",
    ):
        with pytest.raises(errors.InsufficientPrivilege), reader.transaction():
            reader.execute(statement.encode())


def example(name: str) -> dict[str, Any]:
    """Return an example of a record."""
    file = min((SCHEMAS / "examples" / name).glob("*.pass.json"))
    record: dict[str, Any] = json.loads(file.read_text())
    return record


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """Insert a row; what it does not say of columns that must be there is 0 or empty."""
    query = (
        "SELECT attname, atttypid::regtype::text FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull"
    )
    empty = {"text": "", "text[]": [], "bigint[]": [], "json": "{}", "boolean": False, "date": "2026-01-01"}
    must = {name: empty.get(kind, 0) for name, kind in connection.execute(query, [table]).fetchall()}
    full = must | row
    names, places = ", ".join(full), ", ".join(["%s"] * len(full))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})".encode(), list(full.values()))


def test_orders_are_the_official_ones_with_times_and_net_amount(ledger: Database):
    with ledger.connection() as connection:
        order = {"shop_id": "jd:1", "order_id": "o", "amount": 100, "refund_completed": 30, "paid_ts": NOON}
        insert(connection, "decision", {**order, "profile": "official"})
        insert(connection, "decision", {**order, "profile": "other"})
        found = connection.execute(
            "SELECT net_amount, paid_at AT TIME ZONE 'UTC', deposit_at FROM report_orders"
        ).fetchall()
    assert found == [(70, datetime.datetime(2025, 11, 1, 12, 26, 40, 123_000), None)]  # noqa: DTZ001 -- UTC


def test_an_agents_day_has_every_figure_and_the_shops_has_those_of_nobody_too(ledger: Database):
    record = example("agent-daily")
    with ledger.connection() as connection:
        for agent in ("*", "anna"):
            day = {"shop_id": "jd:1", "agent_id": agent, "day": "2026-01-01", "record": json.dumps(record)}
            insert(connection, "agent_day", day)
        agents = connection.execute("SELECT * FROM report_agent_days")
        [of_agent] = [
            dict(zip([c.name for c in agents.description or ()], row, strict=True)) for row in agents
        ]
        shops = connection.execute("SELECT * FROM report_shop_days")
        [of_shop] = [dict(zip([c.name for c in shops.description or ()], row, strict=True)) for row in shops]
    assert of_agent["agent_id"] == "anna"
    assert "agent_id" not in of_shop
    groups = [group for group, value in record.items() if isinstance(value, dict)]
    for group in groups:
        for name, value in record[group].items():
            if name == "final_from":
                continue
            for row in (of_shop, of_agent) if group != "silent" else (of_shop,):
                found = row[f"{group}_{name}"]
                assert (float(found) if isinstance(value, float) else found) == value
    assert "workload" in groups


def test_an_inquiry_that_was_taken_back_is_none(ledger: Database):
    with ledger.connection() as connection:
        for agent, kind in (("a", "inquiry"), ("b", "none")):
            insert(connection, "inquiry", {"shop_id": "jd:1", "agent_id": agent, "kind": kind})
        assert connection.execute("SELECT agent_id FROM report_inquiries").fetchall() == [("a",)]


def test_of_two_roles_from_one_day_the_later_holds(ledger: Database):
    with ledger.connection() as connection:
        for offset, role in enumerate(["presale", "aftersale"]):
            row = {"shop_id": "jd:1", "agent_id": "a", "source_offset": offset, "role": role}
            insert(connection, "roster", row)
        assert connection.execute("SELECT role FROM report_agents").fetchall() == [("aftersale",)]


def test_a_view_that_is_not_there_is_made_again(ledger: Database):
    with ledger.connection() as connection:
        connection.execute("DROP VIEW report_tasks")
    migrate(ledger)
    with ledger.connection() as connection:
        connection.execute(f"SET ROLE {READER}; SELECT due_at FROM report_tasks".encode())
        assert comments(connection)["report_tasks", "due_at"]


def test_a_view_that_lost_a_column_is_recreated_unless_something_depends_on_it(ledger: Database):
    with ledger.connection() as connection:
        connection.execute("COMMENT ON SCHEMA stream_attr IS 'of another version'")
        connection.execute("DROP VIEW report_tasks")
        connection.execute("CREATE VIEW report_tasks AS SELECT 1 AS gone")
        connection.execute("CREATE VIEW public.theirs AS SELECT gone FROM report_tasks")
    with pytest.raises(DatabaseError, match=r"view report_tasks has to be recreated, .*view public.theirs"):
        migrate(ledger)
    with ledger.connection() as connection:
        connection.execute("DROP VIEW public.theirs")
    assert migrate(ledger) is None
    with ledger.connection() as connection:
        connection.execute("SELECT due_at FROM report_tasks")
        connection.execute(f"SET ROLE {READER}".encode())
        connection.execute("SELECT due_at FROM report_tasks")


def test_without_the_right_to_make_a_role_it_is_said_who_does(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(publish, "READER", "another_reader")
    with ledger.connection() as connection:
        connection.execute("CREATE ROLE builder LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE {connection.info.dbname} TO builder".encode())
        connection.execute("DROP SCHEMA stream_attr CASCADE")
    try:
        address = conninfo.make_conninfo(ledger.address, user="builder")
        with Database(address, Path()) as database:
            said = migrate(database)
            assert said == (
                "there is no role another_reader, and user 'builder' may not create it: "
                "have an administrator run CREATE ROLE another_reader NOLOGIN, then run the command again"
            )
            with ledger.connection() as connection:
                connection.execute("CREATE ROLE another_reader NOLOGIN")
            assert migrate(database) is None
        with ledger.connection() as connection:
            connection.execute("SET ROLE another_reader")
            assert connection.execute("SELECT * FROM report_orders").fetchall() == []
    finally:
        with psycopg.connect(ledger.address) as connection:
            connection.execute("DROP OWNED BY builder CASCADE")
            for role in ("builder", "another_reader"):
                connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
