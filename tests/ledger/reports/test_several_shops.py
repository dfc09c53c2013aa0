"""What is alike in name alone is not added up: accounts of two shops, and refunds of another currency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stream_attr.contract.topics import DECISIONS
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import (
    agents,
    losses,
    orders,
    pending,
    pressure,
    quality,
    receptions,
    review,
    sales,
)
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.ledger.sink.batch import Batch, prepare, write
from stream_attr.ledger.sink.offsets import claim
from tests.ledger.reports.conftest import rows_as_dicts
from tests.ledger.reports.handmade import DAY_MS, SHOP, fill, start_of
from tests.ledger.sink import test_batch

DAY = "2026-11-10"
OTHER = "pdd:2"


def test_accounts_of_one_id_in_two_shops_are_one_person_only_if_the_roster_says_so(ledger: Database) -> None:
    figures = {("kf-1", DAY): {"workload.receptions": 3}, ("kf-2", DAY): {"workload.receptions": 5}}
    fill(ledger, figures, agents={"kf-1": "Amy", "kf-2": "Bo"}, watermark=start_of(DAY) + DAY_MS)
    with ledger.connection() as connection:
        for table in ("roster", "agent_day"):
            connection.execute(
                f"CREATE TEMPORARY TABLE copy ON COMMIT DROP AS TABLE {table};"
                f"UPDATE copy SET shop_id = '{OTHER}'; INSERT INTO {table} TABLE copy; DROP TABLE copy"
            )
        connection.execute("UPDATE roster SET person_id = 'p-2' WHERE agent_id = 'kf-2'")
        asked = Options((SHOP, OTHER), period(DAY, None), by=("person",), figures=("workload.receptions",))
        made = agents.report(connection, asked)
        found = [tuple(row.values()) for row in rows_as_dicts(made, made.rows)]
        assert sorted(found) == [
            (f"kf-1 ({SHOP})", "Amy", 3),
            (f"kf-1 ({OTHER})", "Amy", 3),
            ("p-2", "Bo", 10),
        ]
        made = agents.report(connection, replace(asked, shops=(SHOP,)))
        found = [tuple(row.values()) for row in rows_as_dicts(made, made.rows)]
        assert sorted(found) == [("kf-1", "Amy", 3), ("p-2", "Bo", 5)]


def test_a_refund_in_another_currency_is_not_added_up_in_silence(ledger: Database) -> None:
    """Paid in October, refunded in November, when all that is sold is of another currency."""
    october, november = start_of("2026-10-10"), start_of(DAY)
    refunds = [{"refund_id": None, "ts": november, "amount": 700, "completed": True}]
    old = test_batch.decision(1, "o-1", currency="USD", created_ts=october, paid_ts=october, refunds=refunds)
    new = test_batch.decision(1, "o-2", currency="CNY", created_ts=november, paid_ts=november)
    with ledger.connection(autocommit=True) as connection:
        claim(connection, {(DECISIONS, 0): None})
        prepare(connection)
        batch = Batch({(DECISIONS, 0): 0})
        for offset, one in enumerate((old, new)):
            batch.add(test_batch.record(DECISIONS, offset, one))
        write(connection, batch)
        shop = old["shop_id"]
        with snapshot(connection):
            asked = Options((shop,), period("2026-11", None), figures=("refunds.completed",))
            for report in (agents, review):
                made = report.report(connection, asked)
                said = [one.text.english for one in made.notes if one.is_warning]
                assert [one.partition(", and")[0] for one in said] == [f"Shop {shop} has several currencies"]


@pytest.mark.parametrize(
    "report",
    [one.report for one in (sales, agents, orders, pending, losses, receptions, pressure, review, quality)],
    ids=lambda one: one.__module__.rpartition(".")[2],
)
def test_a_shop_that_is_named_twice_counts_once(
    read: Connection, report: Callable[[Any, Options], Report]
) -> None:
    def made_of(*shops: str) -> tuple[object, ...]:
        made = report(read, Options(shops, period("2026-11-09", "2026-11-11")))
        return list(made.columns), list(made.rows), list(made.totals), made.notes, made.filters

    shop, other = "jd:10086", "pdd:20417"
    assert made_of(shop, shop) == made_of(shop)
    assert made_of(other, shop, other, shop) == made_of(other, shop)
