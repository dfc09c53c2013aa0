"""What an unknown export seems to hold, column by column, and a column map that a person can edit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from stream_attr.errors import UnusableError
from stream_attr.importing.column_map import BUILT_IN
from stream_attr.importing.fields import FIELDS, WORDS, Field, Kind, Of
from stream_attr.importing.tables import is_json_lines, sheets_of
from stream_attr.sheets.book import SheetRow
from stream_attr.sheets.cells import amount, count, instant, is_nothing
from stream_attr.sheets.columns import Columns, find_columns, head_name, likely_columns
from stream_attr.sheets.exports import Export, known_export
from stream_attr.sheets.ids import DamagedIdError, IdColumn
from stream_attr.sheets.places import Cell, SheetError

__all__ = ["Proposal", "describe"]

_SAMPLED: Final = 1000
"""So many rows below the head are looked at."""
_SHOWN: Final = 10
"""So many words that are not understood are shown."""


class Proposal(NamedTuple):
    """The description of a file."""

    lines: tuple[str, ...]
    toml: str | None
    """The proposed map; None: the file holds no events."""


class _Column(NamedTuple):
    """What stands in a column."""

    name: str
    cells: list[Cell]
    """Those that say something."""

    def unread(self, kind: Kind) -> int:
        """Return how many of its cells cannot be read as a kind."""
        if kind is Kind.TIME and self.epoch is not None:
            return 0
        return sum(not _reads(cell, kind) for cell in self.cells)

    @property
    def epoch(self) -> str | None:
        """Return the unit of a column of numbers since 1970; None: it is none."""
        if not self.cells or not all(cell.text.isascii() and cell.text.isdecimal() for cell in self.cells):
            return None
        return {10: "s", 13: "ms"}.get(len(self.cells[0].text))


def _reads(cell: Cell, kind: Kind) -> bool:
    try:
        if kind is Kind.TIME:
            instant(cell, "UTC")
        elif kind is Kind.MONEY:
            amount(cell)
        elif kind is Kind.COUNT:
            count(cell)
        elif kind is Kind.ID:
            IdColumn().read(cell)
    except SheetError:
        return False
    return True


def describe(path: Path) -> Proposal:
    """Return what is recognised in a file, and the map to edit.

    Raises:
        SheetError: it cannot be read.
        UnusableError: it has no row that could be the heads of columns.
    """
    sheets = sheets_of(path)
    for sheet in sheets:
        known = find_columns(sheet, known_export)
        if known is not None:
            return _known(path, *known)
    found = [columns for sheet in sheets if (columns := likely_columns(sheet)) is not None]
    if not found:
        raise UnusableError(f"{path}: there is no row that could be the heads of columns: export it again")
    head = max(found, key=lambda columns: sum(map(bool, columns.names)))
    read = _columns(head)
    recognised = {of: _recognised(of, read) for of in FIELDS}
    of = max(recognised, key=lambda one: _score(one, recognised[one]))
    return Proposal(
        tuple(_described(path, head, of, read, recognised[of])), _toml(path, of, read, recognised[of])
    )


def _known(path: Path, head: Columns, export: Export) -> Proposal:
    """Return the description of a known export, and a map that adds to what is known."""
    name = f"{path}: {export.platform[0]}, {export.platform[1]} ({export.name})"
    if not export.is_of_orders:
        what = "figures of agents, which are no events: stream-attr report reconcile compares them"
        return Proposal((f"{name}: {what}",), None)
    one = BUILT_IN[export.name]
    read = {
        column: field
        for field, heads in one.columns.items()
        if (column := next(filter(head.has, heads), None)) is not None
    }
    more = {field: about for field, about in FIELDS["orders"].items() if field not in one.columns}
    unused = [column for column in head.names if column and head_name(column) not in map(head_name, read)]
    lines = [
        f"{name}: orders, times by {one.zone}, heads in row {head.row}",
        *(f"  {column} → {field}: {FIELDS['orders'][field].meaning}" for column, field in read.items()),
        *(f"  missing: {field}: {about.meaning}" for field, about in more.items() if about.needed),
        f"  not used: {', '.join(unused)}",
    ]
    toml = [f"base = {_quoted(export.name)}", "", "[columns]"]
    toml += [f'# {field} = ""  # {about.meaning}' for field, about in more.items()]
    return Proposal(tuple(lines), "\n".join([*toml, _remark(unused)]) + "\n")


def _columns(head: Columns) -> list[_Column]:
    rows: list[SheetRow] = [
        row
        for row in islice(head.sheet.read(), head.row + _SAMPLED)
        if row.number > head.row and len(row.cells) > 1
    ]
    found = []
    for index, name in enumerate(head.names):
        if name:
            cells = [head.sheet.cell(row, index, name) for row in rows]
            found.append(_Column(name, [cell for cell in cells if not is_nothing(cell)]))
    return found


def _recognised(of: Of, columns: list[_Column]) -> dict[str, _Column]:
    """Return by field the column whose head names it, and whose cells can be it."""
    found: dict[str, _Column] = {}
    for field, about in FIELDS[of].items():
        for head in about.heads:
            asked = head_name(head)
            column = next((one for one in columns if head_name(one.name) == asked), None)
            if column is not None and column not in found.values() and _fits(column, about):
                found[field] = column
                break
    if "sender" in found:
        found.pop("speaker", None)
    if "refund" not in found:
        found.pop("refunded", None)
    return found


def _fits(column: _Column, about: Field) -> bool:
    """Whether more than half of its cells can be what a field is; of ids, damaged ones are counted apart."""
    return about.kind is Kind.ID or not column.cells or 2 * column.unread(about.kind) < len(column.cells)


def _score(of: Of, found: Mapping[str, _Column]) -> tuple[int, int]:
    return sum(FIELDS[of][field].needed for field in found), len(found)


def _described(
    path: Path, head: Columns, of: Of, columns: list[_Column], found: Mapping[str, _Column]
) -> list[str]:
    """Return what is recognised of each column, and what is missing."""
    where = "" if head.sheet.name is None else f", sheet {head.sheet.name!r}"
    rows = "fields of the first lines" if is_json_lines(path) else f"heads in row {head.row}"
    lines = [f"{path}{where}: seems to be {of}; {rows}, {len(columns)} columns"]
    by_column = {column.name: field for field, column in found.items()}
    for column in columns:
        field = by_column.get(column.name)
        meaning = "not used" if field is None else f"{field}: {FIELDS[of][field].meaning}"
        lines.append(f"  {column.name} → {meaning}{_warned(column, field, of)}")
    for field, about in FIELDS[of].items():
        if about.needed and field not in found:
            fitting = [
                one.name for one in columns if one.name not in by_column and _fits(one, about) and one.cells
            ]
            could = f"; could be {', '.join(fitting)}" if fitting else ""
            lines.append(f"  missing: {field}: {about.meaning}{could}")
    if of == "chats" and not {"sender", "speaker"} & found.keys():
        lines.append("  missing: sender: who wrote, buyer or agent; or speaker, by name")
    return lines


def _warned(column: _Column, field: str | None, of: Of) -> str:
    """Return what is wrong in a column."""
    if field is None:
        return ""
    if not column.cells:
        return " (empty in all rows)"
    kind = FIELDS[of][field].kind
    if kind is Kind.ID:
        ids = IdColumn()
        try:
            for cell in column.cells:
                ids.read(cell)
            ids.check()
        except DamagedIdError as error:
            return f" (DAMAGED: {error})"
    unread = column.unread(kind)
    if unread:
        return f" ({unread} of {len(column.cells)} cells cannot be read: their rows will be refused)"
    if kind is Kind.WORD and field in WORDS:
        unknown = _unknown_words(column, field)
        if unknown:
            return f" (say what these are in words.{field}: {', '.join(unknown)})"
    return ""


def _unknown_words(column: _Column, field: str) -> list[str]:
    """Return some of their words that are not understood."""
    return sorted({cell.text for cell in column.cells if cell.text.casefold() not in WORDS[field]})[:_SHOWN]


def _toml(path: Path, of: Of, columns: list[_Column], found: Mapping[str, _Column]) -> str:
    """Return the map as TOML with remarks."""
    times = [column for field, column in found.items() if FIELDS[of][field].kind is Kind.TIME]
    epochs = {
        field: unit
        for field, column in found.items()
        if FIELDS[of][field].kind is Kind.TIME and (unit := column.epoch) is not None
    }
    lines = [
        f"# Column map of {path.name}: stream-attr import {path.name} --map THIS --shop SHOP --out events",
        f"of = {_quoted(of)}",
        "# With what event ids begin, at best the platform: taobao, jd, pinduoduo, doudian …",
        'platform = "import"',
    ]
    if not times or any(column.epoch is None for column in times):
        lines += [
            "# The clocks by which the times are; uncomment it, or give --zone.",
            '# zone = "Asia/Shanghai"',
        ]
    if of == "orders":
        lines += ['currency = "CNY"', '# "major": 12.34 yuan; "minor": 1234 fen', 'amounts = "major"']
    lines += ["", "[columns]"]
    for field, about in FIELDS[of].items():
        column = found.get(field)
        if column is not None:
            lines.append(f"{field} = {_quoted(column.name)}  # {about.meaning}")
        else:
            needed = "MISSING: " if about.needed else ""
            lines.append(f'# {field} = ""  # {needed}{about.meaning}')
    unused = [column.name for column in columns if column not in found.values()]
    if unused:
        lines.append(_remark(unused))
    if epochs:
        lines += ["", "[epoch]", *(f"{field} = {_quoted(unit)}" for field, unit in epochs.items())]
    for field in WORDS:
        unknown = _unknown_words(found[field], field) if field in found else []
        if unknown:
            ours = list(dict.fromkeys(WORDS[field].values()))
            lines += ["", f"[words.{field}]", f"# Give each of theirs to one of {', '.join(ours)}:"]
            lines += [f"# {ours[0]} = [{', '.join(map(_quoted, unknown))}]"]
    return "\n".join(lines) + "\n"


def _remark(unused: list[str]) -> str:
    return f"# not used: {', '.join(' '.join(name.split()) for name in unused)}"


def _quoted(text: str) -> str:
    """Return text as TOML writes it: a JSON string is one."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
