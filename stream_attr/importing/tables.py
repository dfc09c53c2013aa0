"""Files of any kind as tables: sheets, CSV and JSON lines, as rows of cells under named columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from stream_attr.files.jsonl import LinesFile, UnusableFileError
from stream_attr.sheets.book import Sheet, SheetRow, open_sheets
from stream_attr.sheets.columns import head_name
from stream_attr.sheets.places import SheetError

__all__ = ["NOT_READ", "about_rows", "is_json_lines", "json_sheet", "sheets_of"]

_CHUNK: Final = 1 << 20
_ARRAY: Final = re.compile(rb"\[\s*\{")
_PACKED: Final = (b"PK", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")
_SAMPLED: Final = 1000
"""Of JSON lines so many are read to know which fields there are."""
NOT_READ: Final = "\0"
"""With this begins the text of a cell that cannot be one value: a list, an object, a line that is no JSON."""


class _Number(str):
    """A number with a fraction or exponent, as it is written."""

    __slots__ = ()


def about_rows(path: Path) -> int | None:
    """Return about how many rows a file has, by its line ends; None: it is a workbook, or packed.

    Raises OSError where it cannot be read.
    """
    with path.open("rb") as file:
        begin = file.read(_CHUNK)
        if begin.startswith(_PACKED):
            return None
        return begin.count(b"\n") + sum(chunk.count(b"\n") for chunk in iter(partial(file.read, _CHUNK), b""))


def is_json_lines(path: Path) -> bool:
    """Whether a file holds JSON lines, by its first character, whatever its name says.

    Raises SheetError where it cannot be read, or is one array.
    """
    try:
        if path.name.endswith(".gz"):
            return True
        with path.open("rb") as file:
            begin = file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise SheetError(f"{path}: {error.strerror or error}") from error
    if _ARRAY.match(begin):
        raise SheetError(f"{path}: it is one JSON array: write each object on a line of its own")
    return begin.startswith(b"{")


def sheets_of(path: Path, heads: Iterable[str] = ()) -> list[Sheet]:
    """Return the sheets of a file; JSON lines are one, whose head are the names of fields, in row 0.

    ``heads``: fields of JSON lines that are to be read also where the first lines do not have them.

    Raises:
        SheetError: it cannot be read.
    """
    return [json_sheet(path, heads)] if is_json_lines(path) else open_sheets(path)


def json_sheet(path: Path, heads: Iterable[str] = ()) -> Sheet:
    """Return JSON lines as a sheet: an object's fields are columns, of inner objects as ``outer.inner``.

    Raises:
        SheetError: it cannot be read.
    """
    names: dict[str, None] = {}
    try:
        with LinesFile(str(path)) as lines:
            for line in islice(lines, _SAMPLED):
                names.update(dict.fromkeys(_flat(line.value)))
    except UnusableFileError as error:
        raise SheetError(str(error)) from error
    names.pop(NOT_READ, None)
    there = {head_name(name) for name in names}
    names.update(dict.fromkeys(head for head in heads if head_name(head) not in there))
    return Sheet(str(path), None, partial(_json_rows, path, tuple(names)))


def _json_rows(path: Path, names: Sequence[str]) -> Iterator[SheetRow]:
    yield SheetRow(0, tuple(names))
    try:
        with LinesFile(str(path)) as lines:
            for number, value in lines:
                flat = _flat(value)
                if NOT_READ in flat:
                    yield SheetRow(number, (flat[NOT_READ],) * len(names))
                    continue
                cells = [flat.get(name, "") for name in names]
                numbers = frozenset(index for index, cell in enumerate(cells) if isinstance(cell, _Number))
                yield SheetRow(number, tuple(map(str, cells)), numbers)
    except UnusableFileError as error:
        raise SheetError(str(error)) from error


def _flat(line: bytes) -> dict[str, str]:
    """Return the fields of a line as text; under `NOT_READ` why it is none."""
    try:
        document = json.loads(line, parse_float=_Number, parse_constant=_Number)
    except (ValueError, RecursionError) as error:
        return {NOT_READ: f"{NOT_READ}no JSON: {error}"}
    if not isinstance(document, dict):
        return {NOT_READ: f"{NOT_READ}no JSON object"}
    found: dict[str, str] = {}
    _flatten(document, "", found)
    return found


def _flatten(document: dict[str, Any], prefix: str, found: dict[str, str]) -> None:
    for name, value in document.items():
        match value:
            case None:
                text = ""
            case str():
                text = value if isinstance(value, _Number) else _mended(value).strip()
            case bool():
                text = str(value).lower()
            case int():
                text = str(value)
            case dict():
                if prefix.count(".") < 8:
                    _flatten(value, f"{prefix}{name}.", found)
                continue
            case _:
                text = f"{NOT_READ}a list"
        found[f"{prefix}{name}"] = text


def _mended(text: str) -> str:
    """Return text with U+FFFD for lone surrogates."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
