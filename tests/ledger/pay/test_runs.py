"""A month's run: what it takes, who may do what to it, and that a closed one never changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from psycopg import errors

from stream_attr.cli import main
from stream_attr.console.accounts import Accounts, Duty
from stream_attr.console.roles import Role
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.publish import CONSOLE, READER
from stream_attr.ledger.pay.runs import RunId, Runs
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.pay.calculator import calculate
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
    refused,
    run,
    scheme,
    shown,
)
from tests.ledger.reports.handmade import SHOP

NOVEMBER = ("--scheme", "presale", "--month", "2026-11")
RUN = RunId("presale", "2026-11")
TABLES = ("pay_scheme", "pay_person", "pay_run", "pay_statement")


@pytest.fixture
def shop(ledger: Database, tmp_path: Path) -> Database:
    """Anna, person p-1, has two accounts and three orders of 12,345.67, 9,999.99 and 62,654.84; Ben none."""
    put(ledger, tmp_path, scheme(BASE, COMMISSION))
    with ledger.connection() as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "anna2", "p-1")
        agent(connection, "ben", "p-2")
        order(connection, "o-1", "anna", 1_234_567)
        order(connection, "o-2", "anna2", 999_999)
        order(connection, "o-3", "anna", 6_265_484, revision=4)
    person(ledger, "p-1", "--name", "安娜")
    person(ledger, "p-2", "--from", "2026-11-16")
    return ledger


def drafted(database: Database, by: str = "Li") -> None:
    done(database, "run", "draft", *NOVEMBER, "--by", by)


def steps(database: Database) -> None:
    """Draft, check and approve November again."""
    drafted(database)
    done(database, "run", "check", *NOVEMBER, "--by", "Li")
    done(database, "run", "approve", *NOVEMBER, "--by", "Wang")


def test_a_draft_pays_each_person_over_all_accounts(shop: Database):
    drafted(shop)
    rows = shown(shop)
    # 150.00 + 400.00 + 1.2 % of 5,000.50 (LEDGER 4); half of November is 15 of 30 days.
    assert (rows["p-1"]["base"], rows["p-1"]["commission"], rows["p-1"]["total"]) == (
        400_000,
        61_001,
        461_001,
    )
    assert (rows["p-2"]["base"], rows["p-2"]["commission"], rows["p-2"]["total"]) == (200_000, 0, 200_000)


def test_a_run_names_the_orders_and_revisions_it_rests_on(shop: Database):
    drafted(shop)
    with shop.connection() as connection:
        runs = Runs(connection)
        basis, kept = runs.get(RUN).basis, runs.statements(RUN)
    assert [(one.order_id, one.revision) for one in basis.read.orders] == [("o-1", 1), ("o-2", 1), ("o-3", 4)]
    shares = {one.order_id: one.share for line in kept["p-1"].statement.lines for one in line.orders}
    assert shares == {"o-1": 8_860, "o-2": 7_177, "o-3": 44_964}  # LEDGER 4: 88.60, 71.77, 449.64


def test_a_runs_snapshot_alone_gives_its_statements_again(shop: Database):
    close(shop)
    with shop.connection() as connection:
        connection.execute("DELETE FROM decision")
        runs = Runs(connection)
        found = runs.get(RUN)
        again = calculate(Schemes(connection).version("presale", found.version), found.basis.team)
        assert again.statements == tuple(one.statement for one in runs.statements(RUN).values())


def test_what_is_pending_is_not_paid_and_named_with_its_time(shop: Database):
    with shop.connection() as connection:
        order(connection, "o-4", "anna", 5_000, status="pending")
        order(connection, "o-5", "anna", 7_000, day="2026-12-01")
        order(connection, "o-6", "carl", 9_000)
    drafted(shop)
    assert shown(shop)["p-1"]["commission"] == 61_001
    text = done(shop, "run", "show", *NOVEMBER)
    assert "1 orders of 50.00 CNY that are pending, until 2026-12-20 00:00:00" in text
    assert "Nobody is paid for 1 orders of agent jd:1/carl" in text
    chinese = done(shop, "run", "show", *NOVEMBER, "--lang", "zh")
    assert "1 单待定订单，共 50.00 CNY，最晚 2026-12-20 00:00:00 定案" in chinese


def test_an_account_is_whose_the_roster_says_on_the_day(shop: Database):
    with shop.connection() as connection:
        agent(connection, "anna2", "p-2", "2026-11-10")
        order(connection, "o-7", "anna2", 100_000, day="2026-11-09")
        order(connection, "o-8", "anna2", 1_000_000, day="2026-11-10")
    drafted(shop)
    with shop.connection() as connection:
        credited = {one.order_id: one.credited for one in Runs(connection).get(RUN).basis.read.orders}
    assert (credited["o-7"], credited["o-8"]) == ("p-1", "p-2")
    assert shown(shop)["p-2"]["commission"] == 5_000  # 0.5 % of 10,000.00


def test_figures_are_of_final_days_and_the_goals_of_a_month_are_attained(shop: Database, tmp_path: Path):
    by_receptions = {"kind": "per_unit", "id": "served", "of": "workload.receptions", "amount": 100}
    by_goal = {
        "kind": "factor",
        "id": "goal",
        "on": ["commission"],
        "by": "attainment.sales.amount",
        "tiers": [{"from": "0%", "rate": "50%"}, {"from": "90%", "rate": "200%"}],
    }
    put(shop, tmp_path, scheme(BASE, COMMISSION, by_receptions, by_goal, version=2))
    with shop.connection() as connection:
        agent_day(connection, "anna", "2026-11-05", workload__receptions=7)
        agent_day(connection, "anna2", "2026-11-06", workload__receptions=5)
        agent_day(connection, "anna", "2026-11-07", status="pending", workload__receptions=99)
        for name, target in (("anna", 5_000_000), ("anna2", 4_444_500)):
            connection.execute(
                "INSERT INTO goal VALUES ('jd:1', %s, 'sales.amount', '2026-11-01', '2026-11-30', %s,"
                " 'CNY', 1)",
                (name, target),
            )
    drafted(shop)
    row = shown(shop)["p-1"]
    assert row["served"] == 1_200
    assert "1 agents' days that are pending" in done(shop, "run", "show", *NOVEMBER)
    # 85,000.50 of 94,445.00 are 90.00 %: commission × (200 % − 1).
    assert row["goal"] == 61_001


def test_an_order_is_shared_by_placing_and_payment_agent_where_the_scheme_splits(
    shop: Database, tmp_path: Path
):
    split = {"kind": "split", "id": "split", "placing": "30%", "payment": "70%"}
    one_percent = {**COMMISSION, "tiers": [{"from": 0, "rate": "1%"}]}
    put(shop, tmp_path, scheme(split, one_percent, version=2))
    with shop.connection() as connection:
        for name, amount in (("o-1", 1_234_567), ("o-2", 999_999), ("o-3", 6_265_484)):
            order(connection, name, None, amount)
        order(connection, "o-4", "ben", 1_000_000, placing="anna", payment="ben")
        order(connection, "o-5", "ben", 500_000, payment="ben")  # silent, and ben brought it to payment
        order(connection, "o-6", "ben", 200_000, placing="anna", payment="anna2", basis="ruling")
    drafted(shop)
    rows = shown(shop)
    # o-4 gives anna 30 %; ben 70 % of it, o-5 whole, and o-6 that a person ruled.
    assert rows["p-1"]["commission"] == 3_000
    assert rows["p-2"]["commission"] == 7_000 + 5_000 + 2_000


def test_refunds_beyond_those_that_a_decision_names_count(shop: Database):
    with shop.connection() as connection:
        order(
            connection, "o-3", "anna", 6_265_484, refunds=[("2026-11-20", 400_000)], refund_completed=500_050
        )
    drafted(shop)
    assert shown(shop)["p-1"]["commission"] == 55_000  # 80,000.00


def test_who_drafted_a_run_does_not_approve_it_however_written(shop: Database):
    drafted(shop, by="Li Na")
    done(shop, "run", "check", *NOVEMBER, "--by", "Li Na")
    for name in ("Li Na", " li  NA "):
        said = refused(shop, "run", "approve", *NOVEMBER, "--by", name)
        assert "Li Na has drafted the run of scheme presale for 2026-11, and another person" in said
    done(shop, "run", "approve", *NOVEMBER, "--by", "Wang")
    with shop.connection() as connection:
        signed = [(what, by) for what, by, _ in Runs(connection).get(RUN).signed]
    assert signed == [("drafted", "Li Na"), ("checked", "Li Na"), ("approved", "Wang")]


@pytest.mark.parametrize("name", ["p-1", " P-1 ", "安娜", "anna2", "小安", "p-2"])
def test_who_is_paid_by_a_run_does_not_approve_it_under_any_name(shop: Database, name: str):
    with shop.connection() as connection:
        connection.execute("UPDATE roster SET name = '小安' WHERE agent_id = 'anna2'")
    drafted(shop)
    done(shop, "run", "check", *NOVEMBER, "--by", name)
    person_id = "p-2" if name == "p-2" else "p-1"
    said = refused(shop, "run", "approve", *NOVEMBER, "--by", name)
    assert said.endswith(
        f"{name.strip()} is paid by the run of scheme presale for 2026-11, as {person_id}: somebody who is "
        "not has to approve it"
    )
    done(shop, "run", "approve", *NOVEMBER, "--by", "Wang")


@pytest.mark.parametrize(
    ("role", "duties", "person_id"),
    [
        (Role.MANAGER, [Duty(SHOP)], "p-1"),
        (Role.ADMIN, [], "p-2"),
        (Role.AGENT, [Duty(SHOP, "anna2")], None),
        (Role.AGENT, [Duty("jd:2", "anna-there")], None),
    ],
)
def test_nor_under_an_account_that_is_one_of_its_persons(shop, role, duties, person_id):
    with shop.connection() as connection:
        agent(connection, "anna-there", "p-1", shop_id="jd:2")
        Accounts(connection).add("boss", "Boss", role, duties, person_id)
        Accounts(connection).add("Zhao", "Zhao", Role.MANAGER, [Duty(SHOP)], "p-7")
    drafted(shop)
    done(shop, "run", "check", *NOVEMBER, "--by", "Li")
    assert "boss is paid by the run" in refused(shop, "run", "approve", *NOVEMBER, "--by", "boss").lower()
    assert "BOSS is paid by the run" in refused(shop, "run", "approve", *NOVEMBER, "--by", "BOSS")
    done(shop, "run", "approve", *NOVEMBER, "--by", "zhao")


def test_a_person_of_the_team_without_a_statement_is_not_paid_by_it(shop: Database):
    person(shop, "p-2", "--from", "2026-12-01")
    drafted(shop)
    done(shop, "run", "check", *NOVEMBER, "--by", "Li")
    with shop.connection() as connection:
        assert set(Runs(connection).statements(RUN)) == {"p-1"}
    done(shop, "run", "approve", *NOVEMBER, "--by", "p-2")


def test_the_database_itself_refuses_that_who_drafted_it_approves_it(shop: Database):
    drafted(shop, by="Li")
    done(shop, "run", "check", *NOVEMBER, "--by", "Li")
    with shop.connection() as connection, pytest.raises(errors.CheckViolation), connection.transaction():
        connection.execute("UPDATE pay_run SET (state, approved_by, approved_ts) = ('approved', 'LI', 1)")


@pytest.mark.parametrize("step", ["approve", "close"])
def test_no_step_is_left_out(shop: Database, step: str):
    drafted(shop)
    said = refused(shop, "run", step, *NOVEMBER, "--by", "Wang")
    assert said.endswith("is draft, and cannot be taken to the step " + step + " now: the next step is check")


def test_a_new_draft_takes_back_what_was_approved(shop: Database):
    drafted(shop)
    done(shop, "run", "check", *NOVEMBER, "--by", "Li")
    done(shop, "run", "approve", *NOVEMBER, "--by", "Wang")
    drafted(shop, by="Zhao")
    assert "is draft" in refused(shop, "run", "close", *NOVEMBER, "--by", "Li")


def test_a_closed_run_is_refused_every_command(shop: Database):
    close(shop)
    before = done(shop, "run", "show", *NOVEMBER, "--format", "json")
    for arguments in (
        ["draft", "--by", "Zhao"],
        ["discard"],
        *([one, "--by", "Zhao"] for one in ("check", "close")),
    ):
        assert "never changes" in refused(shop, "run", arguments[0], *NOVEMBER, *arguments[1:])
    assert done(shop, "run", "show", *NOVEMBER, "--format", "json") == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pay_run SET state = 'draft', checked_by = NULL, approved_by = NULL, closed_by = NULL",
        "UPDATE pay_run SET basis = '{}'",
        "UPDATE pay_run SET closed_by = 'Zhao'",
        "DELETE FROM pay_run",
        "UPDATE pay_statement SET pay = pay + 1, total = total + 1 WHERE person_id = 'p-1'",
        "UPDATE pay_statement SET record = '{}' WHERE person_id = 'p-1'",
        "DELETE FROM pay_statement WHERE person_id = 'p-1'",
        "INSERT INTO pay_statement VALUES ('p-9', '2026-11-01', 'presale', 1, 0, 1, '{}')",
        "TRUNCATE pay_statement",
        "TRUNCATE pay_run CASCADE",
        "UPDATE pay_scheme SET document = '{}'",
        "DELETE FROM pay_scheme",
        "TRUNCATE pay_scheme CASCADE",
    ],
)
def test_the_database_refuses_any_change_of_a_closed_run(shop: Database, statement: str):
    close(shop)
    with shop.connection() as connection, pytest.raises(errors.RestrictViolation), connection.transaction():
        connection.execute(statement)


@pytest.mark.parametrize("state", ["checked", "approved"])
def test_what_was_checked_is_what_is_closed(shop: Database, state: str):
    drafted(shop)
    done(shop, "run", "check", *NOVEMBER, "--by", "Li")
    if state == "approved":
        done(shop, "run", "approve", *NOVEMBER, "--by", "Wang")
    for statement in (
        "UPDATE pay_run SET basis = '{}'",
        "UPDATE pay_run SET drafted_by = 'Zhao'",
        "UPDATE pay_statement SET record = '{}'",
        "DELETE FROM pay_statement",
    ):
        with (
            shop.connection() as connection,
            pytest.raises(errors.RestrictViolation),
            connection.transaction(),
        ):
            connection.execute(statement)


@pytest.mark.parametrize("table", TABLES)
def test_the_reading_role_sees_nothing_of_pay(shop: Database, table: str):
    with shop.connect(autocommit=True) as connection:
        connection.execute(f"SET ROLE {READER}")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(f"SELECT FROM {table}")


@pytest.mark.parametrize(
    ("persons", "seen"),
    [
        (None, (0, 0, 0, 0)),
        ("", (0, 0, 0, 0)),
        ("{}", (1, 0, 0, 0)),
        ("{p-1}", (1, 1, 1, 1)),
        ("{p-1,p-2}", (1, 2, 1, 2)),
        ("all", (1, 2, 1, 2)),
    ],
)
def test_the_console_sees_the_pay_of_persons_that_it_was_let_see(
    shop: Database, persons: str | None, seen: tuple[int, ...]
):
    drafted(shop)
    with shop.connect(autocommit=True) as connection:
        connection.execute(f"SET ROLE {CONSOLE}")
        if persons is not None:
            connection.execute("SELECT set_config('stream_attr.persons', %s, false)", (persons,))
        found = [connection.execute(f"SELECT FROM {table}").rowcount for table in TABLES]
        assert tuple(found) == seen
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("DELETE FROM pay_statement")


def test_a_month_is_not_closed_before_it_has_ended(shop: Database):
    known_until(shop, "2026-11-30")
    steps(shop)
    said = refused(shop, "run", "close", *NOVEMBER, "--by", "Li", "--as-it-stands")
    assert (
        "2026-11 ends 2026-12-01 00:00:00, and the ledger had come to 2026-11-30 00:00:00 when the run of "
        "scheme presale was drafted: draft it again once the ledger has the whole month"
    ) in said
    known_until(shop, "2026-12-01")  # what was drafted before does not become whole by that
    assert "draft it again" in refused(shop, "run", "close", *NOVEMBER, "--by", "Li")
    steps(shop)
    done(shop, "run", "close", *NOVEMBER, "--by", "Li")


def test_a_ledger_that_has_read_nothing_closes_nothing(shop: Database):
    steps(shop)
    assert "the ledger had read nothing" in refused(shop, "run", "close", *NOVEMBER, "--by", "Li")


def test_what_can_still_change_is_closed_by_whoever_says_so(shop: Database):
    known_until(shop, "2026-12-01")
    with shop.connection() as connection:
        order(connection, "o-4", "anna", 5_000, status="pending")
    steps(shop)
    said = refused(shop, "run", "close", *NOVEMBER, "--by", "Li")
    assert (
        "1 orders and 0 agents' days of 2026-11 could still change when the run of scheme presale was "
        "drafted, until 2026-12-20 00:00:00 at the latest: draft it again then, or say that it is to be "
        "closed as it stands (--as-it-stands)"
    ) in said
    done(shop, "run", "close", *NOVEMBER, "--by", "Li", "--as-it-stands")


def test_persons_whom_no_scheme_pays_are_named(shop: Database):
    with shop.connection() as connection:
        agent(connection, "carl", "p-3")
        agent(connection, "dora", "p-4", "2026-12-01")
        agent(connection, "eva", "p-5")
        agent(connection, "eva", "p-1", "2026-11-01")
        order(connection, "o-6", "carl", 9_000)
    drafted(shop)
    text = done(shop, "run", "show", *NOVEMBER)
    assert "No scheme pays p-3, an agent of these shops in the month, with 1 orders" in text
    assert text.count("No scheme pays") == 1, "p-4 begins in December, p-5 is nobody's agent since October"


def test_who_looks_and_who_acts_is_in_the_audit(shop: Database):
    steps(shop)
    done(shop, "run", "show", *NOVEMBER)
    done(shop, "statement", "p-1", "--month", "2026-11")
    done(shop, "simulate", "p-1", "--month", "2026-11")
    done(shop, "person", "list")
    with shop.connection() as connection:
        lines = connection.execute("SELECT login, action, about FROM audit ORDER BY number").fetchall()
        user = connection.info.user
    acts = [(login, action) for login, action, _ in lines if action != "look at pay"]
    assert acts == [
        ("payroll", "put scheme"),
        ("hr", "set paid person"),
        ("hr", "set paid person"),
        ("Li", "draft pay run"),
        ("Li", "check pay run"),
        ("Wang", "approve pay run"),
    ]
    done(shop, "run", "discard", *NOVEMBER)
    with shop.connection() as connection:
        last = "SELECT login LIKE %s, action, about FROM audit ORDER BY number DESC LIMIT 1"
        found = connection.execute(last, (f"{user} (%",)).fetchone()
    assert found == (True, "discard pay run", "presale 2026-11")
    looks = [about for login, action, about in lines if action == "look at pay" and login.startswith(user)]
    assert looks == [
        "run presale 2026-11",
        "statement p-1 2026-11",
        "what would be of p-1 2026-11",
        "persons",
    ]


def test_a_person_is_in_one_run_of_a_month(shop: Database, tmp_path: Path):
    drafted(shop)
    put(shop, tmp_path, scheme(BASE, scheme_id="service"))
    person(shop, "p-1", scheme_id="service")
    said = refused(shop, "run", "draft", "--scheme", "service", "--month", "2026-11", "--by", "Li")
    assert "p-1 is in the run of scheme presale for 2026-11, and a person is paid once" in said
    drafted(shop)
    done(shop, "run", "draft", "--scheme", "service", "--month", "2026-11", "--by", "Li")
    assert list(shown(shop)) == ["p-2"]
    assert list(shown(shop, scheme_id="service")) == ["p-1"]


def test_an_order_in_another_currency_is_refused_by_name(shop: Database):
    with shop.connection() as connection:
        order(connection, "o-9", "ben", 100, currency="USD")
    result = run(shop, "run", "draft", *NOVEMBER, "--by", "Li")
    assert result.exit_code != 0
    assert "order o-9 of jd:1 is in USD, and scheme presale pays CNY" in result.stderr


def test_a_version_of_a_scheme_never_changes(shop: Database, tmp_path: Path):
    file = tmp_path / "scheme.json"
    put(shop, tmp_path, scheme(BASE, COMMISSION))  # the same once more
    file.write_text(json.dumps(scheme(BASE)))
    said = refused(shop, "scheme", "put", file, "--by", "x")
    assert "version 1 of scheme presale is there and says something else" in said
    assert "give it the version 2" in said
    file.write_text(json.dumps(scheme(BASE, version=3)))
    assert "has no version 2 yet" in refused(shop, "scheme", "put", file, "--by", "x")
    assert done(shop, "scheme", "list") == "presale 1 from 2026-11-01, put by payroll\n"


@pytest.mark.parametrize("words", [("check",), ("put", "--by", "x")])
def test_a_scheme_that_cannot_be_used_is_refused_by_file_and_field(
    shop: Database, tmp_path: Path, words: tuple[str, ...]
):
    file = tmp_path / "scheme.json"
    file.write_text(json.dumps(scheme({**BASE, "amount": -1})))
    where = () if words == ("check",) else ("--database", shop.address)
    result = CliRunner().invoke(main, ["pay", "scheme", *words, str(file), *where])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {file}: `components[0].amount` must be at least 0")


def test_a_scheme_that_is_not_there_is_refused(shop: Database):
    said = refused(shop, "run", "draft", "--scheme", "pre", "--month", "2026-11", "--by", "Li")
    assert "there is no scheme 'pre'; stream-attr pay scheme put keeps one" in said


def test_the_scheme_in_force_in_the_month_pays(shop: Database, tmp_path: Path):
    put(shop, tmp_path, scheme({**BASE, "amount": 900_000}, version=2, effective_from="2026-12-01"))
    drafted(shop)
    assert shown(shop)["p-1"]["base"] == 400_000
    done(shop, "run", "draft", "--scheme", "presale", "--month", "2026-12", "--by", "Li")
    assert shown(shop, "2026-12")["p-1"]["base"] == 900_000


def test_persons_are_listed_with_their_agents(shop: Database):
    assert done(shop, "person", "list") == (
        "p-1 安娜: presale, 2026-01-01 to now\n"
        "  anna of jd:1 from 2026-01-01\n"
        "  anna2 of jd:1 from 2026-01-01\n"
        "p-2: presale, 2026-11-16 to now\n"
        "  ben of jd:1 from 2026-01-01\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "2026-13-01"], "--from '2026-13-01' is not a day like 2026-11-01"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "--to 2026-11-01 is before --from 2026-11-02"),
        (["--from", "2026-11-02", "--scheme", "none"], "--scheme 'none': there is no such scheme"),
        (["--from", "2026-11-02", "--by", " "], "--by ' ' is nobody's name"),
    ],
)
def test_a_wrong_person_is_refused_by_option(shop: Database, options: list[str], said: str):
    assert said in refused(shop, "person", "set", "p-3", "--scheme", "presale", "--by", "hr", *options)


def test_a_run_that_is_not_there_says_how_to_make_it(shop: Database):
    said = refused(shop, "run", "show", *NOVEMBER)
    assert "make one with stream-attr pay run draft --scheme presale --month 2026-11" in said
    assert "'2026-13' is not a month" in refused(
        shop, "run", "show", "--scheme", "presale", "--month", "2026-13"
    )
