"""The product under test, behind the few words that the properties and the scenarios need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import accumulate
from typing import Any

from stream_attr.processor.book import Book
from stream_attr.processor.partition import Options, Processor
from stream_attr.processor.records import (
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    ORDERS,
    ROSTER,
    SETTINGS,
    TICKS,
    Batch,
    Record,
)
from stream_attr.processor.watermark import END_OF_TIME

Json = dict[str, Any]

LIVE_LATENESS_MS = 5 * 60_000
ANY_ORDER_MS = 60 * 24 * 3_600_000
"""An allowed lateness with which files in no order are in time (RULEBOOK 13)."""

CACHED_FACTS = 20
"""So few that buyers leave the processor's cache and come back from their encoded state."""

_SHOP_FILES = {SETTINGS: ("settings.jsonl",), ROSTER: ("roster.jsonl",)}


@dataclass(frozen=True)
class Arrival:
    """One record as it arrives on the partition: an event, or a tick."""

    topic: str
    value: Json

    @property
    def ts(self) -> int:
        return int(self.value["ts"])


@dataclass
class Run:
    """What came out, and what was left when all was done."""

    emitted: list[Json] = field(default_factory=list)
    """Decisions and comparisons, in the order of their emission."""
    dead_letters: list[Json] = field(default_factory=list)
    state: dict[bytes, bytes] = field(default_factory=dict)
    progress: bytes | None = None
    buyers: int = 0
    """Buyers that the processor says it still knows."""

    def last(self) -> dict[tuple[str, str, str], Json]:
        """Return the last record per order and profile, as a compacted topic keeps it."""
        return {(d["shop_id"], d["order_id"], d["profile"]): d for d in self.emitted}

    def commit(self, batch: Batch) -> None:
        """Take a batch whole, as a transaction does."""
        for output in batch.outputs:
            value = json.loads(output.value)
            if output.topic == DEAD_LETTERS:
                self.dead_letters.append(value)
                continue
            official = value["profile"] == "official"
            parts = [value["shop_id"], value["order_id"], *([] if official else [value["profile"]])]
            assert output.topic == (DECISIONS if official else COMPARISONS)
            assert output.key.decode() == "|".join(parts)
            self.emitted.append(value)
        for key, data in batch.changes.items():
            if data is None:
                self.state.pop(key, None)
            else:
                self.state[key] = data
        self.progress = batch.progress
        self.buyers = batch.stats.buyers


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
) -> Run:
    """Judge one partition's records, then let the watermark reach ``until`` (None: the end of time).

    ``batch_sizes`` cuts the records into batches, what is left over is the last. In the batches whose index
    is in ``crashes`` the processor dies after its work and before the commit: all of the batch is lost, and
    a new processor starts from what was committed before.
    """
    settings, roster = list(settings), list(roster)
    outcome = Run()
    batches = list(_batches(arriving, batch_sizes))
    options = Options(
        allowed_lateness_ms=allowed_lateness_ms,
        cached_facts=CACHED_FACTS,
        latest_watermark=END_OF_TIME if until is None else until,
    )
    processor = _started(settings, roster, options, outcome)
    for index, (records, at_end) in enumerate(batches):
        if index in crashes:
            processor.process(records, at_end)
            processor = _started(settings, roster, options, outcome)
        outcome.commit(processor.process(records, at_end))
    if len(batches) in crashes:
        processor = _started(settings, roster, options, outcome)
    outcome.commit(processor.finish())
    return outcome


def _started(settings: list[Json], roster: list[Json], options: Options, known: Run) -> Processor:
    book = Book(_SHOP_FILES)
    for topic, records in ((SETTINGS, settings), (ROSTER, roster)):
        for offset, value in enumerate(records):
            refused = book.apply(Record(topic, 0, offset, 0, None, _encode(value)))
            assert refused is None, refused
    processor = Processor(book, _Stored(known.state), options)
    processor.restore(known.progress)
    return processor


@dataclass
class _Stored:
    """The store of a processor: what is committed, and nothing else."""

    data: dict[bytes, bytes]

    def get(self, key: bytes) -> bytes | None:
        return self.data.get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self.data.items()


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
    for topic, value in ((arrival.topic, arrival.value) for arrival in arriving):
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        key = None if topic == TICKS else f"{value['shop_id']}|{value['buyer_id']}".encode()
        yield Record(topic, 0, offset, value["ts"], key, _encode(value))


def _encode(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
