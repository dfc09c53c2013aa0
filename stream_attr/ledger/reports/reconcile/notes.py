"""What both reconciliations say of the sheet and of the causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from stream_attr.ledger.reports.reconcile.sheet import TheirSheet
from stream_attr.ledger.reports.reconcile.words import CAUSES, Cause
from stream_attr.ledger.reports.report import Note
from stream_attr.ledger.texts import Text
from stream_attr.sheets.columns import Dropped

__all__ = ["on_causes", "on_sheet"]

_KNOWN: Final = Text(
    "{file}: {what}, head in row {row}, {rows} rows. Read: {read}.",
    "{file}：{what}，表头在第 {row} 行，共 {rows} 行。读取：{read}。",
)
_MAPPED: Final = Text("known by --map", "按 --map 识别")
_ZONE: Final = Text(
    "Times of the sheet without an offset are by the clocks of {zone}, the shop's zone.",
    "平台表中不带时区的时间按店铺时区 {zone} 理解。",
)
_DROPPED: Final = Text("Not data, left out: {kinds}.", "非数据行，已剔除：{kinds}。")
_KINDS: Final = {
    "sums": Text("{rows} of totals and averages", "合计与平均 {rows} 行"),
    "heads": Text("{rows} times the head again", "重复表头 {rows} 行"),
    "remarks": Text("{rows} remarks", "说明文字 {rows} 行"),
}
_NO_KEY: Final = Text(
    "{rows} rows have no id and are left out, the first is row {first}.",
    "有 {rows} 行没有编号，已剔除，首个为第 {first} 行。",
)
_CAUSES: Final = Text("Causes: {causes}.", "原因：{causes}。")


def on_sheet(sheet: TheirSheet, dropped: Dropped, rows: int, zone: str) -> Iterator[Note]:
    """Yield what the sheet was taken for, which columns were read, and which rows were left out."""
    of = sheet.columns.sheet
    read = ", ".join(f"{sheet.columns.names[index]} → {field}" for field, index in sheet.positions.items())
    text = _KNOWN.filled(
        file=of.file if of.name is None else f"{of.file} [{of.name}]",
        what=_MAPPED if sheet.export is None else Text(*sheet.export.platform),
        row=sheet.columns.row,
        rows=f"{rows:,}",
        read=read,
    )
    yield Note(text)
    if {"paid", "created"} & sheet.positions.keys():
        yield Note(_ZONE.filled(zone=zone))
    kinds = [
        text.filled(rows=f"{number:,}") for name, text in _KINDS.items() if (number := getattr(dropped, name))
    ]
    if kinds:
        listed = Text(", ".join(one.english for one in kinds), "、".join(one.chinese for one in kinds))
        yield Note(_DROPPED.filled(kinds=listed))
    if dropped.without_key:
        text = _NO_KEY.filled(rows=f"{dropped.without_key:,}", first=dropped.first_without_key)
        yield Note(text, is_warning=True)


def on_causes(causes: Counter[Cause]) -> Iterator[Note]:
    """Yield how many differences have each cause."""
    if causes:
        listed = [(CAUSES[one], causes[one]) for one in Cause if causes[one]]
        text = Text(
            ", ".join(f"{name.english} {number:,}" for name, number in listed),
            "、".join(f"{name.chinese} {number:,}" for name, number in listed),
        )
        yield Note(_CAUSES.filled(causes=text))
