"""A replay step by step: settings and roster, then the events, to the end of time or to a given one."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, SETTINGS
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import Options, Processor, Share, ShopRegistry
from stream_attr.processor.ports import Batch, Output, Place, Record
from stream_attr.replay.sources import chunks
from stream_attr.replay.spill_store import OverflowStore
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import END_OF_TIME, MINUTE_MS

__all__ = ["Inputs", "Plan", "Step", "steps", "without_collector"]

CHUNK = 5_000
"""Records judged in one go; what they bring about is written before the next."""
CACHED_FACTS = 1_000_000
"""Half a gigabyte of buyers kept decoded (`FACT_BYTES`)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to judge, and how."""

    inputs: Inputs
    until: int | None = None
    """Where the watermark stops, epoch milliseconds; None: the end of the input is the end of time."""
    allowed_lateness_ms: int = 5 * MINUTE_MS
    retention: Retention = field(default_factory=Retention)
    cached_facts: int = CACHED_FACTS
    """Facts of buyers kept decoded, by all processes together; the others are bytes in the store."""
    reports: bool = True
    """Whether facts, inquiries and agents' days are told beside decisions."""
    share: Share | None = None
    """Which buyers to judge; None: all."""


Chunk = tuple[list[Record], frozenset[str]]
"""Records to be judged in one go, and the topics that end with them."""


class Ahead:
    """Where a replay takes its events from, so that the next can be read while an answer is waited for."""

    def __init__(self) -> None:
        self._chunks: Iterator[Chunk] = iter(())
        self._next: Chunk | None = None

    def look(self) -> None:
        """Read the next chunk, unless that is done. Raises UnusableFileError."""
        if self._next is None:
            self._next = next(self._chunks, None)

    def take(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Yield chunks, each as it comes or as it was read before."""
        self._chunks = chunks
        while True:
            self.look()
            chunk, self._next = self._next, None
            if chunk is None:
                return
            yield chunk


class Step(NamedTuple):
    """What one step of a replay brought about."""

    taken: int
    """Events taken so far."""
    outputs: list[Output]
    """Those for other partitions among them."""
    places: list[Place]
    """Of each output; empty unless a share is judged."""


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the collector of cycles from running, in a process that does nothing but replay.

    What is known of a buyer holds no cycles, and to go over all of it again and again for none costs a third
    of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def steps(plan: Plan, ahead: Ahead | None = None) -> Generator[Step, list[Output], None]:
    """Judge files step by step, the same steps whatever the share. Raises UnusableFileError.

    What is sent to it are the closings that answer the step before; it tells what they bring about as a step
    of its own, and goes on with the files once there are none.
    """
    names = plan.inputs.names
    with ExitStack() as stack:
        files = {
            topic: [stack.enter_context(LinesFile(name)) for name in some] for topic, some in names.items()
        }
        registry = ShopRegistry(names)
        refused = list(_tell(registry, files))
        if plan.share is None or plan.share.index == 0:
            yield Step(0, refused, [] if plan.share is None else [Place(0)] * len(refused))
        else:
            yield Step(0, [], [])
        options = Options(
            allowed_lateness_ms=plan.allowed_lateness_ms,
            retention=plan.retention,
            cached_facts=plan.cached_facts // (1 if plan.share is None else plan.share.processors),
            files=names,
            reports=plan.reports,
            partition=0 if plan.share is None else plan.share.index,
            now=None if plan.until is None else partial(int, plan.until),
            latest_watermark=END_OF_TIME if plan.until is None else plan.until,
            due_soon_ms=END_OF_TIME,
            commits=False,
            share=plan.share,
        )
        store = stack.enter_context(OverflowStore())
        processor = Processor(registry, store, options)
        taken = 0
        ended: frozenset[str] = frozenset()

        def told(batch: Batch) -> Generator[Step, list[Output], None]:
            store.apply(batch.changes)
            while closings := (yield Step(taken, batch.outputs, batch.places)):
                batch = processor.process([_record(closing) for closing in closings], ended)
                store.apply(batch.changes)

        events = chunks({CHAT: files[CHAT], ORDERS: files[ORDERS]}, CHUNK)
        for records, ended in events if ahead is None else ahead.take(events):
            taken += len(records)
            yield from told(processor.process(records, ended))
        yield from told(processor.finish())


def _record(told: Output) -> Record:
    """Return what a partition told as a record of its internal topic; nobody counts these here."""
    return Record(told.topic, 0, 0, 0, told.key, told.value)


def _tell(registry: ShopRegistry, files: dict[str, list[LinesFile]]) -> Iterator[Output]:
    """Tell a book of settings and roster; yield the dead letters of what is refused."""
    for topic in (SETTINGS, ROSTER):
        for index, lines in enumerate(files[topic]):
            for number, value in lines:
                refused = registry.apply(Record(topic, index, number, 0, None, value))
                if refused is not None:
                    yield refused
