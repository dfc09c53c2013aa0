"""Which map is meant by a file, which of its sheets, and which of its columns says what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stream_attr.errors import UnusableError
from stream_attr.importing.column_map import BUILT_IN, ColumnMap
from stream_attr.importing.tables import is_json_lines, sheets_of
from stream_attr.sheets.book import Sheet, SheetRow
from stream_attr.sheets.columns import Columns, Dropped, data_rows, find_columns, likely_columns
from stream_attr.sheets.exports import known_export
from stream_attr.sheets.places import Cell

__all__ = ["Source", "source_of"]


class Source(NamedTuple):
    """A sheet whose columns are understood."""

    number: int
    """Which file it is, from 0."""
    columns: Columns
    map: ColumnMap
    positions: Mapping[str, int]
    """By field, the column that says it."""
    key: int
    """The column that every row needs: of chats the time, of orders the order."""

    def cell(self, row: SheetRow, field: str) -> Cell | None:
        """Return the cell that says a field; None: no column does."""
        index = self.positions.get(field)
        return None if index is None else self.columns.sheet.cell(row, index, self.columns.names[index])

    def rows(self, dropped: Dropped) -> Iterator[SheetRow]:
        """Yield the rows that are data, those without their key too; see `data_rows`."""
        if self.columns.row:
            yield from data_rows(self.columns, self.key, dropped, keyless=True)
        else:  # JSON lines have no totals or remarks
            yield from (row for row in self.columns.sheet.read() if row.number)


def source_of(path: Path, number: int, maps: Sequence[ColumnMap]) -> Source:
    """Return the sheet of a file that one of ``maps`` fits, or else one of a known export.

    Raises:
        SheetError: the file cannot be read, or has a mapped column twice.
        UnusableError: no map fits, or several do.
    """
    sheets = sheets_of(path)
    found: list[tuple[Columns, ColumnMap]] = []
    for among in (maps, tuple(BUILT_IN.values())):
        for sheet in sheets:
            found += [(columns, one) for one in among if (columns := _fits(sheet, one)) is not None]
        if found:
            break
    if not found:
        raise UnusableError(_unknown(path, sheets, maps))
    if len({(columns.sheet.name, one.name) for columns, one in found}) > 1:
        several = ", ".join(
            one.name if columns.sheet.name is None else f"{one.name} with sheet {columns.sheet.name!r}"
            for columns, one in found
        )
        raise UnusableError(
            f"{path}: several maps fit, {several}: give one alone, or say in it which sheet is meant"
        )
    columns, chosen = found[0]
    if is_json_lines(path):
        (sheet,) = sheets_of(path, [head for heads in chosen.columns.values() for head in heads])
        columns = Columns(sheet, 0, next(iter(sheet.read())).cells)
    positions: dict[str, int] = {}
    for field, heads in chosen.columns.items():
        index = next((at for head in heads if (at := columns.position(head)) is not None), None)
        if index is not None:
            positions[field] = index
    return Source(number, columns, chosen, positions, positions["time" if chosen.of == "chats" else "order"])


def _fits(sheet: Sheet, one: ColumnMap) -> Columns | None:
    """Return the head of a sheet that a map fits."""
    if one.sheet is not None and one.sheet != sheet.name:
        return None
    found = find_columns(sheet, lambda columns: all(map(columns.has, one.needs(columns.row))) or None)
    return None if found is None else found[0]


def _unknown(path: Path, sheets: Sequence[Sheet], maps: Sequence[ColumnMap]) -> str:
    """Return why no map fits: which columns there are, and what each map misses."""
    heads = [columns for sheet in sheets if (columns := likely_columns(sheet)) is not None]
    if not heads:
        return f"{path}: there is no row that could be the heads of columns: export it again, with its heads"
    for columns in heads:
        export = known_export(columns)
        if export is not None and not export.is_of_orders:
            return (
                f"{path}: it is a sheet of figures ({export.platform[0]}), which has no chats or orders; "
                "compare it with ours by stream-attr report reconcile"
            )
    best = max(heads, key=lambda columns: len(columns.names))
    lacks = "".join(
        f" {one.name} names {', '.join(repr(head) for head in one.needs(best.row) if not best.has(head))}, "
        "which it lacks."
        for one in maps
    )
    return (
        f"{path}: no column map fits.{lacks} Its columns may be: {', '.join(filter(None, best.names))}. "
        f"stream-attr import --describe {path} proposes a map; known without one are {', '.join(BUILT_IN)}"
    )
