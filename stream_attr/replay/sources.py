"""Input files as one stream: each file in its own order, the files merged by ``ts`` (RULEBOOK 13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stream_attr.broker.lines import LinesFile
from stream_attr.codec.inbound import peek_ts
from stream_attr.processor.records import Record

AT_ONCE = -1
"""Stands for the time of a record that has none: it is taken as soon as it comes up."""


class _Source:
    """One file, its next record known before it is taken."""

    __slots__ = ("_index", "_lines", "_topic", "head", "ts")

    def __init__(self, topic: str, index: int, lines: LinesFile) -> None:
        self._topic = topic
        self._index = index
        self._lines = iter(lines)
        self.head: Record | None = None
        """The next record: its partition is the file's index, its offset the line number."""
        self.ts = AT_ONCE
        self.advance()

    def advance(self) -> None:
        line = next(self._lines, None)
        if line is None:
            self.head = None
            return
        number, value = line
        self.head = Record(self._topic, self._index, number, 0, None, value)
        ts = peek_ts(value)
        self.ts = AT_ONCE if ts is None else ts


def chunks(
    files: Mapping[str, Sequence[LinesFile]], size: int
) -> Iterator[tuple[list[Record], frozenset[str]]]:
    """Yield records in the order in which they are to be judged, ``size`` at a time.

    With each comes the set of the topics that are read to their end once it is done.
    """
    sources = {
        topic: [_Source(topic, i, lines) for i, lines in enumerate(some)] for topic, some in files.items()
    }
    live = [source for some in sources.values() for source in some if source.head is not None]
    records: list[Record] = []
    while live:
        first = live[0]
        for source in live:
            if source.ts < first.ts:
                first = source
        head = first.head
        assert head is not None
        records.append(head)
        first.advance()
        if first.head is None:
            live.remove(first)
        if len(records) == size or not live:
            ended = frozenset(
                topic for topic, some in sources.items() if all(source.head is None for source in some)
            )
            yield records, ended
            records = []
