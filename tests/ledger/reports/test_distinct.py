"""Distinct values by the index: what DISTINCT finds, from a few of the index's entries."""

from __future__ import annotations

from typing import Any

from psycopg.sql import SQL

from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.reports.distinct import distinct


def read(plan: dict[str, Any]) -> float:
    """How many rows the scans of a plan have read."""
    parts = plan.get("Plans", [])
    return sum(map(read, parts)) if parts else plan["Actual Rows"] * plan["Actual Loops"]


def test_each_value_comes_once_from_a_few_entries(ledger: Database) -> None:
    of_b = SQL("shop_id = 'b' AND agent_id <> 'agent-3'")
    shops, agents = distinct("agent_day", "shop_id"), distinct("agent_day", "agent_id", of_b)
    with ledger.connection(autocommit=True) as connection:
        assert connection.execute(shops).fetchall() == []
        connection.execute(
            "INSERT INTO agent_day SELECT shop_id, 'agent-' || n % 7, date '2026-01-01' + n, 1, 'final',"
            " 'timer', 0, 0, 0, '{}' FROM generate_series(1, 3000) AS n, unnest('{a,b,c}'::text[]) AS shop_id"
        )
        connection.execute("VACUUM ANALYZE agent_day")
        assert connection.execute(shops).fetchall() == [("a",), ("b",), ("c",)]
        assert connection.execute(agents).fetchall() == [
            (f"agent-{number}",) for number in (0, 1, 2, 4, 5, 6)
        ]
        [(explained,)] = connection.execute(SQL("EXPLAIN (ANALYZE, FORMAT json) ") + agents).fetchall()
        assert 0 < read(explained[0]["Plan"]) < 100  # of 3,000


def test_null_is_no_value(ledger: Database) -> None:
    with ledger.connection(autocommit=True) as connection:
        connection.execute(
            "INSERT INTO service_task SELECT 'a', n::text, 'k', 1, 'b', CASE n WHEN 2 THEN 'x' END, 'open',"
            " 'timer', 0, NULL, 0, 0, 0 FROM generate_series(1, 3) AS n"
        )
        found = connection.execute(distinct("service_task", "agent_id", SQL("shop_id = 'a'"))).fetchall()
        assert found == [("x",)]
        assert (
            connection.execute(distinct("service_task", "agent_id", SQL("order_id = '1'"))).fetchall() == []
        )
