"""What a month pays so far, and a run's persons beside each other: figures worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.pay.comparison import comparison
from stream_attr.ledger.pay.runs import RunId
from stream_attr.ledger.pay.so_far import pay_so_far
from stream_attr.ledger.reports.report import Report
from tests.ledger.pay.world import (
    BASE,
    COMMISSION,
    agent,
    agent_day,
    close,
    done,
    known_until,
    order,
    person,
    put,
    scheme,
)
from tests.ledger.reports.conftest import plain

PRIZES = {"kind": "ranking", "id": "prizes", "by": "sales.net_amount", "prizes": [50_000, 10_000]}
SERVED = {"kind": "per_unit", "id": "served", "of": "workload.receptions", "amount": 100}


@pytest.fixture
def shop(ledger: Database, tmp_path: Path) -> Database:
    """Anna (p-1) has 20,000.00 for sure and 15,000.00 pending, Ben (p-2) 25,000.00 for sure."""
    put(ledger, tmp_path, scheme(BASE, COMMISSION, SERVED))
    with ledger.connection() as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        order(connection, "o-1", "anna", 2_000_000)
        order(connection, "o-2", "anna", 1_500_000, status="pending")
        order(connection, "o-3", "ben", 2_500_000)
        agent_day(connection, "anna", "2026-11-05", workload__receptions=3)
        agent_day(connection, "anna", "2026-11-06", status="pending", workload__receptions=4)
    person(ledger, "p-1")
    person(ledger, "p-2")
    return ledger


def cells(report: Report) -> list[tuple[Any, ...]]:
    return [tuple(map(plain, row)) for row in (*report.rows, *report.totals)]


def of(connection: Connection, person_id: str = "p-1") -> Report:
    return pay_so_far(connection, person_id, "2026-11")


def test_what_is_for_sure_stands_beside_what_would_be_with_all_pending(shop: Database):
    with shop.connection() as connection:
        report = of(connection)
    # 0.5 % of 20,000.00; with all pending 0.5 % of 30,000.00 + 0.8 % of 5,000.00. 3 and 7 receptions at 1.00.
    assert [row[:3] for row in cells(report)] == [
        ("底薪", 400_000, 400_000),
        ("commission", 10_000, 19_000),
        ("served", 300, 700),
        ("total", 410_300, 419_700),
    ]
    assert cells(report)[1][4] == "10,000.00 more of net sales"
    said = [note.text.english for note in report.notes]
    assert (
        "1 orders of 15,000.00 CNY and 1 agents' days are pending, until 2026-12-20 00:00:00 at the latest."
        in said
    )


def test_a_place_in_the_team_is_of_the_whole_team(shop: Database, tmp_path: Path):
    put(shop, tmp_path, scheme(BASE, PRIZES, version=2))
    with shop.connection() as connection:
        # For sure Ben is first; with all pending Anna is, with 35,000.00.
        assert cells(of(connection))[1][:3] == ("prizes", 10_000, 50_000)
        assert cells(of(connection, "p-2"))[1][:3] == ("prizes", 50_000, 10_000)


def test_double_allocation_counts_the_part_of_orders_of_others(shop: Database, tmp_path: Path):
    split = {"kind": "split", "id": "split", "placing": "40%", "payment": "60%"}
    put(shop, tmp_path, scheme(split, COMMISSION, version=2))
    with shop.connection() as connection:
        order(connection, "o-3", "ben", 2_500_000, placing="anna", payment="ben")
        # Anna: 20,000.00 and 40 % of 25,000.00; then 15,000.00 more: 150.00 + 0.8 % of 15,000.00.
        assert cells(of(connection))[0][:3] == ("commission", 15_000, 27_000)


def test_nobody_is_paid_so_far_who_is_not_paid(shop: Database):
    with shop.connection() as connection:
        with pytest.raises(UnusableError, match="nobody is paid as 'p-9'"):
            of(connection, "p-9")
        with pytest.raises(UnusableError, match="holds from 2026-11-01"):
            pay_so_far(connection, "p-1", "2026-10")


def test_a_runs_persons_are_compared_with_each_other_and_the_month_before(shop: Database):
    with shop.connection() as connection:
        order(connection, "o-1", "anna", 2_000_100)
    close(shop, known="2026-12-02")
    with shop.connection() as connection:
        order(connection, "o-4", "ben", 1_000_000, day="2026-12-05")
        order(connection, "o-5", "ben", 1_000_000, day="2026-12-05", refunds=[("2026-12-06", 500_000)])
    known_until(shop, "2027-01-02")
    done(shop, "run", "draft", "--scheme", "presale", "--month", "2026-12", "--by", "Li")
    with shop.connection() as connection:
        november = cells(comparison(connection, RunId("presale", "2026-11")))
        december = cells(comparison(connection, RunId("presale", "2026-12")))
    # November: 4,000.00 + 0.5 % of 25,000.00; 4,000.00 + 100.01 + 3.00.
    assert november == [
        ("p-2", None, 412_500, 0.5013, None, None, 1, 2_500_000, 0.165),
        ("p-1", None, 410_301, 0.4987, None, None, 1, 2_000_100, 0.2051),
        ("total", None, 822_801, 1.0, None, None, 2, 4_500_100, 0.1828),
    ]
    # December: Ben 4,000.00 + 0.5 % of 15,000.00; Anna nothing but her base.
    assert december == [
        ("p-2", None, 407_500, 0.5046, 412_500, -5_000, 2, 1_500_000, 0.2717),
        ("p-1", None, 400_000, 0.4954, 410_301, -10_301, 0, 0, None),
        ("total", None, 807_500, 1.0, 822_801, -15_301, 2, 1_500_000, 0.5383),
    ]
