"""``stream-attr report``: what it prints and writes, in both languages, and what it says of wrong input."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Database
from tests.ledger.reports.conftest import Traffic

ASKED = ("--shop", "jd:10086", "--from", "2026-10-20", "--to", "2026-11-30")


def run(database: Database, name: str, *arguments: object) -> Result:
    given = ["report", name, *map(str, arguments), "--database", database.address]
    return CliRunner().invoke(main, given)


@pytest.mark.parametrize(
    "name",
    [
        *("sales", "agents", "orders", "pending", "losses", "receptions", "compare", "pressure", "quality"),
        "review",
    ],
)
def test_every_report_is_the_same_rows_in_every_format(middle: Traffic, tmp_path: Path, name: str) -> None:
    files = {}
    for kind in ("table", "csv", "xlsx", "json", "parquet"):
        files[kind] = tmp_path / f"{name}.{kind}"
        more = ("--profile", "first") if name == "compare" else ()
        result = run(middle.database, name, *ASKED, *more, "--format", kind, "--out", files[kind])
        assert (result.exit_code, result.stdout) == (0, ""), result.output
    rows = json.loads(files["json"].read_text())["rows"]
    with files["csv"].open(encoding="utf-8-sig", newline="") as text:
        sheet = list(csv.reader(text))[1:]
    book = CalamineWorkbook.from_path(files["xlsx"]).get_sheet_by_name("Rows").to_python()[1:]
    lines = files["table"].read_text().splitlines()
    assert len(rows) == len(sheet) == len(book) > 3
    typed = pyarrow.parquet.read_table(files["parquet"])
    assert typed.column_names == list(rows[0])
    for column, texts in zip(typed.columns, zip(*sheet, strict=True), strict=True):
        for value, text in zip(column.to_pylist(), texts, strict=True):
            if isinstance(value, datetime):
                assert f"{value:%Y-%m-%d %H:%M:%S}" == text
            elif isinstance(value, Decimal | int):
                assert value == Decimal(text)
            else:
                assert ("" if value is None else str(value)) == text
    first = [str(next(iter(row.values()))) for row in rows]
    assert [row[0] for row in sheet] == [str(row[0]) for row in book]
    if name not in ("losses", "receptions", "pressure", "review"):
        assert [row[0] for row in sheet] == first
        position = [number for one in first for number, line in enumerate(lines) if line.split()[:1] == [one]]
        assert position == sorted(position)
        assert len(position) == len(first)


def test_sales_in_chinese_with_sums_and_as_of(middle: Traffic) -> None:
    result = run(middle.database, "sales", *ASKED, "--lang", "zh")
    assert result.exit_code == 0, result.output
    for text in (
        "销售分析",
        "客单价（CNY）",
        "静默",
        "店铺合计",
        "数据截至: attribution-decisions：已读 ",
        "客服 ",
    ):
        assert text in result.stdout


def test_csv_and_json_go_to_standard_output(middle: Traffic) -> None:
    result = run(middle.database, "sales", *ASKED, "--by", "day", "--format", "csv")
    assert result.stdout_bytes.startswith(b"\xef\xbb\xbfday,")
    result = run(middle.database, "sales", *ASKED, "--by", "day", "--format", "json")
    assert len(json.loads(result.stdout)["rows"]) == 42


@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("sales.xlsx", (), b"PK\x03\x04"),
        ("SALES.CSV", (), b"\xef\xbb\xbf"),
        ("sales.json", (), b"{"),
        ("sales.txt", (), b"shop: "),
        ("table", (), b"shop: "),
        ("sales.xlsx", ("--format", "csv"), b"\xef\xbb\xbf"),
        ("sales.out", ("--format", "csv"), b"\xef\xbb\xbf"),
    ],
)
def test_the_format_of_a_file_is_that_of_its_ending(
    middle: Traffic, tmp_path: Path, name: str, options: tuple[str, ...], begins: bytes
) -> None:
    file = tmp_path / name
    assert run(middle.database, "sales", *ASKED, *options, "--out", str(file)).exit_code == 0
    assert file.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sales", *ASKED, "--format", "xlsx"), "--format xlsx needs --out FILE."),
        (("sales", *ASKED, "--format", "parquet"), "--format parquet needs --out FILE."),
        (
            ("sales", *ASKED, "--out", "sales.xls"),
            ".xls is no format; there are .csv, .xlsx, .json, .html, .parquet, and .txt for the table",
        ),
        (("sales", *ASKED, "--out", "out.docx"), ".docx is no format; there are .csv"),
        (("sales", *ASKED, "--agent", "nobody"), "there is no agent 'nobody'; there are "),
        (
            ("sales", "--shop", "x", "--from", "2026-11"),
            "there is no shop 'x'; there are jd:10086, pdd:20417",
        ),
        (("sales", "--shop", "x", "--from", "today"), "--from 'today' is neither a day like 2026-11-01 nor"),
        (("sales", *ASKED, "--as-known-on", "then"), "--as-known-on 'then' is not a day like 2026-11-01"),
        (("agents", *ASKED, "--figures", "profit"), "'profit' is no figure"),
        (("orders", *ASKED, "--behind", "x"), "there are no orders behind 'x'"),
        (("receptions", *ASKED, "--kind", "x"), "there is no kind 'x' of receptions; there are counted,"),
        (("receptions", *ASKED, "--weekday", "0"), "--weekday '0': a weekday such as Wednesday or 周三"),
        (("receptions", *ASKED, "--hour", "9"), "--hour '9': a full hour such as 09:00"),
    ],
)
def test_wrong_input_gets_a_sentence_and_exit_code_2(
    middle: Traffic, arguments: tuple[str, ...], message: str
) -> None:
    result = run(middle.database, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_a_database_without_a_ledger_is_refused(middle: Traffic) -> None:
    address = middle.database.address.replace("dbname=middle", "dbname=postgres")
    assert address != middle.database.address
    result = CliRunner().invoke(main, ["report", "sales", *ASKED, "--database", address])
    assert result.exit_code == 2
    assert "holds no ledger yet" in result.stderr


def test_weekdays_of_receptions_are_named_as_pressure_shows_them(middle: Traffic) -> None:
    asked = (*ASKED, "--kind", "counted", "--hour", "10:00", "11:00", "--lang", "zh")
    shown = [
        run(middle.database, "receptions", *asked, "--weekday", name)
        for name in ("wednesday", "Wednesday", "WEDNESDAY", "周三")
    ]
    assert len({one.stdout for one in shown}) == 1
    assert "\n类型: 计入\n星期: 周三\n时段: 10:00、11:00\n" in shown[0].stdout
    english = run(middle.database, "receptions", *asked[:-1], "en", "--weekday", "周三", "friday")
    assert "\nkind: counted\nweekday: Wednesday, Friday\nhour: 10:00, 11:00\n" in english.stdout


@pytest.mark.parametrize("name", ["sales", "orders", "losses", "agents", "quality"])
def test_a_period_without_any_day_of_the_ledger_is_told_which_it_has(middle: Traffic, name: str) -> None:
    shop = "jd:10086"
    days = sorted(one["day"] for one in middle.agent_days if (one["shop_id"], one["agent_id"]) == (shop, "*"))
    has = f"{days[0]} – {days[-1]}"
    for month in ("2025-01", "2027-01"):
        asked = (name, "--shop", shop, shop, "--from", month)
        english, chinese = (run(middle.database, *asked, "--lang", one).stdout for one in ("en", "zh"))
        assert english.count(f"Shop {shop}: the ledger has none of these days; it has days of {has}.\n") == 1
        assert chinese.count(f"店铺 {shop}：账本中没有所选日期的数据，现有 {has} 的数据。\n") == 1
    assert "none of these days" not in run(middle.database, name, *ASKED).stdout
