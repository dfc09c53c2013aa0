"""An import of orders: its CPU time against that of reading the same cells at all."""

from __future__ import annotations

import csv
import statistics
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openpyxl import load_workbook
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from replay import cpu_and_wall
from stream_attr.collector import without_collector
from stream_attr.importing.column_map import read_map
from stream_attr.importing.reading import ImportOptions
from stream_attr.importing.refused import Account
from stream_attr.importing.run import imported
from stream_attr.importing.source import source_of
from table import Row

__all__ = ["run"]

ROWS = 100_000
ALTERNATIONS = 3
BEGIN = datetime(2026, 3, 2, 10, tzinfo=UTC).replace(tzinfo=None)
"""Cells have no zone."""
HEADS = ("订单号", "买家", "下单", "付款", "金额")
COLUMN_MAP = """
of = "orders"
platform = "shop"
zone = "Asia/Shanghai"
[columns]
order = "订单号"
buyer = "买家"
created = "下单"
paid = "付款"
amount = "金额"
"""


def run(_plots: Path) -> list[Row]:
    """Measure the same orders in both kinds of files."""
    with tempfile.TemporaryDirectory() as name, without_collector():
        folder = Path(name)
        (folder / "map.toml").write_text(COLUMN_MAP, encoding="utf-8")
        return [
            _row("CSV (GB18030)", "csv.reader", folder, _csv(folder / "orders.csv"), _read_csv),
            _row("xlsx", "openpyxl's reading row by row", folder, _xlsx(folder / "orders.xlsx"), _read_xlsx),
        ]


def _row(kind: str, peer: str, folder: Path, file: Path, read: Callable[[Path], None]) -> Row:
    """Import a file and read it, in turn."""
    ours, bare = [], []
    for _ in range(ALTERNATIONS):
        ours.append(cpu_and_wall(lambda: _import(file, folder / "map.toml"))[0])
        bare.append(cpu_and_wall(lambda: read(file))[0])
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    return Row(
        f"import of orders, {kind}, against {peer}",
        f"{statistics.median(ratios):.1f} times",
        spread=f"{min(ratios):.1f} to {max(ratios):.1f}",
        note=f"CPU time, {ROWS:,} rows, two events of each, {ROWS / statistics.median(ours):,.0f} rows/s",
    )


def _import(file: Path, column_map: Path) -> None:
    """Make all its events, and keep none."""
    account = Account(lambda _: None)
    events = imported([source_of(file, 0, [read_map(column_map)])], ImportOptions("s1"), account)
    made = sum(1 for _ in events)
    assert (made, account.refused.total()) == (2 * ROWS, 0)


def _read_csv(file: Path) -> None:
    with file.open(encoding="gb18030", newline="") as text:
        assert sum(1 for _ in csv.reader(text)) == 1 + ROWS


def _read_xlsx(file: Path) -> None:
    book = load_workbook(file, read_only=True)
    assert sum(1 for _ in book.active.iter_rows(values_only=True)) == 1 + ROWS
    book.close()


def _orders() -> Iterator[tuple[str, str, datetime, datetime, str]]:
    """Yield the cells of rows: order, buyer, when it was placed and paid, amount."""
    for number in range(ROWS):
        placed = BEGIN + timedelta(seconds=number)
        buyer = f"buyer-{number % (ROWS // 3)}"
        yield f"26{number:017}", buyer, placed, placed + timedelta(minutes=1), f"{number % 1000}.50"


def _csv(file: Path) -> Path:
    with file.open("w", encoding="gb18030", newline="") as text:
        csv.writer(text).writerows([HEADS, *_orders()])
    return file


def _xlsx(file: Path) -> Path:
    with Workbook(file) as book:
        sheet, shown = book.add_worksheet("订单"), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, HEADS)
        for number, (order, buyer, placed, paid, amount) in enumerate(_orders(), 1):
            sheet.write_row(number, 0, (order, buyer))
            sheet.write_datetime(number, 2, placed, shown)
            sheet.write_datetime(number, 3, paid, shown)
            sheet.write(number, 4, amount)
    return file
