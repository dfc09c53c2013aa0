"""Faust's thread for the aiokafka consumer: fetches, the group's errors, and an orderly, bounded end.

Based on faust-streaming 0.15.3 and aiokafka 0.14; ``tests/worker/test_engine_contract.py`` fails when a
release changes what this relies on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    KafkaError,
    KafkaStorageError,
    KafkaTimeoutError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    UnknownError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream_attr.processor.ports import Record
from stream_attr.worker.ops.unreadable import READ_AGAIN_S
from stream_attr.worker.task.input_merge import End
from stream_attr.worker.task.lost_input import Gap

__all__ = ["ConsumerThread", "Fetched", "end_of"]

logger = logging.getLogger(__name__)

_FETCH_MAX_WAIT_MS = 100
_FETCH_TIMEOUT_S = 0.1
_LEAVE_TIMEOUT_S = 3.0
_CHECK_ERRORS_EVERY_S = 0.5
_PERMANENT = (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
)
"""Errors of the group's coordinator that a retry does not change."""
_BROKER_CANNOT_READ = (CorruptRecordException, KafkaStorageError, UnknownError)
"""A broker's answers to a fetch if its disk or the data there is damaged."""


class Fetched(NamedTuple):
    """The contents of the fetcher's buffers at one moment."""

    records: Mapping[TP, Sequence[Record]]
    ends: Mapping[TP, End]
    """Of each assigned partition whose end a fetch response has given."""
    gaps: Sequence[Gap] = ()
    """Partitions whose next offset does not exist."""


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Runs the aiokafka consumer, its fetches and its heartbeat, on a loop of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unreadable: dict[TP, float] = {}
        """Partitions whose next batch cannot be read here; value: when to retry, on the monotonic clock."""
        self._unreadable_on_broker: set[TP] = set()
        """Partitions whose next batch the broker cannot read."""
        self._making_records = {
            self.app.config.topic(name): partial(_record_of, name) for name in self.app.inputs
        }
        """By topic on the broker: what makes a record of one that was fetched."""

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        """Override values that Faust 0.15.3 fixes without a setting, before the consumer starts.

        It lets brokers hold an empty fetch for 1,500 ms, which lets an idle partition delay a busy one, and
        reads uncommitted records unless Faust itself does the transactions.
        """
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_MAX_WAIT_MS
        consumer._isolation_level = "read_committed"
        self._observe_responses(consumer._client)
        return consumer

    def _observe_responses(self, client: Any) -> None:
        """Observe every response of a broker: to fetches, heartbeats and all other requests of the consumer.

        If the broker cannot read its own data, aiokafka only logs it and retries.
        """
        send, record_response = client.send, self.app.broker_health.record_response

        async def send_and_observe(node: Any, request: Any, **kwargs: Any) -> Any:
            response = await send(node, request, **kwargs)
            record_response()
            if isinstance(request, FetchRequest):
                for topic, partitions in response.topics:
                    for partition, code, *_ in partitions:
                        self._observe_fetch(TP(topic, partition), code)
            return response

        client.send = send_and_observe

    def _observe_fetch(self, tp: TP, code: int) -> None:
        if (error := for_code(code)) in _BROKER_CANNOT_READ:
            self._unreadable_on_broker.add(tp)
            self.app.unreadable.failed(tp.topic, tp.partition, f"the broker answers {error.__name__}")
        elif tp in self._unreadable_on_broker:
            self._unreadable_on_broker.remove(tp)
            self.app.unreadable.read(tp.topic, tp.partition)

    async def on_thread_stop(self) -> None:
        """Leave the group and close the consumer, within a few seconds in any case.

        While the broker is away aiokafka waits for it without limit in order to leave the group; and it can
        end with the cancellation of a fetch of its own, upon which mode's thread dies and its owner waits 60
        s.
        """
        closing = asyncio.ensure_future(super().on_thread_stop())
        done, _ = await asyncio.wait({closing}, timeout=_LEAVE_TIMEOUT_S)
        if not done:
            closing.cancel()
            await asyncio.wait({closing})
        if not closing.cancelled() and (error := closing.exception()) is not None:
            logger.warning("the consumer did not close in an orderly way: %r", error)
        if self._consumer is not None:
            await self._consumer._client.close()

    @driver.ConsumerThread.task  # type: ignore[untyped-decorator]
    async def _check_group_errors(self) -> None:
        """Handle the group's errors; aiokafka's coordination does not continue before.

        aiokafka's ``getmany`` does this, which is not used here. An error that is not permanent ends the
        heartbeat; rejoining the group starts another.
        """
        while not self.should_stop:
            await self.sleep(_CHECK_ERRORS_EVERY_S)
            coordinator = getattr(self._consumer, "_coordinator", None)
            if coordinator is None:
                continue
            try:
                coordinator.check_errors()
            except _PERMANENT as error:
                self.parent_loop.call_soon_threadsafe(self._cannot_join, error)
                return
            except KafkaError as error:
                if coordinator._coordination_task.done():
                    self.parent_loop.call_soon_threadsafe(self._cannot_join, error)
                    return
                logger.warning("rejoining the group: %s", error)
                coordinator.request_rejoin()
            else:
                self._reclaim_orphans(coordinator)

    def _reclaim_orphans(self, coordinator: Any) -> None:
        """Rejoin the group if partitions that were taken from this worker are still assigned to it.

        Had they been assigned to others, a heartbeat would have shown it within a session.
        """
        orphaned = self.app.partitions.orphaned(self.app.config.session_timeout_s)
        if orphaned:
            logger.warning("rejoining the group: no worker judges partitions %s", orphaned)
            coordinator.request_rejoin()

    def _cannot_join(self, error: KafkaError) -> None:
        if isinstance(error, InvalidSessionTimeoutError):
            logger.critical(
                "the broker does not allow --session-timeout %gs: see its group.min.session.timeout.ms "
                "(6s unless set) and group.max.session.timeout.ms",
                self.app.config.session_timeout_s,
            )
        else:
            logger.critical("the consumer group cannot be joined: %s", error)
        self.app.crash_soon(error)

    def _stopped_set(self) -> None:
        """Set the event that it has stopped, even if a crash has closed its loop before.

        mode's own implementation fails on the closed loop, with a traceback that hides the relevant one.
        """
        if self.thread_loop.is_closed():
            self._stopped.set()
        else:
            super()._stopped_set()

    async def fetch(self, active: set[TP]) -> Fetched:
        """Return the fetched records of these partitions, waiting shortly for them."""
        fetched: Fetched = await self.call_thread(self._fetch, active)
        return fetched

    async def seek_all(self, positions: Mapping[TP, int | None]) -> None:
        """Fetch from these offsets on (None: the beginning); records fetched before are dropped."""
        await self.call_thread(self._seek_all, positions)

    async def _fetch(self, active: set[TP]) -> Fetched:
        """Runs on the consumer's thread, so that records and ends are of one moment.

        Faust's own ``_fetch_records`` returns only the records; the ends are needed together with them, and
        ListOffsets cannot provide them (the embedded broker's answer is too low).
        """
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        if not self.consumer.flow_active:
            return Fetched({}, {})
        with fetcher._subscriptions.fetch_context():
            await self._await_fetches(fetcher, active)
        records: dict[TP, Sequence[Record]] = {}
        missing: dict[Any, int] = {}
        for tp in self._fetched(fetcher, active):
            try:
                records[TP(tp.topic, tp.partition)] = self._drain(fetcher, tp)
            except OffsetOutOfRangeError as error:
                missing |= error.args[0]
            except NoOffsetForPartitionError:  # a rebalance came in between, and its seek is still to come
                pass
            except RecordTooLargeError as error:  # aiokafka 0.14 continues one offset further
                consumer.seek(tp, error.args[2])
                self._retry_later(tp, error.args[2], "its length is wrong")
        gaps = await self._gaps(consumer, missing) if missing else ()
        subscription = consumer._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return Fetched({}, {})
        self._forget_unreadable(assignment.tps)
        ends = {}
        for tp in assignment.tps - missing.keys():
            if isinstance(fetcher._records.get(tp), FetchError):
                continue  # its position may already be behind what could not be read
            end = end_of(assignment.state_value(tp), unreadable=tp in self._unreadable_on_broker)
            if end is not None:
                ends[TP(tp.topic, tp.partition)] = end
        return Fetched(records, ends, gaps)

    async def _await_fetches(self, fetcher: Any, active: set[TP]) -> None:
        """Wait shortly for a fetch response, unless one is buffered."""
        if fetcher._subscriptions.reassignment_in_progress:
            await fetcher._subscriptions.wait_for_assignment()
        if not self._fetched(fetcher, active):
            waiter = fetcher._create_fetch_waiter()
            done, _ = await asyncio.wait([waiter], timeout=_FETCH_TIMEOUT_S)
            if done:
                waiter.result()  # the group's errors come this way
            else:
                waiter.cancel()

    def _fetched(self, fetcher: Any, active: set[TP]) -> list[Any]:
        """Partitions with fetched records, without those to be retried later."""
        now = time.monotonic()
        return [tp for tp in fetcher._records if tp in active and self._unreadable.get(tp, now) <= now]

    def _drain(self, fetcher: Any, tp: Any) -> list[Record]:
        """Return all fetched records of a partition, as far as they can be read.

        aiokafka's ``fetched_records`` returns nothing if one batch of one partition cannot be read, and skips
        what it had read of the others by then. It also makes a data class of eleven fields of each record,
        which takes longer than all else that is done to read it.

        Raises:
            KafkaError: the broker returned an error instead.
        """
        found = fetcher._records.pop(tp)
        fetcher._notify(fetcher._wait_consume_future)  # it may fetch more of this partition
        if isinstance(found, FetchError):
            found.check_raise()
        records: list[Record] = []
        if found.check_assignment(tp):
            found._partition_records._consumer_record = self._making_records[tp.topic]
            try:
                records.extend(found._partition_records._records_iterator)
            except Exception as error:  # damaged bytes raise more than aiokafka's own exceptions
                self._retry_later(tp, found._partition_records.next_fetch_offset, repr(error))
            else:
                self._unreadable.pop(tp, None)
                self.app.unreadable.read(tp.topic, tp.partition)
            found._update_position()
        return records

    def _retry_later(self, tp: Any, offset: int, why: str) -> None:
        """Retry later, and serve other partitions until then."""
        self._unreadable[TP(tp.topic, tp.partition)] = time.monotonic() + READ_AGAIN_S
        self.app.unreadable.failed(tp.topic, tp.partition, f"the batch at offset {offset}: {why}")

    def _forget_unreadable(self, assigned: Collection[Any]) -> None:
        for tp in (self._unreadable.keys() | self._unreadable_on_broker) - set(assigned):
            self._unreadable.pop(tp, None)
            self._unreadable_on_broker.discard(tp)
            self.app.unreadable.forget(tp.topic, tp.partition)

    async def _first_offsets(self, consumer: Any, places: Sequence[Any]) -> Any:
        """Request the first offsets of partitions, until there is a response."""
        while True:
            try:
                return await consumer.beginning_offsets(places)
            except KafkaTimeoutError:
                continue

    async def _gaps(self, consumer: Any, wanted: Mapping[Any, int]) -> list[Gap]:
        first = await self._first_offsets(consumer, list(wanted))
        return [Gap(tp.topic, tp.partition, offset, first[tp]) for tp, offset in wanted.items()]

    async def _seek_all(self, positions: Mapping[TP, int | None]) -> None:
        consumer = self._ensure_consumer()
        new = [driver.ensure_aiokafka_TP(tp) for tp, offset in positions.items() if offset is None]
        first = await self._first_offsets(consumer, new) if new else {}
        for tp, offset in positions.items():
            ours = driver.ensure_aiokafka_TP(tp)
            consumer.seek(ours, first[ours] if offset is None else offset)
            consumer._fetcher._records.pop(
                ours, None
            )  # records fetched before, or the error of the missing offset
        assignment = consumer._subscription.subscription.assignment
        for tp in assignment.tps:  # an end seen before the seek is outdated: the next response has it
            state = assignment.state_value(tp)
            state.highwater = state.lso = None


def _record_of(name: str, tp: Any, fetched: Any) -> Record:
    """Return a record of a topic (without prefix) from what aiokafka has split a batch into."""
    return Record(name, tp.partition, fetched.offset, fetched.timestamp, fetched.key, fetched.value)


def end_of(state: Any, *, unreadable: bool) -> End | None:
    """Return how far a partition goes, from aiokafka's state of it; None: no fetch response yet.

    ``unreadable``: the broker cannot read the next batch. Then more records exist than the last response
    showed.
    """
    if not state.has_valid_position or state.highwater is None:
        return None
    end = state.highwater if state.lso is None or state.lso < 0 else state.lso
    least = state.position + 1 if unreadable else 0
    return End(state.position, max(end, least), max(state.highwater, least), state.timestamp)
