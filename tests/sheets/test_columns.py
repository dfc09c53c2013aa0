"""Heads wherever they are, and what below them is no data."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_attr.sheets.book import open_sheets
from stream_attr.sheets.columns import Columns, Dropped, data_rows, find_columns, head_name, likely_columns
from stream_attr.sheets.exports import EXPORTS, known_export
from stream_attr.sheets.places import SheetError

EXPORT_FILES = Path(__file__).with_name("exports")


def test_heads_are_the_same_whatever_the_width_of_their_brackets() -> None:
    assert head_name("首次响应时长（秒)") == head_name(" 首次响应时长(秒） ") == "首次响应时长(秒)"
    assert head_name("３０s应答率") == head_name("30S 应答率") == "30s应答率"


def opened(path: Path, *lines: str) -> Columns | None:
    path.write_text("\n".join(lines) + "\n")
    (sheet,) = open_sheets(path)
    found = find_columns(sheet, lambda columns: (columns.has("单号") and columns.has("金额")) or None)
    return found and found[0]


@pytest.mark.parametrize("above", [0, 1, 4, 49])
def test_the_head_is_found_below_other_rows(tmp_path: Path, above: int) -> None:
    columns = opened(tmp_path / "a.csv", *["店铺：示例,,"] * above, "序号,单号,金额", "1,a,2")
    assert columns is not None
    assert columns.row == above + 1
    assert (columns.position("单号"), columns.position("金额"), columns.position("状态")) == (1, 2, None)


def test_a_head_that_is_too_far_down_or_missing_is_not_found(tmp_path: Path) -> None:
    assert opened(tmp_path / "a.csv", *["x,y"] * 50, "单号,金额") is None
    assert opened(tmp_path / "a.csv", "单号,价钱", "a,1") is None


def test_the_first_of_two_heads_holds_and_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    columns = opened(tmp_path / "a.csv", "单号,金额", "a,1", "单号,金额,状态", "b,2,x")
    assert columns is not None
    assert columns.row == 1
    columns = opened(tmp_path / "a.csv", "单号,金额,金 额", "a,1,2")
    assert columns is not None
    with pytest.raises(SheetError, match=r"a\.csv, row 1: column '金额' is there 2 times"):
        columns.position("金额")


def test_rows_that_are_no_data_are_dropped_and_counted(tmp_path: Path) -> None:
    columns = opened(
        tmp_path / "a.csv",
        "序号,单号,金额",
        "1,a,2",
        ",,",
        "2,b,3",
        "序号,单号,金额",
        ",店铺总计,5",
        "平均值,,2.5",
        "说明：金额含运费,,",
        "3,,7",
        "4,c,-",
    )
    assert columns is not None
    dropped = Dropped()
    assert [row.cells for row in data_rows(columns, 1, dropped)] == [
        ("1", "a", "2"),
        ("2", "b", "3"),
        ("4", "c", "-"),
    ]
    assert dropped == Dropped(sums=2, heads=1, remarks=1, without_key=1, first_without_key=9)


def test_the_likely_head_of_an_unknown_sheet_is_the_row_with_most_words(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("报表\nOrder No,Paid,State\n1,2.00,x\n")
    (sheet,) = open_sheets(path)
    columns = likely_columns(sheet)
    assert columns is not None
    assert (columns.row, columns.names) == (2, ("Order No", "Paid", "State"))
    path.write_text("1,2\n3,4\n")
    assert likely_columns(open_sheets(path)[0]) is None


@pytest.mark.parametrize(
    ("file", "name", "rows", "sums", "unread"),
    [
        ("douyin_orders.csv", "douyin_orders", 1, 0, None),
        ("pdd_orders.csv", "pdd_orders", 1, 0, None),
        ("taobao_suborders.csv", "taobao_suborders", 2, 0, None),
        ("feige_kefu_shuju.csv", "feige_kefu_shuju", 2, 0, "工作时间3分钟回复率"),
        ("jd_kefu_guanjia_overall.csv", "jd_kefu_guanjia", 2, 0, "30s应答率"),
        ("pdd_kefu_jixiao.csv", "pdd_kefu_jixiao", 2, 1, "投诉数"),
        ("sycm_kefu_jixiao.csv", "sycm_kefu_jixiao", 2, 2, None),
    ],
)
def test_every_sample_of_an_export_is_known(
    file: str, name: str, rows: int, sums: int, unread: str | None
) -> None:
    (sheet,) = open_sheets(EXPORT_FILES / file)
    found = find_columns(sheet, known_export)
    assert found is not None
    columns, export = found
    assert export.name == name
    assert sum(all(map(columns.has, one.marks)) for one in EXPORTS) == 1
    for heads in export.fields.values():
        assert any(map(columns.has, heads)), heads
    assert unread is None or columns.has(unread)
    (key, *_) = export.fields["order" if export.is_of_orders else "agent"]
    position = columns.position(key)
    assert position is not None
    dropped = Dropped()
    assert len(list(data_rows(columns, position, dropped))) == rows
    assert dropped == Dropped(sums=sums)
