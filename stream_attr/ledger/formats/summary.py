"""What stands around the rows of a report: what was asked, as of when it is, what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import AsOf, Moment, Report
from stream_attr.ledger.texts import Text

__all__ = ["as_of_lines", "note_lines"]

_READ: Final = Text(
    "{topic}: {offsets} offsets read, watermark {watermark}",
    "{topic}：已读 {offsets} 个位点，水位 {watermark}",
)
_AT: Final = Text("{line}, last record of {known}", "{line}，最后一条于 {known}")
_INPUTS: Final = Text(
    "inputs: their partitions judged up to watermarks from {first} (partition {partition}) to {last}",
    "输入：各分区判定到的水位，最早 {first}（分区 {partition}），最晚 {last}",
)
_NONE: Final = Text("none", "无")
_NOTHING: Final = Text("the ledger has read no topic yet", "账本尚未读取任何主题")
_CLOCKS: Final = Text("times by the clocks of {zone}", "时间为 {zone} 时区")
_AS_OF: Final = Text("as of", "数据截至")
_WARNING: Final = Text("!!! {note}", "！！！{note}")


def as_of_lines(as_of: AsOf, language: str) -> Iterator[tuple[str, str]]:
    """Yield labels and texts: how far each topic had been read, and whose clocks show the times."""
    label = _AS_OF.of(language)
    for one in as_of.topics:
        line = _READ.filled(
            topic=one.topic,
            offsets=f"{one.offsets:,}",
            watermark=_NONE if one.watermark is None else _moment(one.watermark, as_of.zone, language),
        )
        if one.known_ts is not None:
            line = _AT.filled(line=line, known=_moment(one.known_ts, as_of.zone, language))
        yield label, line.of(language)
    if as_of.slowest is not None and as_of.furthest is not None:
        first, last = (
            _NONE if one.watermark is None else _moment(one.watermark, as_of.zone, language)
            for one in (as_of.slowest, as_of.furthest)
        )
        text = _INPUTS.filled(first=first, partition=as_of.slowest.partition, last=last)
        yield label, text.of(language)
    if not as_of.topics:
        yield label, _NOTHING.of(language)
    yield label, _CLOCKS.filled(zone=as_of.zone).of(language)


def _moment(ts: int, zone: str, language: str) -> str:
    return as_text(Moment(ts, zone), Kind.MOMENT, language, grouped=True)


def note_lines(report: Report, language: str) -> list[str]:
    """Return what a report says of itself; a warning begins with ``!!!``."""
    return [
        (_WARNING.filled(note=note.text) if note.is_warning else note.text).of(language)
        for note in report.notes
    ]
