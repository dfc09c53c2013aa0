"""The inputs of one partition read in step: events by their ``ts``, ticks after them (RULEBOOK 6).

What other partitions tell goes first: it has been judged there and waits for nothing.

A worker that is behind must not let one topic run ahead of the other: the watermark is the lesser of the two,
and what comes in order needs no correction later. So the older head goes first, and a topic of which nothing
is at hand is waited for, unless it is read to its end: then it holds nothing back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from stream_attr.codec.records.tick import peek_ts
from stream_attr.contract.topics import BUYER_DAYS, CHAT, CLOSINGS, ORDERS, TICKS
from stream_attr.processor.ports import Record
from stream_attr.worker.startup.topics_check import INPUTS

__all__ = ["End", "Merge", "Take", "fetch_budget"]

_MOST_RECORDS = 10_000
"""At hand of a topic's partition; a fetch may go one time beyond it."""
_MOST_BYTES = 4 << 20
"""As above, of keys and values, for a worker of few partitions."""
_LEAST_BYTES = 256 << 10
_BYTES_OF_ALL = 128 << 20
"""At hand of all topics and partitions of a worker."""


def fetch_budget(partitions: int) -> int:
    """How many bytes a worker of so many partitions may have at hand of each topic's."""
    inputs = len(INPUTS) * max(1, partitions)
    return max(_LEAST_BYTES, min(_MOST_BYTES, _BYTES_OF_ALL // inputs))


class End(NamedTuple):
    """How far a partition of a topic has been fetched, and how far it goes."""

    position: int
    """Offset of the next record to be fetched; all before it has been handed over."""
    end: int
    """Offset after the last record that can be read, as the last fetch response said."""
    high_watermark: int
    """Offset after the last record; beyond ``end`` while a transaction is open, whose records come later."""
    response: int
    """Changes with every fetch response."""


class Take(NamedTuple):
    """What is to be judged next."""

    records: list[Record]
    at_end: frozenset[str]
    """The event topics read to their end once these records are judged, with no transaction open on them."""
    positions: dict[str, int]
    """By topic, the offset to read on at once these are judged: behind offsets that hold no record."""


_AT_ONCE = -1
"""Sorts a record without a usable ``ts`` before all others."""


class Merge:
    """Buffers what was fetched of a partition's inputs, and hands it out in the order to be judged."""

    def __init__(self, positions: dict[str, int]) -> None:
        """``positions``: the next offset to be judged, per topic."""
        self._chat = _Inbox(positions.get(CHAT))
        self._orders = _Inbox(positions.get(ORDERS))
        self._ticks = _Inbox(positions.get(TICKS))
        self._told = {topic: _Inbox(positions.get(topic)) for topic in (BUYER_DAYS, CLOSINGS)}
        self._inboxes = {CHAT: self._chat, ORDERS: self._orders, TICKS: self._ticks, **self._told}
        self._barrier: _Barrier | None = None
        self._at_end: frozenset[str] = frozenset()

    def offer(self, topic: str, records: Sequence[Record]) -> None:
        """Buffer records of a topic in the order of their offsets; what was offered before is passed over."""
        self._inboxes[topic].offer(records)

    def observe(self, topic: str, end: End) -> None:
        """Learn how far a topic has been fetched; called after what lies before ``position`` was offered."""
        self._inboxes[topic].end = end
        if self._barrier is not None and topic in (CHAT, ORDERS):
            self._barrier.observe(topic, end)

    def buffers(self) -> dict[str, tuple[int, int]]:
        """Records at hand and the bytes of their keys and values, per topic."""
        return {topic: (len(inbox.records), inbox.size) for topic, inbox in self._inboxes.items()}

    def topics_to_fetch(self, bytes_each: int) -> list[str]:
        """Topics that more may be fetched of: of which fewer bytes than these, and not too many records, are
        at hand.

        A topic that waits for the other is fetched no further, however far that one is behind; the one that
        is waited for has nothing at hand, so it always is.
        """
        return [
            topic
            for topic, (records, size) in self.buffers().items()
            if records < _MOST_RECORDS and size < bytes_each
        ]

    def lag(self, topic: str) -> int | None:
        """Offsets between what was handed out and the end; None before the first fetch response.

        What transactions leave in a topic, their markers, is no record.
        """
        inbox = self._inboxes[topic]
        return None if inbox.end is None else max(0, inbox.end.end - inbox.reached())

    def caught_up(self) -> bool:
        """Whether all that is there of chat and orders has been fetched."""
        return all(inbox.end is not None and inbox.end.position >= inbox.end.end for inbox in self._events())

    def ready(self) -> int:
        """How many records are at hand, of which a part may have to wait."""
        return sum(len(inbox.records) for inbox in self._inboxes.values())

    def take(self, limit: int) -> Take | None:
        """Hand out up to ``limit`` records to be judged together; None: nothing is to be judged now.

        A take without records only says that a topic has reached its end, or that what lies behind its last
        record is no record.
        """
        records: list[Record] = []
        for told in self._told.values():
            told.drain(records, limit)
        self._take_events(records, limit)
        if len(records) < limit:
            self._take_ticks(records, limit - len(records))
        at_end = frozenset(topic for topic in (CHAT, ORDERS) if self._inboxes[topic].is_complete())
        positions = {topic: inbox.pass_over() for topic, inbox in self._inboxes.items() if inbox.is_behind()}
        if not (records or positions) and at_end <= self._at_end:
            return None
        self._at_end = at_end
        return Take(records, at_end, positions)

    def _events(self) -> tuple[_Inbox, _Inbox]:
        return self._chat, self._orders

    def _take_events(self, taken: list[Record], limit: int) -> None:
        chat, orders = self._chat, self._orders
        while len(taken) < limit:
            if chat.records and orders.records:
                bound = orders.head()
                while chat.records and chat.head() <= bound and len(taken) < limit:
                    taken.append(chat.pop())
                if chat.records and len(taken) < limit:
                    taken.append(orders.pop())
            elif chat.records and orders.at_end():
                chat.drain(taken, limit)
            elif orders.records and chat.at_end():
                orders.drain(taken, limit)
            else:
                return

    def _take_ticks(self, taken: list[Record], limit: int) -> None:
        """Ticks go last: an event that was in the log before a tick is judged before it."""
        ticks = self._ticks
        if not ticks.records:
            return
        if self._barrier is None:
            self._barrier = _Barrier(ticks.next, {CHAT: self._chat.end, ORDERS: self._orders.end})
        if self._barrier.passed_by(self._chat, self._orders):
            while ticks.records and ticks.records[0].offset < self._barrier.ticks_before and limit > 0:
                taken.append(ticks.pop())
                limit -= 1
            if not ticks.records or ticks.records[0].offset >= self._barrier.ticks_before:
                self._barrier = None


class _Inbox:
    """What is at hand of one topic."""

    __slots__ = ("_head", "_known", "end", "next", "position", "records", "size")

    def __init__(self, position: int | None) -> None:
        """``position``: None where nothing of the topic was judged before, nor passed over."""
        self.records: deque[Record] = deque()
        self.size = 0
        self.next = position or 0
        """Offset after the last record offered."""
        self.position = position or 0
        """Offset after the last record handed out, and after what was passed over behind it."""
        self._known = position is not None
        self.end: End | None = None
        self._head: int | None = None

    def offer(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.offset >= self.next:
                self.next = record.offset + 1
                self.records.append(record)
                self.size += _size(record)

    def at_end(self) -> bool:
        """Whether nothing is at hand and nothing more could be read when last asked."""
        return not self.records and self.end is not None and self.end.position >= self.end.end

    def reached(self) -> int:
        """How far everything is handed out: where nothing is at hand, as far as it was fetched."""
        if self.records or self.end is None:
            return self.position
        return max(self.position, self.end.position)

    def is_behind(self) -> bool:
        """Whether there is something to pass over; where a topic begins counts as that, once."""
        return (
            self.end is not None and not self.records and (self.reached() > self.position or not self._known)
        )

    def pass_over(self) -> int:
        """Go on behind what was fetched and is no record, such as the marker that ends a transaction."""
        self.position, self._known = self.reached(), True
        return self.position

    def is_complete(self) -> bool:
        """Whether ``at_end``, and no transaction open: event time may go on without this topic."""
        return self.at_end() and self.end is not None and self.end.end >= self.end.high_watermark

    def head(self) -> int:
        """``ts`` of the first record at hand; a record without one goes at once."""
        if self._head is None:
            ts = peek_ts(self.records[0].value)
            self._head = _AT_ONCE if ts is None else ts
        return self._head

    def pop(self) -> Record:
        record = self.records.popleft()
        self.size -= _size(record)
        self.position = record.offset + 1
        self._head = None
        return record

    def drain(self, taken: list[Record], limit: int) -> None:
        while self.records and len(taken) < limit:
            taken.append(self.pop())


def _size(record: Record) -> int:
    return len(record.key or b"") + len(record.value or b"")


class _Barrier:
    """Holds ticks back until both event topics are read to the ends seen after the ticks were fetched.

    The first response that comes in after a tick may have been on its way before the tick was written, from
    another broker; the second was asked for after that, so its end counts.
    """

    def __init__(self, ticks_before: int, ends: dict[str, End | None]) -> None:
        self.ticks_before = ticks_before
        """The ticks below this offset wait for this barrier, later ones for the next."""
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

    def passed_by(self, chat: _Inbox, orders: _Inbox) -> bool:
        return all(
            topic in self._goals
            and inbox.end is not None
            and inbox.end.position >= self._goals[topic]
            and (not inbox.records or inbox.records[0].offset >= self._goals[topic])
            for topic, inbox in ((CHAT, chat), (ORDERS, orders))
        )
