"""Files of every kind that a platform or a spreadsheet writes, whole and damaged."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from stream_attr.sheets.book import open_sheets
from stream_attr.sheets.places import SheetError

FILES = Path(__file__).with_name("files")
"""``orders.xls`` is by xlwt; ``protected.xlsx`` by msoffcrypto-tool, password ``secret``."""


def rows(path: Path) -> list[tuple[str, ...]]:
    (sheet,) = open_sheets(path)
    return [row.cells for row in sheet.read()]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def workbook(path: Path, sheets: dict[str, list[list[Any]]], hidden: str | None = None) -> Path:
    """A workbook; dates with a format, numbers as numbers."""
    with Workbook(path) as book:
        date_format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, of_sheet in sheets.items():
            sheet = book.add_worksheet(name)
            if name == hidden:
                sheet.hide()
            for row, cells in enumerate(of_sheet):
                for column, cell in enumerate(cells):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(row, column, cell.replace(tzinfo=None), date_format)
                    elif cell is not None:
                        sheet.write(row, column, cell)
    return path


TEXT = '订单号,金额\r\n\t26-1 ,"1,234.50"\r\n'


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("gb18030"),
        TEXT.replace('"1,234.50"', "1;234").replace(",", ";").replace("1;234", '"1,234.50"').encode(),
        '订单号\t金额\r\n26-1\t"1,234.50"\r\n'.encode(),
    ],
)
def test_csv_in_every_encoding_and_with_every_separator(tmp_path: Path, data: bytes) -> None:
    assert rows(written(tmp_path / "a.csv", data)) == [("订单号", "金额"), ("26-1", "1,234.50")]


def test_a_character_that_lies_across_pieces_of_the_file_is_read(tmp_path: Path) -> None:
    line = "订单号,金额\n"
    text = line * ((1 << 20) // len(line.encode()) + 2)
    for encoding in ("utf-8", "gb18030"):
        read = rows(written(tmp_path / "a.csv", text.encode(encoding)))
        assert set(read) == {("订单号", "金额")}
        assert len(read) == text.count("\n")


def test_what_exports_put_around_a_cell_is_taken_off(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", '"=""26""",\t1\t,\u3000x\u00a0,\'=1+1,\'007,it\'s,"=""\t27"""\n'.encode()
    )
    assert rows(path) == [("26", "1", "x", "=1+1", "007", "it's", "27")]


def test_cells_of_a_workbook_are_text_and_known_as_numbers(tmp_path: Path) -> None:
    day = datetime(2026, 3, 2, 10, 12, 7, tzinfo=UTC)
    path = workbook(tmp_path / "a.bin", {"数据": [[], [None, "号", 199.9, 0.1 + 0.2, 12, day, True, 1e21]]})
    (sheet,) = open_sheets(path)
    row = list(sheet.read())[1]
    assert row.number == 2
    assert row.cells == ("", "号", "199.9", "0.3", "12", "2026-03-02 10:12:07", "TRUE", str(10**21))
    assert row.numbers == {2, 3, 4, 7}
    assert str(sheet.cell(row, 2, "金额").place) == f"{path}, sheet '数据', row 2, column '金额'"
    assert sheet.cell(row, 99, "金额").text == ""


def test_an_xls_is_read_like_an_xlsx() -> None:
    (sheet,) = open_sheets(FILES / "orders.xls")
    assert sheet.name == "整体数据"
    read = list(sheet.read())
    assert [row.number for row in read] == [1, 2, 3, 4, 5, 6]
    assert read[3].cells == ("2600000000000000001", "199.9", "2026-03-02 10:12:00")
    assert read[3].numbers == {1}


def test_sheets_that_are_hidden_are_left_out(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"a": [["x"]], "b": [["y"]], "c": []}, hidden="b")
    assert [(sheet.name, [row.cells for row in sheet.read()]) for sheet in open_sheets(path)] == [
        ("a", [("x",)]),
        ("c", []),
    ]


def empty_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty: export it again"),
        (b" \r\n", "the file is empty: export it again"),
        ("订单号,1".encode("utf-16"), "it is written in UTF-16"),
        (b"a,b\n\x00\x01", "it is no text, as it has bytes of 0"),
        (b"a,b\n\xff\xfe\xfa", "it is neither UTF-8 nor GB18030"),
        (b"\xef\xbb\xbfa,b\n\xb6\xa9\n", "it begins as UTF-8, and goes on as something else"),
        (b'a,b\n1,"2\n3,4\n', "cannot be read after row 1: unexpected end of data"),
        (b"a," + b"x" * (1 << 21), "cannot be read after row 0: field larger than field limit"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "it is a web page, whatever its name says"),
        (empty_archive(), "it is no workbook that can be read"),
        (b"PK\x03\x04 and so on", "it is cut off or damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "it is no workbook that can be read"),
    ],
)
def test_a_damaged_file_is_refused_with_its_name(tmp_path: Path, data: bytes, message: str) -> None:
    path = written(tmp_path / "a.xlsx", data)
    with pytest.raises(SheetError) as refused:
        rows(path)
    assert str(refused.value).startswith(f"{path}")
    assert message in str(refused.value)


def test_a_workbook_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "whole.xlsx", {"a": [["x"] * 10] * 100}).read_bytes()
    for length in (len(whole) // 2, len(whole) - 5):
        with pytest.raises(SheetError, match="cut off or damaged"):
            rows(written(tmp_path / "a.xlsx", whole[:length]))


def test_a_sheet_within_a_workbook_that_is_damaged_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"数据": [["x"]]})
    damaged = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(damaged, "w") as archive:
        for one in whole.infolist():
            content = whole.read(one)
            archive.writestr(one, content[:-40] if one.filename.endswith("sheet1.xml") else content)
    path.write_bytes(damaged.getvalue().replace(b"<sheetData>", b"<sheetData<<"))
    with pytest.raises(SheetError, match=r"a\.xlsx"):
        rows(path)


def test_a_workbook_that_unpacks_to_more_than_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_attr.sheets.book._MOST_BYTES", 1000)
    with pytest.raises(SheetError, match="export fewer days at once, or as CSV"):
        rows(workbook(tmp_path / "a.xlsx", {"a": [["x"]]}))


def test_a_workbook_with_a_password_is_refused() -> None:
    with pytest.raises(SheetError, match="protected by a password: open it and save it without one"):
        open_sheets(FILES / "protected.xlsx")


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(SheetError, match=message):
            open_sheets(path)


def test_csv_is_read_without_holding_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.writelines(f"26{number:017},199.00,x{'y' * 200}\n" for number in range(20_000))
    (sheet,) = open_sheets(path)
    tracemalloc.start()
    assert sum(1 for _ in sheet.read()) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000 < path.stat().st_size


def edited(path: Path, **parts: Any) -> None:
    """Change what stands in parts of an archive, named by the ends of their names."""
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(changed, "w") as archive:
        for one in whole.infolist():
            content = whole.read(one)
            for name, change in parts.items():
                if one.filename.endswith(f"{name}.xml"):
                    content = change(content)
            archive.writestr(one, content)
    path.write_bytes(changed.getvalue())


def test_an_xlsx_says_wrongly_how_large_it_is_and_is_read_whole(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"数据": [["号", "额"], ["1", 2]]})
    edited(path, sheet1=lambda content: content.replace(b'ref="A1:B2"', b'ref="A1"'))
    (sheet,) = open_sheets(path)
    assert [row.cells for row in sheet.read()] == [("号", "额"), ("1", "2")]


def test_rows_that_are_left_out_are_empty_and_one_beyond_the_last_is_damage(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"数据": [["号"], ["1"]]})
    edited(path, sheet1=lambda content: content.replace(b'r="2"', b'r="4"').replace(b"A2", b"A4"))
    assert rows(path) == [("号",), (), (), ("1",)]
    edited(path, sheet1=lambda content: content.replace(b'r="4"', b'r="4000000000"'))
    with pytest.raises(SheetError, match="damaged and cannot be read"):
        rows(path)


def test_a_long_number_in_a_cell_keeps_its_digits(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"数据": [["号"], [26]]})
    edited(path, sheet1=lambda content: content.replace(b"<v>26</v>", b"<v>2600000000000000017</v>"))
    (sheet,) = open_sheets(path)
    row = list(sheet.read())[1]
    assert row.cells == ("2600000000000000017",)
    assert row.numbers == {0}


def test_an_xlsx_whose_styles_are_odd_is_read_all_the_same(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"数据": [["号", 12]]})
    edited(path, styles=lambda content: content.replace(b"<fill>", b"<fill><odd/>"))
    assert rows(path) == [("号", "12")]


def test_xlsx_is_read_without_holding_it(tmp_path: Path) -> None:
    """Texts of its own in every row, in the workbook's table of texts."""
    path = tmp_path / "a.xlsx"
    with Workbook(path) as book:
        sheet = book.add_worksheet()
        for number in range(5_000):
            sheet.write_row(number, 0, (f"26{number:017}", f"{number}{'y' * 500}"))
    tracemalloc.start()
    (read,) = open_sheets(path)
    assert sum(1 for _ in read.read()) == 5_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000 < 5_000 * 500
