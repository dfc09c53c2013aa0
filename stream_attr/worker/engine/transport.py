"""Faust's seam for the data path: whole fetches go to their partitions, past Faust's per-message path.

Seen in faust-streaming 0.15.3 and aiokafka 0.14; ``tests/worker/test_engine_contract.py`` fails when a
release changes what is leant on here. Faust keeps the group membership, the assignment, the consumer's thread
with its heartbeat, and the life cycle. Of each record it would make eleven callbacks and four tasks, some
0.4 ms.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
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
    TopicAuthorizationFailedError,
    UnknownError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream_attr.processor.ports import Record
from stream_attr.worker.ops.unreadable import READ_AGAIN_S
from stream_attr.worker.task.assignment import Assignment
from stream_attr.worker.task.input_merge import End
from stream_attr.worker.task.lost_input import Gap, InputLostError

__all__ = ["Consumer", "ConsumerThread", "Fetched", "Transport"]

logger = logging.getLogger(__name__)

_FETCH_MAX_WAIT_MS = 100
_FETCH_TIMEOUT_S = 0.1
_FULL_PAUSE_S = 0.02
_LEAVE_PATIENCE_S = 3.0
_HEED_EVERY_S = 0.5
_REFUSED = (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
)
"""What the group's coordinator will not think better of."""
_BROKER_CANNOT_READ = (CorruptRecordException, KafkaStorageError, UnknownError)
"""What a broker answers to a fetch where its disk or what lies there is damaged."""


class Fetched(NamedTuple):
    """What one look at the fetcher's buffers brought."""

    records: Mapping[TP, Sequence[Any]]
    """aiokafka's consumer records."""
    ends: Mapping[TP, End]
    """Of every assigned partition of which a fetch response has told the end."""
    gaps: Sequence[Gap] = ()
    """Where the offset to be read is not there."""


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Runs the aiokafka consumer, its fetches and its heartbeat, on a loop of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unreadable: dict[TP, float] = {}
        """Partitions whose next batch cannot be read here, and when, on the monotonic clock, to try again."""
        self._unreadable_there: set[TP] = set()
        """Partitions whose next batch the broker cannot read."""

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        """Set what Faust 0.15.3 fixes and has no setting for, before the consumer starts.

        It asks brokers to hold an empty fetch for 1,500 ms, which lets an idle partition hold up a busy one,
        and reads uncommitted unless Faust itself does the transactions.
        """
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_MAX_WAIT_MS
        consumer._isolation_level = "read_committed"
        self._note_answers(consumer._client)
        return consumer

    def _note_answers(self, client: Any) -> None:
        """Have every answer of a broker noted: to fetches, heartbeats and what else the consumer asks.

        That the broker itself cannot read what it holds, aiokafka only logs, and asks again.
        """
        send, record_response = client.send, self.app.broker_health.record_response

        async def send_and_note(node: Any, request: Any, **kwargs: Any) -> Any:
            answer = await send(node, request, **kwargs)
            record_response()
            if isinstance(request, FetchRequest):
                for topic, partitions in answer.topics:
                    for partition, code, *_ in partitions:
                        self._note_fetch(TP(topic, partition), code)
            return answer

        client.send = send_and_note

    def _note_fetch(self, tp: TP, code: int) -> None:
        if (error := for_code(code)) in _BROKER_CANNOT_READ:
            self._unreadable_there.add(tp)
            self.app.unreadable.failed(tp.topic, tp.partition, f"the broker answers {error.__name__}")
        elif tp in self._unreadable_there:
            self._unreadable_there.remove(tp)
            self.app.unreadable.read(tp.topic, tp.partition)

    async def on_thread_stop(self) -> None:
        """Leave the group and close the consumer, within some seconds whatever becomes of it.

        While the broker is away aiokafka waits for it without end, to say good-bye; and it can end with the
        cancellation of a fetch of its own, upon which mode's thread dies and its owner waits 60 s for it.
        """
        closing = asyncio.ensure_future(super().on_thread_stop())
        done, _ = await asyncio.wait({closing}, timeout=_LEAVE_PATIENCE_S)
        if not done:
            closing.cancel()
            await asyncio.wait({closing})
        if not closing.cancelled() and (error := closing.exception()) is not None:
            logger.warning("the consumer did not close in an orderly way: %r", error)
        if self._consumer is not None:
            await self._consumer._client.close()

    @driver.ConsumerThread.task  # type: ignore[untyped-decorator]
    async def _heed_errors(self) -> None:
        """Take note of the group's errors, for which aiokafka's coordination waits before it goes on.

        Its own ``getmany`` does this, which is not used here. What is not for good ends a heartbeat: joining
        anew begins another.
        """
        while not self.should_stop:
            await self.sleep(_HEED_EVERY_S)
            coordinator = getattr(self._consumer, "_coordinator", None)
            if coordinator is None:
                continue
            try:
                coordinator.check_errors()
            except _REFUSED as error:
                self.parent_loop.call_soon_threadsafe(self._refused, error)
                return
            except KafkaError as error:
                if coordinator._coordination_task.done():
                    self.parent_loop.call_soon_threadsafe(self._refused, error)
                    return
                logger.warning("joining the group anew: %s", error)
                coordinator.request_rejoin()
            else:
                self._adopt(coordinator)

    def _adopt(self, coordinator: Any) -> None:
        """Have the group say again whose the partitions are that were taken from this worker.

        Had it given them to others, a heartbeat would have told within a session.
        """
        orphaned = self.app.partitions.orphaned(self.app.config.session_timeout_s)
        if orphaned:
            logger.warning("joining the group anew: nobody judges partitions %s", orphaned)
            coordinator.request_rejoin()

    def _refused(self, error: KafkaError) -> None:
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
        """Say that it has stopped, also where a crash has ended and closed its loop before.

        mode's own then fails on the closed loop, with a traceback that hides the one that matters.
        """
        if self.thread_loop.is_closed():
            self._stopped.set()
        else:
            super()._stopped_set()

    async def fetch(self, active: set[TP]) -> Fetched:
        """Take what has been fetched of these partitions, waiting a moment for it."""
        fetched: Fetched = await self.call_thread(self._fetch, active)
        return fetched

    async def seek_all(self, positions: Mapping[TP, int | None]) -> None:
        """Fetch on from these offsets (None: the beginning); what was fetched from elsewhere is dropped."""
        await self.call_thread(self._seek_all, positions)

    async def _fetch(self, active: set[TP]) -> Fetched:
        """On the consumer's thread: records and ends are of one moment.

        Faust's own ``_fetch_records`` returns the records alone; the ends have to be known together with
        them, and ListOffsets is no source for ends (the embedded broker's answer is too low).
        """
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        if not self.consumer.flow_active:
            return Fetched({}, {})
        with fetcher._subscriptions.fetch_context():
            await self._await_fetches(fetcher, active)
        records: dict[TP, Sequence[Any]] = {}
        missing: dict[Any, int] = {}
        for tp in self._fetched(fetcher, active):
            try:
                records[TP(tp.topic, tp.partition)] = self._drain(fetcher, tp)
            except OffsetOutOfRangeError as error:
                missing |= error.args[0]
            except NoOffsetForPartitionError:  # a rebalance came in between, its seek has not come yet
                pass
            except RecordTooLargeError as error:  # aiokafka 0.14 goes on one offset further
                consumer.seek(tp, error.args[2])
                self._put_off(tp, error.args[2], "it does not end where it says")
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
            end = end_of(assignment.state_value(tp), unreadable=tp in self._unreadable_there)
            if end is not None:
                ends[TP(tp.topic, tp.partition)] = end
        return Fetched(records, ends, gaps)

    async def _await_fetches(self, fetcher: Any, active: set[TP]) -> None:
        """Wait a moment for a fetch response, unless one is at hand."""
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
        """Partitions of which something is at hand, those left out that are to be tried again later."""
        now = time.monotonic()
        return [tp for tp in fetcher._records if tp in active and self._unreadable.get(tp, now) <= now]

    def _drain(self, fetcher: Any, tp: Any) -> list[Any]:
        """Take all that was fetched of a partition, as far as it can be read.

        aiokafka's ``fetched_records`` hands nothing over where one batch of one partition cannot be read, and
        goes on behind what it had read of the others by then.

        Raises:
            KafkaError: the broker sent none.
        """
        found = fetcher._records.pop(tp)
        fetcher._notify(fetcher._wait_consume_future)  # it may fetch more of this partition
        if isinstance(found, FetchError):
            found.check_raise()
        records: list[Any] = []
        if found.check_assignment(tp):
            try:
                records.extend(found._partition_records)
            except Exception as error:  # what damaged bytes raise is not only aiokafka's own
                self._put_off(tp, found._partition_records.next_fetch_offset, repr(error))
            else:
                self._unreadable.pop(tp, None)
                self.app.unreadable.read(tp.topic, tp.partition)
            found._update_position()
        return records

    def _put_off(self, tp: Any, offset: int, why: str) -> None:
        """Try again later, and leave to other partitions what time there is until then."""
        self._unreadable[TP(tp.topic, tp.partition)] = time.monotonic() + READ_AGAIN_S
        self.app.unreadable.failed(tp.topic, tp.partition, f"the batch at offset {offset}: {why}")

    def _forget_unreadable(self, but_for: Collection[Any]) -> None:
        for tp in (self._unreadable.keys() | self._unreadable_there) - set(but_for):
            self._unreadable.pop(tp, None)
            self._unreadable_there.discard(tp)
            self.app.unreadable.forget(tp.topic, tp.partition)

    async def _first_offsets(self, consumer: Any, places: Sequence[Any]) -> Any:
        """Where topics begin; asked until there is an answer."""
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
            consumer._fetcher._records.pop(ours, None)  # fetched before, or the error that there is no offset
        assignment = consumer._subscription.subscription.assignment
        for tp in assignment.tps:  # an end that was seen before the seek is old: the next response tells it
            state = assignment.state_value(tp)
            state.highwater = state.lso = None


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer, but for who gets the records and who says where to read on."""

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
        """Hand over whole fetches; Faust's own loop awaits a callback per message here.

        Faust's fetcher takes a cancellation during a rebalance for a crash, even a shutdown's: that one ends
        here.
        """
        try:
            await self._hand_over(fetcher)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _hand_over(self, fetcher: Any) -> None:
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
                await self.sleep(_FULL_PAUSE_S)
                continue
            try:
                await self._fetch_once(active, topic_names)
            except TopicAuthorizationFailedError as error:
                logger.critical(
                    "the broker does not let this user read topic %s", ", ".join(map(str, error.args))
                )
                self.app.crash_soon(error)
                await self.wait_for_stopped()

    async def _fetch_once(self, active: set[TP], topic_names: Mapping[str, str]) -> None:
        async with self._fetching:
            fetched = await self._thread.fetch(active)
            if not self.flow_active:  # a rebalance has begun: the seek that ends it brings these again
                return
            for tp, found in fetched.records.items():
                self.app.retention.see(topic_names[tp.topic], found)
            self._partitions.deliver(
                {
                    (topic_names[tp.topic], tp.partition): _records(topic_names[tp.topic], found)
                    for tp, found in fetched.records.items()
                },
                {(topic_names[tp.topic], tp.partition): end for tp, end in fetched.ends.items()},
            )
            for gap in fetched.gaps:
                await self._pass_over(gap, topic_names[gap.topic])

    async def _pass_over(self, gap: Gap, name: str) -> None:
        """Go on behind a gap, or stop the worker before it."""
        try:
            gap.pass_over(name, self.app.config.lost_input)
        except InputLostError as error:
            logger.critical("%s", error)
            self.app.crash_soon(error)
            await self.wait_for_stopped()
        else:
            logger.error("%s; going on without them", gap)
            self.app.metrics.lost(gap.partition, name, gap.lost)
            await self._thread.seek_all({TP(gap.topic, gap.partition): gap.first})

    async def seek_to(self, positions: Mapping[TP, int | None]) -> None:
        """Read on from these offsets. The flow is stopped, so no fetch begins before it is resumed."""
        async with self._fetching:
            await self._thread.seek_all(positions)

    async def wait_empty(self) -> None:
        """Finish the batches in hand. Faust calls this when partitions are revoked and when it stops."""
        await self._partitions.halt()

    async def on_stop(self) -> None:
        """Close the partitions before Faust leaves the group."""
        await self._partitions.close()
        await super().on_stop()

    async def perform_seek(self) -> None:
        """Do nothing: positions come from the progress records, not from the group's offsets."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: it complains of Faust streams that get no events, and none is in use."""


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with our consumer."""

    Consumer = Consumer


def end_of(state: Any, *, unreadable: bool) -> End | None:
    """How far a partition goes, as aiokafka's state of it says; None: no fetch response has said so yet.

    ``unreadable``: the broker cannot read what comes next. Then there is more, and the numbers are of before.
    """
    if not state.has_valid_position or state.highwater is None:
        return None
    end = state.highwater if state.lso is None or state.lso < 0 else state.lso
    least = state.position + 1 if unreadable else 0
    return End(state.position, max(end, least), max(state.highwater, least), state.timestamp)


def _records(topic: str, found: Sequence[Any]) -> list[Record]:
    return [
        Record(topic, record.partition, record.offset, record.timestamp, record.key, record.value)
        for record in found
    ]
