"""Memory does not grow with the number of rows."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from stream_attr.importing.reading import Said
from stream_attr.importing.refused import Account
from stream_attr.importing.run import imported
from stream_attr.importing.source import source_of
from tests.importing.files import ORDERS, column_map, csv_file


def peak(folder: Path, rows: int) -> int:
    """Bytes that Python holds at most."""
    head = "订单号,买家,下单,付款,金额"
    lines = (f"o-{n},b-{n % 99},2026-03-02 10:{n % 60:02},2026-03-02 11:00,1.00" for n in range(rows))
    file = csv_file(folder / "o.csv", head, *lines)
    source = source_of(file, 0, [column_map(folder, ORDERS)])
    tracemalloc.start()
    try:
        events = sum(1 for _ in imported([source], Said("s1"), Account(lambda _: None)))
        assert events == 2 * rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_four_times_the_rows_need_no_more_memory(tmp_path: Path) -> None:
    peak(tmp_path, 100)
    assert peak(tmp_path, 40_000) < 1.2 * peak(tmp_path, 10_000)
