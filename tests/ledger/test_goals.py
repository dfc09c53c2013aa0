"""``stream-attr goal``, and the report of goals against figures that are worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import goals
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.rules.shop.days import END_OF_TIME
from tests.ledger.reports.conftest import rows_as_dicts
from tests.ledger.reports.handmade import SHOP, fill, start_of

NOON = start_of("2026-11-18") + 12 * 3_600_000
"""A Wednesday; the month has 13 days left with it."""


def run(database: Database, *arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments), "--database", database.address])


@pytest.fixture
def shop(ledger: Database) -> Database:
    """From Monday 2 November to noon of Wednesday 18 November.

    ``anna`` sells 100.00 each day, on Mondays 400.00; ``ben`` nothing. On Wednesday 18 November she has
    sold 30.00. Her reply rate: 10 receptions each day, of which 1 is not replied to.
    """
    days: dict[tuple[str, str], dict[str, int]] = {}
    for day in range(2, 18):
        monday = (day - 2) % 7 == 0
        figures = {
            "sales.amount": 40_000 if monday else 10_000,
            "workload.receptions": 10,
            "workload.unreplied": 1,
            "workload.first_response_ms_sum": 200_000,
            "workload.first_responses": 10,
        }
        days["anna", f"2026-11-{day:02}"] = figures
        days["*", f"2026-11-{day:02}"] = {**figures, "silent.amount": 0}
    days["anna", "2026-11-18"] = days["*", "2026-11-18"] = {"sales.amount": 3_000}
    fill(ledger, days, agents={"anna": "安娜", "ben": "Ben", "ben2": "Ben"}, watermark=NOON)
    return ledger


def made(database: Database, **asked: Any) -> list[dict[str, Any]]:
    with database.connection() as connection, snapshot(connection):
        report = goals.report(connection, Options((SHOP,), period("2026-11", None), **asked))
        return rows_as_dicts(report, report.rows)


def test_a_goal_of_sales_says_what_the_rest_must_bring_and_what_it_will(shop: Database) -> None:
    done = run(
        shop, "goal", "set", "--shop", SHOP, "--agent", "安娜", "--figure", "销售额", "--from", "2026-11",
        "--target", "5,000.00",
    )  # fmt: skip
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == ("set 5000.00 CNY of sales.amount of anna, jd:1, 2026-11-01 to 2026-11-30\n")
    [row] = made(shop)
    # Mondays 2, 9, 16 and 13 other days from the 2nd to the 17th: 1,200.00 + 1,300.00, and 30.00 today.
    assert row["target"] == 500_000
    assert row["actual"] == 120_000 + 130_000 + 3_000
    assert row["attained"] == 0.506
    assert row["gap"] == 253_000 - 500_000
    assert row["days_left"] == 13
    assert row["needed"] == 19_000  # 2,470.00 in 13 days
    # Wednesdays are 100.00 on average, more than today has; then Monday the 23rd, the 30th, 10 others.
    assert row["forecast"] == 250_000 + 10_000 + 2 * 40_000 + 10 * 10_000
    assert row["forecast_attained"] == 0.88
    assert row["state"] == "behind"


def test_what_the_rest_must_bring_is_rounded_up(shop: Database) -> None:
    run(
        shop,
        "goal",
        "set",
        "--shop",
        SHOP,
        "--figure",
        "sales.amount",
        "--from",
        "2026-11",
        "--target",
        "2530.01",
    )
    [row] = made(shop)
    assert (row["agent"], row["name"]) == ("shop", None)
    assert row["gap"] == -1
    assert row["needed"] == 1
    assert row["state"] == "on track"
    run(
        shop,
        "goal",
        "set",
        "--shop",
        SHOP,
        "--figure",
        "sales.amount",
        "--from",
        "2026-11",
        "--target",
        "2530",
    )
    [row] = made(shop)
    assert (row["gap"], row["needed"], row["state"]) == (0, 0, "reached")


def test_a_goal_of_a_rate_needs_a_level_of_the_rest(shop: Database) -> None:
    run(
        shop,
        "goal",
        "set",
        "--shop",
        SHOP,
        "--agent",
        "anna",
        "--figure",
        "回复率",
        "--from",
        "2026-11",
        "--target",
        "95%",
    )
    run(
        shop,
        "goal",
        "set",
        "--shop",
        SHOP,
        "--agent",
        "anna",
        "--figure",
        "首次响应",
        "--from",
        "2026-11",
        "--target",
        "15",
    )
    by_figure = {row["figure"]: row for row in made(shop)}
    reply, first = by_figure["reply rate"], by_figure["first response"]
    # 16 days of 10 receptions, 9 replied: 144 of 160. 13 days more of 10 are expected: 95 % of 290 is 275.5,
    # so 131.5 of the 130 that are still to come.
    assert reply["target"] == 0.95
    assert reply["actual"] == 0.9
    assert reply["gap"] == -0.05
    assert reply["forecast"] == 0.9
    assert reply["needed"] == round(131.5 / 130, 4)
    assert reply["state"] == "behind"
    # 16 days of 10 responses of 20 s; 15 s of 290 are 4,350 s, of which 3,200 s are used: 1,150 s for 130.
    assert first["actual"] == 20_000
    assert first["needed"] == 8_846
    assert first["gap"] == 5_000
    assert first["state"] == "behind"


def test_each_row_has_the_unit_of_its_figure_in_every_format(shop: Database, tmp_path: Path) -> None:
    for figure, target in (("sales.amount", "5000"), ("workload.receptions", "200"), ("回复率", "95%")):
        run(shop, "goal", "set", "--shop", SHOP, "--agent", "anna", "--figure", figure, "--from", "2026-11",
            "--target", target)  # fmt: skip
    asked = ("report", "goals", "--shop", SHOP, "--from", "2026-11")
    sheet = run(shop, *asked, "--format", "csv").stdout_bytes.decode("utf-8-sig").splitlines()
    assert sheet[0].startswith("agent,name,figure,unit,from,to,target,actual,attained,gap,days left,")
    assert [line.partition(",2026-11-30,")[2] for line in sheet[1:]] == [
        "200,160,0.8000,-40,13,4,290,1.4500,on track",
        "0.9500,0.9000,0.9474,-0.0500,13,1.0115,0.9000,0.9474,behind",
        "5000.00,2530.00,0.5060,-2470.00,13,190.00,4400.00,0.8800,behind",
    ]
    lines = run(shop, *asked).stdout.splitlines()
    [rate] = [line.split() for line in lines if " reply rate " in line]
    assert rate[-10:-2] == ["95.00%", "90.00%", "94.74%", "-5.00", "pp", "13", "101.15%", "90.00%"]
    book = tmp_path / "goals.xlsx"
    run(shop, *asked, "--format", "xlsx", "--out", book)
    cells = CalamineWorkbook.from_path(book).get_sheet_by_name("Rows").to_python()
    assert [row[6:8] for row in cells[1:]] == [[200.0, 160.0], [0.95, 0.9], [5_000.0, 2_530.0]]
    plain = json.loads(run(shop, *asked, "--format", "json").stdout)["rows"]
    assert [row["target"] for row in plain] == [200, 0.95, 500_000]


def test_of_a_period_that_is_over_nothing_is_left(shop: Database) -> None:
    run(
        shop, "goal", "set", "--shop", SHOP, "--agent", "anna", "--figure", "sales.amount",
        "--from", "2026-11-02", "--to", "2026-11-08", "--target", "1000",
    )  # fmt: skip
    [row] = made(shop)
    assert (row["actual"], row["days_left"], row["needed"], row["forecast"]) == (100_000, 0, None, None)
    assert row["state"] == "reached"


def test_at_the_end_of_all_input_no_day_is_left(ledger: Database) -> None:
    days = {("anna", "2026-11-16"): {"sales.amount": 100}}
    fill(ledger, days, agents={"anna": "安娜"}, watermark=END_OF_TIME)
    of = ("--shop", SHOP, "--agent", "anna", "--figure", "sales.amount", "--from", "2026-11")
    run(ledger, "goal", "set", *of, "--target", "9")
    [row] = made(ledger)
    assert (row["actual"], row["days_left"], row["state"]) == (100, 0, "missed")


def test_of_a_weekday_that_the_shop_has_not_had_there_is_no_forecast(ledger: Database) -> None:
    days = {("anna", f"2026-11-{day:02}"): {"sales.amount": 100} for day in (16, 17)}
    fill(ledger, days, agents={"anna": "安娜"}, watermark=NOON)
    run(
        ledger,
        "goal",
        "set",
        "--shop",
        SHOP,
        "--agent",
        "anna",
        "--figure",
        "sales.amount",
        "--from",
        "2026-11",
        "--target",
        "9",
    )
    [row] = made(ledger)
    assert (row["actual"], row["forecast"], row["state"]) == (200, None, None)
    assert row["needed"] == 54  # 7.00 in 13 days: 53.8


def test_goals_of_a_file_are_taken_whole(shop: Database, tmp_path: Path) -> None:
    file = tmp_path / "goals.csv"
    file.write_bytes(
        "店铺,客服,指标,开始,结束,目标,币种\n"
        "jd:1,安娜,销售额,2026-11,,3000,\n"
        "jd:1,ben,销售额,2026-11,,1000.50,CNY\n"
        "jd:1,,销售额,2026-11,,5000,\n".encode("gb18030")
    )
    done = run(shop, "goal", "import", file)
    assert (done.exit_code, done.stderr) == (0, f"set 3 goals of {file}\n")
    rows = made(shop)
    assert [(row["agent"], row["target"]) for row in rows] == [
        ("shop", 500_000),
        ("anna", 300_000),
        ("ben", 100_050),
    ]
    listed = run(shop, "goal", "list", "--shop", SHOP).stdout
    assert listed == (
        "shop,agent,figure,from,to,target,currency\n"
        "jd:1,,sales.amount,2026-11-01,2026-11-30,5000.00,CNY\n"
        "jd:1,anna,sales.amount,2026-11-01,2026-11-30,3000.00,CNY\n"
        "jd:1,ben,sales.amount,2026-11-01,2026-11-30,1000.50,CNY\n"
    )
    file.write_text(listed)
    assert run(shop, "goal", "import", file).exit_code == 0
    assert run(shop, "goal", "list", "--shop", SHOP).stdout == listed
    shown = run(shop, "report", "goals", "--shop", SHOP, "--from", "2026-11").stdout
    assert "the targets of agents add up to 4,000.50 CNY, that of the shop is 5,000.00 CNY." in shown
    assert [row["agent"] for row in made(shop, agents=("anna",))] == ["anna"]


def test_targets_that_do_not_add_up_are_told_in_the_figures_unit(shop: Database) -> None:
    for agent, target in ((), "1000"), (("--agent", "anna"), "400.5"), (("--agent", "ben"), "300"):
        figure = ("--figure", "workload.response_ms_sum", "--target", target)
        assert run(shop, "goal", "set", "--shop", SHOP, *agent, *figure, "--from", "2026-11").exit_code == 0
    shown = run(shop, "report", "goals", "--shop", SHOP, "--from", "2026-11").stdout
    assert "the targets of agents add up to 700.500, that of the shop is 1,000.000." in shown


def test_every_mistake_of_a_file_is_named_and_nothing_taken(shop: Database, tmp_path: Path) -> None:
    file = tmp_path / "goals.csv"
    file.write_text(
        "shop,agent,figure,from,to,target,currency\n"
        "jd:1,anna,sales.amount,2026-11,,100,\n"
        "jd:2,anna,sales.amount,2026-11,,100,\n"
        "jd:1,carl,sales.amount,2026-11,,100,\n"
        "jd:1,Ben,sales.amount,2026-11,,100,\n"
        "jd:1,anna,profit,2026-11,,100,\n"
        "jd:1,anna,sales.amount,November,,100,\n"
        "jd:1,anna,sales.amount,2026-11-05,2026-11-04,100,\n"
        "\n"
        "jd:1,anna,sales.amount,2026-11,,much,\n"
        "jd:1,anna,sales.amount,2026-11,,1.005,\n"
        "jd:1,anna,sales.orders,2026-11,,5,CNY\n"
        "jd:1,anna,silent.amount,2026-11,,5,\n"
        "jd:1,anna,workload.max_simultaneous,2026-11,,5,\n"
        "jd:1,anna,sales.amount,2026-11,,,\n"
        "jd:1,anna,sales.amount,2026-11-01,2026-11-30,200,\n"
    )
    done = run(shop, "goal", "import", file)
    assert done.exit_code == 2
    said = [line.removeprefix("Error: ") for line in done.stderr.splitlines()]
    assert [line.removeprefix(f"{file}:").partition(":")[0] for line in said[:-1]] == [
        "3", "4", "5", "6", "7", "8", "10", "11", "12", "13", "14", "15", "16",
    ]  # fmt: skip
    fields = [line.removeprefix(f"{file}:").split(": ")[1] for line in said[:-2]]
    assert fields == [
        "shop", "agent", "agent", "figure", "from", "to", "target", "target", "currency", "agent", "figure",
        "target",
    ]  # fmt: skip
    assert "'Ben' is the name of ben and ben2: name one of these" in said[2]
    assert "it is the same goal as on line 2" in said[-2]
    assert said[-1] == f"{file}: no goal was taken; correct it and try again"
    assert run(shop, "goal", "list", "--shop", SHOP).stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"shop,agent\n",
            "goals.csv:1: has no column figure; write shop,agent,figure,from,to,target,currency",
        ),
        (b"shop,profit\n", "goals.csv:1: 'profit' is no column; there are shop, agent, "),
        (b"shop,shop,figure,from,target\n", "goals.csv:1: has a column twice"),
        (b"shop,figure,from,target\n", "goals.csv: has no goals below its first line"),
        (b"shop,figure,from,target\na,b,c,d,e\n", "goals.csv:2: has more cells than the first line"),
        (b'shop,figure,from,target\n"a,b\n', "goals.csv:2: is not CSV: "),
        (b"\xff\xfe\x00", "goals.csv: is neither UTF-8 nor GB18030"),
    ],
)
def test_a_file_that_is_none_of_goals_is_refused(
    shop: Database, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "goals.csv"
    file.write_bytes(content)
    done = run(shop, "goal", "import", file)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_goal_is_deleted_by_what_it_is_of(shop: Database) -> None:
    of = ("--shop", SHOP, "--agent", "anna", "--figure", "sales orders", "--from", "2026-11")
    assert run(shop, "goal", "set", *of, "--target", "5").exit_code == 0
    assert run(shop, "goal", "delete", *of).exit_code == 0
    gone = run(shop, "goal", "delete", *of)
    assert gone.exit_code == 2
    assert "there is no goal of sales.orders of anna, jd:1, 2026-11-01 to 2026-11-30" in gone.stderr
    assert (
        "Shop jd:1 has no goals in these days"
        in run(shop, "report", "goals", "--shop", SHOP, "--from", "2026-11").stdout
    )


def test_a_wrong_option_is_named(shop: Database) -> None:
    of = ("--shop", SHOP, "--from", "2026-11", "--target", "5%")
    refused = run(shop, "goal", "set", *of, "--figure", "sales.amount")
    assert refused.exit_code == 2
    assert "--target: '5%' is not an amount like 50000.00" in refused.stderr
    refused = run(shop, "goal", "set", *of, "--figure", "sales.amount:share")
    assert "--figure: 'sales.amount:share' does not add up over days" in refused.stderr


def test_an_amount_of_another_currency_is_not_compared(shop: Database) -> None:
    with shop.connection() as connection:
        connection.execute(
            "INSERT INTO decision (shop_id, order_id, profile, revision, buyer_id, preset, status, reason,"
            " outcome, amount, quantity, currency, refund_requested, refund_completed, created_ts, paid_ts,"
            " notices, final_at, watermark, known_ts, source_partition, source_offset, record) VALUES"
            " ('jd:1', 'o', 'official', 1, 'b', 'jd_cloud', 'final', 'paid', 'silent', 5, 1, 'USD', 0, 0,"
            " %(ts)s, %(ts)s, '{}', 0, 0, 0, 0, 0, '{}')",
            {"ts": NOON},
        )
    run(shop, "goal", "set", "--shop", SHOP, "--figure", "sales.amount", "--from", "2026-11", "--target", "5")
    assert made(shop) == []
    shown = run(shop, "report", "goals", "--shop", SHOP, "--from", "2026-11").stdout
    assert (
        "!!! Shop jd:1, sales amount: the goal is in CNY, what was reached in USD: they are not compared."
        in shown
    )


@pytest.mark.parametrize(
    "command", [("report", "sales", "--shop", "a", "--from", "2026-11"), ("goal", "list", "--shop", "a")]
)
def test_where_there_is_no_ledger_a_reader_says_so_and_makes_none(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = CliRunner().invoke(main, [*command, "--data-dir", str(tmp_path / "data")])
    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: {tmp_path / 'data' / 'ledger'} holds no ledger yet: stream-attr ledger makes and fills it\n"
    )
    assert not (tmp_path / "data").exists()
