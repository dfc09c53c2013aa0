"""The product under test, behind the few words that the properties and the scenarios need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import accumulate
from typing import Any
from zlib import crc32

from stream_attr.contract.topics import (
    AGENT_DAILY,
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    INTERNAL,
    ORDERS,
    ROSTER,
    SETTINGS,
    TICKS,
)
from stream_attr.processor.options import Options
from stream_attr.processor.ports import Batch, Output, Record
from stream_attr.processor.processor import Processor
from stream_attr.processor.shops import ShopRegistry
from stream_attr.rules.shop.days import END_OF_TIME

Json = dict[str, Any]

LIVE_LATENESS_MS = 5 * 60_000
ANY_ORDER_MS = 60 * 24 * 3_600_000
"""An allowed lateness with which files in no order are in time (RULEBOOK 13)."""

CACHED_FACTS = 20
"""So few that buyers leave the processor's cache and come back from their encoded state."""

DUE_SOON_MS = 30 * 60_000
"""So little that most deadlines come back from the store."""

REPORTS = (FACTS, INQUIRIES, AGENT_DAILY)

_SHOP_FILES = {SETTINGS: ("settings.jsonl",), ROSTER: ("roster.jsonl",)}


@dataclass(frozen=True)
class Arrival:
    """One record as it arrives on the partition: an event, or a tick."""

    topic: str
    value: Json

    @property
    def ts(self) -> int:
        return int(self.value["ts"])

    def belongs_to(self, number: int, partitions: int) -> bool:
        """Whether it arrives on a partition; ticks arrive on all."""
        return self.topic == TICKS or partition_of(self.key, partitions) == number

    @property
    def key(self) -> bytes:
        return f"{self.value['shop_id']}|{self.value['buyer_id']}".encode()


@dataclass
class Run:
    """What came out, and what was left when all was done."""

    emitted: list[Json] = field(default_factory=list)
    """Decisions and comparisons, in the order of their emission."""
    reports: dict[str, list[tuple[str, Json]]] = field(
        default_factory=lambda: {topic: [] for topic in REPORTS}
    )
    """Facts, inquiries and agents' days by topic: key and record, in the order of their emission."""
    dead_letters: list[Json] = field(default_factory=list)
    parts: list[Partition] = field(default_factory=list)

    @property
    def state(self) -> dict[bytes, bytes]:
        """What all partitions still keep."""
        return {key: data for part in self.parts for key, data in part.state.items()}

    @property
    def buyers(self) -> int:
        """Buyers that the processors say they still know."""
        return sum(part.buyers for part in self.parts)

    def last(self) -> dict[tuple[str, str, str], Json]:
        """Return the last record per order and profile, as a compacted topic keeps it."""
        return {(d["shop_id"], d["order_id"], d["profile"]): d for d in self.emitted}

    def last_reports(self, topic: str) -> dict[str, Json]:
        """Return the last record per key of facts, inquiries or agents' days."""
        return dict(self.reports[topic])

    def commit(self, number: int, batch: Batch, taken: int = 0) -> None:
        """Take a batch of a partition whole, as a transaction does; ``taken``: what it took of its inbox."""
        part = self.parts[number]
        del part.inbox[:taken]
        for output in batch.outputs:
            if output.topic in INTERNAL:
                self._deliver(output)
                continue
            value = json.loads(output.value)
            if output.topic == DEAD_LETTERS:
                self.dead_letters.append(value)
                continue
            if output.topic in REPORTS:
                self.reports[output.topic].append((output.key.decode(), value))
                continue
            official = value["profile"] == "official"
            parts = [value["shop_id"], value["order_id"], *([] if official else [value["profile"]])]
            assert output.topic == (DECISIONS if official else COMPARISONS)
            assert output.key.decode() == "|".join(parts)
            self.emitted.append(value)
        for key, data in batch.changes.items():
            if data is None:
                part.state.pop(key, None)
            else:
                part.state[key] = data
        part.progress = batch.progress
        part.buyers = batch.stats.buyers

    def _deliver(self, output: Output) -> None:
        """Put what a partition tells others where they find it."""
        number = partition_of(output.key, len(self.parts)) if output.partition is None else output.partition
        part = self.parts[number]
        part.inbox.append(Record(output.topic, 0, part.told, 0, output.key, output.value))
        part.told += 1


@dataclass
class Partition:
    """What is committed of one partition."""

    state: dict[bytes, bytes] = field(default_factory=dict)
    progress: bytes | None = None
    buyers: int = 0
    inbox: list[Record] = field(default_factory=list)
    """What others have told it and it has not judged yet."""
    told: int = 0


def partition_of(key: bytes, partitions: int) -> int:
    """Return where a key goes."""
    return crc32(key) % partitions


def arrivals(chat: Iterable[Json], orders: Iterable[Json], ticks: Iterable[int] = ()) -> list[Arrival]:
    """Merge the topics by time as a reader does: each in its own order, the older head first."""
    topics = (
        [Arrival(CHAT, event) for event in chat],
        [Arrival(ORDERS, event) for event in orders],
        [Arrival(TICKS, {"ts": ts}) for ts in ticks],
    )
    return list(merge(*topics, key=lambda arrival: arrival.ts))


def run(
    settings: Iterable[Json],
    roster: Iterable[Json],
    arriving: Sequence[Arrival],
    *,
    allowed_lateness_ms: int = LIVE_LATENESS_MS,
    until: int | None = None,
    batch_sizes: Sequence[int] = (),
    crashes: frozenset[int] = frozenset(),
    partitions: int = 1,
) -> Run:
    """Judge records, then let the watermark reach ``until`` (None: the end of time).

    ``batch_sizes`` cuts a partition's records into batches, what is left over is the last. In the batches
    whose index is in ``crashes`` the processor dies after its work and before the commit: all of the batch is
    lost, and a new processor starts from what was committed before. With several ``partitions`` each has the
    records of its buyers, and they take turns.
    """
    settings, roster = list(settings), list(roster)
    outcome = Run(parts=[Partition() for _ in range(partitions)])
    options = [
        Options(
            allowed_lateness_ms=allowed_lateness_ms,
            cached_facts=CACHED_FACTS,
            latest_watermark=END_OF_TIME if until is None else until,
            due_soon_ms=DUE_SOON_MS,
            partition=number,
            partitions=partitions,
        )
        for number in range(partitions)
    ]

    def started(number: int) -> Processor:
        return _started(settings, roster, options[number], outcome.parts[number])

    def hear(*, dying: bool) -> None:
        """Judge what partitions have told each other, until none has anything left to say."""
        while any(part.inbox for part in outcome.parts):
            for number, part in enumerate(outcome.parts):
                told = list(part.inbox)
                if dying and told:
                    processors[number].process(told, ended[number])
                    processors[number] = started(number)
                outcome.commit(number, processors[number].process(told, ended[number]), len(told))
            dying = False

    processors = [started(number) for number in range(partitions)]
    ended: list[frozenset[str]] = [frozenset()] * partitions
    turns = [
        list(_batches([one for one in arriving if one.belongs_to(number, partitions)], batch_sizes))
        for number in range(partitions)
    ]
    for index in range(max(map(len, turns))):
        for number, turn in enumerate(turns):
            if index >= len(turn):
                continue
            records, ended[number] = turn[index]
            if index in crashes:
                processors[number].process(records, ended[number])
                processors[number] = started(number)
            outcome.commit(number, processors[number].process(records, ended[number]))
        hear(dying=index in crashes)
    for number in range(partitions):
        if len(turns[number]) in crashes:
            processors[number] = started(number)
        outcome.commit(number, processors[number].finish())
    hear(dying=False)
    return outcome


def _started(settings: list[Json], roster: list[Json], options: Options, known: Partition) -> Processor:
    registry = ShopRegistry(_SHOP_FILES)
    for topic, records in ((SETTINGS, settings), (ROSTER, roster)):
        for offset, value in enumerate(records):
            refused = registry.apply(Record(topic, 0, offset, 0, None, _encode(value)))
            assert refused is None, refused
    processor = Processor(registry, _Stored(known.state), options)
    processor.restore(known.progress)
    return processor


@dataclass
class _Stored:
    """The store of a processor: what is committed, and nothing else."""

    data: dict[bytes, bytes]
    derived: dict[bytes, bytes] = field(default_factory=dict)
    """Gone when the processor is."""

    def get(self, key: bytes) -> bytes | None:
        return self.data.get(key)

    def items(self, begin: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        for store in (self.data, self.derived):
            for key in sorted(store):
                if begin <= key and (end is None or key < end):
                    yield key, store[key]

    def write_derived(self, rows: Mapping[bytes, bytes | None]) -> None:
        for key, value in rows.items():
            if value is None:
                del self.derived[key]
            else:
                self.derived[key] = value


def _batches(
    arriving: Sequence[Arrival], sizes: Sequence[int]
) -> Iterator[tuple[list[Record], frozenset[str]]]:
    """Yield batches of records, each with the topics that have ended when it is done."""
    records = list(_records(arriving))
    cuts = [cut for cut in accumulate(sizes) if cut < len(records)]
    for begin, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
        to_come = {record.topic for record in records[end:]}
        yield records[begin:end], frozenset({CHAT, ORDERS} - to_come)


def _records(arriving: Sequence[Arrival]) -> Iterator[Record]:
    offsets: dict[str, int] = {}
    for arrival in arriving:
        topic = arrival.topic
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        key = None if topic == TICKS else arrival.key
        yield Record(topic, 0, offset, arrival.ts, key, _encode(arrival.value))


def _encode(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
