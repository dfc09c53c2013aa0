"""Exports as files, and what an import makes of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from stream_attr.importing.column_map import ColumnMap, read_map
from stream_attr.importing.reading import ImportOptions
from stream_attr.importing.refused import Account
from stream_attr.importing.run import imported
from stream_attr.importing.source import source_of

CHATS = """
of = "chats"
zone = "Asia/Shanghai"
[columns]
time = "时间"
buyer = "买家"
agent = "客服"
sender = "方向"
text = "内容"
"""
ORDERS = """
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
AT_10 = 1_772_416_800_000
"""2026-03-02 10:00:00 in Shanghai: 02:00 UTC."""


@dataclass
class Result:
    """What an import gave."""

    account: Account
    events: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    @property
    def short(self) -> list[tuple[Any, ...]]:
        """Of orders: id, type, time after ten, amount."""
        return [(one["order_id"], one["type"], one["ts"] - AT_10, one.get("amount")) for one in self.events]

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(one["row"], one["code"]) for one in self.refused]


def column_map(folder: Path, text: str, name: str = "map.toml") -> ColumnMap:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_map(path)


def imported_from(paths: list[Path], *maps: ColumnMap, **said: Any) -> Result:
    lines: list[bytes] = []
    result = Result(Account(lines.append))
    sources = [source_of(path, number, maps) for number, path in enumerate(paths)]
    for _, event in imported(sources, ImportOptions(**{"shop": "s1", **said}), result.account):
        result.events.append(json.loads(event))
    result.refused = [json.loads(line) for line in lines]
    return result


def csv_file(path: Path, *rows: str, encoding: str = "utf-8") -> Path:
    path.write_bytes("\r\n".join(rows).encode(encoding))
    return path


def json_lines(path: Path, *rows: Any) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def workbook(path: Path, rows: list[list[Any]], **options: Any) -> Path:
    with Workbook(path, options) as book:
        sheet = book.add_worksheet("订单")
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)
    return path
