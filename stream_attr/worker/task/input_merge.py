"""Merges the inputs of one partition: events by their ``ts``, ticks after them (RULEBOOK 6).

Records of the internal topics go first: they are results of other partitions and wait for nothing.

A worker that is behind must not let one topic run ahead of the others: the watermark is the smaller of those
of chat and orders, and events in order need no correction later. So the oldest head goes first, and the merge
waits for a topic without buffered records, unless that is read to its end. Rulings go in step with chat and
orders, and do not move the watermark.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from stream_attr.codec.records.tick import peek_ts
from stream_attr.contract.topics import BUYER_DAYS, CLOSINGS, TICKS
from stream_attr.processor.intake import AHEAD_OF_CLOCK_MS
from stream_attr.processor.ports import Record
from stream_attr.processor.watermark import WATERMARK_TOPICS
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.worker.startup.topics_check import EVENTS, INPUTS

__all__ = ["End", "Merge", "Take", "fetch_budget"]

_MAX_RECORDS = 10_000
"""Buffered per topic and partition; one fetch may exceed it."""
_MAX_BYTES = 4 << 20
"""Buffered per topic and partition (keys and values), on a worker of few partitions; one fetch may exceed
it."""
_MIN_BYTES = 256 << 10
_TOTAL_BYTES = 128 << 20
"""Buffered by a worker for all topics and partitions."""


def fetch_budget(partitions: int) -> int:
    """Bytes that a worker of so many partitions may buffer per topic and partition."""
    inputs = len(INPUTS) * max(1, partitions)
    return max(_MIN_BYTES, min(_MAX_BYTES, _TOTAL_BYTES // inputs))


class End(NamedTuple):
    """How far a partition of a topic has been fetched, and how far it goes."""

    position: int
    """Offset of the next record to be fetched; all before it have been delivered."""
    end: int
    """Last stable offset: after the last record that can be read, as of the last fetch response."""
    high_watermark: int
    """Offset after the last record; above ``end`` while a transaction is open."""
    response: int
    """Identifies the fetch response."""


class Take(NamedTuple):
    """The next records to be judged together."""

    records: list[Record]
    at_end: frozenset[str]
    """Topics of chat and orders that are read to their end with these records, without open transaction."""
    positions: dict[str, int]
    """Next offset by topic after these records, where it lies behind offsets without records."""


_FIRST = -1
"""Sorts a record without a usable ``ts``, or with one of the future, before all others."""
_NEVER = END_OF_TIME + 1
"""Later than every record."""


class Merge:
    """Buffers the fetched records of a partition's inputs, and returns them in the order to be judged."""

    def __init__(self, positions: dict[str, int], clock: Callable[[], int] | None = None) -> None:
        """``positions``: the next offset to be judged, per topic. ``clock``: see `Judging`."""
        self._events = {topic: _Events(positions.get(topic), clock) for topic in EVENTS}
        self._ticks = _Buffer(positions.get(TICKS))
        self._internal = {topic: _Buffer(positions.get(topic)) for topic in (BUYER_DAYS, CLOSINGS)}
        self._buffers = {**self._events, TICKS: self._ticks, **self._internal}
        self._barrier: _Barrier | None = None
        self._at_end: frozenset[str] = frozenset()

    def offer(self, topic: str, records: Sequence[Record]) -> None:
        """Buffer records of a topic in the order of their offsets; records offered before are skipped."""
        self._buffers[topic].offer(records)

    def observe(self, topic: str, end: End) -> None:
        """Record how far a topic was fetched; called after records before ``position`` were offered."""
        self._buffers[topic].end = end
        if self._barrier is not None and topic in self._events:
            self._barrier.observe(topic, end)

    def buffers(self) -> dict[str, tuple[int, int]]:
        """Buffered records and the bytes of their keys and values, per topic."""
        return {topic: (len(buffer.records), buffer.size) for topic, buffer in self._buffers.items()}

    def topics_to_fetch(self, bytes_each: int) -> list[str]:
        """Topics with fewer buffered bytes than ``bytes_each``, and not too many records.

        A topic that waits for another is not fetched further, however far the other is behind; the topic
        waited for has no buffered records, so it is always fetched.
        """
        return [
            topic
            for topic, (records, size) in self.buffers().items()
            if records < _MAX_RECORDS and size < bytes_each
        ]

    def lag(self, topic: str) -> int | None:
        """Offsets between the last record taken and the end; None before the first fetch response.

        Offsets of transaction markers behind that record do not count.
        """
        buffer = self._buffers[topic]
        return None if buffer.end is None else max(0, buffer.end.end - buffer.reached())

    def caught_up(self) -> bool:
        """Whether the events have been fetched to their ends."""
        return all(
            buffer.end is not None and buffer.end.position >= buffer.end.end
            for buffer in self._events.values()
        )

    def buffered(self) -> int:
        """Number of buffered records; some of them may have to wait."""
        return sum(len(buffer.records) for buffer in self._buffers.values())

    def take(self, limit: int) -> Take | None:
        """Return up to ``limit`` records to be judged together; None: there is nothing to judge now.

        Without records it only reports that a topic has reached its end, or that offsets without records
        follow its last record.
        """
        records: list[Record] = []
        for internal in self._internal.values():
            internal.drain(records, limit)
        self._take_events(records, limit)
        if len(records) < limit:
            self._take_ticks(records, limit - len(records))
        at_end = frozenset(topic for topic in WATERMARK_TOPICS if self._events[topic].is_complete())
        positions = {topic: buffer.skip_gap() for topic, buffer in self._buffers.items() if buffer.has_gap()}
        if not (records or positions) and at_end <= self._at_end:
            return None
        self._at_end = at_end
        return Take(records, at_end, positions)

    def _take_events(self, taken: list[Record], limit: int) -> None:
        """Take the oldest head, again and again; of one time the topic that comes first among the events."""
        chat, orders, rulings = self._events.values()
        while len(taken) < limit:
            if not (rulings.records or rulings.at_end()):
                return
            _take_until(rulings.head() if rulings.records else _NEVER, chat, orders, taken, limit)
            known = all(buffer.records or buffer.at_end() for buffer in (chat, orders))
            if not (rulings.records and known and len(taken) < limit):
                return
            taken.append(rulings.pop())

    def _take_ticks(self, taken: list[Record], limit: int) -> None:
        """Ticks go last: an event that was in the log before a tick is judged before it."""
        ticks = self._ticks
        if not ticks.records:
            return
        if self._barrier is None:
            self._barrier = _Barrier(
                ticks.next, {topic: buffer.end for topic, buffer in self._events.items()}
            )
        if self._barrier.passed_by(self._events):
            while ticks.records and ticks.records[0].offset < self._barrier.ticks_before and limit > 0:
                taken.append(ticks.pop())
                limit -= 1
            if not ticks.records or ticks.records[0].offset >= self._barrier.ticks_before:
                self._barrier = None


class _Buffer:
    """The buffered records of one topic."""

    __slots__ = ("_known", "end", "next", "position", "records", "size")

    def __init__(self, position: int | None) -> None:
        """``position``: None: no position of the topic was ever committed."""
        self.records: deque[Record] = deque()
        self.size = 0
        self.next = position or 0
        """Offset after the last record offered."""
        self.position = position or 0
        """Offset after the last record taken, and after skipped offsets without records."""
        self._known = position is not None
        self.end: End | None = None

    def offer(self, records: Sequence[Record]) -> None:
        if records and records[0].offset < self.next:
            records = [record for record in records if record.offset >= self.next]
        if records:
            self.next = records[-1].offset + 1
            self.records.extend(records)
            self.size += sum([_size(record) for record in records])

    def at_end(self) -> bool:
        """Whether nothing is buffered, and nothing more could be read as of the last fetch response."""
        return not self.records and self.end is not None and self.end.position >= self.end.end

    def reached(self) -> int:
        """The next offset: if nothing is buffered, the fetch position."""
        if self.records or self.end is None:
            return self.position
        return max(self.position, self.end.position)

    def has_gap(self) -> bool:
        """Whether offsets without records can be skipped; so can, once, the beginning of a topic."""
        return (
            self.end is not None and not self.records and (self.reached() > self.position or not self._known)
        )

    def skip_gap(self) -> int:
        """Move behind fetched offsets without records, such as transaction markers."""
        self.position, self._known = self.reached(), True
        return self.position

    def is_complete(self) -> bool:
        """Whether ``at_end`` without open transactions: event time may advance without this topic."""
        return self.at_end() and self.end is not None and self.end.end >= self.end.high_watermark

    def pop(self) -> Record:
        record = self.records.popleft()
        self.size -= _size(record)
        self.position = record.offset + 1
        return record

    def drain(self, taken: list[Record], limit: int) -> None:
        while self.records and len(taken) < limit:
            taken.append(self.pop())


class _Events(_Buffer):
    """The buffered records of a topic whose records are judged in the order of their ``ts``."""

    __slots__ = ("_clock", "_head", "_latest")

    def __init__(self, position: int | None, clock: Callable[[], int] | None) -> None:
        super().__init__(position)
        self._clock = clock
        self._latest = END_OF_TIME if clock is None else 0
        """Up to here nothing is of the future; for what is later the clock is read again."""
        self._head: int | None = None

    def head(self) -> int:
        """``ts`` of the first buffered record; one that the judge refuses sorts first, and delays nothing."""
        if self._head is None:
            ts = peek_ts(self.records[0].value)
            self._head = _FIRST if ts is None or (ts > self._latest and self._is_of_future(ts)) else ts
        return self._head

    def pop(self) -> Record:
        self._head = None
        return super().pop()

    def take_until(self, last_ts: int, taken: list[Record], limit: int) -> None:
        """Take records up to and with a time; the limit is that of all that are taken."""
        if last_ts == _NEVER:
            self.drain(taken, limit)
            return
        records, before = self.records, len(taken)
        while records and self.head() <= last_ts and len(taken) < limit:
            taken.append(records.popleft())
            self._head = None
        if len(taken) > before:
            self.size -= sum([_size(record) for record in taken[before:]])
            self.position = taken[-1].offset + 1

    def _is_of_future(self, ts: int) -> bool:
        if self._clock is not None:
            self._latest = self._clock() + AHEAD_OF_CLOCK_MS
        return ts > self._latest


def _take_until(last_ts: int, first: _Events, second: _Events, taken: list[Record], limit: int) -> None:
    """Take from two topics in step, up to and with a time; of one time from the first."""
    while len(taken) < limit:
        if first.records and second.records:
            first.take_until(min(second.head(), last_ts), taken, limit)
            if first.records and len(taken) < limit:
                if second.head() > last_ts:
                    return
                taken.append(second.pop())
        elif first.records and second.at_end():
            first.take_until(last_ts, taken, limit)
            return
        elif second.records and first.at_end():
            second.take_until(last_ts, taken, limit)
            return
        else:
            return


def _size(record: Record) -> int:
    return len(record.key or b"") + len(record.value or b"")


class _Barrier:
    """Holds ticks back until the event topics are read to the ends seen after the ticks were fetched.

    The first response after a tick may have been sent, by another broker, before the tick was written. The
    second one was requested later, so its end counts.
    """

    def __init__(self, ticks_before: int, ends: dict[str, End | None]) -> None:
        self.ticks_before = ticks_before
        """Ticks below this offset wait for this barrier, later ones for the next."""
        self._responses = {topic: end and end.response for topic, end in ends.items()}
        self._seen = dict.fromkeys(ends, 0)
        self._goals: dict[str, int] = {}

    def observe(self, topic: str, end: End) -> None:
        if topic in self._goals or end.response == self._responses[topic]:
            return
        self._responses[topic] = end.response
        self._seen[topic] += 1
        if self._seen[topic] == 2:
            self._goals[topic] = end.high_watermark

    def passed_by(self, events: Mapping[str, _Events]) -> bool:
        return all(
            topic in self._goals
            and buffer.end is not None
            and buffer.end.position >= self._goals[topic]
            and (not buffer.records or buffer.records[0].offset >= self._goals[topic])
            for topic, buffer in events.items()
        )
