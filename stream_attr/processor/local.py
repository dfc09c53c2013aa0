"""The local driver: partitions of the real processor in memory, without a broker.

Replay, tests and benchmarks run here the same `Processor` that a worker runs. The driver does what Kafka does
for a worker: what a partition emits on an internal topic (``buyer-days``, ``agent-day-closings``) becomes an
input record of the partition it is meant for. All other outputs go to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from zlib import crc32

from stream_attr.contract.topics import BUYER_DAYS, CLOSINGS, INTERNAL
from stream_attr.processor.options import Options
from stream_attr.processor.ports import AnyRecord, Batch, Output, Record, Store
from stream_attr.processor.processor import Processor
from stream_attr.processor.shops import ShopRegistry

__all__ = ["LocalDriver", "LocalPartition", "LocalStore", "Partition", "partition_of"]

NO_TOPICS: frozenset[str] = frozenset()


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that the local driver gives a key; Kafka's partitioner gives another."""
    return crc32(key) % partitions if partitions > 1 else 0


class LocalStore(Store, Protocol):
    """A store that takes the changes of a batch."""

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what a batch has changed; None deletes."""


class Partition(Protocol):
    """What the driver asks of a partition, wherever its processor runs."""

    def process_internal(self, records: list[Record]) -> Batch:
        """Process records of internal topics and commit the batch."""


class LocalPartition:
    """One partition: the processor, its store, and the progress that was committed last."""

    def __init__(self, registry: ShopRegistry, store: LocalStore, options: Options) -> None:
        self._registry = registry
        self._options = options
        self._at_end = NO_TOPICS
        self._crashes = False
        self.store = store
        self.progress: bytes | None = None
        """The last committed progress record; None before the first batch."""
        self.batch = Batch()
        """The last committed batch."""
        self.restart()

    def restart(self) -> None:
        """Start a new processor from what is committed, as after a crash or a rebalance."""
        self.processor = Processor(self._registry, self.store, self._options)
        self.processor.restore(self.progress)

    def crash(self) -> None:
        """Let the next batch be lost before its commit: a restarted processor gets the same records again."""
        self._crashes = True

    def process(self, records: Iterable[AnyRecord], at_end: frozenset[str] = NO_TOPICS) -> Batch:
        """Process a batch and commit it; ``at_end``: see `Judge.process`, holds for internal records too."""
        self._at_end = at_end
        if self._crashes:
            self._crashes = False
            records = list(records)
            self.processor.process(records, at_end)
            self.restart()
        return self._commit(self.processor.process(records, at_end))

    def process_internal(self, records: list[Record]) -> Batch:
        """See `Partition.process_internal`."""
        return self.process(records, self._at_end)

    def refresh(self, shop_id: str) -> Batch:
        """Judge again what is pending of a shop whose settings or roster have changed, and commit it."""
        return self._commit(self.processor.refresh(shop_id))

    def finish(self) -> Batch:
        """Advance the watermark to its end (`Options.latest_watermark`) and commit."""
        if self._crashes:
            self._crashes = False
            self.processor.finish()
            self.restart()
        return self._commit(self.processor.finish())

    def _commit(self, batch: Batch) -> Batch:
        self.store.apply(batch.changes)
        self.progress = batch.progress
        self.batch = batch
        return batch


class LocalDriver:
    """Carries records of internal topics between partitions.

    ``internal``: these records also go to the caller.

        partition = LocalPartition(registry, store, options)
        driver = LocalDriver([partition])
        for output in driver.run(partition.process(records)):
            ...
    """

    def __init__(self, partitions: Sequence[Partition], *, internal: bool = False) -> None:
        self.partitions = partitions
        self._internal = internal
        self._inboxes: list[list[Output]] = [[] for _ in partitions]
        self._offsets = [dict.fromkeys(INTERNAL, 0) for _ in partitions]

    def run(self, batch: Batch) -> Iterator[Output]:
        """Yield the outputs of a committed batch, then those of all internal records that follow from it."""
        yield from self.take(batch)
        yield from self.drain()

    def take(self, batch: Batch) -> list[Output]:
        """Return the outputs of a committed batch; keep those on internal topics for their partitions."""
        outputs = batch.outputs
        internal = [output for output in outputs if output.topic in INTERNAL]
        if not internal:
            return outputs
        for output in internal:
            number = output.partition
            if number is None:
                number = partition_of(output.key, len(self.partitions))
            self._inboxes[number].append(output)
        return outputs if self._internal else [one for one in outputs if one.topic not in INTERNAL]

    @property
    def has_internal(self) -> bool:
        """Whether internal records wait to be processed."""
        return any(self._inboxes)

    def drain(self) -> Iterator[Output]:
        """Let the partitions process internal records until there are none; yield the outputs."""
        while self.has_internal:
            for number, partition in enumerate(self.partitions):
                if self._inboxes[number]:
                    yield from self.take(partition.process_internal(self._received(number)))

    def _received(self, number: int) -> list[Record]:
        """Return what waits for a partition: buyer-days as they were emitted, then closings by buyer."""
        outputs, self._inboxes[number] = self._inboxes[number], []
        closings = sorted([one for one in outputs if one.topic == CLOSINGS], key=lambda one: one.key)
        offsets = self._offsets[number]
        records = []
        for output in [*[one for one in outputs if one.topic == BUYER_DAYS], *closings]:
            offset = offsets[output.topic]
            offsets[output.topic] = offset + 1
            records.append(Record(output.topic, number, offset, 0, output.key, output.value))
        return records
