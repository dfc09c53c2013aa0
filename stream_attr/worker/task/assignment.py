"""The partitions that the group has given to this worker, through one rebalance after the other."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from stream_attr.processor.ports import Record
from stream_attr.worker.task.committer import CommitError
from stream_attr.worker.task.input_merge import End, fetch_budget
from stream_attr.worker.task.stream_task import FORESEEN, Partition, WorkerContext

__all__ = ["Assignment"]

logger = logging.getLogger(__name__)


class Assignment:
    """Opens, feeds, halts and closes partitions; at any time at most one ``Partition`` exists per number."""

    def __init__(self, around: WorkerContext, on_failure: Callable[[BaseException], None]) -> None:
        """``on_failure`` is told of what a batch raised: the worker must stop."""
        self._around = around
        self._on_failure = on_failure
        self._partitions: dict[int, Partition] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._generation = -1
        self._halts = 0
        self._judging = False

    def __iter__(self) -> Iterator[Partition]:
        return iter(self._partitions.values())

    def why_not_ready(self, patience_s: float) -> str | None:
        """What is amiss; None when every assigned partition (there may be none) is recovered and judges.

        A batch may wait for ``patience_s``, and settings and rosters may be unread for as long.
        """
        if not self._judging:
            return "partitions are being assigned and recovered"
        for partition in self:
            if partition.lost_at is not None:
                return f"partition {partition.number}: another worker has it, and the group has yet to say so"
            if (why := partition.why_waiting(patience_s)) is not None:
                return f"partition {partition.number}: {why}"
        return self._around.global_tables.why_waiting(patience_s)

    async def take_over(self, numbers: Iterable[int], generation: int) -> dict[int, dict[str, int]] | None:
        """Own exactly these partitions, recovered; returns the next offset per partition and topic.

        A partition that this worker had in the generation just before is kept as it is: nobody else can have
        had it in between. All others are opened anew. None: halted meanwhile, another generation follows.

        Raises:
            CommitError, KafkaException, StoreBusy: a partition cannot be had.
            NewerVersionError: a newer program has written a partition's state.
            TopicRecreatedError: a topic is another one than a partition's state was made of.
        """
        halts = self._halts
        async with self._changing:
            if not self._around.global_tables.whole:
                await asyncio.get_running_loop().run_in_executor(
                    self._around.pool, self._around.global_tables.bootstrap, lambda: self._halts != halts
                )
            wanted = set(numbers)
            kept = wanted if generation == self._generation + 1 else set()
            for number, partition in list(self._partitions.items()):
                if number not in kept or partition.lost_at is not None:
                    await self._close(number)
            if self._halts != halts:
                return None
            facts = self._around.memory.facts(len(wanted))
            for partition in self:
                partition.keep_decoded(facts)
            fresh = {n: Partition(n, self._around, facts) for n in sorted(wanted - self._partitions.keys())}
            self._partitions.update(fresh)
            await self._open(fresh)
            if self._halts != halts:
                return None
            self._generation = generation
            return {number: partition.positions for number, partition in self._partitions.items()}

    def start(self) -> None:
        """Begin to judge, after the consumer has been sought to where ``take_over`` said."""
        for number, partition in self._partitions.items():
            partition.resume()
            task = asyncio.get_running_loop().create_task(partition.run(), name=f"partition {number}")
            task.add_done_callback(self._ended)
            self._running[number] = task
        self._judging = True
        logger.info("judging %s partitions: %s", len(self._running), sorted(self._running))

    async def halt(self) -> None:
        """Stop judging, after the batches in hand; stop recovering where it is. Stores stay open."""
        self._halts += 1
        self._judging = False
        for partition in self:
            partition.halt()
        async with self._changing:
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            self._running.clear()

    async def close(self) -> None:
        """Halt and let go of everything."""
        await self.halt()
        async with self._changing:
            for number in list(self._partitions):
                await self._close(number)

    def deliver(
        self, records: Mapping[tuple[str, int], Sequence[Record]], ends: Mapping[tuple[str, int], End]
    ) -> None:
        """Hand fetched records, and what was learnt of the ends, to their partitions."""
        for (topic, number), found in records.items():
            self._partitions[number].offer(topic, found)
        for (topic, number), end in ends.items():
            partition = self._partitions.get(number)
            if partition is not None:
                partition.observe(topic, end)

    def topics_to_fetch(self) -> set[tuple[str, int]]:
        """Topics and partitions that may be fetched: those of which not too much is buffered."""
        bytes_each = fetch_budget(len(self._running))
        return {
            (topic, number)
            for number in self._running
            if (partition := self._partitions[number]).lost_at is None
            for topic in partition.merge.topics_to_fetch(bytes_each)
        }

    def orphaned(self, patience_s: float) -> list[int]:
        """Partitions that another worker took, and that the group has left to this one for so long since.

        May be called from any thread.
        Who takes a partition over in the name of an assignment that is past by then fences the one that has
        it, and lets go of it: it is nobody's until it is opened anew.
        """
        if not self._judging:
            return []
        now = time.monotonic()
        here = list(self._partitions.values())  # in one step: the event loop may change them
        return [p.number for p in here if p.lost_at is not None and now - p.lost_at > patience_s]

    def wake(self) -> None:
        """Tell all partitions that settings or roster have changed."""
        for partition in self:
            partition.wake()

    async def find_order(self, shop_id: str, order_id: str) -> bytes | None:
        """The last decision on an order as JSON, if one of the partitions here holds it."""
        for partition in list(self):
            found = await partition.find_order(shop_id, order_id)
            if found is not None:
                return found
        return None

    async def _open(self, fresh: Mapping[int, Partition]) -> None:
        """Open partitions at the same time; when one fails, the others are let finish first."""
        results = await asyncio.gather(*(p.open() for p in fresh.values()), return_exceptions=True)
        for number, result in zip(fresh, results, strict=True):
            if result is not True:
                del self._partitions[number]
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _close(self, number: int) -> None:
        partition = self._partitions.pop(number)
        await partition.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, CommitError):  # its message says it all
                logger.critical("%s: a batch cannot be committed: %s", task.get_name(), error)
            elif isinstance(error, FORESEEN):
                logger.critical("%s: %s", task.get_name(), error)
            else:
                logger.error(
                    "%s: a batch failed, nothing of it was committed", task.get_name(), exc_info=error
                )
            self._on_failure(error)
