"""The report of sales against the raw decisions, against agents' days, and against itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from stream_attr.contract.topics import DECISIONS
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import sales
from stream_attr.ledger.reports.scope import Options
from stream_attr.ledger.sink.batch import Batch, prepare, write
from stream_attr.ledger.sink.offsets import claim
from stream_attr.rules.shop.days import day_name
from tests.ledger.reports import brute_force
from tests.ledger.reports.brute_force import SHOP, SILENT, four_digits, half_up, local_day, local_hour
from tests.ledger.reports.conftest import Traffic, table
from tests.ledger.sink import test_batch

SHOPS = ("jd:10086", "pdd:20417")
DAYS = ("2026-10-20", "2026-11-30")


def days_of(first: str, last: str) -> set[str]:
    asked = period(first, last)
    return {day_name(day) for day in range(asked.first, asked.last + 1)}


def assert_equal(row: dict[str, Any], expected: dict[str, int], shop: dict[str, int]) -> None:
    """A row holds the sums, and what they make."""
    amount, buyers = expected["amount"], expected["buyers"]
    assert row["sales.orders"] == expected["orders"]
    assert row["sales.buyers"] == buyers
    assert row["sales.quantity"] == expected["quantity"]
    assert row["sales.amount"] == amount
    assert row["refunds.requested"] == expected["requested"]
    assert row["refunds.completed"] == expected["completed"]
    assert row["sales.net_amount"] == amount - expected["completed"]
    assert row["sales.amount_per_buyer"] == half_up(amount, buyers)
    assert row["sales.quantity_per_buyer"] == four_digits(expected["quantity"], buyers)
    if "sales.amount:share" in row:
        assert row["sales.amount:share"] == four_digits(amount, shop["amount"])


@pytest.mark.database
@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("days", [DAYS, ("2026-11-09", "2026-11-11"), ("2026-11-10", "2026-11-10")])
@pytest.mark.parametrize("state", ["ended", "middle"])
def test_sales_by_agent_are_those_of_the_raw_decisions(
    request: pytest.FixtureRequest, shop: str, days: tuple[str, str], state: str
) -> None:
    traffic: Traffic = request.getfixturevalue(state)
    connection: Connection = request.getfixturevalue({"ended": "read", "middle": "read_middle"}[state])
    made = sales.report(connection, Options((shop,), period(*days)))
    expected = brute_force.sales([one for one in traffic.decisions if one["shop_id"] == shop], days_of(*days))
    whole = expected[SHOP, None]
    rows = table(made, made.rows, "agent")
    assert {agent for (agent,) in rows} == {agent for agent, _ in expected} - {SHOP, SILENT}
    for (agent,), row in rows.items():
        assert_equal(row, expected[agent, None], whole)
    totals = table(made, made.totals, "agent")
    by_name = {name: row for (name,), row in totals.items()}
    assert_equal(by_name["shop"], whole, whole)
    if (SILENT, None) in expected:
        assert_equal(by_name["silent"], expected[SILENT, None], whole)
    assert [note.is_warning for note in made.notes] == [False] * len(made.notes)
    assert any(" + silent " in note.text.english and " = shop " in note.text.english for note in made.notes)


def test_generated_traffic_has_what_these_tests_need(ended: Traffic, middle: Traffic) -> None:
    outcomes = {one["outcome"] for one in ended.decisions}
    assert {"credited", "silent", "unpaid"} <= outcomes
    assert sum(bool(one["refunds"]) for one in ended.decisions) > 10
    assert {one["shop_id"] for one in ended.decisions} == set(SHOPS)
    assert {one["status"] for one in middle.decisions} == {"pending", "final"}
    assert {one["status"] for one in ended.decisions} == {"final"}


def test_sales_of_each_day_are_those_of_agent_daily(ended: Traffic, read: Connection) -> None:
    made = sales.report(read, Options(SHOPS[:1], period(*DAYS), by=("agent", "day")))
    rows = table(made, made.rows, "agent", "day")
    seen = 0
    for record in ended.agent_days:
        if record["shop_id"] != SHOPS[0] or record["agent_id"] == "*":
            continue
        row = rows.get((record["agent_id"], record["day"]))
        figures = {
            f"sales.{name}": record["sales"][name] for name in ("orders", "buyers", "quantity", "amount")
        }
        figures |= {f"refunds.{name}": record["refunds"][name] for name in ("requested", "completed")}
        if row is None:
            assert not any(figures.values())
            continue
        seen += 1
        assert {name: row[name] for name in figures} == figures
        for name in ("amount_per_buyer", "quantity_per_buyer"):
            assert row[f"sales.{name}"] == record["sales"][name]
    assert seen == len(rows) > 20
    assert "The days of the shop in agent-daily say the same." in [note.text.english for note in made.notes]


def test_sales_of_the_shop_by_day_are_its_days(ended: Traffic, read: Connection) -> None:
    made = sales.report(read, Options(SHOPS[:1], period(*DAYS), by=("day",)))
    rows = table(made, made.rows, "day")
    assert len(rows) == 42
    days = {
        one["day"]: one for one in ended.agent_days if (one["shop_id"], one["agent_id"]) == (SHOPS[0], "*")
    }
    for (day,), row in rows.items():
        for name in ("orders", "buyers", "quantity", "amount"):
            assert row[f"sales.{name}"] == (days[day]["sales"][name] if day in days else 0)
        for name in ("orders", "amount"):
            assert row[f"silent.{name}"] == (days[day]["silent"][name] if day in days else 0)


@pytest.mark.parametrize("by", ["day", "week", "month", "hour"])
def test_sales_by_time_add_up_to_the_period(ended: Traffic, read: Connection, by: str) -> None:
    parts = {
        "day": local_day,
        "hour": local_hour,
        "month": lambda ts: local_day(ts)[:7],
        "week": lambda ts: _week(local_day(ts)),
    }
    made = sales.report(read, Options(SHOPS[:1], period(*DAYS), by=("agent", by)))
    decisions = [one for one in ended.decisions if one["shop_id"] == SHOPS[0]]
    expected = brute_force.sales(decisions, days_of(*DAYS), parts[by])
    rows = table(made, made.rows, "agent", by)
    assert set(rows) == {key for key in expected if key[0] not in (SHOP, SILENT)}
    for key, row in rows.items():
        assert_equal(row, expected[key], expected[SHOP, key[1]])
    whole = brute_force.sales(decisions, days_of(*DAYS))[SHOP, None]
    (shop,) = [row for (name,), row in table(made, made.totals, "agent").items() if name == "shop"]
    assert_equal(shop, whole, whole)


def _week(day: str) -> str:
    monday = date.fromisoformat(day) - timedelta(days=date.fromisoformat(day).weekday())
    first = max(monday.isoformat(), DAYS[0])
    last = min((monday + timedelta(days=6)).isoformat(), DAYS[1])
    return first if first == last else f"{first} – {last}"


def test_shops_persons_and_groups_are_sums_of_their_agents(ended: Traffic, read: Connection) -> None:
    agents = sales.report(read, Options(SHOPS, period(*DAYS), by=("agent",)))
    by_agent = table(agents, agents.rows, "shop", "agent")
    groups = sales.report(read, Options(SHOPS, period(*DAYS), by=("group",)))
    for (group,), row in table(groups, groups.rows, "group").items():
        own = [one for one in by_agent.values() if (one["group"] or "(none)") == group]
        assert own
        for key in ("sales.amount", "sales.orders", "sales.buyers", "refunds.completed"):
            assert row[key] == sum(one[key] for one in own)
    persons = sales.report(read, Options(SHOPS, period(*DAYS), by=("person",)))
    by_person = table(persons, persons.rows, "person")
    assert sum(row["sales.amount"] for row in by_person.values()) == sum(
        row["sales.amount"] for row in by_agent.values()
    )
    shops = sales.report(read, Options(SHOPS, period(*DAYS), by=("shop",)))
    for (shop,), row in table(shops, shops.rows, "shop").items():
        expected = brute_force.sales(
            [one for one in ended.decisions if one["shop_id"] == shop], days_of(*DAYS)
        )
        assert row["sales.amount"] == expected[SHOP, None]["amount"]
        assert row["sales.buyers"] == expected[SHOP, None]["buyers"]


def test_agents_that_are_asked_for_have_a_total_of_their_own(read: Connection) -> None:
    everybody = sales.report(read, Options(SHOPS[:1], period(*DAYS)))
    first, second, *_ = table(everybody, everybody.rows, "agent").values()
    for names in ((first["agent"], second["agent"]), (first["agent"], second["name"] or second["agent"])):
        made = sales.report(read, Options(SHOPS[:1], period(*DAYS), agents=names))
        assert [row["agent"] for row in table(made, made.rows, "agent").values()] == [
            first["agent"],
            second["agent"],
        ]
        totals = {name: row for (name,), row in table(made, made.totals, "agent").items()}
        assert totals.keys() == {"total", "shop"}
        assert totals["total"]["sales.amount"] == first["sales.amount"] + second["sales.amount"]


def test_decisions_as_they_were_known(ended: Traffic, read: Connection) -> None:
    """Every revision up to the end of a day, by the watermark that replay had when it made it."""
    cut = 1_794_326_400_000  # 2026-11-11, 00:00 in Shanghai
    revisions: dict[str, dict[str, Any]] = {}
    for record in ended.last("attribution-decisions", "decision_id"):
        if record["shop_id"] == SHOPS[0] and record["watermark"] < cut:
            revisions[record["order_id"]] = record
    expected = brute_force.sales(revisions.values(), days_of(*DAYS))
    asked = Options(SHOPS[:1], period(*DAYS), as_known_on=period("2026-11-10", None).first)
    made = sales.report(read, asked)
    rows = table(made, made.rows, "agent")
    assert {agent for (agent,) in rows} == {agent for agent, _ in expected} - {SHOP, SILENT}
    for (agent,), row in rows.items():
        assert_equal(row, expected[agent, None], expected[SHOP, None])
    now = brute_force.sales([one for one in ended.decisions if one["shop_id"] == SHOPS[0]], days_of(*DAYS))
    assert now[SHOP, None] != expected[SHOP, None]


@pytest.mark.parametrize(("is_cut", "warnings"), [(True, 1), (False, 0)])
def test_refunds_that_a_decision_does_not_name_are_missed_aloud(
    ledger: Database, is_cut: bool, warnings: int
) -> None:
    with ledger.connection(autocommit=True) as connection:
        claim(connection, {(DECISIONS, 0): None})
        prepare(connection)
        batch = Batch({(DECISIONS, 0): 0})
        batch.add(
            test_batch.record(DECISIONS, 0, test_batch.decision(1, amounts=[1] * 100, refunds_cut=is_cut))
        )
        write(connection, batch)
        for known in (None, period("2026-11-10", None).first):
            asked = Options((SHOPS[0],), period("2026-11", None), as_known_on=known)
            made = sales.report(connection, asked)
            said = [note for note in made.notes if "more than 100 refunds" in note.text.english]
            assert len(said) == warnings
            assert [note.is_warning for note in said] == [True] * warnings
