"""What a person would earn, worked out by hand; nothing of it is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream_attr.ledger.database.connect import Database
from tests.ledger.pay.world import (
    BASE,
    COMMISSION,
    agent,
    agent_day,
    done,
    order,
    person,
    put,
    refused,
    scheme,
)


@pytest.fixture
def shop(ledger: Database, tmp_path: Path) -> Database:
    """Anna has sold 29,999.99 and has a goal of 40,000.00; Ben has sold 100.00."""
    goal = {
        "kind": "steps",
        "id": "goal",
        "of": "attainment.sales.amount",
        "steps": [{"from": "80%", "amount": 10_000}, {"from": "100%", "amount": 30_000}],
    }
    served = {"kind": "per_unit", "id": "served", "of": "workload.receptions", "amount": 100}
    put(ledger, tmp_path, scheme(BASE, COMMISSION, goal, served))
    with ledger.connection() as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        order(connection, "o-1", "anna", 2_999_999)
        order(connection, "o-2", "ben", 10_000)
        agent_day(connection, "anna", "2026-11-05", workload__receptions=3)
        connection.execute(
            "INSERT INTO goal VALUES ('jd:1', 'anna', 'sales.amount', '2026-11-01', '2026-11-30', 4000000,"
            " 'CNY', 1)"
        )
    person(ledger, "p-1")
    person(ledger, "p-2")
    return ledger


def simulated(database: Database, *more: object) -> dict[str, dict[str, Any]]:
    """The lines by name, and below ``total`` the sums."""
    text = done(database, "simulate", "p-1", "--month", "2026-11", *more, "--format", "json")
    found = json.loads(text)
    return {row["line"]: row for row in (*found["rows"], *found["totals"])}


def test_as_it_is_it_says_what_the_next_tier_needs(shop: Database):
    rows = simulated(shop)
    assert (rows["commission"]["now"], rows["commission"]["then"]) == (15_000, 15_000)
    assert rows["commission"]["next"] == "0.01 more of net sales"
    # 29,999.99 of 40,000.00 are 75 %.
    assert (rows["goal"]["then"], rows["goal"]["next"]) == (0, "5% more of sales amount attained")
    assert rows["total"]["difference"] == 0


def test_an_order_more_moves_all_that_rests_on_it(shop: Database):
    rows = simulated(shop, "--order", "5000.01", "--order", "5,000")
    # 40,000.00: 150.00 + 80.00, and the goal is reached.
    assert (rows["commission"]["then"], rows["goal"]["then"]) == (23_000, 30_000)
    assert rows["total"]["difference"] == 8_000 + 30_000


def test_another_figure_is_taken_as_it_is_written(shop: Database):
    rows = simulated(shop, "--figure", "workload.receptions=50", "--figure", "sales.net_amount=80000.00")
    assert (rows["served"]["now"], rows["served"]["then"]) == (300, 5_000)
    assert rows["commission"]["then"] == 15_000 + 40_000
    assert simulated(shop, "--figure", "attainment.sales.amount=120%")["goal"]["then"] == 30_000


def test_another_scheme_is_set_beside_the_present_one(shop: Database, tmp_path: Path):
    file = tmp_path / "other.json"
    whole = {**COMMISSION, "id": "whole", "mode": "whole", "tiers": [{"from": 0, "rate": "1%"}]}
    file.write_text(json.dumps(scheme({**BASE, "amount": 300_000}, whole)), encoding="utf-8")
    rows = simulated(shop, "--scheme", file)
    assert (rows["底薪"]["now"], rows["底薪"]["then"], rows["底薪"]["difference"]) == (
        400_000,
        300_000,
        -100_000,
    )
    assert (rows["whole"]["now"], rows["whole"]["then"]) == (None, 30_000)
    assert (rows["commission"]["now"], rows["commission"]["then"]) == (15_000, None)
    assert rows["total"]["then"] == 330_000


def test_nothing_is_kept(shop: Database):
    simulated(shop, "--order", "5000.01")
    assert done(shop, "run", "list") == ""
    assert simulated(shop)["commission"]["now"] == 15_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--figure", "sales.orders"], "--figure 'sales.orders': write KEY=VALUE"),
        (["--figure", "sales.orders=3"], "--figure sales.orders: scheme presale does not pay by it"),
        (["--figure", "sales.net_amount=much"], "--figure sales.net_amount: 'much' is not an amount like"),
        (["--order", "1.234"], "--order: '1.234' is not an amount like 50000.00: at most 2 digits"),
    ],
)
def test_a_wrong_assumption_is_refused_by_option(shop: Database, options: list[str], said: str):
    assert said in refused(shop, "simulate", "p-1", "--month", "2026-11", *options)


def test_a_person_who_is_not_there_is_refused(shop: Database):
    assert "nobody is paid as 'p-9'" in refused(shop, "simulate", "p-9", "--month", "2026-11")
    person(shop, "p-1", "--from", "2026-12-01")
    said = refused(shop, "simulate", "p-1", "--month", "2026-11")
    assert "p-1 is employed after 2026-11: name a later month" in said
