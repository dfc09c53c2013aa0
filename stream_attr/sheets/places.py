"""Where a cell of a sheet stands, for messages that a person can follow."""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.files.jsonl import UnusableFileError

__all__ = ["Cell", "Place", "SheetError"]


class SheetError(UnusableFileError):
    """A sheet cannot be used; the message names file, sheet, row and column as far as they are known."""


class Place(NamedTuple):
    """A place in a file."""

    file: str
    sheet: str | None
    """None: the file has no sheets (CSV)."""
    row: int
    """As a spreadsheet numbers it, from 1."""
    column: str | None = None
    """Its head as it stands in the file."""

    def __str__(self) -> str:
        """Return it as people write it."""
        sheet = "" if self.sheet is None else f", sheet {self.sheet!r}"
        column = "" if self.column is None else f", column {self.column!r}"
        return f"{self.file}{sheet}, row {self.row}{column}"


class Cell(NamedTuple):
    """A cell: what it says, and where."""

    text: str
    """Without what surrounds it; a number in plain digits, a date as ``2026-11-01 10:12:00``."""
    is_number: bool
    """Whether the file keeps it as a number: then it has at most 15 digits that can be relied on."""
    place: Place

    def unusable(self, why: str) -> SheetError:
        """Return the error that it cannot be used: ``why`` goes on after its text."""
        return SheetError(f"{self.place}: {self.text!r} {why}")
