"""Reports and receipts in a ledger of ten million decisions: time on the server."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any, Final

import psycopg

from ledger import opened
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import agents, sales
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options, snapshot
from table import Row

__all__ = ["run"]

SHOPS: Final = 100
ORDERS: Final = 100_000
"""Of each shop, in one month."""
AGENTS: Final = 50
DAYS: Final = 30
REPETITIONS: Final = 15
REPORT_MS: Final = 300.0
RECEIPT_MS: Final = 5.0
MONTH: Final = "2026-11"
OF_MONTH: Final = f", a month of {AGENTS} agents"
SHOP: Final = "shop-42"
START_TS: Final = 1_793_462_400_000
"""2026-11-01 in Shanghai."""
RECEIPT_BYTES: Final = 1_200

_DECISIONS: Final = """
INSERT INTO decision (
    shop_id, order_id, profile, revision, buyer_id, preset, status, reason, outcome, agent_id, basis,
    amount, quantity, currency, refund_requested, refund_completed, created_ts, paid_ts, notices,
    final_at, watermark, known_ts, source_partition, source_offset, record
)
SELECT
    'shop-' || shop, 'order-' || n, 'official', 1, 'buyer-' || n * 7 % 80000, 'jd_official',
    CASE WHEN n % 15 = 0 THEN 'pending' ELSE 'final' END, 'paid',
    CASE WHEN is_silent THEN 'silent' ELSE 'credited' END,
    CASE WHEN NOT is_silent THEN 'agent-' || n % $agents END,
    CASE WHEN NOT is_silent THEN 'payment' END,
    100 + n % 40000, 1 + n % 3, 'CNY', 0, 0, paid_ts - 60000, paid_ts, '{}',
    paid_ts + 86400000, paid_ts, paid_ts, 0, n,
    CASE WHEN 'shop-' || shop = '$shop' THEN to_json(repeat('x', $bytes)) ELSE '1' END
FROM generate_series($first, $last) AS shop, generate_series(1, $orders) AS n, LATERAL (
    SELECT n % 5 < 3 AS is_silent, $start + n::bigint * 7919 % ($days * 1440) * 60000 AS paid_ts
) AS made
ORDER BY paid_ts
"""
_REFUNDS: Final = """
INSERT INTO refund
SELECT shop_id, order_id, 1, 'r', paid_ts + 86400000, amount, true, currency, agent_id, outcome
FROM decision WHERE source_offset % 12 = 0
"""
_AGENT_DAYS: Final = """
INSERT INTO agent_day
SELECT shop_id, coalesce(agent_id, '*'), day, 1, 'final', 'timer', 0, 0, 0, jsonb_build_object(
    'sales', jsonb_build_object(
        'amount', sum(amount), 'orders', count(*), 'quantity', sum(quantity), 'buyers', count(*)
    ),
    'refunds', jsonb_build_object('requested', 0, 'completed', 0),
    'workload', jsonb_build_object(
        'receptions', 40, 'replied', 38, 'first_response_ms_sum', 900000, 'first_responses', 38
    ),
    'inquiries', jsonb_build_object('inquiries', 20, 'lost', 5, 'ordered', 15),
    'payments', jsonb_build_object('payment_lost', 1, 'paid', 14),
    'silent', jsonb_build_object('amount', 0, 'orders', 0),
    'more', repeat('x', $bytes)
)
FROM decision, LATERAL (
    SELECT (to_timestamp(paid_ts / 1000) AT TIME ZONE 'Asia/Shanghai')::date AS day
) AS of
GROUP BY 1, 2, 3
"""


def run(_plots: Path) -> list[Row]:
    """Measure one shop's month, with the pages in memory and the statistics made."""
    month = period(MONTH, None)
    by_agent = Options((SHOP,), month)
    by_day = Options((SHOP,), month, by=("agent", "day"))
    with tempfile.TemporaryDirectory() as name, opened(Path(name)) as connection:
        _fill(connection)
        return [
            _row(f"report sales{OF_MONTH}", lambda: _rows(connection, sales.report, by_agent), REPORT_MS),
            _row(
                f"report sales by day{OF_MONTH}", lambda: _rows(connection, sales.report, by_day), REPORT_MS
            ),
            _row(f"report agents{OF_MONTH}", lambda: _rows(connection, agents.report, by_agent), REPORT_MS),
            _row("a receipt", lambda: _receipt(connection), RECEIPT_MS),
        ]


def _fill(connection: psycopg.Connection[Any]) -> None:
    """Write the decisions; those of other shops than the one that is asked for have hardly a receipt."""
    connection.execute("SET synchronous_commit = off")
    words = {
        "shop": SHOP,
        "orders": ORDERS,
        "agents": AGENTS,
        "days": DAYS,
        "start": START_TS,
        "bytes": RECEIPT_BYTES,
    }
    for first in range(1, SHOPS + 1, 10):
        connection.execute(Template(_DECISIONS).substitute(words, first=first, last=first + 9).encode())
    connection.execute(_REFUNDS)
    connection.execute(Template(_AGENT_DAYS).substitute(words).encode())
    connection.execute("VACUUM ANALYZE")


def _row(what: str, work: Callable[[], object], promised: float) -> Row:
    work()
    times = []
    for _ in range(REPETITIONS):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1000)
    median = statistics.median(times)
    return Row(
        f"{what}, of {SHOPS * ORDERS // 1_000_000} million decisions",
        f"{median:.1f} ms",
        f"at most {promised:.0f} ms",
        f"{min(times):.1f} to {max(times):.1f}",
        f"wall clock; {ORDERS:,} orders of the shop in the month",
        met=median <= promised,
    )


def _rows(
    connection: psycopg.Connection[Any],
    report: Callable[[psycopg.Connection[Any], Options], Report],
    options: Options,
) -> list[object]:
    with snapshot(connection):
        return list(report(connection, options).rows)


def _receipt(connection: psycopg.Connection[Any]) -> None:
    query = "SELECT record FROM decision WHERE shop_id = %s AND order_id = %s AND profile = 'official'"
    assert connection.execute(query, (SHOP, "order-4711")).fetchone() is not None
