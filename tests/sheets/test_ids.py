"""Ids whose digits a spreadsheet has eaten, at the boundaries of what it keeps."""

from __future__ import annotations

import pytest

from stream_attr.sheets.ids import DamagedIdError, IdColumn
from stream_attr.sheets.places import Cell, Place

PLACE = Place("a.xlsx", "数据", 7, "订单号")


def read(text: str, *, is_number: bool = False) -> str:
    return IdColumn().read(Cell(text, is_number, PLACE))


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("2600000000000000001", False),
        ("2600000000000000000", False),
        ("260302-000000000000001", False),
        ("o-1", False),
        ("12E4", False),
        ("123456789012345", True),
        ("1234567890123456", True),
        ("9007199254740991", True),
        ("-", False),
    ],
)
def test_a_sound_id_is_read_as_it_stands(text: str, is_number: bool) -> None:
    assert read(text, is_number=is_number) == ("" if text == "-" else text)


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("2.6E+18", False),
        ("2.6e+18", False),
        ("3E+17", False),
        ("2.6E+18", True),
        ("2600000000000000000", True),
        ("2600000000000000512", True),
        ("9007199254740993", True),
        ("1234567890123450", True),
        ("1.5", True),
    ],
)
def test_an_id_that_a_spreadsheet_has_damaged_is_refused_with_place_and_remedy(
    text: str, is_number: bool
) -> None:
    with pytest.raises(DamagedIdError) as refused:
        read(text, is_number=is_number)
    assert str(refused.value).startswith(f"a.xlsx, sheet '数据', row 7, column '订单号': {text}: ")
    assert "Export the sheet again" in str(refused.value)


def column(*texts: str) -> IdColumn:
    ids = IdColumn()
    for row, text in enumerate(texts, 7):
        ids.read(Cell(text, False, PLACE._replace(row=row)))
    return ids


@pytest.mark.parametrize(
    "texts",
    [
        ("2600000000000000000",),
        ("1234567890123450", "1234567890123460", "1234567890123470", "1234567890123480"),
        ("7", "260000000000000000", "270000000000000000"),
    ],
)
def test_a_column_of_long_ids_that_all_end_in_zeros_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(DamagedIdError) as refused:
        column(*texts).check()
    first = 7 + (texts[0] == "7")
    assert f"row {first}, column '订单号': {texts[first - 7]}: all long ids" in str(refused.value)


@pytest.mark.parametrize(
    "texts",
    [
        ("1234567890123450", "1234567890123460", "1234567890123470"),
        ("2600000000000000000", "2600000000000000001"),
        ("100000000000000", "200000000000000"),
        ("x600000000000000000",),
        (),
    ],
)
def test_zeros_that_can_be_chance_or_have_others_beside_them_are_not(texts: tuple[str, ...]) -> None:
    column(*texts).check()
