"""Ids out of sheets, and whether a spreadsheet has eaten their digits: it keeps 15 of a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stream_attr.sheets.cells import is_nothing
from stream_attr.sheets.places import Cell, SheetError

__all__ = ["DIGITS_KEPT", "DamagedIdError", "IdColumn"]

DIGITS_KEPT: Final = 15
"""So many digits of a number a spreadsheet keeps; what follows becomes 0."""
_SCIENTIFIC: Final = re.compile(r"\d(?:\.\d+)?[eE]\+\d+", re.ASCII)
_ZEROS_BY_CHANCE: Final = 4
"""So many digits of a column beyond the 15th, all of them 0: by chance once in 10,000 times."""
_AGAIN: Final = (
    "a spreadsheet has made a number of the id, and its last digits are lost. Export the sheet again and "
    "name that file as it is, without opening it; to open it, import it with this column as text"
)


class DamagedIdError(SheetError):
    """A spreadsheet has eaten digits of an id."""


@dataclass(slots=True)
class IdColumn:
    """A column of ids, such as of orders, while it is read."""

    _zeros: int = 0
    _first: Cell | None = None
    _is_sound: bool = False
    """Whether some long id has another digit than 0 beyond the 15th."""

    def read(self, cell: Cell) -> str:
        """Return an id; empty where the cell says that there is none.

        Raises:
            DamagedIdError: it is in scientific notation, or a number with more digits than a sheet keeps.
        """
        text = "" if is_nothing(cell) else cell.text
        if _SCIENTIFIC.fullmatch(text) or (cell.is_number and ("." in text or self._is_rounded(text))):
            raise DamagedIdError(f"{cell.place}: {cell.text}: {_AGAIN}")
        if len(text) > DIGITS_KEPT and text.isascii() and text.isdecimal():
            end = text[DIGITS_KEPT:]
            if end.strip("0"):
                self._is_sound = True
            else:
                self._zeros += len(end)
                self._first = self._first or cell
        return text

    def check(self) -> None:
        """Have the column as a whole be sound, when all of it has been read.

        Raises:
            DamagedIdError: all long ids of it are 0 beyond the 15th digit, as after a spreadsheet saved it.
        """
        if self._first is not None and not self._is_sound and self._zeros >= _ZEROS_BY_CHANCE:
            first = self._first
            raise DamagedIdError(
                f"{first.place}: {first.text}: all long ids of this column end in 0 from the 16th digit on: "
                f"{_AGAIN}"
            )

    @staticmethod
    def _is_rounded(text: str) -> bool:
        """Whether a number cannot be relied on: above 2^53, or of 16 digits and 0 at the end."""
        digits = text.lstrip("-")
        if len(digits) <= DIGITS_KEPT:
            return False
        return not digits.isdecimal() or int(digits) > 2**53 or not digits[DIGITS_KEPT:].strip("0")
