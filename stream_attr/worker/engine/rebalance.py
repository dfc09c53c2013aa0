"""What happens between an assignment and its first record: restore state, seek, then resume.

Based on faust-streaming 0.15.3, which resumes partitions before it seeks them (its issue 596).
"""

from __future__ import annotations

import logging
from typing import Any

from faust.tables import manager as faust_manager
from faust.tables import recovery as faust_recovery
from faust.types import TP

from stream_attr.contract.topics import CHANGELOG
from stream_attr.errors import StreamAttrError
from stream_attr.worker.task.stream_task import EXPECTED_ERRORS

__all__ = ["Recovery", "TableManager"]

logger = logging.getLogger(__name__)


class CoPartitioningError(StreamAttrError):
    """The group assigned different partitions of co-partitioned topics to this worker."""


_ONE_SENTENCE = (CoPartitioningError, *EXPECTED_ERRORS)
"""Errors that end the worker and whose message is sufficient."""


class Recovery(faust_recovery.Recovery):  # type: ignore[misc]
    """Waits for assignments, as Faust's does, and has the partitions restore their own state."""

    _rebalance = -1

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Remember which rebalance this is, before Faust wakes ``_resume_streams``.

        The flow is stopped here too: Faust stops it when partitions are revoked, so not before the first
        assignment, and records fetched before the seek must not be delivered.
        """
        self.app.consumer.stop_flow()
        self._rebalance = self.app.rebalancing_count
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        """Take the partitions over, seek to their progress, then let records flow.

        Faust calls this for each assignment (it has no tables of its own), outside of the group's callbacks,
        so heartbeats continue however long restoring takes. If another rebalance has begun meanwhile, this
        one is dropped: its assignment is outdated.
        """
        app = self.app
        rebalance = self._rebalance
        await app.on_rebalance_complete.send()
        if app.rebalancing_count != rebalance:
            return
        assigned = app.consumer.assignment()
        try:
            numbers = _partitions(app, assigned)
            positions = await app.partitions.take_over(numbers, generation_id)
        except _ONE_SENTENCE as error:  # a traceback would add nothing
            logger.critical("partitions cannot be taken over: %s", error)
            app.crash_soon(error)
            return
        if positions is None or app.rebalancing_count != rebalance:
            return
        await app.consumer.seek_to(
            {
                TP(app.config.topic(topic), number): offsets.get(topic)
                for number, offsets in positions.items()
                for topic in app.inputs
            }
        )
        if app.rebalancing_count != rebalance:
            return
        app.partitions.start()
        app.consumer.resume_partitions(assigned)
        self.completed.set()
        app.flow_control.resume()
        app.consumer.resume_flow()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()


class TableManager(faust_manager.TableManager):  # type: ignore[misc]
    """Keeps Faust's rebalance life cycle running without Faust tables."""

    _recovery: Recovery | None

    @property
    def recovery(self) -> Recovery:
        """Our recovery in place of Faust's."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    @property
    def changelog_topics(self) -> set[str]:
        """The changelog, which the worker itself writes and reads.

        Faust 0.15.3 uses its co-partitioning assignor only for apps that name a changelog, and aiokafka's
        round robin otherwise; that would separate chat, orders, rulings and ticks of one buyer.
        """
        return {self.app.config.topic(CHANGELOG)}

    async def on_start(self) -> None:
        """Start at once; Faust's own waits a second for tables to register."""
        await self._update_channels()
        await self.recovery.start()


def _partitions(app: Any, assigned: set[TP]) -> set[int]:
    """The assigned partitions, which are the same for every input.

    Raises:
        CoPartitioningError: they differ; continuing would separate the events of a buyer.
    """
    by_topic = {
        topic: {tp.partition for tp in assigned if tp.topic == app.config.topic(topic)}
        for topic in app.inputs
    }
    numbers = set.union(*by_topic.values())
    if any(given != numbers for given in by_topic.values()):
        assignments = ", ".join(
            f"{app.config.topic(topic)} {sorted(given)}" for topic, given in by_topic.items()
        )
        raise CoPartitioningError(
            f"the group assigned different partitions of co-partitioned topics: {assignments}. A topic "
            "without partitions was deleted, or workers of a version that reads other topics are in the "
            "group: stop all workers, then start those of one version"
        )
    return numbers
