"""Rows of xlsx as they stand in the file: neither a sheet nor the workbook's table of texts is held.

openpyxl reads the cells. Its own loops keep all texts in memory, and an empty element for every row; these
keep the texts in temporary files and let go of what has been read.
"""

from __future__ import annotations

import os
import tempfile
import warnings
import weakref
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from struct import Struct
from typing import Any, Final

from defusedxml.ElementTree import iterparse
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

__all__ = ["xlsx_rows", "xlsx_sheets"]

warnings.filterwarnings("ignore", module="openpyxl")  # of styles, which are not used

_TEXT: Final = f"{{{SHEET_MAIN_NS}}}si"
_TEXTS: Final = f"{{{SHEET_MAIN_NS}}}sst"
_PLACE: Final = Struct(">QI")
_LAST_ROW: Final = 1 << 20
"""As spreadsheets have it."""
_RECENT: Final = 1_000
"""Texts that are kept at hand: shops, agents and statuses come again and again."""


class _Texts:
    """The texts that cells name by number, in temporary files."""

    def __init__(self) -> None:
        self._texts, self._places = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._texts.close)
        weakref.finalize(self, self._places.close)
        self._recent = lru_cache(maxsize=_RECENT)(self._read)

    def fill(self, source: Any) -> None:
        begin = 0
        for element in _each(source, _TEXT, _TEXTS):
            text = Text.from_tree(element).content.encode("utf-8", "surrogatepass")
            self._texts.write(text)
            self._places.write(_PLACE.pack(begin, len(text)))
            begin += len(text)
        self._texts.flush()
        self._places.flush()

    def __getitem__(self, number: int) -> str:
        return self._recent(number)

    def _read(self, number: int) -> str:
        place = os.pread(self._places.fileno(), _PLACE.size, number * _PLACE.size)
        if len(place) < _PLACE.size:
            raise ValueError(f"a cell names text {number}, and there are fewer")
        begin, length = _PLACE.unpack(place)
        return os.pread(self._texts.fileno(), length, begin).decode("utf-8", "surrogatepass")


class _Reader(ExcelReader):  # type: ignore[misc]
    """Opens a workbook: its list of sheets, its formats of dates, its texts."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), read_only=True, data_only=True, keep_links=False)
        self.shared_strings = _Texts()

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings.fill(source)

    def read(self) -> None:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        self.read_worksheets()


class _Rows(WorkSheetParser):  # type: ignore[misc]
    """Reads the rows of a sheet and keeps none."""

    def parse(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        for element in _each(self.source, ROW_TAG, DATA_TAG):
            yield self.parse_row(element)
            self.row_dimensions.clear()


def _each(source: Any, tag: str, within: str) -> Iterator[Any]:
    """Yield each element of a name within another one, and forget it."""
    parent = None
    for event, element in iterparse(source, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            parent = element if element.tag == within else parent
        elif element.tag == tag:
            yield element
            if parent is not None:
                parent.clear()


def xlsx_sheets(path: Path) -> list[Any]:
    """Return the sheets with cells of a workbook that are seen.

    Raises errors of many kinds where it is damaged, or uses what openpyxl does not know.
    """
    reader = _Reader(path)
    reader.read()
    return [sheet for sheet in reader.wb.worksheets if sheet.sheet_state == "visible"]


def xlsx_rows(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows of a sheet that there are: number from 1, and values; None for a cell that is empty.

    Raises errors of many kinds where it is damaged.
    """
    book = sheet.parent
    with sheet._get_source() as source:
        parser = _Rows(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            if not 0 < number <= _LAST_ROW:
                raise ValueError(f"there is no row {number}")
            values: list[Any] = []
            for cell in cells:
                values += [None] * (cell["column"] - len(values))
                values[cell["column"] - 1] = cell["value"]
            yield number, values
