"""Files with sheets, read row by row: xlsx, xls, and CSV as a file with one sheet without a name."""

from __future__ import annotations

import csv
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from stream_attr.sheets.encoding import encoding_of, separator_of
from stream_attr.sheets.places import Cell, Place, SheetError

__all__ = ["Sheet", "SheetRow", "open_sheets"]

logger = logging.getLogger(__name__)

_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_BYTES: Final = 1 << 30
"""Of a workbook when it is unpacked: more is no export of a shop."""
_MOST_OF_A_CELL: Final = 1 << 20
_BLANK: Final = " \t\r\n\v\f\u00a0\u3000\u200b\u2060\ufeff"
_QUOTED: Final = re.compile(r'="([^"]*)"')
_MARKED_TEXT: Final = re.compile(r"'[=+\-@\d]")
_SHORT_OF: Final = timedelta(milliseconds=500)


class SheetRow(NamedTuple):
    """One row."""

    number: int
    """As a spreadsheet numbers it, from 1."""
    cells: tuple[str, ...]
    """What they say, without blanks, tabs and ``="…"`` around it."""
    numbers: frozenset[int] = frozenset()
    """Indexes of the cells that the file keeps as numbers."""


class Sheet(NamedTuple):
    """A sheet whose rows can be read, any number of times; of CSV and xlsx none is held, of xls all are."""

    file: str
    name: str | None
    """None: of a CSV file."""
    read: Callable[[], Iterator[SheetRow]]
    """Reads its rows, empty ones too. Raises SheetError where the file is damaged."""
    height: int | None = None
    """About how many rows, where the file says so before they are read."""

    def cell(self, row: SheetRow, index: int, column: str) -> Cell:
        """Return a cell of a row; one beyond its end is empty."""
        text = row.cells[index] if index < len(row.cells) else ""
        return Cell(text, index in row.numbers, Place(self.file, self.name, row.number, column))


def open_sheets(path: Path) -> list[Sheet]:
    """Return the sheets of a file that are seen, by what the file is, whatever its name says.

    Raises:
        SheetError: it is missing, empty, damaged, protected by a password, or nothing that has rows.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(512)
        if not begin.strip():
            raise SheetError(f"{path}: the file is empty: export it again")
        if begin.startswith((_ZIP, _OLE)):
            return _workbook(path, is_zip=begin.startswith(_ZIP))
        if begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise SheetError(
                f"{path}: it is a web page, whatever its name says: open it in a spreadsheet and save it as "
                "xlsx, or export it as CSV"
            )
        encoding = encoding_of(path)
        separator = separator_of(path, encoding)
    except OSError as error:
        raise SheetError(f"{path}: {error.strerror or error}") from error
    return [Sheet(str(path), None, partial(_csv_rows, path, encoding, separator))]


def _csv_rows(path: Path, encoding: str, separator: str) -> Iterator[SheetRow]:
    number = 0
    csv.field_size_limit(_MOST_OF_A_CELL)
    try:
        with path.open(encoding=encoding, newline="") as file:
            for number, cells in enumerate(csv.reader(file, delimiter=separator, strict=True), 1):
                yield SheetRow(number, tuple(map(_clean, cells)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SheetError(
            f"{path}: cannot be read after row {number}: {error}; is a quotation mark left open there?"
        ) from error


def _workbook(path: Path, *, is_zip: bool) -> list[Sheet]:
    """Return the sheets of a workbook: of xlsx read from the file, of xls and odd xlsx from memory."""
    try:
        import python_calamine as calamine  # noqa: PLC0415 -- an optional extra

        from stream_attr.sheets.xlsx import xlsx_rows, xlsx_sheets  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SheetError(
            f"{path}: a workbook needs the library {error.name}: pip install 'stream-attr[sheets]', "
            "or export it as CSV"
        ) from error
    if is_zip:
        _check_size(path)
        try:
            return [
                Sheet(
                    str(path),
                    one.title,
                    partial(_workbook_rows, path, one.title, partial(xlsx_rows, one)),
                    one.max_row,
                )
                for one in xlsx_sheets(path)
            ]
        except Exception as error:  # openpyxl is stricter than spreadsheets are
            logger.debug("%s is read in memory: %s", path, error)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError as error:
        raise SheetError(f"{path}: it is protected by a password: open it and save it without one") from error
    except Exception as error:  # of a damaged file calamine raises errors of several kinds
        raise SheetError(f"{path}: it is no workbook that can be read ({error}): export it again") from error
    return [
        Sheet(
            str(path), one.name, partial(_workbook_rows, path, one.name, partial(_held_rows, book, one.name))
        )
        for one in book.sheets_metadata
        if one.visible == calamine.SheetVisibleEnum.Visible and one.typ == calamine.SheetTypeEnum.WorkSheet
    ]


def _check_size(path: Path) -> None:
    """Refuse what is no archive, and one that is unpacked to more than memory may hold."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(one.file_size for one in archive.infolist())
    except zipfile.BadZipFile as error:
        raise SheetError(f"{path}: it is cut off or damaged ({error}): export it again") from error
    if size > _MOST_BYTES:
        raise SheetError(
            f"{path}: unpacked it has {size >> 20:,} MiB, and at most {_MOST_BYTES >> 20:,} are read: "
            "export fewer days at once, or as CSV"
        )


def _held_rows(book: Any, name: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows of a sheet that calamine holds in memory."""
    sheet = book.get_sheet_by_name(name)
    if sheet.start is not None:
        before = [None] * sheet.start[1]
        for number, values in enumerate(sheet.iter_rows(), 1):
            yield number, [*before, *values]


def _workbook_rows(
    path: Path, name: str, rows: Callable[[], Iterator[tuple[int, list[Any]]]]
) -> Iterator[SheetRow]:
    expected = 1
    try:
        for number, values in rows():
            for empty in range(expected, number):
                yield SheetRow(empty, ())
            expected = number + 1
            numbers = frozenset(
                index
                for index, value in enumerate(values)
                if isinstance(value, int | float) and not isinstance(value, bool)
            )
            yield SheetRow(number, tuple(map(_text, values)), numbers)
    except SheetError:
        raise
    except Exception as error:  # as above
        raise SheetError(
            f"{path}, sheet {name!r}: it is damaged and cannot be read ({error}): export it again"
        ) from error


def _clean(text: str) -> str:
    """Return text without what exports put around it: blanks, tabs, ``="…"``, an apostrophe."""
    text = text.strip(_BLANK)
    found = _QUOTED.fullmatch(text)
    if found is not None:
        text = found[1].strip(_BLANK)
    return text[1:] if _MARKED_TEXT.match(text) else text


def _text(value: Any) -> str:
    """Return a typed cell as text."""
    match value:
        case None:
            return ""
        case str():
            return _clean(value)
        case bool():
            return str(value).upper()
        case int():
            return str(value)
        case float():
            return _digits(value)
        case datetime():
            return (value + _SHORT_OF).replace(microsecond=0).isoformat(" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            seconds = (value + _SHORT_OF) // timedelta(seconds=1)
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)


def _digits(number: float) -> str:
    """Return a number without exponent: whole ones exactly, others with the 15 digits that a sheet keeps."""
    if number.is_integer():
        return str(int(number))
    try:
        return f"{Decimal(f'{number:.15g}'):f}"
    except ArithmeticError:
        return str(number)
