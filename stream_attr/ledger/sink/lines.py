"""Rows as lines of CSV, as the sink's ``COPY`` reads them: ``null`` stands for NULL."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

__all__ = ["QUOTE", "array_of_pairs", "array_of_texts", "line_of", "line_with"]

QUOTE: Final = b"\1"
"""Begins and ends a text of a line, and is doubled within: one that hardly any text has."""

_encode: Final = msgspec.json.Encoder().encode


def line_of(values: tuple[Any, ...]) -> bytes:
    """Return values as a line of CSV.

    JSON writes them many times faster than Python can, and but for quotes the inside of an array is CSV.

    Raises:
        ValueError: an integer has so many digits that Python does not write it.
    """
    line = _encode(values)[1:-1]
    return b",".join(map(_value, values)) if b"\\" in line else line.replace(b'"', QUOTE)


def _value(value: Any) -> bytes:
    return _quoted(value.encode()) if isinstance(value, str) else _encode(value)


def _quoted(text: bytes) -> bytes:
    """Return a text, such as a whole record, as a value of a line."""
    return b"".join((QUOTE, text.replace(QUOTE, QUOTE * 2) if QUOTE in text else text, QUOTE))


def line_with(values: tuple[Any, ...], record: bytes) -> bytes:
    """Return a line whose last value is the record as it came.

    Raises:
        UnicodeDecodeError: a part of the record that no column needs is not UTF-8.
    """
    if not record.isascii():
        record.decode()
    return b",".join((line_of(values), _quoted(record)))


_BARE: Final = re.compile(r"(?!null$)[\w.:-]+", re.ASCII | re.IGNORECASE)
"""Text that needs no quotes in an array."""


def array_of_texts(items: tuple[str, ...] | list[str]) -> str:
    """Return an array of text as PostgreSQL reads it."""
    if not items:
        return "{}"
    return f"{{{','.join([one if _BARE.fullmatch(one) else _in_array(one) for one in items])}}}"


def _in_array(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def array_of_pairs(items: list[tuple[int, int]]) -> str:
    """Return an array of pairs: two-dimensional, of n by 2."""
    return f"{{{','.join([f'{{{first},{last}}}' for first, last in items])}}}"
