"""Columns by their heads, wherever the head is, and the rows below it that are data."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from stream_attr.sheets.book import Sheet, SheetRow
from stream_attr.sheets.places import SheetError

__all__ = ["Columns", "Dropped", "data_rows", "find_columns", "head_name", "likely_columns"]

_T = TypeVar("_T")
_SEARCHED: Final = 50
"""A head is looked for in so many rows."""
_SUMS: Final = frozenset(
    {"合计", "总计", "小计", "汇总", "汇总值", "平均", "平均值", "均值", "总计值", "total", "sum", "average"}
    | {
        "店铺总计",
        "店铺平均",
        "店铺合计",
        "店铺汇总",
        "全店汇总值",
        "全店平均值",
        "同行同层优秀",
        "同行同层均值",
    }
)
"""What stands in the first cells of rows that add up others, or compare with other shops."""


def head_name(text: str) -> str:
    """Return a head as heads are compared: width of brackets, letters and digits, case and blanks aside."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


class Columns(NamedTuple):
    """The head of a sheet."""

    sheet: Sheet
    row: int
    """In which row it is."""
    names: tuple[str, ...]
    """As they stand there."""

    def position(self, name: str) -> int | None:
        """Return where a column is; None: it is not there.

        Raises SheetError where it is there twice: nobody can say which one is meant.
        """
        asked = head_name(name)
        found = [index for index, one in enumerate(self.names) if one and head_name(one) == asked]
        if len(found) > 1:
            sheet = "" if self.sheet.name is None else f", sheet {self.sheet.name!r}"
            raise SheetError(
                f"{self.sheet.file}{sheet}, row {self.row}: column {name!r} is there {len(found)} times: "
                "rename or delete the others"
            )
        return found[0] if found else None

    def has(self, name: str) -> bool:
        """Whether a column is there, once or more often."""
        asked = head_name(name)
        return any(head_name(one) == asked for one in self.names if one)


def find_columns(sheet: Sheet, wanted: Callable[[Columns], _T | None]) -> tuple[Columns, _T] | None:
    """Return the first row that is the head wanted, and what ``wanted`` made of it; None: there is none.

    Raises SheetError where the file is damaged.
    """
    for row in islice(sheet.read(), _SEARCHED):
        columns = Columns(sheet, row.number, row.cells)
        made = wanted(columns)
        if made is not None:
            return columns, made
    return None


def likely_columns(sheet: Sheet) -> Columns | None:
    """Return the row that looks most like a head: with the most cells without digits; None: there is none."""
    best: tuple[int, Columns] | None = None
    for row in islice(sheet.read(), _SEARCHED):
        words = sum(
            bool(cell) and index not in row.numbers and not any(map(str.isdecimal, cell))
            for index, cell in enumerate(row.cells)
        )
        if words and (best is None or words > best[0]):
            best = words, Columns(sheet, row.number, row.cells)
    return None if best is None else best[1]


@dataclass(slots=True)
class Dropped:
    """Rows below the head that are no data."""

    sums: int = 0
    """Totals, averages, and comparisons with other shops."""
    heads: int = 0
    """The head once more, as where several exports were put into one file."""
    remarks: int = 0
    """Rows of a single cell, as explanations below the data."""
    without_key: int = 0
    """Rows in which the cell is empty that says whose they are."""
    first_without_key: int = 0
    """The first such row."""


def data_rows(columns: Columns, key: int, dropped: Dropped, *, keyless: bool = False) -> Iterator[SheetRow]:
    """Yield the rows below the head that are data; others are counted in ``dropped``, empty ones are not.

    ``key``: the column that says whose a row is, or of which order. ``keyless``: yield rows without it, too.

    Raises SheetError where the file is damaged.
    """
    width = sum(map(bool, columns.names))
    for row in columns.sheet.read():
        if row.number <= columns.row:
            continue
        filled = [cell for cell in row.cells if cell]
        own = row.cells[key] if key < len(row.cells) else ""
        if not filled:
            continue
        if head_name(own or filled[0]) in _SUMS:
            dropped.sums += 1
        elif filled == [name for name in columns.names if name]:
            dropped.heads += 1
        elif len(filled) == 1 < width:
            dropped.remarks += 1
        elif not own and not keyless:
            dropped.without_key += 1
            dropped.first_without_key = dropped.first_without_key or row.number
        else:
            yield row
