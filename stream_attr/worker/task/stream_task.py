"""One partition's processing on this worker: opened, fed, judged batch by batch, halted, closed.

Everything here runs on the event loop: it keeps the buffers and decides what is next. Blocking work runs on a
thread of the pool (`PartitionState`), for one partition never two calls at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from confluent_kafka import KafkaException

from stream_attr.codec.versions import NewerVersionError
from stream_attr.processor.ports import Record
from stream_attr.processor.watermark import WATERMARK_TOPICS
from stream_attr.worker.context import WorkerContext
from stream_attr.worker.state.restore import Interrupted
from stream_attr.worker.state.store import StoreUnusableError
from stream_attr.worker.task.committer import CommitError, Fenced
from stream_attr.worker.task.input_merge import End, Merge, Take
from stream_attr.worker.task.open_transactions import OpenTransactions
from stream_attr.worker.task.partition_state import PartitionState
from stream_attr.worker.task.topic_ids import TopicRecreatedError

__all__ = ["EXPECTED_ERRORS", "StreamTask"]

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

EXPECTED_ERRORS = (CommitError, KafkaException, NewerVersionError, StoreUnusableError, TopicRecreatedError)
"""Errors that end a partition and whose message is sufficient: they are logged without a traceback."""

_GRACE_S = 4.0
"""How long the current batch may still take to be committed once the partition is to stop."""
_LOOK_UP_TIMEOUT_S = 5.0
_POLL_S = 0.1


class StreamTask:
    """The buffers, the loop and the life cycle of one partition."""

    def __init__(self, number: int, context: WorkerContext, cached_facts: int) -> None:
        """``cached_facts``: how many facts of buyers may stay decoded."""
        self.number = number
        self.merge = Merge({}, context.judging.clock)
        self.open_transactions = OpenTransactions(number)
        self.busy_at = time.monotonic()
        """When events that move the watermark were last judged (or the partition opened), on the monotonic
        clock."""
        self._context = context
        self._state = PartitionState(
            number, context, cached_facts, self._is_halting, self._is_out_of_patience
        )
        self._halting = False
        self._patient_until = 0.0
        self._shops_awaited_since: float | None = None
        self._wake = asyncio.Event()
        self._one_call = asyncio.Lock()
        self._current: Sequence[Record] = ()
        """Records of the batch in progress."""

    @property
    def positions(self) -> dict[str, int]:
        """The next offset to be judged, per topic; a topic that is absent starts at its beginning."""
        return self._state.positions

    @property
    def lost_at(self) -> float | None:
        """Since when, on the monotonic clock, the partition has to be reopened; None: it need not be."""
        return self._state.lost_at

    @property
    def state_size(self) -> int:
        """Estimate of the local state in bytes."""
        return self._state.size

    async def open(self) -> bool:
        """Take the partition over and restore its state; False: halted before, and closed again.

        Raises:
            CommitError, KafkaException, StoreBusy: it cannot be opened; it is closed again.
            NewerVersionError: a newer program has written its state; it is closed again.
            TopicRecreatedError: a topic is not the one that its state was built from; it is closed again.
        """
        try:
            await self._on_thread(self._state.open)
        except Interrupted:
            await self.close()
            return False
        except BaseException:
            await self.close()
            raise
        self.resume()
        return True

    def keep_decoded(self, facts: int) -> None:
        """Keep so many facts of buyers decoded from now on."""
        self._state.keep_decoded(facts)

    def resume(self) -> None:
        """Expect records from ``positions`` on; earlier buffers are discarded."""
        self.merge = Merge(self.positions, self._context.judging.clock)
        self._current = ()
        self._halting = False
        self.busy_at = time.monotonic()

    def lag(self, topic: str) -> int | None:
        """Offsets between the last committed record and the end; None before the first fetch response."""
        waiting = self.merge.lag(topic)
        if waiting is None:
            return None
        return waiting + sum(record.topic == topic for record in self._current)

    def why_waiting(self, patience_s: float) -> str | None:
        """What the current batch has been waiting for longer than ``patience_s``; None: nothing."""
        now = time.monotonic()
        for since, what in (
            (self._state.committing_since, "to be committed"),
            (self._shops_awaited_since, "for the settings and rosters of new shops"),
        ):
            if since is not None and now - since > patience_s:
                return f"a batch has been waiting {now - since:.0f} s {what}"
        return None

    async def run(self) -> None:
        """Judge buffered records until halted.

        Raises:
            Exception: whatever a batch raised; nothing of that batch was committed.
        """
        config = self._context.config
        while not self._halting:
            try:
                take = await self._next()
            except Fenced as error:
                logger.warning("partition %s has another owner now: %s", self.number, error)
                self._state.lost_at = time.monotonic()
                return
            except Interrupted:
                return
            if take is None:
                await self._wake.wait()
                self._wake.clear()
            elif self.merge.caught_up() and self.merge.buffered() < config.batch_records:
                await asyncio.sleep(config.linger_ms / 1000)

    async def _next(self) -> Take | None:
        """Judge and commit one batch; None: nothing to judge."""
        if self._state.table_records != self._context.global_tables.records:
            await self._on_thread(self._state.apply_table_changes)
        take = self.merge.take(self._context.config.batch_records)
        if take is not None:
            self._current = take.records
            await self._catch_up_with_shops(take.records)
            await self._on_thread(lambda: self._state.process(take))
            if any(record.topic in WATERMARK_TOPICS for record in take.records):
                self.busy_at = time.monotonic()
            self._current = ()
        return take

    async def _catch_up_with_shops(self, records: Sequence[Record]) -> None:
        """Wait until settings and rosters are read up to the ends at the time of a shop's first events.

        Raises:
            Interrupted: halted before.
        """
        tables = self._context.global_tables
        unknown = tables.unknown_shops(records)
        if not unknown:
            return
        caught_up = asyncio.wrap_future(tables.catch_up(unknown))
        self._shops_awaited_since = time.monotonic()
        try:
            while not caught_up.done():
                if self._halting:
                    raise Interrupted
                await asyncio.wait({caught_up}, timeout=_POLL_S)
        finally:
            self._shops_awaited_since = None

    def offer(self, topic: str, records: Sequence[Record]) -> None:
        """Buffer fetched records."""
        if records and not self._halting:
            self.merge.offer(topic, records)
            self._wake.set()

    def observe(self, topic: str, end: End) -> None:
        """Record how far a topic goes."""
        self.open_transactions.observe(self._context.config.topic(topic), end)
        if not self._halting:
            self.merge.observe(topic, end)
            self._wake.set()

    def wake(self) -> None:
        """Check again: settings or roster have changed."""
        self._wake.set()

    def halt(self) -> None:
        """Stop after the current batch, if that can be committed soon; a restore stops where it is."""
        if not self._halting:
            self._patient_until = time.monotonic() + _GRACE_S
        self._halting = True
        self._wake.set()

    async def close(self) -> None:
        """Release store and producer; after ``run`` has returned."""
        await self._on_thread(self._state.close)
        self._context.metrics.forget(self.number)

    async def find_order(self, shop_id: str, order_id: str) -> bytes | None:
        """The last decision on an order as JSON, after the current batch; None: it is not held here.

        Raises:
            TimeoutError: the current batch takes too long, as while the broker is away.
        """
        return await self._on_thread(lambda: self._state.find_order(shop_id, order_id), _LOOK_UP_TIMEOUT_S)

    def _is_halting(self) -> bool:
        return self._halting

    def _is_out_of_patience(self) -> bool:
        return self._halting and time.monotonic() > self._patient_until

    async def _on_thread(self, call: Callable[[], _T], timeout_s: float | None = None) -> _T:
        await asyncio.wait_for(self._one_call.acquire(), timeout_s)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._context.pool, call)
        finally:
            self._one_call.release()
