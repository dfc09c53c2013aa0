"""What a database makes of the one rule it can express: who chatted last before the order, within 24 hours.

DuckDB joins the same files with ``ASOF``, in one thread as our replay is one process. It decides nothing
else: no filters, no payment, no silence, no assists, no receipts, nothing pending, no late events.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import duckdb
import orjson

from replay import cpu_and_wall, load_lines, replay_to_files
from stream_attr.collector import without_collector
from stream_attr.contract.topics import DECISIONS
from table import Row
from traffic import generated

__all__ = ["run"]

EVENTS = 1_000_000
DAYS = 15
ALTERNATIONS = 3
VALIDITY_MS = 24 * 3_600_000
COLUMNS = {
    "chat": "{shop_id: 'VARCHAR', buyer_id: 'VARCHAR', agent_id: 'VARCHAR', ts: 'BIGINT'}",
    "orders": "{shop_id: 'VARCHAR', buyer_id: 'VARCHAR', order_id: 'VARCHAR', ts: 'BIGINT', type: 'VARCHAR'}",
}
READ = "CREATE TEMP TABLE {table} AS FROM read_json('{file}', columns = {columns}, {how}) WHERE {which}"
"""Into tables first: without their sizes it would choose a nested loop for the join."""
HOW = "format = 'newline_delimited', ignore_errors = true"
JOIN = """
COPY (
    SELECT placed.shop_id, placed.order_id, chat.agent_id
    FROM placed ASOF LEFT JOIN chat
      ON placed.shop_id = chat.shop_id AND placed.buyer_id = chat.buyer_id AND placed.ts >= chat.ts
    WHERE chat.ts IS NULL OR placed.ts - chat.ts <= {validity}
) TO '{out}' (FORMAT JSON)
"""


def run(_plots: Path) -> list[Row]:
    """Measure DuckDB, our decisions and the mere reading of the lines in turn."""
    with tempfile.TemporaryDirectory() as name, without_collector():
        folder = Path(name)
        inputs = generated(folder, EVENTS, DAYS)
        [chat], [orders] = inputs.chat, inputs.orders
        lines = [line for path in (chat, orders) for line in Path(path).read_bytes().splitlines()]
        theirs, ours = [], []
        for _ in range(ALTERNATIONS):
            floor, _ = cpu_and_wall(lambda: load_lines(lines))
            joined, _ = cpu_and_wall(lambda: _join(chat, orders, folder / "asof.jsonl"))
            replayed, _ = cpu_and_wall(lambda: replay_to_files(inputs, folder, 1, reports=False))
            theirs.append(joined / floor)
            ours.append(replayed / floor)
        agreed = _agreement(folder / "asof.jsonl", folder / DECISIONS)
    return [
        Row(
            "DuckDB, ASOF join of the last chat within 24 h, against orjson.loads",
            f"{statistics.median(theirs):.1f} times",
            spread=f"{min(theirs):.1f} to {max(theirs):.1f}",
            note=f"CPU time, {EVENTS:,} events; all rules of ours: {statistics.median(ours):.1f} times",
        ),
        Row(
            "orders for which that one rule names the agent that all rules name",
            f"{agreed:.0%}",
            note="preset of the generated shop, jd_cloud",
        ),
    ]


def _join(chat: str, orders: str, out: Path) -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        for table, file, kind, which in (
            ("chat", chat, "chat", "true"),
            ("placed", orders, "orders", "type = 'created'"),
        ):
            connection.execute(
                READ.format(table=table, file=file, columns=COLUMNS[kind], how=HOW, which=which)
            )
        connection.execute(JOIN.format(out=out, validity=VALIDITY_MS))


def _agreement(joined: Path, decisions: Path) -> float:
    """Return the share of the decided orders for which both name the same agent, or nobody."""
    named: dict[str, str | None] = {}
    for line in joined.read_bytes().splitlines():
        one = orjson.loads(line)
        named[one["order_id"]] = one.get("agent_id")
    last: dict[str, str | None] = {}
    for line in decisions.read_bytes().splitlines():
        one = orjson.loads(line)
        last[one["order_id"]] = (one["credit"] or {}).get("agent_id")
    return sum(named.get(order_id) == agent for order_id, agent in last.items()) / len(last)
