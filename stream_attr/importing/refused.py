"""Rows that cannot be used, and parts of orders that give no event, each with its reason, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stream_attr.adapters.skips import Reason
from stream_attr.codec.encoding import encode_json
from stream_attr.errors import StreamAttrError
from stream_attr.sheets.columns import Dropped

__all__ = ["Account", "RowError"]


class RowError(StreamAttrError):
    """A row cannot be used."""

    def __init__(self, reason: Reason, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.column = column
        """The head of the column that is to blame; None: it is the row as a whole, or what it lacks."""


@dataclass(slots=True)
class Account:
    """What became of the rows."""

    write_refused: Callable[[bytes], None]
    """Takes a line of JSON for each row that is refused."""
    rows: int = 0
    """Rows of data read."""
    events: Counter[str] = field(default_factory=Counter)
    """By topic."""
    repeated: int = 0
    """Rows and messages that are there twice; they count once."""
    refused: Counter[Reason] = field(default_factory=Counter)
    """Rows."""
    first: dict[Reason, str] = field(default_factory=dict)
    """The message of the first row refused, by reason."""
    skipped: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    """Parts of orders without an event, by reason and what it is about."""
    dropped: dict[str, Dropped] = field(default_factory=dict)
    """By file, rows that are no data."""

    def refuse(
        self, file: str, sheet: str | None, row: int, error: RowError, cells: Mapping[str, str] | None = None
    ) -> None:
        """Write a row with its reason, and count it."""
        self.refused[error.reason] += 1
        self.first.setdefault(error.reason, str(error))
        line = {
            "file": file,
            "sheet": sheet,
            "row": row,
            "column": error.column,
            "code": error.reason.value,
            "message": str(error),
            "cells": cells or {},
        }
        self.write_refused(encode_json({name: value for name, value in line.items() if value is not None}))
