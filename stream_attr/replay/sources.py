"""Input files as one stream: each file in its own order, the files merged by ``ts`` (RULEBOOK 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from typing import Final, NamedTuple, Protocol

from msgspec import UNSET

from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.records.tick import peek_ts
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.ruling import RulingEvent
from stream_attr.contract.topics import CHAT, ORDERS, RULINGS
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor.intake import AHEAD_OF_CLOCK_MS
from stream_attr.processor.ports import AnyRecord, ForeignRecord, Record
from stream_attr.processor.watermark import WATERMARK_TOPICS
from stream_attr.rules.shop.days import END_OF_TIME

BLOCK: Final = 1 << 19
"""Bytes of a file that are decoded at a time."""
DECODED: Final = 20 * BLOCK
"""Of all files together: where there are many, less of each is decoded at a time."""
AT_ONCE: Final = -1
"""Stands for the time of a record that has none, or one of the future: it is taken as soon as it comes up."""

Event = ChatEvent | OrderEvent | RulingEvent
_DECODERS: Final[dict[str, Callable[[bytes], Event]]] = {
    CHAT: decode_chat,
    ORDERS: decode_order,
    RULINGS: decode_ruling,
}


class Place(NamedTuple):
    """Where a record stands in the stream."""

    ts: int
    file: int
    """Of one time, the file given first."""


LAST: Final = Place(END_OF_TIME, 0)
"""After every record."""


class File(NamedTuple):
    """One input file, open."""

    number: int
    """Counted over all files."""
    topic: str
    partition: int
    """Its place among the files of its topic."""
    lines: LinesFile
    block: int
    """How many bytes to decode at a time, about."""


class Block(NamedTuple):
    """Some records of a file, in its order."""

    times: Sequence[int]
    """By which they are merged, epoch milliseconds, or AT_ONCE."""
    records: Sequence[AnyRecord]


class Decoding(Protocol):
    """What makes records of a file's lines."""

    def __call__(self, file: File, latest: int) -> Iterator[Block]:
        """Yield the records of a file; what lies after ``latest`` must not hold back the lines behind it."""


def decode_line(file: File, number: int, line: bytes, latest: int) -> tuple[int, Record]:
    """Return the time by which a line's record is merged, and the record, decoded if it can be.

    ``line``: with its end, if it has one.

    The partition is the index among its topic's files, the offset the line.
    """
    value = line.rstrip(b"\r\n")
    event: Event | None
    try:
        event = _DECODERS[file.topic](value)
        ts = event.ts
    except RefusedRecord:  # the processor refuses it
        event = None
        peeked = peek_ts(value)
        ts = AT_ONCE if peeked is None else peeked
    if ts > latest:
        ts = AT_ONCE
    return ts, Record(file.topic, file.partition, number, 0, None, value, event)


def decode_all(file: File, latest: int) -> Iterator[Block]:
    """Decode every line of a file; a `Decoding`."""
    for number, lines in file.lines.blocks(file.block):
        times, records = [], []
        for place, line in enumerate(lines, number):
            if not line.isspace():
                ts, record = decode_line(file, place, line, latest)
                times.append(ts)
                records.append(record)
        yield Block(times, records)


def foreign(topic: str, event: Event) -> ForeignRecord:
    """Return what the watermark needs of an event that is not judged here."""
    rated_ts = event.rated_ts if isinstance(event, ChatEvent) and event.rated_ts is not UNSET else None
    return ForeignRecord(topic, event.ts, rated_ts)


class _Source:
    """One file, its next record known before it is taken."""

    __slots__ = ("_block", "_blocks", "_next", "place", "topic")

    def __init__(self, file: File, blocks: Iterator[Block]) -> None:
        self.topic = file.topic
        self._blocks = blocks
        self._block = Block((), ())
        self._next = 0
        self.place: Place | None = Place(0, file.number)
        """Of the next record; None at the end of the file."""
        self._move_to(0)

    def take(self, before: Place, into: list[AnyRecord], size: int) -> None:
        """Move the records that stand before a place, until there are ``size``."""
        while (place := self.place) is not None and place < before and len(into) < size:
            limit = before.ts + (place.file < before.file)
            times, begin = self._block.times, self._next
            end = min(len(times), begin + size - len(into))
            now = begin
            while now < end and times[now] < limit:
                now += 1
            into += self._block.records[begin:now]
            self._move_to(now)

    def _move_to(self, index: int) -> None:
        """Let a record of the block be the next one."""
        while index == len(self._block.times):
            block = next(self._blocks, None)
            if block is None:
                self.place = None
                return
            self._block, index = block, 0
        self._next = index
        assert self.place is not None
        self.place = Place(self._block.times[index], self.place.file)


def chunks(
    files: Mapping[str, Sequence[LinesFile]],
    size: int,
    wall_clock_ts: int | None = None,
    decoding: Decoding = decode_all,
) -> Iterator[tuple[list[AnyRecord], frozenset[str]]]:
    """Yield records in the order in which they are to be judged, ``size`` at a time.

    With each comes the set of the topics that are read to their end once it is done, of those that move the
    watermark. ``wall_clock_ts``: see `Plan`.
    """
    latest = END_OF_TIME if wall_clock_ts is None else wall_clock_ts + AHEAD_OF_CLOCK_MS
    named = [(topic, index, lines) for topic, some in files.items() for index, lines in enumerate(some)]
    block = min(BLOCK, 1 + DECODED // max(1, len(named)))
    opened = [File(number, *one, block) for number, one in enumerate(named)]
    sources = [_Source(file, decoding(file, latest)) for file in opened]
    records: list[AnyRecord] = []
    live = [(source.place, source) for source in sources if source.place]  # no two places are equal
    heapify(live)
    while live:
        _, first = live[0]
        first.take(min(live[1:3], default=(LAST, first))[0], records, size)
        if first.place:
            heapreplace(live, (first.place, first))
        else:
            heappop(live)
        if len(records) == size:
            yield records, _ended(files, sources)
            records = []
    if records:
        yield records, _ended(files, sources)


def _ended(files: Mapping[str, Sequence[LinesFile]], sources: Sequence[_Source]) -> frozenset[str]:
    live = {source.topic for source in sources if source.place}
    return frozenset(topic for topic in WATERMARK_TOPICS if topic in files and topic not in live)
