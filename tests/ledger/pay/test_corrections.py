"""What happens after a month was closed comes into the next run: now + still owed + paid = due."""

from __future__ import annotations

import json
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_attr.ledger.acting import Acting
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.pay.drafts import draft
from stream_attr.ledger.pay.persons import Paid, Persons
from stream_attr.ledger.pay.records import Kept
from stream_attr.ledger.pay.runs import RunId, Runs
from stream_attr.ledger.pay.schemes import Schemes, read
from stream_attr.pay.employment import Employment
from tests.ledger.pay.world import (
    BASE,
    COMMISSION,
    agent,
    agent_day,
    close,
    done,
    order,
    person,
    put,
    refused,
    run,
    scheme,
    shown,
)
from tests.ledger.reports.handmade import start_of

MONTHS = ("2026-11", "2026-12", "2027-01", "2027-02")


@pytest.fixture
def closed(ledger: Database, tmp_path: Path) -> Database:
    """November is closed: p-1 was paid 4,000.00 and 610.01 for 85,000.50."""
    put(ledger, tmp_path, scheme(BASE, COMMISSION))
    with ledger.connection() as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        order(connection, "o-1", "anna", 2_234_566)
        order(connection, "o-2", "anna", 6_265_484)
    person(ledger, "p-1")
    person(ledger, "p-2")
    close(ledger)
    assert shown(ledger)["p-1"]["total"] == 461_001
    return ledger


def statement(database: Database, person_id: str, month: str) -> Kept:
    with database.connection() as connection:
        return Runs(connection).statements(RunId("presale", month))[person_id]


def test_a_refund_after_closing_is_taken_from_the_next_month(closed: Database):
    with closed.connection() as connection:
        order(connection, "o-2", "anna", 6_265_484, refunds=[("2026-12-05", 500_050)], revision=2)
    close(closed, "2026-12")
    row = shown(closed, "2026-12")["p-1"]
    # 80,000.00: 150.00 + 400.00; 610.01 − 550.00 = 60.01.
    assert (row["pay"], row["true_up"], row["total"], row["owed"]) == (400_000, -6_001, 393_999, 0)
    [correction] = statement(closed, "p-1", "2026-12").corrections
    assert (correction.true_up.due, correction.true_up.paid) == (455_000, 461_001)
    [change] = correction.changes
    assert (change.component, change.before, change.after) == ("commission", 61_001, 55_000)
    assert [(one.order_id, one.before, one.after) for one in change.orders] == [("o-2", 6_265_484, 5_765_434)]
    close(closed, "2027-01")
    assert shown(closed, "2027-01")["p-1"]["true_up"] == 0


def test_no_more_is_taken_at_once_than_the_scheme_lets(closed: Database, tmp_path: Path):
    put(
        closed,
        tmp_path,
        scheme(
            {**BASE, "amount": 100_000},
            COMMISSION,
            version=2,
            effective_from="2026-12-01",
            take_at_most="10%",
        ),
    )
    with closed.connection() as connection:
        order(connection, "o-2", "anna", 6_265_484, refunds=[("2026-12-05", 6_265_484)], revision=2)
    taken = []
    for month in MONTHS[1:]:
        close(closed, month)
        row = shown(closed, month)["p-1"]
        taken.append((row["true_up"], row["owed"]))
    # 22,345.66 × 0.5 % = 111.73; 610.01 − 111.73 = 498.28, of 1,000.00 at most 100.00 a month.
    assert taken == [(-10_000, -39_828), (-10_000, -29_828), (-10_000, -19_828)]


def test_a_ruling_moves_pay_from_one_to_the_other(closed: Database):
    with closed.connection() as connection:
        order(connection, "o-2", "ben", 6_265_484, revision=2, basis="ruling")
    close(closed, "2026-12")
    rows = shown(closed, "2026-12")
    # Anna keeps 111.73 of 610.01; Ben: 150.00 + 0.8 % of 32,654.84 = 411.24.
    assert (rows["p-1"]["true_up"], rows["p-2"]["true_up"]) == (-49_828, 41_124)


def test_an_agents_day_that_becomes_final_comes_later(closed: Database, tmp_path: Path):
    served = {"kind": "per_unit", "id": "served", "of": "workload.receptions", "amount": 100}
    put(closed, tmp_path, scheme(BASE, served, version=2, effective_from="2026-12-01"))
    with closed.connection() as connection:
        agent_day(connection, "anna", "2026-12-05", status="pending", workload__receptions=7)
        agent_day(connection, "anna", "2026-12-06", workload__receptions=2)
    close(closed, "2026-12")
    assert shown(closed, "2026-12")["p-1"]["served"] == 200
    with closed.connection() as connection:
        connection.execute("UPDATE agent_day SET status = 'final'")
    close(closed, "2027-01")
    assert shown(closed, "2027-01")["p-1"]["true_up"] == 700


def test_a_ledger_that_is_filled_anew_corrects_nothing(closed: Database):
    close(closed, "2026-12")
    january = ("--scheme", "presale", "--month", "2027-01", "--by", "Li")
    with closed.connection() as connection:
        connection.execute("DELETE FROM decision")
        connection.execute("UPDATE sink_offset SET watermark = watermark - 1")
    result = run(closed, "run", "draft", *january)
    assert result.exit_code == 1
    assert (
        "watermark of attribution-decisions is behind the one that the run of scheme presale for 2026-11"
        in (result.stderr)
    )
    with closed.connection() as connection:
        connection.execute("UPDATE sink_offset SET watermark = watermark + 1")
    done(closed, "run", "draft", *january)


def test_who_has_left_is_still_paid_what_is_owed(closed: Database):
    person(closed, "p-1", "--from", "2026-01-01", "--to", "2026-11-30")
    with closed.connection() as connection:
        order(connection, "o-3", "anna", 100_000)
    close(closed, "2026-12")
    row = shown(closed, "2026-12")["p-1"]
    assert (row["pay"], row["total"]) == (0, 1_200)  # 1.2 % of 1,000.00 more
    close(closed, "2027-01")
    assert list(shown(closed, "2027-01")) == ["p-2"]


def test_a_person_entered_anew_after_closing_changes_nothing_of_it(closed: Database):
    person(closed, "p-1", "--from", "2026-11-16")
    close(closed, "2026-12")
    assert shown(closed, "2026-12")["p-1"]["true_up"] == 0


def test_who_moves_to_another_scheme_takes_the_corrections_along(closed: Database, tmp_path: Path):
    put(closed, tmp_path, scheme(BASE, scheme_id="service"))
    person(closed, "p-1", scheme_id="service")
    with closed.connection() as connection:
        order(connection, "o-3", "anna", 100_000)
    close(closed, "2026-12")
    close(closed, "2026-12", "service")
    assert shown(closed, "2026-12", "service")["p-1"]["true_up"] == 1_200
    assert list(shown(closed, "2026-12")) == ["p-2"]


def test_two_drafts_do_not_settle_the_same_twice(closed: Database):
    with closed.connection() as connection:
        order(connection, "o-3", "anna", 100_000)
    january = ("--scheme", "presale", "--month", "2027-01")
    done(closed, "run", "draft", *january, "--by", "Li")
    close(closed, "2026-12")
    assert "(presale 2026-12)" in refused(closed, "run", "check", *january, "--by", "Li")
    close(closed, "2027-01")
    assert [shown(closed, month)["p-1"]["true_up"] for month in MONTHS[1:3]] == [1_200, 0]


# Any history, against a calculation from scratch

Order = dict[str, Any]
PERSONS = {"anna": "p-1", "ben": "p-2", "cleo": "p-3", "nobody": None}
TIERS = [(0, Fraction(5, 1000)), (300_000, Fraction(8, 1000)), (800_000, Fraction(12, 1000))]
PRIZES = (5_000, 3_001)


def away_from_zero(value: Fraction) -> int:
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def worth(orders: dict[str, Order], month: str, basis: str) -> dict[str, int]:
    """What each person is due for a month by all orders as they are now: written from docs/pay.md."""
    sold: dict[str, int] = dict.fromkeys(("p-1", "p-2", "p-3"), 0)
    for one in orders.values():
        owner = PERSONS.get(one["agent"] or "")
        if owner is None or one["status"] != "final" or one.get("excluded"):
            continue
        own = one["day"].startswith(month)
        sold[owner] += one["amount"] if own else 0
        for day, amount in one["refunds"]:
            if own if basis == "sale_month" else day.startswith(month):
                sold[owner] -= amount
    due = {}
    ranked = sorted(sold.values(), reverse=True)
    for owner, money in sold.items():
        exact = Fraction()
        for start, rate in TIERS:
            above = [one for one, _ in TIERS if one > start]
            end = min(above, default=None)
            part = (
                money
                if money < 0 and start == 0
                else max(0, (money if end is None else min(money, end)) - start)
            )
            exact += part * rate
        places = [number for number, one in enumerate(ranked) if one == money]
        prize = Fraction(sum(PRIZES[number] for number in places if number < len(PRIZES)), len(places))
        tied = sorted(name for name, one in sold.items() if one == money)
        left = sum(PRIZES[number] for number in places if number < len(PRIZES)) - int(prize) * len(places)
        won = int(prize) + (tied.index(owner) < left)
        due[owner] = 100_000 + away_from_zero(exact) + won
    return due


days = st.builds("{}-{:02}".format, st.sampled_from(MONTHS), st.integers(1, 28))
amounts = st.integers(1, 700_000)
events = st.one_of(
    st.tuples(
        st.just("order"),
        days,
        amounts,
        st.sampled_from([*PERSONS, None]),
        st.sampled_from(["final", "pending"]),
    ),
    st.tuples(st.just("refund"), st.integers(0, 99), st.integers(1, 100), days),
    st.tuples(st.just("ruling"), st.integers(0, 99), st.sampled_from([*PERSONS, None])),
    st.tuples(st.just("final"), st.integers(0, 99)),
    st.tuples(st.just("excluded"), st.integers(0, 99)),
)
histories = st.lists(st.lists(events, max_size=6), min_size=4, max_size=4)


def happens(orders: dict[str, Order], event: tuple[Any, ...]) -> str | None:
    """Apply an event to the orders; returns which one it changed, if any."""
    what, *of = event
    if what == "order":
        day, amount, who, status = of
        name = f"o-{len(orders):02}"
        orders[name] = {
            "day": day,
            "amount": amount,
            "agent": who,
            "status": status,
            "refunds": [],
            "ruled": False,
        }
        return name
    if not orders:
        return None
    name = sorted(orders)[of[0] % len(orders)]
    one = orders[name]
    if what == "refund":
        left = one["amount"] - sum(amount for _, amount in one["refunds"])
        refunded = left * of[1] // 100
        if refunded:
            one["refunds"].append((max(of[2], one["day"]), refunded))
    elif what == "ruling":
        one.update(agent=of[1], ruled=True)
    elif what == "final":
        one["status"] = "final"
    else:
        one.update(agent=None, excluded=True)
    return name


def emptied(connection: Connection) -> None:
    """Begin again: as an administrator who turns the triggers off, which no program of ours does."""
    connection.execute("SET session_replication_role = replica")
    for table in ("pay_statement", "pay_run", "pay_person", "pay_scheme", "decision", "refund", "roster"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("SET session_replication_role = origin")


def begun(connection: Connection, basis: str, take: str) -> None:
    prizes = {"kind": "ranking", "id": "prizes", "by": "sales.net_amount", "prizes": list(PRIZES)}
    tiers = [{"from": start, "rate": f"{float(rate * 100):g}%"} for start, rate in TIERS]
    document = scheme(
        {"kind": "fixed", "id": "base", "amount": 100_000}, {**COMMISSION, "tiers": tiers}, prizes,
        refund_basis=basis, take_at_most=take,
    )  # fmt: skip
    Schemes(connection).put(read(json.dumps(document).encode()), "payroll")
    connection.execute(
        "INSERT INTO sink_offset VALUES ('attribution-decisions', 0, 9, NULL, %(at)s, %(at)s)"
        " ON CONFLICT DO NOTHING",
        {"at": start_of("2028-01-01")},
    )
    for name, owner in PERSONS.items():
        agent(connection, name, owner)
        if owner is not None:
            Persons(connection).put(Paid(owner, None, "presale", Employment("2026-01-01")), "hr")


def rows_of(connection: Connection) -> list[tuple[str]]:
    """All bytes of closed runs."""
    return connection.execute(
        "SELECT pay_run::text || pay_statement::text FROM pay_run JOIN pay_statement USING (scheme_id, month)"
        " WHERE state = 'closed' ORDER BY month, person_id"
    ).fetchall()


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories, st.sampled_from(["sale_month", "refund_month"]), st.sampled_from([0, 20, 100]))
def test_now_and_owed_and_paid_are_due_over_any_history(
    ledger: Database, history: list[list[tuple[Any, ...]]], basis: str, percent: int
):
    orders: dict[str, Order] = {}
    paid: dict[tuple[str, str], int] = defaultdict(int)
    kept_bytes: list[tuple[str]] = []
    with ledger.connect(autocommit=True) as connection:
        emptied(connection)
        begun(connection, basis, f"{percent}%")
        for number, (month, happened) in enumerate(zip(MONTHS, history, strict=True)):
            for event in happened:
                if (name := happens(orders, event)) is not None:
                    one = orders[name]
                    columns = {"outcome": "excluded"} if one.get("excluded") else {}
                    order(
                        connection, name, one["agent"], one["amount"], day=one["day"], refunds=one["refunds"],
                        status=one["status"], basis="ruling" if one["ruled"] else None, **columns,
                    )  # fmt: skip
            this = RunId("presale", month)
            draft(connection, this, "Li")
            for step, by in (("check", "Li"), ("approve", "Wang"), ("close", "Li")):
                with connection.transaction():
                    Runs(connection).step(this, step, Acting(by), as_it_stands=True)
            kept = Runs(connection).statements(this)
            due = {earlier: worth(orders, earlier, basis) for earlier in MONTHS[: number + 1]}
            for owner, own in kept.items():
                assert own.statement.total == due[month][owner]
                found = {its.true_up.month: its.true_up for its in own.corrections}
                for earlier in MONTHS[:number]:
                    before = paid[owner, earlier]
                    true_up = found.pop(earlier, None)
                    if true_up is None:
                        assert due[earlier][owner] == before
                        continue
                    assert (true_up.due, true_up.paid) == (due[earlier][owner], before)
                    assert true_up.now + true_up.owed + before == due[earlier][owner]
                    assert true_up.owed <= 0, "what is owed to a person is paid at once"
                    paid[owner, earlier] += true_up.now
                assert not found
                assert own.true_up >= -(max(own.statement.total, 0) * percent // 100)
                paid[owner, month] += own.statement.total
            now = rows_of(connection)
            assert now[: len(kept_bytes)] == kept_bytes
            assert len(now) == len(kept_bytes) + 3
            kept_bytes = now
