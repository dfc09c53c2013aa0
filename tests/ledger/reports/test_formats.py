"""Reports as tables, CSV, workbooks and JSON: the same rows, order and digits, and never a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pyarrow.parquet
import pytest
from python_calamine import CalamineWorkbook

from stream_attr.errors import UnusableError
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.ledger.formats import csv_text, json_text, parquet_file, xlsx_book
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formats.output import WRITERS, complete_file
from stream_attr.ledger.formats.screen import lines_of
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import (
    AsOf,
    Column,
    Moment,
    Money,
    Note,
    Number,
    Report,
    Row,
    TopicAsOf,
)
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import END_OF_TIME

COLUMNS = (
    Column("agent", Text("agent", "客服")),
    Column("what", Text("outcome", "结果")),
    Column("amount", Text("amount", "金额"), Kind.MONEY, Text("CNY", "CNY")),
    Column("orders", Text("orders", "订单"), Kind.COUNT),
    Column("share", Text("share", "占比"), Kind.RATE),
    Column("moved", Text("moved", "变动"), Kind.POINTS),
    Column("ratio", Text("ratio", "比值"), Kind.RATIO),
    Column("wait", Text("wait", "等待"), Kind.SECONDS, Text("s", "秒")),
    Column("paid", Text("paid", "付款"), Kind.MOMENT),
)
SHANGHAI = "Asia/Shanghai"
NOON = Moment(1_794_369_600_999, SHANGHAI)
"""2026-11-11, 12:00:00.999 in Shanghai."""
FORMULAS = ("=1+1", "+86 138", "-1", "@SUM(A1)", "\t=1", " =1", "＝1")
ROWS = (
    ("kf-1", Text("silent", "静默"), Money(123_456_789, "CNY"), 1_234, 0.25, -0.0125, 1.5, 61_234, NOON),
    ("kf-2", None, Money(-5, "CNY"), 0, None, None, None, None, Moment(END_OF_TIME, SHANGHAI)),
    ("kf-3", None, Money(1_500, "JPY"), 2, 1.0, 0.0, 0.0, 0, None),
    *((text, None, Money(0, "CNY"), 0, 0.0, 0.0, 0.0, 0, None) for text in FORMULAS),
)


def report() -> Report:
    as_of = AsOf((TopicAsOf("agent-daily", 1_234, NOON.ts, NOON.ts),), SHANGHAI)
    notes = [Note(Text("all is well", "一切正常")), Note(Text("do not pay", "请勿结算"), is_warning=True)]
    total = (Text("total", "合计"), None, Money(123_456_784, "CNY"), 1_236, None, None, None, None, None)
    return Report(
        "sales",
        Text("Sales", "销售"),
        COLUMNS,
        iter(ROWS),
        as_of,
        [total],
        notes,
        [(Text("shop", "店铺"), "=evil")],
    )


def written(writer: Callable[[Report, str, BinaryIO], None], language: str = "en") -> bytes:
    out = io.BytesIO()
    writer(report(), language, out)
    return out.getvalue()


def test_parquet_has_typed_columns_with_the_digits_of_csv() -> None:
    file = pyarrow.parquet.ParquetFile(io.BytesIO(written(parquet_file.write)))
    schema, rows = file.schema_arrow, file.read().to_pylist()
    types = {field.name: str(field.type) for field in schema}
    assert types == {
        "agent": "string",
        "what": "string",
        "amount": "decimal128(38, 2)",
        "orders": "int64",
        "share": "decimal128(38, 4)",
        "moved": "decimal128(38, 4)",
        "ratio": "decimal128(38, 2)",
        "wait": "decimal128(38, 3)",
        "paid": "timestamp[ms, tz=Asia/Shanghai]",
    }
    assert rows[0] == {
        "agent": "kf-1",
        "what": "silent",
        "amount": Decimal("1234567.89"),
        "orders": 1_234,
        "share": Decimal("0.2500"),
        "moved": Decimal("-0.0125"),
        "ratio": Decimal("1.50"),
        "wait": Decimal("61.234"),
        "paid": datetime(2026, 11, 11, 12, tzinfo=ZoneInfo(SHANGHAI)),
    }
    assert (rows[1]["amount"], rows[1]["paid"]) == (Decimal("-0.05"), None)
    assert [row["agent"] for row in rows[3:]] == list(FORMULAS)
    assert schema.field("amount").metadata == {b"name": b"amount (CNY)", b"unit": b"CNY"}
    about = json.loads(schema.metadata[b"stream_attr"])
    assert (about["report"], about["asked"]) == ("sales", {"shop": "=evil"})
    assert about["notes"] == ["all is well", "!!! do not pay"]
    assert about["as_of"][-1] == "as of: times by the clocks of Asia/Shanghai"


def test_parquet_of_a_column_without_a_currency_takes_any_currency() -> None:
    columns = (
        Column("net", Text("net", "净额"), Kind.MONEY),
        Column("any", Text("any", "任意"), Kind.FIGURE),
    )
    rows: list[Row] = [
        (Money(10**17 + 1, "KWD"), Number(0.25, Kind.RATE)),
        (Money(-7, "JPY"), Money(1_234_567, "CNY")),
        (None, None),
    ]
    made = Report("x", Text("x", "x"), columns, rows, AsOf((), SHANGHAI))
    out = io.BytesIO()
    parquet_file.write(made, "en", out)
    found = pyarrow.parquet.read_table(io.BytesIO(out.getvalue())).to_pylist()
    assert found == [
        {"net": Decimal("100000000000000.001"), "any": "0.2500"},
        {"net": Decimal(-7), "any": "12345.67"},
        {"net": None, "any": None},
    ]


def test_many_rows_of_parquet_are_written_in_parts() -> None:
    columns = (Column("n", Text("n", "n"), Kind.COUNT),)
    made = Report("x", Text("x", "x"), columns, ((n,) for n in range(20_001)), AsOf((), SHANGHAI))
    out = io.BytesIO()
    parquet_file.write(made, "en", out)
    file = pyarrow.parquet.ParquetFile(io.BytesIO(out.getvalue()))
    assert file.num_row_groups == 3
    assert file.read().column("n").to_pylist() == list(range(20_001))


def test_parquet_without_its_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnusableError, match=r"pip install 'stream-attr\[parquet\]'"):
        written(parquet_file.write)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1.6249, "1.62"),
        (1.625, "1.63"),
        (1.6251, "1.63"),
        (-1.625, "-1.63"),
        (0.0, "0.00"),
        (1234.5, "1,234.50"),
    ],
)
def test_a_ratio_has_two_decimals_rounded_as_spreadsheets_do(number: float, shown: str) -> None:
    assert as_text(number, Kind.RATIO, "en", grouped=True) == shown
    assert as_text(number, Kind.RATIO, "en", grouped=False) == shown.replace(",", "")


def test_csv_is_for_spreadsheets() -> None:
    data = written(csv_text.write)
    assert data.startswith(b"\xef\xbb\xbfagent,outcome,amount (CNY),")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[1] == [
        "kf-1", "silent", "1234567.89", "1234", "0.2500", "-0.0125", "1.50", "61.234",
        "2026-11-11 12:00:00",
    ]  # fmt: skip
    assert rows[2] == ["kf-2", "", "-0.05", "0", "", "", "", "", "end of the input"]
    assert rows[3][2] == "1500"
    assert [row[0] for row in rows[4:]] == [f"'{text}" for text in FORMULAS]
    assert len(rows) == 1 + len(ROWS)
    chinese = list(csv.reader(io.StringIO(written(csv_text.write, "zh").decode("utf-8-sig"), newline="")))
    assert chinese[0][:3] == ["客服", "结果", "金额（CNY）"]
    assert chinese[1][1] == "静默"


def test_the_screen_shows_the_same_rows() -> None:
    shown = lines_of(report(), "en", None)
    text = "\n".join(shown)
    assert re.search(
        r"kf-1 +silent +1,234,567\.89 +1,234 +25\.00% +-1\.25 pp +1\.50 +61\.234 +2026-11-11 12:00:00",
        text,
    )
    assert re.search(r"kf-2 +-0\.05 +0 +end of the input", text)
    assert re.search(r"total +1,234,567\.84 +1,236", text)
    assert "shop: =evil" in shown
    assert "all is well" in shown
    assert "!!! do not pay" in shown
    noon = "2026-11-11 12:00:00"
    assert f"as of: agent-daily: 1,234 offsets read, watermark {noon}, last record of {noon}" in shown
    chinese = "\n".join(lines_of(report(), "zh", None))
    assert "合计" in chinese
    assert "-1.25 百分点" in chinese


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_columns_without_room_are_left_out_and_named(width: int) -> None:
    lines = lines_of(report(), "en", width)
    table = lines[lines.index("Sales") + 1 : lines.index("all is well")]
    assert max(len(line) for line in table if "too narrow" not in line) <= width
    (said,) = [line for line in lines if line.startswith("The terminal is too narrow for ")] or [""]
    head = "\n".join(table[:3])
    for name in ("share", "moved", "ratio", "wait", "paid"):
        assert (name in head) != (name in said), name


def test_json_has_whole_numbers() -> None:
    found = json.loads(written(json_text.write, "zh"))
    assert found["rows"][0] == {
        "agent": "kf-1", "what": "silent", "amount": 123_456_789, "orders": 1_234, "share": 0.25,
        "moved": -0.0125, "ratio": 1.5, "wait": 61_234, "paid": NOON.ts,
    }  # fmt: skip
    assert [row["agent"] for row in found["rows"]] == [row[0] for row in ROWS]
    assert found["columns"][2] == {"key": "amount", "name": "金额", "kind": "money", "unit": "minor units"}
    assert found["totals"][0]["amount"] == 123_456_784
    assert found["notes"][1] == {"text": "请勿结算", "warning": True}
    assert found["as_of"]["topics"][0]["watermark"] == NOON.ts


def test_a_workbook_has_typed_cells_and_no_formula(tmp_path: Path) -> None:
    file = tmp_path / "sales.xlsx"
    file.write_bytes(written(xlsx_book.write))
    book = CalamineWorkbook.from_path(file)
    assert book.sheet_names == ["About", "Rows"]
    rows = book.get_sheet_by_name("Rows").to_python()
    assert rows[0] == [
        "agent", "outcome", "amount (CNY)", "orders", "share", "moved", "ratio", "wait (s)", "paid",
    ]  # fmt: skip
    noon = datetime(2026, 11, 11, 12)  # noqa: DTZ001 -- as cells of a sheet are
    assert rows[1] == ["kf-1", "silent", 1_234_567.89, 1_234, 0.25, -1.25, 1.5, 61.234, noon]
    assert rows[2][:3] == ["kf-2", "", -0.05]
    assert rows[2][8] == "end of the input"
    assert rows[3][2] == 1_500
    assert [row[0] for row in rows[4:]] == list(FORMULAS)
    about = [cell for row in book.get_sheet_by_name("About").to_python() for cell in row if cell != ""]
    assert {"Sales", "=evil", "!!! do not pay", 1_234_567.84} <= set(about)
    with zipfile.ZipFile(file) as parts:
        sheets = [parts.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2)]
        styles = parts.read("xl/styles.xml").decode()
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    assert 'state="frozen"' in sheets[1]
    assert f'<autoFilter ref="A1:I{1 + len(ROWS)}"/>' in sheets[1]
    for code in ("yyyy-mm-dd hh:mm:ss", "#,##0.000", "#,##0.00", "0.00&quot; pp&quot;"):
        assert f'formatCode="{code}"' in styles


def test_great_numbers_keep_their_digits_in_a_workbook(tmp_path: Path) -> None:
    columns = (Column("amount", Text("amount", "金额"), Kind.MONEY),)
    great = Report("x", Text("x", "x"), columns, [(Money(10**15 + 1, "CNY"),)], AsOf((), SHANGHAI))
    file = tmp_path / "great.xlsx"
    with file.open("wb") as out:
        xlsx_book.write(great, "en", out)
    rows = CalamineWorkbook.from_path(file).get_sheet_by_name("Rows").to_python()
    assert rows[1] == ["10,000,000,000,000.01"]


def test_a_report_without_rows_says_so(tmp_path: Path) -> None:
    empty = Report("x", Text("x", "x"), COLUMNS, [], AsOf((), SHANGHAI))
    assert "no rows" in lines_of(empty, "en", None)
    assert "没有数据" in lines_of(empty, "zh", None)
    for name, write in WRITERS.items():
        with (tmp_path / name).open("wb") as out:
            write(empty, "zh", out)
    assert CalamineWorkbook.from_path(tmp_path / "xlsx").get_sheet_by_name("数据").height == 1


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), complete_file(path) as out:
        out.write(b"%d" % (1 // 0))
    assert path.read_text() == "before"
    with complete_file(path) as out:
        out.write(b"whole")
    assert path.read_text() == "whole"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
    with (
        pytest.raises(UnusableFileError, match=r"none/out\.csv: cannot be written: No such file"),
        complete_file(tmp_path / "none" / "out.csv"),
    ):
        pytest.fail("it was opened")
