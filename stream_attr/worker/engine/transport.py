"""Faust's transport: complete fetches go to their partitions, past Faust's per-message path.

Based on faust-streaming 0.15.3; ``tests/worker/test_engine_contract.py`` fails when a release changes what
this relies on. Faust keeps the group membership, the assignment, the consumer's thread with its heartbeat,
and the life cycle. For each record it would make eleven callbacks and four tasks, about 0.4 ms.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aiokafka.errors import ConsumerStoppedError, TopicAuthorizationFailedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream_attr.worker.engine.consumer_thread import ConsumerThread
from stream_attr.worker.task.assignment import Assignment
from stream_attr.worker.task.lost_input import Gap, InputLostError

__all__ = ["Consumer", "Transport"]

logger = logging.getLogger(__name__)

_BUFFERS_FULL_PAUSE_S = 0.02


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer, except for where records go and where positions come from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fetching = asyncio.Lock()

    @property
    def _partitions(self) -> Assignment:
        assignment: Assignment = self.app.partitions
        return assignment

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        """Deliver complete fetches; Faust's own loop awaits a callback per message here.

        Faust's fetcher takes a cancellation during a rebalance for a crash, even that of a shutdown, which
        therefore ends here.
        """
        try:
            await self._deliver_fetches(fetcher)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _deliver_fetches(self, fetcher: Any) -> None:
        topic_names = {self.app.config.topic(name): name for name in self.app.inputs}
        while not (self.should_stop or fetcher.should_stop):
            if not self.flow_active:
                await self.wait_first(self.can_resume_flow.wait(), timeout=1.0)
                continue
            active = {
                TP(self.app.config.topic(topic), number)
                for topic, number in self._partitions.topics_to_fetch()
            }
            if not active:
                await self.sleep(_BUFFERS_FULL_PAUSE_S)
                continue
            try:
                await self._fetch_once(active, topic_names)
            except TopicAuthorizationFailedError as error:
                logger.critical(
                    "the broker does not allow this user to read topic %s", ", ".join(map(str, error.args))
                )
                self.app.crash_soon(error)
                await self.wait_for_stopped()

    async def _fetch_once(self, active: set[TP], topic_names: Mapping[str, str]) -> None:
        async with self._fetching:
            fetched = await self._thread.fetch(active)
            if not self.flow_active:  # a rebalance has begun: after its final seek these are fetched again
                return
            for tp, found in fetched.records.items():
                self.app.retention.check(topic_names[tp.topic], found)
                self.app.partitioners.add(topic_names[tp.topic], found)
            self._partitions.deliver(
                {(topic_names[tp.topic], tp.partition): found for tp, found in fetched.records.items()},
                {(topic_names[tp.topic], tp.partition): end for tp, end in fetched.ends.items()},
            )
            for gap in fetched.gaps:
                await self._skip_or_stop(gap, topic_names[gap.topic])

    async def _skip_or_stop(self, gap: Gap, name: str) -> None:
        """Continue behind a gap, or stop the worker."""
        try:
            gap.require_skippable(name, self.app.config.lost_input)
        except InputLostError as error:
            logger.critical("%s", error)
            self.app.crash_soon(error)
            await self.wait_for_stopped()
        else:
            logger.error("%s; continuing without them", gap)
            self.app.metrics.lost(gap.partition, name, gap.lost)
            await self._thread.seek_all({TP(gap.topic, gap.partition): gap.first})

    async def seek_to(self, positions: Mapping[TP, int | None]) -> None:
        """Read from these offsets on. The flow is stopped, so no fetch begins before it is resumed."""
        async with self._fetching:
            await self._thread.seek_all(positions)

    async def wait_empty(self) -> None:
        """Finish the current batches. Faust calls this when partitions are revoked and when it stops."""
        await self._partitions.halt()

    async def on_stop(self) -> None:
        """Close the partitions before Faust leaves the group."""
        await self._partitions.close()
        await super().on_stop()

    async def perform_seek(self) -> None:
        """Do nothing: positions come from the progress records, not from the group's offsets."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: it warns of Faust streams without events, and no Faust stream is used."""


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with our consumer."""

    Consumer = Consumer
