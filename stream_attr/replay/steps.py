"""A replay step by step: settings and roster, then the events, to the end of time or to a given one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import LinesFile
from stream_attr.files.spill_store import SpillStore
from stream_attr.processor import Options, Share, ShopRegistry
from stream_attr.processor.local import LocalPartition
from stream_attr.processor.ports import AnyRecord, Batch, Output, Place, Record
from stream_attr.replay.sources import Decoding, chunks, decode_all
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import END_OF_TIME, MINUTE_MS

__all__ = ["FilePartition", "Inputs", "Plan"]

CHUNK = 5_000
"""Records per batch; the outputs of a batch are written before the next is read."""
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
    wall_clock_ts: int | None = None
    """What time it is, epoch milliseconds: events of the future are refused. None: there is no future.

    One instant for all of the replay, and for all its processes: they refuse the same events."""
    cached_facts: int = CACHED_FACTS
    """Facts of buyers kept decoded, by all processes together; the others are bytes in the store."""
    reports: bool = True
    """Whether facts, inquiries and agents' days are emitted besides decisions."""
    share: Share | None = None
    """Which buyers to judge; None: all."""

    def options(self) -> Options:
        """Return the options of the one partition of a replay."""
        return Options(
            allowed_lateness_ms=self.allowed_lateness_ms,
            retention=self.retention,
            cached_facts=self.cached_facts // (1 if self.share is None else self.share.processors),
            files=self.inputs.names,
            reports=self.reports,
            caught_up_every_ms=None,
            clock=None if self.wall_clock_ts is None else partial(int, self.wall_clock_ts),
            now=None if self.until is None else partial(int, self.until),
            latest_watermark=END_OF_TIME if self.until is None else self.until,
            due_soon_ms=END_OF_TIME,
            commits=False,
            share=self.share,
        )


class FilePartition:
    """The one partition of a replay, or a share of its buyers: its events come from files.

    Use it as a context manager. Every method may raise UnusableFileError.
    """

    def __init__(self, plan: Plan, decoding: Decoding = decode_all) -> None:
        self.taken = 0
        """Events read so far."""
        self._plan = plan
        self._decoding = decoding
        self._stack = ExitStack()
        self._next: tuple[list[AnyRecord], frozenset[str]] | None = None
        """A chunk that has been read ahead."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            names = self._plan.inputs.names
            files = {
                topic: [stack.enter_context(LinesFile(name)) for name in some]
                for topic, some in names.items()
            }
            store = stack.enter_context(SpillStore())
            self._stack = stack.pop_all()
        registry = ShopRegistry(names)
        refused = list(_applied(registry, files))
        self._partition = LocalPartition(registry, store, self._plan.options())
        self._chunks = chunks(
            {topic: files[topic] for topic in (CHAT, ORDERS, RULINGS)},
            CHUNK,
            self._plan.wall_clock_ts,
            self._decoding,
        )
        self._batches = self._processed(refused)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def next_batch(self) -> Batch | None:
        """Process the next chunk; the first batch holds what is refused of settings and roster.

        Returns None after the last batch, that of the end of the input.
        """
        return next(self._batches, None)

    def process_internal(self, records: list[Record]) -> Batch:
        """See `Partition.process_internal` of ``stream_attr.processor.local``."""
        return self._partition.process_internal(records)

    def read_ahead(self) -> None:
        """Read the next chunk now; it is processed by `next_batch`."""
        if self._next is None:
            self._next = next(self._chunks, None)

    def _processed(self, refused: list[Output]) -> Iterator[Batch]:
        share = self._plan.share
        if share is None:
            yield Batch(refused)
        elif share.index == 0:
            yield Batch(refused, [Place(0)] * len(refused))
        else:
            yield Batch()
        while True:
            self.read_ahead()
            chunk, self._next = self._next, None
            if chunk is None:
                break
            records, ended = chunk
            self.taken += len(records)
            yield self._partition.process(records, ended)
        yield self._partition.finish()


def _applied(registry: ShopRegistry, files: dict[str, list[LinesFile]]) -> Iterator[Output]:
    """Apply settings and roster to a registry; yield the dead letters of what is refused."""
    for topic in (SETTINGS, ROSTER):
        for index, lines in enumerate(files[topic]):
            for number, value in lines:
                refused = registry.apply(Record(topic, index, number, 0, None, value))
                if refused is not None:
                    yield refused
