"""One partition's state on this worker: its producer, store and judge, and how a batch gets into all of them.

Everything here blocks (on the broker, the disk, or judging) and runs on a thread of the pool, one call at a
time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from stream_attr.codec.internal.seen_inputs import (
    SEEN_INPUTS_KEY,
    SeenInputs,
    decode_seen_inputs,
    encode_seen_inputs,
)
from stream_attr.contract.topics import CHANGELOG
from stream_attr.processor.ports import PROGRESS_KEY, Batch, Judge
from stream_attr.processor.watermark import WATERMARK_TOPICS
from stream_attr.worker.config import LostInput
from stream_attr.worker.context import WorkerContext
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS, INTERNAL_INPUTS
from stream_attr.worker.state.lineage import LINEAGE_KEY, Lineage, decode_lineage, encode_lineage, new_epoch
from stream_attr.worker.state.restore import Interrupted, restore
from stream_attr.worker.state.store import (
    GLOBAL_TABLES_KEY,
    Change,
    LocalStore,
    StoreDamagedError,
    open_store,
)
from stream_attr.worker.task.changed_inputs import changed_inputs
from stream_attr.worker.task.committer import CommitError, CommitInDoubt, Committer, Fenced, open_committer
from stream_attr.worker.task.input_merge import Take
from stream_attr.worker.task.shop_tables import TableChanges

__all__ = ["PartitionState"]

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_QUICK_FAILURE_S = 20.0
_MAX_QUICK_FAILURES = 5
"""A commit that fails so often in a row, each time within that time, fails for a reason of its own: the
broker was not away."""
_PAUSE_S = 1.0

Stop = Callable[[], bool]


class PartitionState:
    """The owner of one partition's producer, store and judge."""

    def __init__(
        self, number: int, context: WorkerContext, cached_facts: int, halting: Stop, out_of_patience: Stop
    ) -> None:
        """``cached_facts``: how many facts of buyers may stay decoded.

        ``halting``: whether the partition is to stop. ``out_of_patience``: whether it is to stop, and the
        time for the current batch is over.
        """
        self.positions: dict[str, int] = {}
        """The next offset to be judged, per topic; a topic that is absent starts at its beginning."""
        self.lost_at: float | None = None
        """Since when, on the monotonic clock, the partition has to be reopened: another worker has taken it
        over before this one was notified by the group, or it was halted while a commit was in doubt."""
        self.size = 0
        """Estimate of the local state in bytes."""
        self.committing_since: float | None = None
        """Since when, on the monotonic clock, the current batch is being committed."""
        self.table_records = -1
        """How many records the global tables had when this partition last judged with them."""
        self._number = number
        self._context = context
        self._cached_facts = cached_facts
        self._halting = halting
        self._out_of_patience = out_of_patience
        self._committer: Committer | None = None
        self._store: LocalStore | None = None
        self._judge: Judge | None = None
        self._progress: bytes | None = None
        self._table_offsets: bytes | None = None
        self._epoch = new_epoch()
        self._lineage = Lineage()
        self._seen_inputs = SeenInputs()
        self._from_beginning: Sequence[str] = ()
        """Topics that were recreated or rewritten since the changelog's progress was written."""
        self._changelog_end = 0
        """The changelog's next offset, as far as it is known here."""
        self._quick_failures = 0

    def open(self) -> None:
        """Fence former owners, and restore the state.

        Raises:
            Interrupted: halted before.
            CommitError, KafkaException, NewerVersionError, StoreBusy, TopicRecreatedError: it cannot be
                opened.
        """
        config = self._context.config
        if self._halting():
            raise Interrupted
        self._fence(self._halting)
        self._store = open_store(config.store, config.data_dir, self._number, self._context.memory)
        self._restore(self._halting)
        self._commit_reset_positions()

    def close(self) -> None:
        """Release store and producer."""
        store, self._store = self._store, None
        self._judge = None
        self._close_committer()
        if store is not None:
            store.close()

    def keep_decoded(self, facts: int) -> None:
        """Keep so many facts of buyers decoded from now on."""
        self._cached_facts = facts
        if self._judge is not None:
            self._judge.keep_decoded(facts)

    def process(self, take: Take) -> None:
        """Judge records, and commit the result.

        Raises:
            Interrupted: halted while the broker was away.
            Fenced: another worker has the partition.
            Exception: whatever judging raised; nothing of the batch was committed.
        """

        def judge() -> Batch:
            assert self._judge is not None
            with self._context.global_tables.lock:
                return self._judge.process(take.records, take.at_end, take.positions)

        committed = False
        while not committed:
            self._require_same_inputs()
            started = time.perf_counter()
            batch = self._repairing_store(judge)
            judged = time.perf_counter()
            self._lineage = self._lineage.having_judged(take.records)
            committed = self._commit(batch)
        self._context.metrics.judged(
            self._number,
            batch,
            sum(record.topic not in INTERNAL_INPUTS for record in take.records),
            judged - started,
            time.perf_counter() - judged,
        )
        for record in take.records:
            self.positions[record.topic] = record.offset + 1
        self.positions |= take.positions

    def apply_table_changes(self) -> None:
        """Judge the changed shops again, and emit the dead letters of refused records, once each.

        Raises:
            See ``process``.
        """

        def refresh() -> tuple[int, TableChanges | None, list[Batch]]:
            assert self._judge is not None
            tables = self._context.global_tables
            with tables.lock:
                changes = tables.changes_since(self._table_offsets, self._number)
                shops = sorted(changes.shops) if changes else []
                return tables.records, changes, [self._judge.refresh(shop_id) for shop_id in shops]

        while True:
            self._require_same_inputs()
            records, changes, refreshed = self._repairing_store(refresh)
            if changes is None:
                self.table_records = records
                return
            combined = Batch(outputs=list(changes.dead_letters))
            for batch in refreshed:  # a buyer belongs to one shop: no two batches change the same key
                combined.outputs += batch.outputs
                combined.changes |= batch.changes
                combined.progress = batch.progress or combined.progress
            if self._commit(combined, [(GLOBAL_TABLES_KEY, changes.offsets)]):
                break
        self.table_records = records
        for batch in refreshed:
            self._context.metrics.counted(self._number, batch)
        self._context.metrics.refused(changes.dead_letters)
        self._table_offsets = changes.offsets

    def find_order(self, shop_id: str, order_id: str) -> bytes | None:
        """The last decision on an order as JSON; None: this partition does not hold it."""

        def find() -> bytes | None:
            if self._judge is None:
                return None
            with self._context.global_tables.lock:
                return self._judge.find_order(shop_id, order_id)

        return self._repairing_store(find)

    # -- taking over and restoring

    def _fence(self, stop: Stop) -> None:
        """Become the only producer that may commit for this partition; waits for a broker that is away."""
        context = self._context
        try:
            self._committer = open_committer(
                context.config, self._number, transactions=context.transactions, stop=stop
            )
        except CommitInDoubt as error:
            if stop():
                raise Interrupted from error
            raise

    def _close_committer(self) -> None:
        committer, self._committer = self._committer, None
        if committer is not None:
            committer.close()

    def _restore(self, stop: Stop) -> None:
        """Bring the store to the changelog's end, and a judge with it; rebuild a damaged store."""
        try:
            self._catch_up(stop)
        except StoreDamagedError as error:
            self._discard(error)
            self._catch_up(stop)

    def _discard(self, error: StoreDamagedError) -> None:
        """Clear a store whose files are damaged."""
        assert self._store is not None
        logger.warning("partition %s: local state discarded: %s", self._number, error)
        self._judge = None
        self._store.clear()

    def _repairing_store(self, call: Callable[[], _T]) -> _T:
        """Call; if files of the store turn out to be damaged, rebuild the store and call again."""
        try:
            return call()
        except StoreDamagedError as error:
            with self._lost_unless_done():
                self._discard(error)
                self._catch_up(self._out_of_patience)
            return call()

    @contextmanager
    def _lost_unless_done(self) -> Iterator[None]:
        """Have the partition reopened if the body does not complete."""
        try:
            yield
        except BaseException:
            self._judge = None
            self.lost_at = time.monotonic()
            raise

    def _catch_up(self, stop: Stop) -> None:
        context, config = self._context, self._context.config
        assert self._store is not None
        own = decode_lineage(self._store.get(LINEAGE_KEY))
        only_changelog_recreated = bool(own.recreated(context.topic_ids, [CHANGELOG])) and not own.recreated(
            context.topic_ids, WATERMARK_TOPICS
        )
        restored = restore(
            self._store,
            broker=config.broker,
            security=config.security,
            group=config.group,
            topic=config.topic(CHANGELOG),
            partition=self._number,
            topic_id=context.changelog_id,
            stop=stop,
            unreadable=context.unreadable,
            may_be_empty=config.lost_input is LostInput.CONTINUE or not only_changelog_recreated,
        )
        self._progress = self._store.get(PROGRESS_KEY)
        self._table_offsets = self._store.get(GLOBAL_TABLES_KEY)
        self._seen_inputs = decode_seen_inputs(self._store.get(SEEN_INPUTS_KEY))
        self._from_beginning = changed_inputs(context, self._number, restored.lineage, stop)
        if not set(self._from_beginning).isdisjoint(GLOBAL_TOPICS):
            self._table_offsets = None  # everything in them is new
        self._lineage = restored.lineage.begun(
            self._epoch, restored.offset, context.topic_ids, CHANGELOG, self._from_beginning
        )
        self._changelog_end = restored.offset
        if restored.open_transaction and self._progress is not None:
            self._complete_open_transaction(self._progress, stop)
        self.size = self._store.size()
        with context.global_tables.lock:
            self._judge = context.judging.judge(self._number, context.partitions, self._store)
            self._judge.keep_decoded(self._cached_facts)
            self.positions = dict(self._judge.restore(self._progress, self._from_beginning))

    def _commit_reset_positions(self) -> None:
        """Commit that inputs are read from their beginning, so that the next owner knows it."""
        while self._from_beginning:
            assert self._judge is not None
            with self._context.global_tables.lock:
                batch = self._judge.process((), frozenset())
            if self._commit(batch, [(GLOBAL_TABLES_KEY, self._table_offsets)]):
                self._from_beginning = []

    def _require_same_inputs(self) -> None:
        """Have the partition reopened if a restore meanwhile has found recreated or rewritten inputs.

        Raises:
            Fenced: it has.
        """
        if self._from_beginning:
            raise Fenced("inputs are read from their beginning")

    def _complete_open_transaction(self, progress: bytes, stop: Stop) -> None:
        """Commit the restored progress again, which completes the transaction that stayed open."""
        assert self._committer is not None
        assert self._store is not None
        logger.warning(
            "partition %s: its last transaction has no end marker in the changelog; completing it",
            self._number,
        )
        marks = [(PROGRESS_KEY, progress), (LINEAGE_KEY, encode_lineage(self._lineage))]
        self._changelog_end = self._committer.commit((), (), marks, stop, self._changelog_end)
        self._store.write(marks, self._context.changelog_id, self._changelog_end)

    # -- committing

    def _commit(self, batch: Batch, table_offsets: Sequence[Change] = ()) -> bool:
        """Commit a batch, then write it to the local store.

        False: the commit was in doubt and turned out not to have happened. The judge is reset and must judge
        the same records again.

        Raises:
            Interrupted: halted while the broker was away.
            Fenced: another worker has the partition.
            CommitError: it fails again and again.
        """
        assert self._committer is not None
        assert self._store is not None
        progress = batch.progress or self._progress
        if not (batch.outputs or batch.changes or table_offsets) and progress == self._progress:
            return True
        marks = [*table_offsets, *([(PROGRESS_KEY, progress)] if progress else [])]
        seen_inputs = self._seen_inputs_with(batch)
        marks.append((SEEN_INPUTS_KEY, encode_seen_inputs(seen_inputs)))
        marks.append((LINEAGE_KEY, encode_lineage(self._lineage)))
        self.committing_since = self.committing_since or time.monotonic()
        started = time.monotonic()
        try:
            offset = self._committer.commit(
                batch.outputs, batch.changes.items(), marks, self._out_of_patience, self._changelog_end
            )
        except CommitInDoubt as error:
            quick = time.monotonic() - started < _QUICK_FAILURE_S
            self._quick_failures = self._quick_failures + 1 if quick else 0
            if self._quick_failures >= _MAX_QUICK_FAILURES:
                raise CommitError(str(error)) from error
            if self._quick_failures > 1:
                time.sleep(_PAUSE_S)
            committed = self._resolve_in_doubt(error, dict(marks))
        else:
            self._changelog_end = offset
            store, changes = self._store, [*batch.changes.items(), *marks]
            self._repairing_store(lambda: store.write(changes, self._context.changelog_id, offset))
            self._progress = progress
            self._seen_inputs = seen_inputs
            self.size = self._store.size()
            committed = True
        if committed:
            self._quick_failures = 0
            self.committing_since = None
            self._context.broker_health.record_response()
            self._context.dead_letters.add(batch.outputs)
        return committed

    def _seen_inputs_with(self, batch: Batch) -> SeenInputs:
        """Return what has been noticed of the inputs once a batch is committed."""
        before, more = self._seen_inputs.other_content, batch.stats.other_content
        other = {topic: before.get(topic, 0) + more.get(topic, 0) for topic in sorted(before | more)}
        return SeenInputs(self._context.partitioners.counts, other)

    def _resolve_in_doubt(self, error: CommitInDoubt, marks: Mapping[bytes, bytes | None]) -> bool:
        """Read from the changelog whether a batch was committed, after aborting what it left open.

        The last records of a batch tell: the progress, and the table offsets.
        """
        before = self._progress, self._table_offsets
        after = marks.get(PROGRESS_KEY, self._progress), marks.get(GLOBAL_TABLES_KEY, self._table_offsets)
        self._judge = None
        self._close_committer()
        if not self._out_of_patience():
            logger.warning("partition %s: a commit is in doubt: %s", self._number, error)
        with self._lost_unless_done():
            self._fence(self._out_of_patience)
            self._restore(self._out_of_patience)
        found = self._progress, self._table_offsets
        if found not in (before, after):
            raise Fenced("another worker has committed meanwhile")
        logger.warning(
            "partition %s: the batch was%s committed; continuing",
            self._number,
            "" if found == after else " not",
        )
        return found == after
