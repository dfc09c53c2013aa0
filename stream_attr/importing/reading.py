"""Cells of a row as values of the contract: ids, instants, money, counts and words, or why they are none.

Every method returns None for a field that no column says or whose cell is empty, and raises RowError, with
file, row and column, for what cannot be read without a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from stream_attr.adapters.reading import checked_id
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.contract.currency import minor_digits
from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.errors import UnusableError
from stream_attr.importing.refused import RowError
from stream_attr.importing.source import Source
from stream_attr.importing.tables import NOT_READ
from stream_attr.rules.shop.days import DAY_MS, EARLIEST_TS, LATEST_TS
from stream_attr.sheets.book import SheetRow
from stream_attr.sheets.cells import count, instant, is_nothing, minor_units
from stream_attr.sheets.exports import NO_REFUND
from stream_attr.sheets.ids import IdColumn
from stream_attr.sheets.places import Cell, SheetError

__all__ = ["ImportOptions", "Reader"]

_T = TypeVar("_T")
_SINCE_1970: Final = re.compile(r"\d{9,14}(\.\d{1,9})?", re.ASCII)
_OFFSET: Final = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


class ImportOptions(NamedTuple):
    """Options for all files."""

    shop: str | None = None
    """The shop of rows that do not name one."""
    zone: str | None = None
    """IANA zone of times that do not say theirs, before what a map says."""
    with_text: bool = False
    """Whether events carry what was written; otherwise its length."""


class Reader:
    """Reads the rows of one file."""

    def __init__(self, source: Source, options: ImportOptions) -> None:
        self.source = source
        self.options = options
        self._zone = options.zone or source.map.zone
        self._ids: dict[str, IdColumn] = {}

    def check(self) -> None:
        """Have all columns of ids be sound, when the file is read; see `IdColumn.check`."""
        for column in self._ids.values():
            column.check()

    def cell(self, row: SheetRow, field: str) -> Cell | None:
        """Return a cell that says something."""
        cell = self.source.cell(row, field)
        if cell is None or is_nothing(cell):
            return None
        if cell.text.startswith(NOT_READ):
            raise RowError(Reason.BAD_TYPE, f"{cell.place}: {cell.text[1:]}", cell.place.column)
        return cell

    def text(self, row: SheetRow, field: str) -> str | None:
        """Return text as it stands, also where it looks like an empty mark."""
        cell = self.source.cell(row, field)
        return None if cell is None or not cell.text or cell.text.startswith(NOT_READ) else cell.text

    def identifier(self, row: SheetRow, field: str) -> str | None:
        """Return an id: whole, and one that the contract takes."""
        cell = self.cell(row, field)
        if cell is None:
            return None
        column = self._ids.setdefault(field, IdColumn())
        text = _read(Reason.BAD_ID, column.read, cell)
        try:
            return checked_id(text, field)
        except SkippedError as error:
            why = "is no id: 1 to 128 characters without | and control characters, not in scientific notation"
            raise _bad(Reason.BAD_ID, cell, why) from error

    def needed(self, value: _T | None, field: str, row: SheetRow) -> _T:
        """Return what cannot be left out."""
        if value is not None:
            return value
        place = self.source.columns.sheet.cell(row, 0, "").place._replace(column=None)
        index = self.source.positions.get(field)
        head = None if index is None else self.source.columns.names[index]
        where = "no column says it" if head is None else f"column {head!r} is empty"
        raise RowError(Reason.MISSING_FIELD, f"{place}: {field} is missing: {where}", head)

    def shop(self, row: SheetRow) -> str:
        """Return the shop of a row."""
        shop = self.identifier(row, "shop")
        return self.needed(shop if shop is not None else self.options.shop, "shop", row)

    def time(self, row: SheetRow, field: str) -> int | None:
        """Return an instant in epoch milliseconds.

        Raises:
            UnusableError: it does not say its zone, and no zone is stated: that is so in all rows.
        """
        cell = self.cell(row, field)
        if cell is None:
            return None
        factor = self.source.map.epoch.get(field)
        if factor is not None:
            if not _SINCE_1970.fullmatch(cell.text):
                raise _bad(Reason.BAD_TIME, cell, "is no number of seconds or milliseconds since 1970")
            ts = int(Decimal(cell.text) * factor)
            if not EARLIEST_TS <= ts < LATEST_TS:
                unit = "seconds" if factor == 1000 else "milliseconds"
                raise _bad(Reason.BAD_TIME, cell, f"is not in the years 2000 to 2099, as {unit} since 1970")
            return ts
        if self._zone is None and not _OFFSET.search(cell.text) and not cell.text.isdecimal():
            raise UnusableError(
                f"{cell.place}: {cell.text!r} does not say its time zone, and nothing else does: "
                "--zone Asia/Shanghai, or zone in the column map"
            )
        if cell.text.isdecimal():
            raise _bad(
                Reason.BAD_TIME, cell, f"is a number: epoch.{field} of the map says its unit since 1970"
            )
        zone = self._zone or "UTC"
        found = _read(Reason.BAD_TIME, lambda one: instant(one, zone), cell)
        if found is not None and found.unit == DAY_MS:
            raise _bad(Reason.BAD_TIME, cell, "is a day: a time needs its hour and minute")
        return None if found is None else found.ts

    def currency(self, row: SheetRow) -> str:
        """Return the currency of a row's amounts: its own, or the map's."""
        cell = self.cell(row, "currency")
        if cell is None:
            return self.source.map.currency
        if minor_digits(cell.text.upper()) is None:
            raise _bad(Reason.BAD_VALUE, cell, "is no ISO 4217 code with a minor unit, such as CNY")
        return cell.text.upper()

    def money(self, row: SheetRow, field: str, currency: str) -> int | None:
        """Return an amount in minor units, exactly."""
        cell = self.cell(row, field)
        if cell is None or (field == "refund" and cell.text in NO_REFUND):
            return None
        if self.source.map.is_minor:
            found = _read(Reason.BAD_AMOUNT, count, cell)
        else:
            found = _read(Reason.BAD_AMOUNT, lambda one: minor_units(one, currency), cell)
        if found is not None and not 0 <= found <= MAX_AMOUNT:
            raise _bad(
                Reason.BAD_AMOUNT, cell, "is below 0" if found < 0 else "is more than an amount may be"
            )
        return found

    def count(self, row: SheetRow, field: str) -> int | None:
        """Return a whole number of 0 or more."""
        cell = self.cell(row, field)
        found = None if cell is None else _read(Reason.BAD_VALUE, count, cell)
        if cell is not None and found is not None and not 0 <= found <= MAX_AMOUNT:
            raise _bad(Reason.BAD_VALUE, cell, "is below 0 or too large")
        return found

    def word(self, row: SheetRow, field: str) -> str | None:
        """Return our word for theirs."""
        cell = self.cell(row, field)
        if cell is None:
            return None
        words = self.source.map.words[field]
        found = words.get(cell.text.casefold())
        if found is None:
            ours = ", ".join(sorted(set(words.values())))
            raise _bad(
                Reason.BAD_VALUE,
                cell,
                f"is not known: words.{field} of the map says which of {ours} it is",
            )
        return found


def _read(reason: Reason, read: Callable[[Cell], _T], cell: Cell) -> _T:
    try:
        return read(cell)
    except SheetError as error:
        raise RowError(reason, str(error), cell.place.column) from error


def _bad(reason: Reason, cell: Cell, why: str) -> RowError:
    return RowError(reason, str(cell.unusable(why)), cell.place.column)
