"""Memory does not grow with the number of rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from tests.importing.files import ORDERS

HEADS = ("订单号", "买家", "下单", "付款", "金额")
FEW, MANY = 5_000, 25_000
MOST_MORE_MB = 14
"""What the further rows may take: the sorting on disk, whose memory fills up, takes 8 MB of it. Their cells
alone would take 13 MB and more beside that."""


def orders(rows: int) -> Iterator[tuple[str, str, datetime, datetime, str]]:
    begin = datetime(2026, 3, 2, 10, tzinfo=UTC)
    for number in range(rows):
        placed = (begin + timedelta(seconds=number)).replace(tzinfo=None)
        buyer = f"buyer-{number % (rows // 3)}"
        yield f"26{number:017}", buyer, placed, placed + timedelta(minutes=1), f"{number % 1000}.50"


def csv_of(path: Path, rows: int) -> None:
    with path.open("w", encoding="gb18030") as file:
        file.write(",".join(HEADS) + "\n")
        file.writelines(",".join(map(str, cells)) + "\n" for cells in orders(rows))


def xlsx_of(path: Path, rows: int, **options: Any) -> None:
    with Workbook(path, options) as book:
        sheet, shown = book.add_worksheet("订单"), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, HEADS)
        for number, (order, buyer, placed, paid, amount) in enumerate(orders(rows), 1):
            sheet.write_row(number, 0, (order, buyer))
            sheet.write_datetime(number, 2, placed, shown)
            sheet.write_datetime(number, 3, paid, shown)
            sheet.write(number, 4, amount)


def inline_of(path: Path, rows: int) -> None:
    """A workbook with its texts in the cells, as programs write it that hold none in memory either."""
    xlsx_of(path, rows, constant_memory=True)


def peak_mb(file: Path, rows: int) -> float:
    """Import a file as a process of its own; its largest resident memory."""
    made = subprocess.run(
        [
            *(sys.executable, "-c", CHILD, "import", str(file), "--map", str(file.parent / "map.toml")),
            *("--shop=s1", f"--out={file}.events"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert f"{rows:,} rows, {2 * rows:,} order-events, 0 refused" in made.stderr
    return int(made.stdout.splitlines()[-1]) / 1024


CHILD = """
import atexit, pathlib
status = pathlib.Path("/proc/self/status")  # rusage would count what its parent had when it forked
atexit.register(lambda: print(status.read_text().split("VmHWM:")[1].split()[0]))
from stream_attr.cli import main
main()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is asked of Linux")
@pytest.mark.parametrize(("name", "write"), [("o.csv", csv_of), ("t.xlsx", xlsx_of), ("i.xlsx", inline_of)])
def test_five_times_the_rows_need_no_more_memory(tmp_path: Path, name: str, write: Any) -> None:
    (tmp_path / "map.toml").write_text(ORDERS, encoding="utf-8")
    peaks = []
    for rows in (FEW, MANY):
        write(tmp_path / f"{rows}{name}", rows)
        peaks.append(peak_mb(tmp_path / f"{rows}{name}", rows))
    few, many = peaks
    assert many - few < MOST_MORE_MB, peaks
