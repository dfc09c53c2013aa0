"""One partition's life on this worker: opened and recovered, fed, judged batch by batch, halted, closed.

What blocks (the broker, the disk, judging itself) runs on a thread of the pool, for one partition never two
things at a time; the event loop keeps the buffers and says what is next.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TypeVar

from confluent_kafka import KafkaException

from stream_attr.codec.versions import NewerVersionError
from stream_attr.contract.topics import CHANGELOG, TICKS
from stream_attr.processor.ports import PROGRESS_KEY, Batch, Judge, Record
from stream_attr.worker.config import Judging, LostInput, WorkerConfig
from stream_attr.worker.ops.broker_health import BrokerHealth
from stream_attr.worker.ops.dead_letter_log import DeadLetterLog
from stream_attr.worker.ops.metrics import Metrics
from stream_attr.worker.ops.unreadable import Unreadable
from stream_attr.worker.startup.topics_check import EVENTS, GLOBAL_TOPICS, INPUTS, INTERNAL_INPUTS
from stream_attr.worker.state.lineage import LINEAGE_KEY, Lineage, decode_lineage, encode_lineage, new_epoch
from stream_attr.worker.state.memory_budget import Memory
from stream_attr.worker.state.restore import Interrupted, catch_up
from stream_attr.worker.state.store import (
    GLOBAL_TABLES_KEY,
    Change,
    LocalStore,
    StoreDamagedError,
    StoreUnusableError,
    open_store,
)
from stream_attr.worker.task.committer import CommitError, Committer, Fenced, Undecided, open_committer
from stream_attr.worker.task.input_merge import End, Merge, Take
from stream_attr.worker.task.open_transactions import OpenTransactions
from stream_attr.worker.task.rewritten import rewritten
from stream_attr.worker.task.shop_tables import Consequences, GlobalTables
from stream_attr.worker.task.topic_ids import TopicRecreatedError

__all__ = ["FORESEEN", "Partition", "WorkerContext"]

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

FORESEEN = (CommitError, KafkaException, NewerVersionError, StoreUnusableError, TopicRecreatedError)
"""What a partition ends with whose message says it all."""

_GRACE_S = 4.0
"""How long the batch in hand may still take to be committed once the partition is to stop."""
_LOOK_UP_WAIT_S = 5.0
_LOOK_S = 0.1
_AT_ONCE_S = 20.0
_ATTEMPTS = 5
"""A batch that fails so often, each time at once, does so of itself: no broker was away."""
_PAUSE_S = 1.0


class WorkerContext:
    """What all partitions of a worker share."""

    def __init__(
        self,
        config: WorkerConfig,
        judging: Judging,
        global_tables: GlobalTables,
        metrics: Metrics,
        broker_health: BrokerHealth,
        unreadable: Unreadable,
        dead_letters: DeadLetterLog,
        pool: Executor,
        *,
        partitions: int,
        transactions: bool,
        topic_ids: Mapping[str, str],
    ) -> None:
        """``topic_ids``: by name, of the topics that offsets are counted on."""
        self.config = config
        self.memory = Memory(config.cache_mib)
        self.judging = judging
        self.global_tables = global_tables
        self.metrics = metrics
        self.broker_health = broker_health
        self.unreadable = unreadable
        self.dead_letters = dead_letters
        self.pool = pool
        self.partitions = partitions
        self.transactions = transactions
        self.topic_ids = topic_ids
        self.changelog_id = topic_ids.get(CHANGELOG, "")


class Partition:
    """The owner of one partition's store, producer, judge and buffers."""

    def __init__(self, number: int, around: WorkerContext, facts: int) -> None:
        """``facts``: how many facts of buyers it may keep decoded."""
        self.number = number
        self._facts = facts
        self.positions: dict[str, int] = {}
        """The next offset to be judged, per topic; a topic not named starts at its beginning."""
        self.merge = Merge({})
        self.open_transactions = OpenTransactions(number)
        self.lost_at: float | None = None
        """Since when, on the monotonic clock, it has to be opened anew: another worker has taken it over
        before the group has told us, or it was halted while it was not known what of a batch is committed."""
        self.state_size = 0
        """Bytes of local state, about."""
        self.busy_at = time.monotonic()
        """When events were last judged (or the partition opened), on the monotonic clock."""
        self._around = around
        self._halting = False
        self._patient_until = 0.0
        self._committing_since: float | None = None
        self._shops_awaited_since: float | None = None
        self._wake = asyncio.Event()
        self._in_hand = asyncio.Lock()
        self._taken: Sequence[Record] = ()
        self._committer: Committer | None = None
        self._store: LocalStore | None = None
        self._judge: Judge | None = None
        self._progress: bytes | None = None
        self._known: bytes | None = None
        self._epoch = new_epoch()
        self._lineage = Lineage()
        self._recreated: Sequence[str] = ()
        """Topics that are others than those that the changelog's progress tells of."""
        self._changelog_end = 0
        """The changelog's next offset, as far as it is known here."""
        self._global_tables_seen = -1
        self._failed_at_once = 0

    # -- on the event loop

    async def open(self) -> bool:
        """Take the partition over and recover its state; False when halted meanwhile (closed again then).

        Raises:
            CommitError, KafkaException, StoreBusy: it cannot be had; it is closed again.
            NewerVersionError: a newer program has written its state; it is closed again.
            TopicRecreatedError: a topic is another one than its state was made of; it is closed again.
        """
        try:
            await self._on_thread(self._open)
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
        self._facts = facts
        if self._judge is not None:
            self._judge.keep_decoded(facts)

    def resume(self) -> None:
        """Be ready for records from ``positions`` on; what was buffered before is forgotten."""
        self.merge = Merge(self.positions)
        self._taken = ()
        self._halting = False
        self.busy_at = time.monotonic()

    def lag(self, topic: str) -> int | None:
        """Offsets between what is judged and committed and the end; None before the first fetch response."""
        waiting = self.merge.lag(topic)
        if waiting is None:
            return None
        return waiting + sum(record.topic == topic for record in self._taken)

    def why_waiting(self, patience_s: float) -> str | None:
        """What a batch has been waiting for longer than that; None: there is no such batch."""
        now = time.monotonic()
        for since, what in (
            (self._committing_since, "to be committed"),
            (self._shops_awaited_since, "for the settings and rosters of new shops"),
        ):
            if since is not None and now - since > patience_s:
                return f"a batch has been waiting {now - since:.0f} s {what}"
        return None

    async def run(self) -> None:
        """Judge what is offered until halted.

        Raises:
            Exception: whatever a batch raised; nothing of that batch was committed.
        """
        config = self._around.config
        while not self._halting:
            try:
                take = await self._next()
            except Fenced as error:
                logger.warning("partition %s has another owner now: %s", self.number, error)
                self.lost_at = time.monotonic()
                return
            except Interrupted:
                return
            if take is None:
                await self._wake.wait()
                self._wake.clear()
            elif self.merge.caught_up() and self.merge.ready() < config.batch_records:
                await asyncio.sleep(config.linger_ms / 1000)

    async def _next(self) -> Take | None:
        """Judge and commit one batch; None: nothing to judge."""
        if self._global_tables_seen != self._around.global_tables.records:
            await self._on_thread(self._catch_up_with_global_tables)
        take = self.merge.take(self._around.config.batch_records)
        if take is not None:
            self._taken = take.records
            await self._catch_up_with_shops(take.records)
            await self._on_thread(lambda: self._judge_take(take))
            self._taken = ()
        return take

    async def _catch_up_with_shops(self, records: Sequence[Record]) -> None:
        """Wait until settings and rosters are read as far as they went when a shop's first events came in.

        Raises:
            Interrupted: halted before.
        """
        global_tables = self._around.global_tables
        unknown = global_tables.unknown_shops(records)
        if not unknown:
            return
        known = asyncio.wrap_future(global_tables.catch_up(unknown))
        self._shops_awaited_since = time.monotonic()
        try:
            while not known.done():
                if self._halting:
                    raise Interrupted
                await asyncio.wait({known}, timeout=_LOOK_S)
        finally:
            self._shops_awaited_since = None

    def offer(self, topic: str, records: Sequence[Record]) -> None:
        """Buffer fetched records."""
        if records and not self._halting:
            self.merge.offer(topic, records)
            self._wake.set()

    def observe(self, topic: str, end: End) -> None:
        """Learn how far a topic goes."""
        self.open_transactions.observe(self._around.config.topic(topic), end)
        if not self._halting:
            self.merge.observe(topic, end)
            self._wake.set()

    def wake(self) -> None:
        """Look again: settings or roster have changed."""
        self._wake.set()

    def halt(self) -> None:
        """Stop after the batch in hand, if that can be committed soon; recovery stops where it is."""
        if not self._halting:
            self._patient_until = time.monotonic() + _GRACE_S
        self._halting = True
        self._wake.set()

    async def close(self) -> None:
        """Let go of store and producer; after ``run`` has returned."""
        await self._on_thread(self._close)
        self._around.metrics.forget(self.number)

    async def find_order(self, shop_id: str, order_id: str) -> bytes | None:
        """The last decision on an order as JSON, after the batch in hand.

        Raises:
            TimeoutError: that takes too long, as while the broker is away.
        """
        return await self._on_thread(lambda: self._find_order(shop_id, order_id), _LOOK_UP_WAIT_S)

    async def _on_thread(self, call: Callable[[], _T], patience_s: float | None = None) -> _T:
        await asyncio.wait_for(self._in_hand.acquire(), patience_s)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._around.pool, call)
        finally:
            self._in_hand.release()

    # -- on a thread of the pool

    def _open(self) -> None:
        config = self._around.config
        if self._halting:
            raise Interrupted
        self._fence(lambda: self._halting)
        self._store = open_store(config.store, config.data_dir, self.number, self._around.memory)
        self._recover(lambda: self._halting)
        self._begin_recreated()

    def _begin_recreated(self) -> None:
        """Commit that topics are read from their beginning: the next owner must not take them for the old."""
        while self._recreated:
            assert self._judge is not None
            with self._around.global_tables.lock:
                batch = self._judge.process((), frozenset())
            if self._commit(batch, [(GLOBAL_TABLES_KEY, self._known)]):
                self._recreated = []

    def _require_same_inputs(self) -> None:
        """Have the partition opened anew where a recovery has found other inputs, of which reading goes on.

        Raises:
            Fenced: it has.
        """
        if self._recreated:
            raise Fenced("inputs are read from their beginning")

    def _fence(self, stop: Callable[[], bool]) -> None:
        """Be the one who may commit, whoever was it before; waits for a broker that is away."""
        around = self._around
        try:
            self._committer = open_committer(
                around.config, self.number, transactions=around.transactions, stop=stop
            )
        except Undecided as error:
            if stop():
                raise Interrupted from error
            raise

    def _recover(self, stop: Callable[[], bool]) -> None:
        """Bring the store to the changelog's end, and have a judge begin from there."""
        assert self._store is not None
        try:
            self._catch_up(stop)
        except StoreDamagedError as error:
            self._throw_away(error)
            self._catch_up(stop)

    def _throw_away(self, error: StoreDamagedError) -> None:
        """Clear a store whose files are damaged."""
        assert self._store is not None
        logger.warning("partition %s: local state thrown away: %s", self.number, error)
        self._judge = None
        self._store.clear()

    def _on_whole_store(self, call: Callable[[], _T]) -> _T:
        """Call; should files of the store turn out to be damaged, again on one that was built anew."""
        try:
            return call()
        except StoreDamagedError as error:
            with self._lost_unless_recovered():
                self._throw_away(error)
                self._catch_up(self._impatient)
            return call()

    @contextmanager
    def _lost_unless_recovered(self) -> Iterator[None]:
        """Have the partition opened anew, should what is done here not come to its end."""
        try:
            yield
        except BaseException:
            self._judge = None
            self.lost_at = time.monotonic()
            raise

    def _catch_up(self, stop: Callable[[], bool]) -> None:
        around, config = self._around, self._around.config
        assert self._store is not None
        goes_on = config.lost_input is LostInput.CONTINUE
        own = decode_lineage(self._store.get(LINEAGE_KEY))
        lost = bool(own.recreated(around.topic_ids, [CHANGELOG])) and not own.recreated(
            around.topic_ids, EVENTS
        )
        caught = catch_up(
            self._store,
            broker=config.broker,
            security=config.security,
            group=config.group,
            topic=config.topic(CHANGELOG),
            partition=self.number,
            identity=around.changelog_id,
            stop=stop,
            unreadable=around.unreadable,
            may_be_empty=goes_on or not lost,
        )
        self._progress = self._store.get(PROGRESS_KEY)
        self._known = self._store.get(GLOBAL_TABLES_KEY)
        recreated = caught.lineage.recreated(around.topic_ids, (*INPUTS, *GLOBAL_TOPICS))
        self._accept(recreated, TopicRecreatedError.of)
        judged = {name: last for name, last in caught.lineage.judged.items() if name not in recreated}
        changed = rewritten(config, self.number, judged, stop)
        self._accept(changed, TopicRecreatedError.of_rewritten)
        self._recreated = recreated + changed
        if not set(self._recreated).isdisjoint(GLOBAL_TOPICS):
            self._known = None  # all that is in them now is new
        self._lineage = caught.lineage.begun(
            self._epoch, caught.offset, around.topic_ids, CHANGELOG, self._recreated
        )
        self._changelog_end = caught.offset
        if caught.unended and self._progress is not None:
            self._complete_open_transaction(self._progress, stop)
        self.state_size = self._store.size()
        with around.global_tables.lock:
            self._judge = around.judging.judge(self.number, around.partitions, self._store)
            self._judge.keep_decoded(self._facts)
            self.positions = dict(self._judge.restore(self._progress, self._recreated))

    def _accept(
        self, recreated: Sequence[str], error: Callable[[Sequence[str], str], TopicRecreatedError]
    ) -> None:
        """Return if it is right to read these topics from their beginning.

        Old ticks are worth nothing: a later one says more.

        Raises:
            TopicRecreatedError: it is not.
        """
        config = self._around.config
        if not recreated:
            return
        topics = [config.topic(name) for name in recreated]
        if config.lost_input is LostInput.STOP and set(recreated) != {TICKS}:
            raise error(
                topics,
                f"what partition {self.number} has judged are offsets of the old, and nothing of the new has "
                "been judged. To read the new from its beginning (what is known counts once; what only the "
                "old held is lost), start once with --lost-input continue. See "
                "docs/operations.md#a-topic-made-anew",
            )
        logger.error(
            "partition %s: %s made anew or rewritten; read from the beginning",
            self.number,
            " and ".join(topics),
        )

    def _complete_open_transaction(self, progress: bytes, stop: Callable[[], bool]) -> None:
        """Commit what is known anyway: that ends the transaction that the broker has lost sight of."""
        assert self._committer is not None
        assert self._store is not None
        logger.warning(
            "partition %s: its last transaction has not ended in the changelog; ending it", self.number
        )
        marks = [(PROGRESS_KEY, progress), (LINEAGE_KEY, encode_lineage(self._lineage))]
        self._changelog_end = self._committer.commit((), (), marks, stop, self._changelog_end)
        self._store.write(marks, self._around.changelog_id, self._changelog_end)

    def _judge_take(self, take: Take) -> None:
        def judge() -> Batch:
            assert self._judge is not None
            with self._around.global_tables.lock:
                return self._judge.process(take.records, take.at_end, take.positions)

        committed = False
        while not committed:
            self._require_same_inputs()
            started = time.perf_counter()
            batch = self._on_whole_store(judge)
            judged = time.perf_counter()
            self._lineage = self._lineage.having_judged(take.records)
            committed = self._commit(batch)
        self._around.metrics.judged(
            self.number,
            batch,
            sum(record.topic not in INTERNAL_INPUTS for record in take.records),
            judged - started,
            time.perf_counter() - judged,
        )
        for record in take.records:
            self.positions[record.topic] = record.offset + 1
        self.positions |= take.positions
        if any(record.topic in EVENTS for record in take.records):
            self.busy_at = time.monotonic()

    def _catch_up_with_global_tables(self) -> None:
        """Judge the changed shops again, and hand over the refused records' dead letters, once each."""

        def look() -> tuple[int, Consequences | None, list[Batch]]:
            assert self._judge is not None
            with self._around.global_tables.lock:
                seen = self._around.global_tables.records
                owed = self._around.global_tables.consequences(self._known, self.number)
                shops = sorted(owed.shops) if owed else []
                return seen, owed, [self._judge.refresh(shop_id) for shop_id in shops]

        while True:
            self._require_same_inputs()
            seen, owed, refreshed = self._on_whole_store(look)
            if owed is None:
                self._global_tables_seen = seen
                return
            whole = Batch(outputs=list(owed.dead_letters))
            for batch in refreshed:  # a buyer is one shop's: no change stands against another
                whole.outputs += batch.outputs
                whole.changes |= batch.changes
                whole.progress = batch.progress or whole.progress
            if self._commit(whole, [(GLOBAL_TABLES_KEY, owed.known)]):
                break
        self._global_tables_seen = seen
        for batch in refreshed:
            self._around.metrics.counted(self.number, batch)
        self._around.metrics.refused(owed.dead_letters)
        self._known = owed.known

    def _commit(self, batch: Batch, known: Sequence[Change] = ()) -> bool:
        """Make a batch durable, then bring the local store after it.

        False: it was not committed, which took some finding out; the judge has been set back and must judge
        again.

        Raises:
            Interrupted: halted while the broker was away.
            Fenced: another worker has the partition.
            CommitError: it fails again and again.
        """
        assert self._committer is not None
        assert self._store is not None
        progress = batch.progress or self._progress
        if not (batch.outputs or batch.changes or known) and progress == self._progress:
            return True
        marks = [*known, *([(PROGRESS_KEY, progress)] if progress else [])]
        marks.append((LINEAGE_KEY, encode_lineage(self._lineage)))
        self._committing_since = self._committing_since or time.monotonic()
        started = time.monotonic()
        try:
            offset = self._committer.commit(
                batch.outputs, batch.changes.items(), marks, self._impatient, self._changelog_end
            )
        except Undecided as error:
            self._failed_at_once = self._failed_at_once + 1 if time.monotonic() - started < _AT_ONCE_S else 0
            if self._failed_at_once >= _ATTEMPTS:
                raise CommitError(str(error)) from error
            if self._failed_at_once > 1:
                time.sleep(_PAUSE_S)
            committed = self._resolve_in_doubt(error, dict(marks))
        else:
            self._changelog_end = offset
            store, changes = self._store, [*batch.changes.items(), *marks]
            self._on_whole_store(lambda: store.write(changes, self._around.changelog_id, offset))
            self._progress = progress
            self.state_size = self._store.size()
            committed = True
        if committed:
            self._failed_at_once = 0
            self._committing_since = None
            self._around.broker_health.record_response()
            self._around.dead_letters.add(batch.outputs)
        return committed

    def _resolve_in_doubt(self, error: Undecided, marks: Mapping[bytes, bytes | None]) -> bool:
        """Read from the changelog whether a batch was committed; what it left open is aborted before.

        Its last records tell: the progress, and how far settings and roster were known.
        """
        before = self._progress, self._known
        after = marks.get(PROGRESS_KEY, self._progress), marks.get(GLOBAL_TABLES_KEY, self._known)
        self._judge = None
        self._close_committer()
        if not self._impatient():
            logger.warning(
                "partition %s: it is not known whether a batch is committed: %s", self.number, error
            )
        with self._lost_unless_recovered():
            self._fence(self._impatient)
            self._recover(self._impatient)
        found = self._progress, self._known
        if found not in (before, after):
            raise Fenced("it has committed meanwhile")
        logger.warning(
            "partition %s: it is%s committed; going on", self.number, "" if found == after else " not"
        )
        return found == after

    def _impatient(self) -> bool:
        """Whether waiting for the broker must end."""
        return self._halting and time.monotonic() > self._patient_until

    def _find_order(self, shop_id: str, order_id: str) -> bytes | None:
        def find() -> bytes | None:
            if self._judge is None:
                return None
            with self._around.global_tables.lock:
                return self._judge.find_order(shop_id, order_id)

        return self._on_whole_store(find)

    def _close_committer(self) -> None:
        committer, self._committer = self._committer, None
        if committer is not None:
            committer.close()

    def _close(self) -> None:
        store, self._store = self._store, None
        self._judge = None
        self._close_committer()
        if store is not None:
            store.close()
