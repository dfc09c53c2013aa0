"""``stream-attr report reconcile``: files of every kind, whole and damaged, and what it says of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Database
from tests.ledger.reports.reconcile.conftest import SHOP
from tests.sheets.test_columns import EXPORT_FILES

PROTECTED = Path(__file__).parents[3] / "sheets" / "files" / "protected.xlsx"
ASKED = ("--shop", SHOP, "--from", "2026-11-10", "--to", "2026-11-11")


def run(database: Database, path: Path, *options: object) -> Result:
    given = ["report", "reconcile", path, *ASKED, *options, "--database", database.address]
    return CliRunner().invoke(main, list(map(str, given)))


@pytest.mark.parametrize(
    ("file", "texts"),
    [
        (
            "douyin_orders.csv",
            ("Douyin orders, head in row 1, 1 rows", "1 orders of the sheet are of other days"),
        ),
        (
            "pdd_orders.csv",
            (
                "Pinduoduo orders, head in row 1, 1 rows",
                "订单确认时间/订单成交时间 → paid",
            ),
        ),
        ("feige_kefu_shuju.csv", ("Douyin agents, head in row 1, 2 rows", "工作时间3分钟回复率")),
        ("jd_kefu_guanjia_overall.csv", ("JD agents, head in row 1, 2 rows", "30s应答率")),
        ("pdd_kefu_jixiao.csv", ("Pinduoduo agents, head in row 1, 2 rows", "left out: 1 of totals")),
        ("sycm_kefu_jixiao.csv", ("Taobao agents, head in row 1, 2 rows", "left out: 2 of totals")),
    ],
)
def test_every_sample_of_an_export_is_reconciled(
    shop_database: Database, file: str, texts: tuple[str, ...]
) -> None:
    result = run(shop_database, EXPORT_FILES / file)
    assert result.exit_code == 0, result.output
    for text in texts:
        assert text in result.stdout


def test_the_sample_with_an_id_that_excel_has_eaten_is_refused(shop_database: Database) -> None:
    result = run(shop_database, EXPORT_FILES / "taobao_suborders.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        "taobao_suborders.csv, row 3, column '主订单编号': 2.6E+18: a spreadsheet has made" in result.stderr
    )
    assert "Export the sheet again" in result.stderr


def test_a_workbook_with_ids_as_numbers_is_refused_with_its_place(
    shop_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    with Workbook(path) as book:
        sheet = book.add_worksheet("订单")
        for column, head in enumerate(("订单号", "金额")):
            sheet.write(1, column, head)
        sheet.write(2, 0, "2600000000000000001")
        sheet.write_number(3, 0, 2600000000000000004)
        sheet.write_number(3, 1, 80)
    result = run(shop_database, path, "--map", "订单号=order", "金额=amount")
    assert result.exit_code == 2
    assert "orders.xlsx, sheet '订单', row 4, column '订单号': 2600000000000000000: " in result.stderr


def test_of_several_sheets_the_one_that_is_known_or_named_is_taken(
    shop_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    with Workbook(path) as book:
        book.add_worksheet("封面").write(0, 0, "订单报表")
        for name in ("订单", "订单2"):
            sheet = book.add_worksheet(name)
            for column, head in enumerate(("单号", "金额")):
                sheet.write(4, column, head)
            sheet.write(5, 0, "2600000000000000001")
            sheet.write(5, 1, 100.0)
    options = ("--map", "单号=order", "金额=amount")
    several = run(shop_database, path, *options)
    assert several.exit_code == 2
    assert "several sheets can be meant, '订单', '订单2': name one with --sheet" in several.stderr
    missing = run(shop_database, path, *options, "--sheet", "x")
    assert "there is no sheet 'x'; there are 封面, 订单, 订单2" in missing.stderr
    one = run(shop_database, path, *options, "--sheet", "订单2", "--format", "json", "--result", "matched")
    (row,) = json.loads(one.stdout)["rows"]
    assert (row["order"], row["row"], row["theirs"], row["ours"]) == (
        "2600000000000000001",
        6,
        10_000,
        10_000,
    )


def test_a_sheet_that_is_not_known_says_what_it_has_and_how_to_map_it(
    shop_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Order No,Total\nx-1,2.00\n")
    result = run(shop_database, path)
    assert result.exit_code == 2
    for text in (
        "row 1: Order No, Total.",
        "--map 'their column=our field'",
        "taobao_suborders, douyin_orders",
    ):
        assert text in result.stderr
    wrong = run(shop_database, path, "--map", "Order=order")
    assert "No row has all of 'Order', which --map names. Its columns may be: row 1: Order No" in wrong.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("1,2\n3,4\n", "there is no row that could be the heads of columns"),
        ("单号,金额,金额\na,1,2\n", "row 1: column '金额' is there 2 times"),
        ("单号,金额\na,1\nb,2\na,3\n", "row 4, column '单号': order a is in row 2 too, and the rows differ"),
        ("单号,金额\na,壹\n", "row 2, column '金额': '壹' is no amount"),
        ("单号,金额\na,1.005\n", "row 2: the amount of order a is 1.005, and CNY has 2 decimals"),
    ],
)
def test_a_damaged_sheet_is_one_sentence_with_its_place(
    shop_database: Database, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    result = run(shop_database, path, "--map", "单号=order", "金额=amount")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_file_with_a_password_or_missing_is_refused(shop_database: Database, tmp_path: Path) -> None:
    assert "protected by a password" in run(shop_database, PROTECTED).stderr
    assert "No such file" in run(shop_database, tmp_path / "none.xlsx").stderr


def test_two_heads_in_one_file_are_one_and_counted(shop_database: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("单号,金额\n2600000000000000001,100\n单号,金额\n2600000000000000004,80\n")
    result = run(shop_database, path, "--map", "单号=order", "金额=amount", "--result", "matched")
    assert "Not data, left out: 1 times the head again." in result.stdout
    assert result.stdout.count(" matched ") == 3


def test_several_shops_and_agents_of_orders_are_refused(shop_database: Database) -> None:
    orders = EXPORT_FILES / "douyin_orders.csv"
    assert "name one with --shop" in run(shop_database, orders, "--shop", SHOP, "x").stderr
    refused = run(shop_database, orders, "--agent", "kf-a")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "this one is of orders" in refused.stderr


def test_every_format_has_the_same_rows(shop_database: Database, tmp_path: Path) -> None:
    sheet = tmp_path / "a.csv"
    sheet.write_text(
        "单号,金额,付款\n2600000000000000001,1,2026-11-10 12:00:00\nnew,2,2026-11-10 12:00:00\n"
        "2600000000000000004,80,2026-11-10 00:00:01\n"
    )
    files = {}
    for kind in ("table", "csv", "xlsx", "json", "parquet"):
        files[kind] = tmp_path / f"out.{kind}"
        given = ("--map", "单号=order", "金额=amount", "付款=paid", "--format", kind, "--out", files[kind])
        result = run(shop_database, sheet, *given)
        assert result.exit_code == 0, result.output
    ids = [row["order"] for row in json.loads(files["json"].read_text())["rows"]]
    assert ids[:3] == ["2600000000000000001", "2600000000000000004", "new"]
    assert len(ids) == 13
    with files["csv"].open(encoding="utf-8-sig", newline="") as text:
        assert [row["order"] for row in csv.DictReader(text)] == ids
    book = CalamineWorkbook.from_path(files["xlsx"]).get_sheet_by_name("Rows").to_python()
    assert [row[2] for row in book[1:]] == ids
    assert book[1][4:7] == [1.0, 100.0, -99.0]
    assert pyarrow.parquet.read_table(files["parquet"])["order"].to_pylist() == ids
    lines = files["table"].read_text().splitlines()
    assert [one for one in ids if sum(one in line for line in lines) == 1] == ids


def test_figures_of_agents_are_typed_in_every_format(shop_database: Database, tmp_path: Path) -> None:
    sheet = tmp_path / "a.csv"
    sheet.write_text("客服,接待,平响,回复率\n阿莲,9,23.5,50%\n")
    maps = (
        "客服=agent",
        "接待=workload.receptions",
        "平响=workload.response_ms",
        "回复率=workload.reply_rate",
    )
    given = ("--map", *maps, "--agent", "kf-a")
    files = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "xlsx", "json", "parquet", "table")}
    for kind, file in files.items():
        assert run(shop_database, sheet, *given, "--format", kind, "--out", file).exit_code == 0
    rows = json.loads(files["json"].read_text())["rows"]
    assert [row["theirs"] for row in rows] == [9, 23_500, 0.5]
    book = CalamineWorkbook.from_path(files["xlsx"]).get_sheet_by_name("Rows").to_python()
    assert [row[5] for row in book[1:]] == [9, 23.5, 0.5]
    assert [one for one in ("23.500", "50.00%") if one in files["table"].read_text()] == ["23.500", "50.00%"]
    assert pyarrow.parquet.read_table(files["parquet"])["theirs"].to_pylist() == ["9", "23.500", "0.5000"]


def test_it_speaks_chinese(shop_database: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("单号,金额\n2600000000000000001,1\n")
    result = run(shop_database, path, "--map", "单号=order", "金额=amount", "--lang", "zh")
    for text in ("订单对账", "不一致", "仅本系统有", "日切", "合计不一致：平台 1.00 CNY（1 单）"):
        assert text in result.stdout
