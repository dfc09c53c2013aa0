"""Cells as values, as exports write them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from stream_attr.sheets.cells import Instant, amount, count, duration, instant, minor_units, rate
from stream_attr.sheets.places import Cell, Place, SheetError

PLACE = Place("a.xlsx", "数据", 7, "金额")


def cell(text: str, *, is_number: bool = False) -> Cell:
    return Cell(text, is_number, PLACE)


@pytest.mark.parametrize(
    "text", ["", "-", "--", "—", "NaN", "nan", "#DIV/0!", "#N/A", "--分--秒", "0001-01-01 00:00:00"]
)
def test_marks_of_nothing_are_nothing(text: str) -> None:
    read: list[Callable[[Cell], Any]] = [amount, count, rate, duration, lambda one: instant(one, "UTC")]
    assert [one(cell(text)) for one in read] == [None] * 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("199", "199"),
        ("¥5,970.00", "5970.00"),
        ("￥ 12,345.67", "12345.67"),
        ("19.90元", "19.90"),
        ("CNY 0.01", "0.01"),
        ("-3.5", "-3.5"),
        ("１９.９", "19.9"),
        ("+1,234,567", "1234567"),
    ],
)
def test_amounts_are_exact(text: str, expected: str) -> None:
    found = amount(cell(text))
    assert (found, str(found)) == (Decimal(expected), expected)


@pytest.mark.parametrize("text", ["1.2万", "12,34", "1e3", "abc", "1.2.3", ".5", "5.", "1" + "0" * 15])
def test_what_is_no_amount_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SheetError) as refused:
        amount(cell(text))
    assert str(refused.value).startswith(f"a.xlsx, sheet '数据', row 7, column '金额': {text!r} is no amount")


def test_minor_units_are_those_of_the_currency() -> None:
    assert [minor_units(cell("199.9"), currency) for currency in ("CNY", "KWD")] == [19990, 199900]
    assert minor_units(cell("1,200"), "JPY") == 1200
    assert minor_units(cell("-"), "CNY") is None
    for text, currency in (("0.005", "CNY"), ("1.5", "JPY")):
        with pytest.raises(SheetError, match=f"has more decimals than {currency} has"):
            minor_units(cell(text), currency)


def test_all_prices_with_two_decimals_are_the_fen_they_say() -> None:
    for fen in range(1, 100_001):
        assert minor_units(cell(f"{fen // 100}.{fen % 100:02}"), "CNY") == fen


def test_counts_are_whole() -> None:
    assert [count(cell(text)) for text in ("0", "1,234", "12.0")] == [0, 1234, 12]
    with pytest.raises(SheetError, match="is no whole number"):
        count(cell("1.5"))


def test_rates_with_and_without_a_percent_sign() -> None:
    assert [rate(cell(text)) for text in ("28.33%", "0.2833", "100%", "1", "110.00 %", "0%")] == [
        Decimal(text) for text in ("0.2833", "0.2833", "1", "1", "1.1", "0")
    ]
    with pytest.raises(SheetError, match="write it with a percent sign"):
        rate(cell("28.33"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("23.50", "23.50"),
        ("0分23秒", "23"),
        ("2分5秒", "125"),
        ("1小时2分3.5秒", "3723.5"),
        ("1天", "86400"),
        ("00:00:23", "23"),
        ("1:30", "90"),
        ("26:00:00", "93600"),
        ("45秒", "45"),
        ("8.2s", "8.2"),
    ],
)
def test_durations_are_seconds_with_the_decimals_that_they_have(text: str, seconds: str) -> None:
    found = duration(cell(text))
    assert (found, str(found)) == (Decimal(seconds), seconds)


@pytest.mark.parametrize("text", ["1:75", "分", "soon", "-"[:0] + "1分秒"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(SheetError, match="is no duration"):
        duration(cell(text))


AT = 1_772_417_520_000
"""2026-03-02 10:12:00 in Shanghai."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02 10:12:00", Instant(AT, 1000)),
        ("2026/3/2 10:12", Instant(AT, 60_000)),
        ("2026年3月2日 10时12分", Instant(AT, 60_000)),
        ("2026-03-02 10:12:00.250", Instant(AT + 250, 1)),
        ("2026-03-02", Instant(AT - 36_720_000, 86_400_000)),
        ("2026-03-02T02:12:00Z", Instant(AT, 1000)),
        ("2026-03-02T04:12:00+02:00", Instant(AT, 1000)),
        ("2026-03-01T21:12:00-0500", Instant(AT, 1000)),
    ],
)
def test_instants_are_by_the_clocks_of_the_zone_unless_they_name_an_offset(
    text: str, expected: Instant
) -> None:
    assert instant(cell(text), "Asia/Shanghai") == expected


def test_another_zone_gives_another_instant_and_of_two_the_first() -> None:
    assert instant(cell("2026-03-02 10:12:00"), "UTC") == Instant(AT + 8 * 3_600_000, 1000)
    assert instant(cell("2026-10-25 02:30:00"), "Europe/Berlin") == Instant(1_792_888_200_000, 1000)


def test_an_instant_holds_what_its_digits_hold() -> None:
    minute = Instant(60_000, 60_000)
    assert [minute.holds(ts) for ts in (59_999, 60_000, 119_999, 120_000)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (cell("46083.425", is_number=True), "give the column a date format"),
        (cell("yesterday"), "is no time like"),
        (cell("2026-02-30 10:00:00"), "is no time: "),
        (cell("2026-03-02 25:00:00"), "is no time: "),
        (cell("1999-12-31 00:00:00"), "is not in the years 2000 to 2099"),
    ],
)
def test_what_is_no_instant_is_refused(one: Cell, why: str) -> None:
    with pytest.raises(SheetError, match=why):
        instant(one, "Asia/Shanghai")
