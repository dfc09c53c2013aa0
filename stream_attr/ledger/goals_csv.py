"""Goals as CSV: what people keep in a spreadsheet, in either language; all of a file, or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from stream_attr.errors import UnusableError
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.ledger.goals import FIELDS, Entered, Goal, GoalError, Goals

__all__ = ["read_goals", "text_of"]

_CHINESE: Final = ("店铺", "客服", "指标", "开始", "结束", "目标", "币种")
_HEADS: Final = {**dict(zip(FIELDS, FIELDS, strict=True)), **dict(zip(_CHINESE, FIELDS, strict=True))}
_REQUIRED: Final = ("shop", "figure", "from", "target")
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
_MOST_SHOWN: Final = 20


def read_goals(file: Path, goals: Goals) -> list[Goal]:
    """Return the goals of a CSV file, UTF-8 or GB18030; its first line names the columns.

    Raises UnusableError, whose arguments are what is wrong, each with file, line and field.
    """
    found: list[Goal] = []
    wrong: list[str] = []
    lines: dict[tuple[object, ...], int] = {}
    for line, row in _rows(file):
        try:
            goal = goals.checked(_entered(row))
        except GoalError as error:
            wrong.append(f"{file}:{line}: {error.field}: {error}")
            continue
        before = lines.setdefault(goal.key, line)
        if before != line:
            wrong.append(f"{file}:{line}: it is the same goal as on line {before}: keep one of them")
        found.append(goal)
    if wrong:
        more = len(wrong) - _MOST_SHOWN
        ends = [f"and {more} more"] if more > 0 else []
        raise UnusableError(
            *wrong[:_MOST_SHOWN], *ends, f"{file}: no goal was taken; correct it and try again"
        )
    if not found:
        raise UnusableError(f"{file}: has no goals below its first line")
    return found


def text_of(goals: Iterable[Goal]) -> str:
    """Return goals as a file that `read_goals` takes."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(FIELDS)
    rows.writerows(goal.fields for goal in goals)
    return text.getvalue()


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines below the head that say something: their number, and their cells by field."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnusableFileError(f"{file}: {error.strerror or error}") from error
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise UnusableFileError(f"{file}: is neither UTF-8 nor GB18030: export it as CSV UTF-8")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heads = _heads(file, next(reader, []))
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                if len(cells) > len(heads):
                    raise UnusableFileError(f"{file}:{reader.line_num}: has more cells than the first line")
                yield reader.line_num, dict(zip(heads, cells, strict=False))
    except csv.Error as error:
        raise UnusableFileError(f"{file}:{reader.line_num}: is not CSV: {error}") from error


def _heads(file: Path, names: list[str]) -> list[str]:
    """Return the fields that the columns hold."""
    heads = [_HEADS.get(name.strip().lower()) for name in names]
    for name, field in zip(names, heads, strict=True):
        if field is None:
            raise UnusableFileError(f"{file}:1: {name!r} is no column; there are {', '.join(_HEADS)}")
    found = [field for field in heads if field is not None]
    missing = [field for field in _REQUIRED if field not in found]
    if missing or len(set(found)) < len(found):
        what = f"has no column {missing[0]}" if missing else "has a column twice"
        raise UnusableFileError(f"{file}:1: {what}; write {','.join(FIELDS)}")
    return found


def _entered(row: dict[str, str]) -> Entered:
    for field in _REQUIRED:
        if not row.get(field):
            raise GoalError(field, "is empty")
    agent, last, currency = (row.get(field) or None for field in ("agent", "to", "currency"))
    return Entered(row["shop"], agent, row["figure"], row["from"], last, row["target"], currency)
