"""Which sheet of a file is meant, what kind it is, and which column says what: known, or by ``--map``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stream_attr.errors import UnusableError
from stream_attr.ledger.asked import asked
from stream_attr.sheets.book import Sheet, SheetRow, open_sheets
from stream_attr.sheets.columns import Columns, Dropped, data_rows, find_columns, likely_columns
from stream_attr.sheets.exports import AGENT, EXPORTS, ORDER_FIELDS, Export, known_export
from stream_attr.sheets.places import Cell

__all__ = ["TheirSheet", "mapped_fields", "their_sheet"]

_ORDER = "order"


class TheirSheet(NamedTuple):
    """A sheet whose columns are understood."""

    columns: Columns
    export: Export | None
    """None: it is known by ``--map`` alone."""
    positions: Mapping[str, int]
    """By field, the column that says it."""

    @property
    def is_of_orders(self) -> bool:
        """Whether its rows are orders; else they are agents."""
        return _ORDER in self.positions

    @property
    def unread(self) -> list[str]:
        """Return the heads of columns that nothing is taken from."""
        read = set(self.positions.values())
        return [name for index, name in enumerate(self.columns.names) if name and index not in read]

    def rows(self, dropped: Dropped) -> Iterator[SheetRow]:
        """Yield the rows that are data; see `data_rows`."""
        return data_rows(self.columns, self.positions[_ORDER if self.is_of_orders else AGENT], dropped)

    def cell(self, row: SheetRow, field: str) -> Cell | None:
        """Return the cell that says a field; None: no column does."""
        index = self.positions.get(field)
        return None if index is None else self.columns.sheet.cell(row, index, self.columns.names[index])


def mapped_fields(maps: Sequence[str]) -> dict[str, str]:
    """Return by field the head of the column that says it, of ``their column=our field``.

    Raises UnusableError for a field that is none, and one that is named twice.
    """
    found: dict[str, str] = {}
    for one in maps:
        head, is_map, name = one.rpartition("=")
        head, name = head.strip(), name.strip()
        if not is_map or not head or not name:
            raise UnusableError(f"--map {one!r}: write it as 'their column=our field'")
        field = name if name in ORDER_FIELDS else _figure(one, name)
        if field in found:
            raise UnusableError(f"--map {one!r}: {field} is already {found[field]!r}; name one column")
        found[field] = head
    return found


def _figure(one: str, name: str) -> str:
    try:
        (figure,) = asked([name])
    except UnusableError as error:
        raise UnusableError(
            f"--map {one!r}: a field of orders is one of {', '.join(ORDER_FIELDS)}, of agents {AGENT} or a "
            f"figure like sales.amount: {error}"
        ) from error
    if figure.way or figure.figure.group == "silent":
        raise UnusableError(f"--map {one!r}: a sheet of agents can be compared with figures of agents only")
    return figure.figure.key


def their_sheet(path: Path, maps: Sequence[str], name: str | None) -> TheirSheet:
    """Return the sheet of a file that is known, or has the columns that ``maps`` name; ``name``: this one.

    Raises:
        SheetError: the file cannot be used.
        UnusableError: no sheet is known, several are, or a map is wrong.
    """
    mapped = mapped_fields(maps)
    sheets = open_sheets(path)
    if name is not None:
        there = [sheet.name for sheet in sheets if sheet.name is not None]
        sheets = [sheet for sheet in sheets if sheet.name == name]
        if not sheets:
            raise UnusableError(f"{path}: there is no sheet {name!r}; there are {', '.join(there) or 'none'}")
    found = [one for sheet in sheets if (one := _understood(sheet, mapped)) is not None]
    if len(found) > 1:
        names = ", ".join(repr(one.columns.sheet.name) for one in found)
        raise UnusableError(f"{path}: several sheets can be meant, {names}: name one with --sheet")
    if not found:
        raise UnusableError(_unknown(path, sheets, mapped))
    _check_fields(path, found[0])
    return found[0]


def _understood(sheet: Sheet, mapped: Mapping[str, str]) -> TheirSheet | None:
    def wanted(columns: Columns) -> tuple[Export | None] | None:
        if not all(map(columns.has, mapped.values())):
            return None
        export = known_export(columns)
        return None if export is None and not {_ORDER, AGENT} & mapped.keys() else (export,)

    found = find_columns(sheet, wanted)
    if found is None:
        return None
    columns, (export,) = found
    heads = {} if export is None else dict(export.fields)
    positions: dict[str, int] = {}
    for field, candidates in {**heads, **{field: (head,) for field, head in mapped.items()}}.items():
        index = next((at for head in candidates if (at := columns.position(head)) is not None), None)
        if index is not None:
            positions[field] = index
    return TheirSheet(columns, export, positions)


def _check_fields(path: Path, sheet: TheirSheet) -> None:
    """Have all fields be of orders, or all of agents."""
    if sheet.is_of_orders:
        wrong = sorted(sheet.positions.keys() - set(ORDER_FIELDS))
        what = "orders"
    else:
        wrong = sorted(sheet.positions.keys() & set(ORDER_FIELDS) - {AGENT})
        what = "agents"
        if not wrong and len(sheet.positions) == 1:
            raise UnusableError(
                f"{path}: beside the agent no column is compared: --map 'their column=sales.amount', "
                "or another figure"
            )
    if wrong:
        raise UnusableError(f"{path}: it is a sheet of {what}, which has no {', '.join(wrong)}")


def _unknown(path: Path, sheets: Sequence[Sheet], mapped: Mapping[str, str]) -> str:
    """Return why no sheet can be used: which columns there are, and how to map them."""
    there = []
    for sheet in sheets:
        columns = likely_columns(sheet)
        if columns is not None:
            of = "" if sheet.name is None else f"sheet {sheet.name!r}, "
            there.append(f"{of}row {columns.row}: {', '.join(filter(None, columns.names))}")
    if not there:
        return f"{path}: there is no row that could be the heads of columns: export it again, with its heads"
    named = ", ".join(map(repr, mapped.values()))
    missing = f" No row has all of {named}, which --map names." if mapped else ""
    return (
        f"{path}: this sheet is not known.{missing} Its columns may be: {'; '.join(there)}. Say of each what "
        f"it is, --map 'their column=our field': of orders {', '.join(ORDER_FIELDS)} (order at least), of "
        f"agents {AGENT} and figures such as sales.amount, inquiries.inquiries. Known are: "
        f"{', '.join(one.name for one in EXPORTS)}"
    )
