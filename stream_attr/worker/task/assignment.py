"""The partitions that the consumer group has assigned to this worker, across rebalances."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from stream_attr.processor.ports import Record
from stream_attr.worker.context import WorkerContext
from stream_attr.worker.task.committer import CommitError
from stream_attr.worker.task.input_merge import End, fetch_budget
from stream_attr.worker.task.stream_task import EXPECTED_ERRORS, StreamTask

__all__ = ["Assignment", "OrderLookup"]

logger = logging.getLogger(__name__)


class OrderLookup(NamedTuple):
    """What the partitions of a worker, or of several, answer to a question for an order."""

    found: bytes | None
    """The last decision as JSON."""
    without_it: frozenset[int] = frozenset()
    """Partitions that certainly do not hold the order; one that is busy or not restored is not among them."""


class Assignment:
    """Opens, feeds, halts and closes stream tasks; at any time at most one per partition."""

    def __init__(self, context: WorkerContext, on_failure: Callable[[BaseException], None]) -> None:
        """``on_failure`` is called with what a batch raised: the worker must stop."""
        self._context = context
        self._on_failure = on_failure
        self._tasks: dict[int, StreamTask] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._generation = -1
        self._halts = 0
        self._judging = False
        self._lookups: set[asyncio.Task[tuple[int, bytes | None] | None]] = set()

    def __iter__(self) -> Iterator[StreamTask]:
        return iter(self._tasks.values())

    def why_not_ready(self, patience_s: float) -> str | None:
        """The reason, as a sentence; None: every assigned partition (if any) is restored and judges.

        A batch may wait for ``patience_s``, and settings and rosters may be unread for as long.
        """
        if not self._judging:
            return "partitions are being assigned and restored"
        for task in self:
            if task.lost_at is not None:
                return f"partition {task.number}: another worker has it; waiting for the group to reassign it"
            if (why := task.why_waiting(patience_s)) is not None:
                return f"partition {task.number}: {why}"
        return self._context.global_tables.why_waiting(patience_s)

    async def take_over(self, numbers: Iterable[int], generation: int) -> dict[int, dict[str, int]] | None:
        """Own exactly these partitions, restored; returns the next offset per partition and topic.

        A partition that this worker had in the previous generation is kept open: no other worker can have had
        it in between. All others are opened from scratch. None: halted meanwhile; another generation follows.

        Raises:
            CommitError, KafkaException, StoreBusy: a partition cannot be opened.
            NewerVersionError: a newer program has written a partition's state.
            TopicRecreatedError: a topic is not the one that a partition's state was built from.
        """
        halts = self._halts
        async with self._changing:
            if not self._context.global_tables.bootstrapped:
                await asyncio.get_running_loop().run_in_executor(
                    self._context.pool, self._context.global_tables.bootstrap, lambda: self._halts != halts
                )
            wanted = set(numbers)
            kept = wanted if generation == self._generation + 1 else set()
            for number, task in list(self._tasks.items()):
                if number not in kept or task.lost_at is not None:
                    await self._close(number)
            if self._halts != halts:
                return None
            facts = self._context.memory.facts(len(wanted))
            for task in self:
                task.keep_decoded(facts)
            fresh = {n: StreamTask(n, self._context, facts) for n in sorted(wanted - self._tasks.keys())}
            self._tasks.update(fresh)
            await self._open(fresh)
            if self._halts != halts:
                return None
            self._generation = generation
            return {number: task.positions for number, task in self._tasks.items()}

    def start(self) -> None:
        """Begin to judge, after the consumer was sought to the offsets that ``take_over`` returned."""
        for number, task in self._tasks.items():
            task.resume()
            running = asyncio.get_running_loop().create_task(task.run(), name=f"partition {number}")
            running.add_done_callback(self._ended)
            self._running[number] = running
        self._judging = True
        logger.info("judging %s partitions: %s", len(self._running), sorted(self._running))

    async def halt(self) -> None:
        """Stop judging after the current batches, and stop restoring. Stores stay open."""
        self._halts += 1
        self._judging = False
        for task in self:
            task.halt()
        async with self._changing:
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            self._running.clear()

    async def close(self) -> None:
        """Halt, and close all partitions."""
        await self.halt()
        async with self._changing:
            for number in list(self._tasks):
                await self._close(number)

    def deliver(
        self, records: Mapping[tuple[str, int], Sequence[Record]], ends: Mapping[tuple[str, int], End]
    ) -> None:
        """Pass fetched records, and the ends of their topics, to the partitions."""
        for (topic, number), found in records.items():
            self._tasks[number].offer(topic, found)
        for (topic, number), end in ends.items():
            task = self._tasks.get(number)
            if task is not None:
                task.observe(topic, end)

    def topics_to_fetch(self) -> set[tuple[str, int]]:
        """Topics and partitions to be fetched: those whose buffers are below the budget."""
        bytes_each = fetch_budget(len(self._running))
        return {
            (topic, number)
            for number in self._running
            if (task := self._tasks[number]).lost_at is None
            for topic in task.merge.topics_to_fetch(bytes_each)
        }

    def orphaned(self, patience_s: float) -> list[int]:
        """Partitions that another worker took over more than ``patience_s`` ago, still assigned to this one.

        May be called from any thread. A worker that takes a partition over for an assignment that is outdated
        by then fences the current owner, and closes the partition itself: nobody judges it until it is
        reopened.
        """
        if not self._judging:
            return []
        now = time.monotonic()
        tasks = list(self._tasks.values())  # in one step: the event loop may change them
        return [t.number for t in tasks if t.lost_at is not None and now - t.lost_at > patience_s]

    def wake(self) -> None:
        """Have all partitions check for changed settings and rosters."""
        for task in self:
            task.wake()

    @property
    def total(self) -> int:
        """Number of partitions, whichever worker holds them."""
        return self._context.partitions

    async def find_order(self, shop_id: str, order_id: str) -> OrderLookup:
        """Look an order up in these partitions, all at a time: any of them may hold it."""
        lookups = {
            asyncio.get_running_loop().create_task(self._look_up(task, shop_id, order_id)) for task in self
        }
        # Those that are not waited for go on: a lookup that is cancelled would leave its thread behind.
        self._lookups |= lookups
        for lookup in lookups:
            lookup.add_done_callback(self._lookups.discard)
        without_it = set()
        for ended in asyncio.as_completed(lookups):
            if (answer := await ended) is not None:
                number, found = answer
                if found is not None:
                    return OrderLookup(found)
                without_it.add(number)
        return OrderLookup(None, frozenset(without_it))

    async def _look_up(
        self, task: StreamTask, shop_id: str, order_id: str
    ) -> tuple[int, bytes | None] | None:
        """Return what a partition holds; None: it cannot tell."""
        try:
            found = await task.find_order(shop_id, order_id)
        except TimeoutError:
            return None
        if found is None and not (self._judging and task.lost_at is None):
            return None  # not restored yet, or held by another worker
        return task.number, found

    async def _open(self, fresh: Mapping[int, StreamTask]) -> None:
        """Open partitions in parallel; if one fails, the others complete first."""
        results = await asyncio.gather(*(task.open() for task in fresh.values()), return_exceptions=True)
        for number, result in zip(fresh, results, strict=True):
            if result is not True:
                del self._tasks[number]
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _close(self, number: int) -> None:
        task = self._tasks.pop(number)
        await task.close()

    def _ended(self, running: asyncio.Task[None]) -> None:
        if not running.cancelled() and (error := running.exception()) is not None:
            if isinstance(error, CommitError):
                logger.critical("%s: a batch cannot be committed: %s", running.get_name(), error)
            elif isinstance(error, EXPECTED_ERRORS):
                logger.critical("%s: %s", running.get_name(), error)
            else:
                logger.error(
                    "%s: a batch failed, nothing of it was committed", running.get_name(), exc_info=error
                )
            self._on_failure(error)
