"""Cells as text: the same digits in every format."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from stream_attr.codec.money import decimal_amount
from stream_attr.ledger.formulas import DECIMALS, Kind
from stream_attr.ledger.reports.report import Cell, Column, Moment, Money, Number, Report
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import END_OF_TIME

__all__ = ["END", "POINTS", "as_text", "heads", "is_end", "local"]

POINTS: Final = Text("pp", "百分点")
END: Final = Text("end of the input", "输入结束")
_LAST: Final = 253_402_300_800_000
"""The year 10000: a watermark at or after it is the end of all input."""
assert END_OF_TIME > _LAST


def is_end(ts: int) -> bool:
    """Whether an instant stands for the end of all input."""
    return ts >= _LAST


def local(moment: Moment) -> datetime:
    """Return what the clocks of a moment's zone show, to the second, without a zone."""
    return datetime.fromtimestamp(moment.ts // 1000, UTC).astimezone(_zone(moment.zone)).replace(tzinfo=None)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def as_text(cell: Cell, kind: Kind, language: str, *, grouped: bool) -> str:
    """Return a cell as text; ``grouped``: for people, with separators of thousands, and rates in percent."""
    if cell is None:
        return ""
    if isinstance(cell, Text):
        return cell.of(language)
    if isinstance(cell, Money):
        return decimal_amount(cell.amount, cell.currency or "", grouped=grouped)
    if isinstance(cell, Moment):
        return END.of(language) if is_end(cell.ts) else f"{local(cell):%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Number):
        cell, kind = cell
    separator = "," if grouped else ""
    if kind is Kind.SECONDS:
        sign, ms = "-" if cell < 0 else "", abs(int(cell))
        return f"{sign}{ms // 1000:{separator}}.{ms % 1000:03}"
    if kind not in DECIMALS:
        return f"{cell:{separator}}"
    number = _rounded(cell, DECIMALS[kind])
    if grouped and kind in (Kind.RATE, Kind.POINTS):
        unit = "%" if kind is Kind.RATE else f" {POINTS.of(language)}"
        return f"{number.scaleb(2):{separator}}{unit}"
    return f"{number:{separator}}"


def _rounded(number: float, digits: int) -> Decimal:
    """Return a number with so many decimals, half away from zero, as spreadsheets show it."""
    return Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def heads(report: Report, language: str) -> list[str]:
    """Return the names of a report's columns, each with its unit."""
    return [_head(column, language) for column in report.columns]


def _head(column: Column, language: str) -> str:
    name = column.name.of(language)
    if column.unit is None:
        return name
    unit = column.unit.of(language)
    return f"{name}（{unit}）" if language == "zh" else f"{name} ({unit})"
