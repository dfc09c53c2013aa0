"""Records in, decisions and reports out, without a broker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import merge
from typing import Any

from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS
from stream_attr.processor import Options, ShopRegistry
from stream_attr.processor.local import LocalDriver, LocalPartition, partition_of
from stream_attr.processor.ports import Output, Record
from stream_attr.testing.clock import ManualClock
from stream_attr.testing.store import MemoryStore

__all__ = ["Driver", "Emitted", "Input", "in_time_order"]

Json = dict[str, Any]

EVENTS = frozenset({CHAT, ORDERS})
_SHOP_FILES = {SETTINGS: ("settings",), ROSTER: ("roster",)}
"""Names that make the registry take settings and roster as they stand, as a replay does."""


@dataclass(frozen=True, slots=True)
class Input:
    """A record to be sent: a chat event, an order event, a ruling or a tick."""

    topic: str
    value: Json

    @property
    def ts(self) -> int:
        """Its event time, epoch milliseconds."""
        return int(self.value["ts"])

    @property
    def key(self) -> bytes | None:
        """The key that the contract asks for; ticks have none."""
        return None if self.topic == TICKS else f"{self.value['shop_id']}|{self.value['buyer_id']}".encode()

    def belongs_to(self, number: int, partitions: int) -> bool:
        """Whether it goes to a partition; ticks go to all."""
        return self.key is None or partition_of(self.key, partitions) == number


@dataclass(frozen=True, slots=True)
class Emitted:
    """An output record."""

    topic: str
    key: str
    value: Json


def in_time_order(
    chat: Iterable[Json] = (),
    orders: Iterable[Json] = (),
    ticks: Iterable[int] = (),
    rulings: Iterable[Json] = (),
) -> list[Input]:
    """Merge events as a worker reads them: each topic in its own order, the topics merged by ``ts``.

    ``ticks`` are times, epoch milliseconds. Of equal times chat comes first, then orders, rulings and ticks.
    """
    topics = (
        [Input(CHAT, event) for event in chat],
        [Input(ORDERS, event) for event in orders],
        [Input(RULINGS, event) for event in rulings],
        [Input(TICKS, {"ts": ts}) for ts in ticks],
    )
    return list(merge(*topics, key=lambda one: one.ts))


class Driver:
    """The processor of a worker, with a store and a broker's topics in memory.

    ``settings`` and ``roster``: records that are known before the first event; ValueError if one is refused.
    ``clock``: the wall clock for ``future_timestamp`` and service tasks; None: no event is ahead of it, and
    no task is emitted. ``options``: how the processor runs; unless given, it emits facts, inquiries and
    agents' days as seldom as a worker that is behind.

    >>> driver = Driver(settings=[{"shop_id": "jd:1", "effective_from": "2026-01-01"}])
    >>> shop = {"shop_id": "jd:1", "buyer_id": "b-1"}
    >>> talk = {**shop, "agent_id": "anna"}
    >>> for event in [
    ...     {**talk, "event_id": "m1", "ts": 1_793_498_400_000, "sender": "buyer", "text": "Is it in stock?"},
    ...     {**talk, "event_id": "m2", "ts": 1_793_498_430_000, "sender": "agent", "text": "It is."},
    ... ]:
    ...     _ = driver.send("chat-events", event)
    >>> order = {**shop, "order_id": "o-1", "type": "paid", "amount": 12900, "ts": 1_793_498_700_000}
    >>> order |= {"event_id": "e1", "created_ts": 1_793_498_600_000}
    >>> [decision] = driver.send("order-events", order)
    >>> decision.value["status"], decision.value["credit"]["agent_id"]
    ('pending', 'anna')
    >>> _ = driver.finish()
    >>> driver.last("attribution-decisions")["jd:1|o-1"]["status"]
    'final'
    """

    def __init__(
        self,
        *,
        settings: Iterable[Json] = (),
        roster: Iterable[Json] = (),
        partitions: int = 1,
        options: Options | None = None,
        clock: ManualClock | None = None,
    ) -> None:
        options = replace(options or Options(caught_up_every_ms=None), partitions=partitions)
        if clock is not None:
            options = replace(options, clock=clock, now=clock)
        self.emitted: list[Emitted] = []
        """All output records, in the order of their emission."""
        self._registry = ShopRegistry(_SHOP_FILES)
        self._stores = [MemoryStore() for _ in range(partitions)]
        self.partitions = [
            LocalPartition(self._registry, store, replace(options, partition=number))
            for number, store in enumerate(self._stores)
        ]
        self._driver = LocalDriver(self.partitions)
        self._offsets: dict[tuple[str, int], int] = {}
        for topic, records in ((SETTINGS, settings), (ROSTER, roster)):
            for value in records:
                for refused in self.send(topic, value):
                    raise ValueError(f"{topic}: {refused.value['message']}: {value}")

    def send(self, topic: str, value: Json | bytes, key: bytes | None = None) -> list[Emitted]:
        """Process one record; return what is emitted.

        ``topic``: of the contract, without a prefix. ``key``: absent, what the contract asks for; give it for
        a value that is not a JSON object.
        """
        if topic in (SETTINGS, ROSTER):
            return self._keep(self._apply(topic, value, key))
        if key is None and isinstance(value, dict):
            key = Input(topic, value).key
        every = range(len(self.partitions))
        outputs: list[Output] = []
        for number in every if topic == TICKS else (partition_of(key or b"", len(every)),):
            outputs += self._process(number, [self._record(topic, number, key, value)])
        return self._keep(outputs)

    def send_all(self, inputs: Iterable[Input]) -> list[Emitted]:
        """Process records as one batch of each partition, in their order; return what is emitted.

        A topic counts as read to its end after its last record here, and not before.
        """
        inputs = list(inputs)
        outputs: list[Output] = []
        for number in range(len(self.partitions)):
            mine = [one for one in inputs if one.belongs_to(number, len(self.partitions))]
            outputs += self._process(
                number, [self._record(one.topic, number, one.key, one.value) for one in mine]
            )
        return self._keep(outputs)

    def tick(self, ts: int) -> list[Emitted]:
        """Advance the watermark of all partitions to ``ts``, epoch milliseconds; return what is emitted."""
        return self.send(TICKS, {"ts": ts})

    def finish(self) -> list[Emitted]:
        """Advance the watermark to the end of time, where all is final; return what is emitted."""
        batches = [partition.finish() for partition in self.partitions]
        outputs = [output for batch in batches for output in self._driver.take(batch)]
        return self._keep([*outputs, *self._driver.drain()])

    def restart(self) -> None:
        """Start the processors again from what is committed, as after a crash."""
        for partition in self.partitions:
            partition.restart()

    def last(self, topic: str) -> dict[str, Json]:
        """Return the last output record of each key of a topic, as a compacted topic keeps it."""
        return {one.key: one.value for one in self.emitted if one.topic == topic}

    @property
    def state(self) -> dict[bytes, bytes]:
        """What all partitions have committed, by key; empty once all is final and forgotten."""
        found: dict[bytes, bytes] = {}
        for store in self._stores:
            found |= store.committed
        return found

    def _apply(self, topic: str, value: Json | bytes, key: bytes | None) -> Iterator[Output]:
        if key is None and isinstance(value, dict):
            names = ("shop_id",) if topic == SETTINGS else ("shop_id", "agent_id")
            key = "|".join(str(value.get(name)) for name in names).encode()
        refused = self._registry.apply(self._record(topic, 0, key, value))
        if refused is not None:
            yield refused
        elif isinstance(value, dict):
            for partition in self.partitions:
                yield from self._driver.take(partition.refresh(str(value["shop_id"])))
            yield from self._driver.drain()

    def _process(self, number: int, records: list[Record]) -> Iterator[Output]:
        return self._driver.run(self.partitions[number].process(records, EVENTS))

    def _record(self, topic: str, number: int, key: bytes | None, value: Mapping[str, Any] | bytes) -> Record:
        offset = self._offsets.get((topic, number), 0)
        self._offsets[topic, number] = offset + 1
        raw = value if isinstance(value, bytes) else _encoded(value)
        return Record(topic, number, offset, 0, key, raw)

    def _keep(self, outputs: Iterable[Output]) -> list[Emitted]:
        new = [Emitted(one.topic, one.key.decode(errors="replace"), json.loads(one.value)) for one in outputs]
        self.emitted += new
        return new


def _encoded(value: Mapping[str, Any]) -> bytes:
    """Return JSON; a lone surrogate is escaped, as UTF-8 has none."""
    return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace")
