"""The product under test: what the properties ask of the local driver."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from stream_attr.contract.topics import (
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    ORDERS,
    ROSTER,
    SETTINGS,
)
from stream_attr.processor import Options, ShopRegistry
from stream_attr.processor.ports import Output, Record
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.testing import Input as Arrival
from stream_attr.testing import LocalDriver, LocalPartition, MemoryStore
from stream_attr.testing import in_time_order as arrivals

__all__ = ["ANY_ORDER_MS", "LIVE_LATENESS_MS", "Arrival", "Json", "Run", "arrivals", "run"]

Json = dict[str, Any]

LIVE_LATENESS_MS = 5 * 60_000
ANY_ORDER_MS = 60 * 24 * 3_600_000
"""An allowed lateness with which files in no order are in time (RULEBOOK 13)."""

CACHED_FACTS = 20
"""So few that buyers leave the processor's cache and come back from their encoded state."""

DUE_SOON_MS = 30 * 60_000
"""So little that most deadlines come back from the store."""

_SHOP_FILES = {SETTINGS: ("settings.jsonl",), ROSTER: ("roster.jsonl",)}


@dataclass
class Run:
    """What came out, and what was left when all was done."""

    emitted: list[Json] = field(default_factory=list)
    """Decisions and comparisons, in the order of their emission."""
    reports: defaultdict[str, list[tuple[str, Json]]] = field(default_factory=lambda: defaultdict(list))
    """Facts, tasks and what else came out, by topic: key and record, in the order of their emission."""
    dead_letters: list[Json] = field(default_factory=list)
    state: dict[bytes, bytes] = field(default_factory=dict)
    """What all partitions still keep."""
    buyers: int = 0
    """Buyers that the processors still count."""

    def last(self) -> dict[tuple[str, str, str], Json]:
        """Return the last record per order and profile, as a compacted topic keeps it."""
        return {(d["shop_id"], d["order_id"], d["profile"]): d for d in self.emitted}

    def last_reports(self, topic: str) -> dict[str, Json]:
        """Return the last record per key of another topic."""
        return dict(self.reports[topic])

    def add(self, outputs: Iterable[Output]) -> None:
        """Sort outputs by what they are."""
        for output in outputs:
            value = json.loads(output.value)
            if output.topic == DEAD_LETTERS:
                self.dead_letters.append(value)
                continue
            if output.topic not in (DECISIONS, COMPARISONS):
                self.reports[output.topic].append((output.key.decode(), value))
                continue
            official = value["profile"] == "official"
            parts = [value["shop_id"], value["order_id"], *([] if official else [value["profile"]])]
            assert output.topic == (DECISIONS if official else COMPARISONS)
            assert output.key.decode() == "|".join(parts)
            self.emitted.append(value)


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
    caught_up: bool = False,
) -> Run:
    """Judge records, then let the watermark reach ``until`` (None: the end of time).

    ``batch_sizes`` cuts a partition's records into batches, what is left over is the last. In the batches
    whose index is in ``crashes`` the processor dies after its work and before the commit: all of the batch is
    lost, and a new processor starts from what was committed before. With several ``partitions`` each has the
    records of its buyers, and they take turns. ``caught_up``: each batch is all that was there to be read.
    """
    registry = _registry(settings, roster)
    stores = [MemoryStore() for _ in range(partitions)]
    parts = [
        LocalPartition(
            registry,
            store,
            Options(
                allowed_lateness_ms=allowed_lateness_ms,
                cached_facts=CACHED_FACTS,
                latest_watermark=END_OF_TIME if until is None else until,
                due_soon_ms=DUE_SOON_MS,
                now=lambda: 0,  # nothing fell due so long ago that it is not opened
                partition=number,
                partitions=partitions,
            ),
        )
        for number, store in enumerate(stores)
    ]
    driver, outcome = LocalDriver(parts), Run()
    turns = [
        list(_batches(own, batch_sizes, caught_up=caught_up))
        for number in range(partitions)
        for own in [[one for one in arriving if one.belongs_to(number, partitions)]]
    ]
    for index in range(max(map(len, turns))):
        for part, turn in zip(parts, turns, strict=True):
            if index < len(turn):
                if index in crashes:
                    part.crash()
                outcome.add(driver.take(part.process(*turn[index])))
        if index in crashes:
            for part in parts:
                part.crash()  # now within what the partitions tell each other, or within the next turn
        outcome.add(driver.drain())
    for part, turn in zip(parts, turns, strict=True):
        if len(turn) in crashes:
            part.crash()
        outcome.add(driver.take(part.finish()))
    outcome.add(driver.drain())
    for part, store in zip(parts, stores, strict=True):
        outcome.state |= store.committed
        outcome.buyers += part.batch.stats.buyers
    return outcome


def _registry(settings: Iterable[Json], roster: Iterable[Json]) -> ShopRegistry:
    registry = ShopRegistry(_SHOP_FILES)
    for topic, records in ((SETTINGS, settings), (ROSTER, roster)):
        for offset, value in enumerate(records):
            refused = registry.apply(Record(topic, 0, offset, 0, None, _encode(value)))
            assert refused is None, refused
    return registry


def _batches(
    arriving: Sequence[Arrival], sizes: Sequence[int], *, caught_up: bool
) -> Iterator[tuple[list[Record], frozenset[str]]]:
    """Yield batches of records, each with the topics that have ended when it is done."""
    records = list(_records(arriving))
    cuts = [cut for cut in accumulate(sizes) if cut < len(records)]
    for begin, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
        to_come = set() if caught_up else {record.topic for record in records[end:]}
        yield records[begin:end], frozenset({CHAT, ORDERS} - to_come)


def _records(arriving: Sequence[Arrival]) -> Iterator[Record]:
    offsets: dict[str, int] = {}
    for arrival in arriving:
        topic = arrival.topic
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        yield Record(topic, 0, offset, arrival.ts, arrival.key, _encode(arrival.value))


def _encode(value: Json) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    return (text if text.isprintable() else json.dumps(value)).encode()  # what is left of an emoji is escaped
