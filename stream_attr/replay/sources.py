"""Input files as one stream: each file in its own order, the files merged by ``ts`` (RULEBOOK 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heapreplace

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
from stream_attr.processor.ports import Record
from stream_attr.processor.watermark import WATERMARK_TOPICS
from stream_attr.rules.shop.days import END_OF_TIME

Place = tuple[int, int]
"""Where a record stands in the stream: its time, and of one time the file given first."""

_DECODERS: dict[str, Callable[[bytes], ChatEvent | OrderEvent | RulingEvent]] = {
    CHAT: decode_chat,
    ORDERS: decode_order,
    RULINGS: decode_ruling,
}
AT_ONCE = -1
"""Stands for the time of a record that has none, or one of the future: it is taken as soon as it comes up."""
LAST: Place = (END_OF_TIME, 0)
"""After every record."""


class _Source:
    """One file, its next record known before it is taken."""

    __slots__ = ("_rest", "head", "place", "topic")

    def __init__(self, topic: str, index: int, rank: int, lines: LinesFile, latest: int) -> None:
        self.topic = topic
        self._rest = _records(topic, index, rank, lines, latest)
        self.head: Record | None
        """The next record; None at the end of the file."""
        self.place: Place
        self.place, self.head = next(self._rest, (LAST, None))

    def take(self, before: Place, into: list[Record], size: int) -> None:
        """Move the records that stand before a place, until there are ``size``."""
        place, head = self.place, self.head
        while head is not None and place < before and len(into) < size:
            into.append(head)
            place, head = next(self._rest, (LAST, None))
        self.place, self.head = place, head


def _records(
    topic: str, index: int, rank: int, lines: LinesFile, latest: int
) -> Iterator[tuple[Place, Record]]:
    """Yield a file's records: the partition is the index among its topic's files, the offset the line.

    What lies after ``latest`` is refused later on: it must not hold back the lines behind it.
    """
    decode = _DECODERS[topic]
    event: ChatEvent | OrderEvent | RulingEvent | None
    for number, value in lines:
        try:
            event = decode(value)
            ts = event.ts
        except RefusedRecord:  # the processor refuses it
            event = None
            peeked = peek_ts(value)
            ts = AT_ONCE if peeked is None else peeked
        if ts > latest:
            ts = AT_ONCE
        yield (ts, rank), Record(topic, index, number, 0, None, value, event)


def chunks(
    files: Mapping[str, Sequence[LinesFile]], size: int, wall_clock_ts: int | None = None
) -> Iterator[tuple[list[Record], frozenset[str]]]:
    """Yield records in the order in which they are to be judged, ``size`` at a time.

    With each comes the set of the topics that are read to their end once it is done, of those that move the
    watermark. ``wall_clock_ts``: see `Plan`.
    """
    latest = END_OF_TIME if wall_clock_ts is None else wall_clock_ts + AHEAD_OF_CLOCK_MS
    named = [(topic, index, lines) for topic, some in files.items() for index, lines in enumerate(some)]
    sources = [_Source(topic, index, rank, lines, latest) for rank, (topic, index, lines) in enumerate(named)]
    records: list[Record] = []
    live = [(source.place, source) for source in sources if source.head]  # no two places are equal
    heapify(live)
    while live:
        _, first = live[0]
        first.take(min(live[1:3], default=(LAST, first))[0], records, size)
        if first.head:
            heapreplace(live, (first.place, first))
        else:
            heappop(live)
        if len(records) == size:
            yield records, _ended(files, sources)
            records = []
    if records:
        yield records, _ended(files, sources)


def _ended(files: Mapping[str, Sequence[LinesFile]], sources: Sequence[_Source]) -> frozenset[str]:
    live = {source.topic for source in sources if source.head}
    return frozenset(topic for topic in WATERMARK_TOPICS if topic in files and topic not in live)
