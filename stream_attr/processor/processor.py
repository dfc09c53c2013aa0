"""The processor: one partition's records in, decisions and changed state out.

It uses no network and no environment. It calls a wall clock only where `Options` has one (``clock`` for
``future_timestamp``, ``now`` for service tasks). Worker, replay and tests run this same class.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, assert_never

from msgspec import UNSET

from stream_attr.codec.decoding import check_key
from stream_attr.codec.internal.progress import Progress, decode_progress, encode_progress
from stream_attr.codec.internal.records import Closing, PartitionWatermark, decode_closing, encode_internal
from stream_attr.codec.records.chat_event import message_of, rating_of
from stream_attr.codec.records.decision import encode_decision
from stream_attr.codec.records.ruling import ruling_of
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.versions import NewerVersionError
from stream_attr.contract.topics import (
    BUYER_DAYS,
    CHAT,
    CLOSINGS,
    COMPARISONS,
    DECISIONS,
    ORDERS,
    REPORTS,
    RULINGS,
    TASKS,
    TICKS,
)
from stream_attr.processor.buyers import Buyers
from stream_attr.processor.dead_letter import dead_letter
from stream_attr.processor.forgotten_orders import ForgottenOrders
from stream_attr.processor.intake import (
    BUYER_IS_FULL,
    ORDER_IS_FORGOTTEN,
    PAYMENTS_AND_REFUNDS,
    REFUNDS,
    accept,
    apply_to_order,
    chat_event,
    count_foreign,
    excess_amount,
    order_event,
    order_fact,
    rated_ts,
    refuse_forgotten_rating,
    ruling_event,
    tick_ts,
)
from stream_attr.processor.options import Options
from stream_attr.processor.ports import (
    NO_POSITIONS,
    PROGRESS_KEY,
    AnyRecord,
    Batch,
    ForeignRecord,
    Output,
    Place,
    Record,
    Store,
)
from stream_attr.processor.report_emission import emit_reports
from stream_attr.processor.rollup import FACTS_PER_CONTRIBUTION, Rollup
from stream_attr.processor.shops import QUARTER, ShopRegistry
from stream_attr.processor.task_emission import emit_tasks, may_open_or_close_tasks
from stream_attr.processor.timer_queue import Deadlines
from stream_attr.processor.watermark import BEGINNING, Watermark
from stream_attr.rules.buyer.balances import expect_balance
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.capacity import has_room_for_chat, has_room_for_order, update_order_size
from stream_attr.rules.buyer.emitted import EVERY_DAY
from stream_attr.rules.buyer.repeats import (
    message_differs,
    order_event_differs,
    rating_differs,
    transfer_differs,
)
from stream_attr.rules.buyer.reports import add_closing, mark_dirty, schedule_reports, waits_for_closing
from stream_attr.rules.buyer.retention import expire, expire_at_end
from stream_attr.rules.buyer.timers import due_orders, reschedule
from stream_attr.rules.buyer.verdicts import Revision, judgements, revise, with_ruling
from stream_attr.rules.order.facts import Waiting
from stream_attr.rules.order.order import RULING_MARK, Order
from stream_attr.rules.shop.days import END_OF_TIME, HOUR_MS, MINUTE_MS
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import FINAL, ORDER_EVENT_REASONS, TASK_EVENTS, Code

NO_WATERMARK: Final = 0
"""The watermark that a decision shows while there is none."""
WATERMARK_EVERY_MS: Final = QUARTER * MINUTE_MS
"""How often a partition emits its watermark, in event time; all zones' midnights are among these times. Day
cuts that are not have times of their own (`ShopRegistry.day_starts`)."""

_NO_CREATION: Final = (
    "no creation of its order is known: it was never sent, or the order was dropped over half a year ago"
)
BEHIND_AFTER: Final = 10_000
"""A partition that has processed so many records since chat and orders were read to their ends is behind."""


class Processor:
    """Judges one partition; a `Judge` of ``stream_attr.processor.ports``."""

    def __init__(self, registry: ShopRegistry, store: Store, options: Options) -> None:
        self._registry = registry
        self._options = options
        self._buyers = Buyers(registry, store, options.cached_facts, commits=options.commits)
        self._forgotten = ForgottenOrders(store)
        self._deadlines = Deadlines(store, options.due_soon_ms)
        self._watermark = Watermark(options.allowed_lateness_ms, options.latest_watermark)
        self._offsets: dict[str, int] = {}
        self._pending = 0
        self._batch = Batch()
        self._share = options.share
        self._taken = 0
        self._place = Place(0)
        self._rollup = Rollup(store, options)
        self._emitted_watermark = BEGINNING
        self._reports = options.reports
        self._caught_up_every_ms: int | None = None
        """`Options.caught_up_every_ms` where the partition has caught up, else None."""
        self._since_end = BEHIND_AFTER
        """Records processed since both topics were read to their ends."""
        self._brought_forward_at = BEGINNING
        self._has_tasks = options.now is not None

    # Calls of the worker and the driver

    def restore(self, progress: bytes | None, recreated: Collection[str] = ()) -> dict[str, int]:
        """See `Judge.restore`."""
        if progress is not None:
            known = decode_progress(progress, PROGRESS_KEY)
            offsets = known.offsets.items()
            self._offsets = {topic: offset for topic, offset in offsets if topic not in recreated}
            self._watermark.seen = known.seen
            if known.watermark is not None:
                self._watermark.value = self._emitted_watermark = known.watermark
        self._deadlines.forget_until(self._watermark.value)
        self._forgotten.restore(self._watermark.value)
        for key, header in self._buyers.restore():
            self._pending += header.pending
            if header.due is not None:
                self._deadlines.set(key, header.due)
        self._rollup.restore()
        return dict(self._offsets)

    def keep_decoded(self, facts: int) -> None:
        """See `Judge.keep_decoded`."""
        self._buyers.cached = facts
        self._rollup.remembered = facts // FACTS_PER_CONTRIBUTION

    def process(
        self,
        records: Iterable[AnyRecord],
        at_end: frozenset[str],
        positions: Mapping[str, int] = NO_POSITIONS,
    ) -> Batch:
        """See `Judge.process`."""
        records = list(records)
        was_behind = self._since_end >= BEHIND_AFTER
        self._since_end = 0 if CHAT in at_end and ORDERS in at_end else self._since_end + len(records)
        is_behind = self._since_end >= BEHIND_AFTER
        self._caught_up_every_ms = None if is_behind else self._options.caught_up_every_ms
        ends = dict.fromkeys(at_end, 0)  # by topic: after how many of the records it is read to its end
        if ends:
            ends |= {record.topic: count for count, record in enumerate(records, 1) if record.topic in ends}
        begin = 0
        for end in sorted({0, *ends.values()}):
            self._take(records[begin:end])
            self._watermark.end(frozenset(topic for topic, count in ends.items() if count <= end))
            self._advance()
            begin = end
        self._take(records[begin:])
        if was_behind and self._caught_up_every_ms is not None:
            self._bring_forward(self._caught_up_every_ms)
        self._offsets |= positions
        return self._finished()

    def finish(self) -> Batch:
        """Advance the watermark as far as it may go: the input has ended."""
        self._caught_up_every_ms = None
        self._watermark.tick(END_OF_TIME)
        if self._watermark.value == END_OF_TIME:
            self._flush_at_end()
        else:
            self._advance()
        return self._finished()

    def refresh(self, shop_id: str) -> Batch:
        """See `Judge.refresh`."""
        for key in self._buyers.pending_of(shop_id):
            buyer = self._buyers.load(key)
            watermark = self._watermark.value
            for order in buyer.orders.values():
                if order.is_pending:
                    self._emit(buyer, order, watermark, "settings")
            if self._reports and not buyer.is_empty:
                self._mark_dirty(buyer, EVERY_DAY, watermark, "settings")
            self._reschedule(key, buyer, self._watermark.value)
        return self._finished()

    def find_order(self, shop_id: str, order_id: str) -> bytes | None:
        """See `Judge.find_order`."""
        found = self._buyers.of_order(shop_id, order_id)
        if found is None:
            return None
        order = found.orders[order_id]
        emitted = order.emitted[OFFICIAL]
        judgement = with_ruling(found, order, judgements(found, order)[OFFICIAL])
        revision = Revision(order, OFFICIAL, judgement, emitted)
        return encode_decision(shop_id, found.buyer_id, revision, max(self._watermark.value, NO_WATERMARK))

    @property
    def watermark(self) -> int:
        """The partition's watermark."""
        return self._watermark.value

    # Events

    def _take(self, records: Sequence[AnyRecord]) -> None:
        """Process each record, and fire the timers that it makes due."""
        watermark, offsets, shared = self._watermark, self._offsets, self._share is not None
        for record in records:
            self._taken += 1
            if isinstance(record, ForeignRecord):
                count_foreign(record, self._options, watermark, self._batch.stats)
                if watermark.moved:
                    self._advance()
                continue
            topic = record.topic
            if shared:
                self._place = Place(self._taken)
            try:
                check_key(record.key)
                if topic == CHAT:
                    self._chat(record)
                elif topic == ORDERS:
                    self._order(record)
                elif topic == TICKS:
                    watermark.tick(tick_ts(record, self._options.clock))
                elif topic == RULINGS:
                    self._ruling(record)
                elif topic == BUYER_DAYS:
                    self._batch.outputs += self._rollup.take(record.value or b"")
                elif topic == CLOSINGS:
                    self._closing(decode_closing(record.value or b""))
                else:
                    raise ValueError(f"{topic} is not an input topic of a partition")
            except RefusedRecord as refusal:
                self._refuse(refusal, record)
            except NewerVersionError as error:
                error.at(topic, record.partition, record.offset)
                raise
            offsets[topic] = record.offset + 1
            if watermark.moved:
                self._advance()

    def _chat(self, record: Record) -> None:
        event = chat_event(record)
        ts = event.ts
        if event.type == "rating":
            ts = rated_ts(event)
            refuse_forgotten_rating(ts, self._options, self._watermark)
        key, late = accept(event, record, self._options, self._watermark, self._batch.stats)
        if event.kind == "system" and event.type == "message":
            return
        buyer = self._buyers.load(key)
        if not has_room_for_chat(buyer, event.agent_id, ts, event.event_id):
            self._refuse(BUYER_IS_FULL, record)
            return
        touched: list[Order] = []
        differs = False
        if event.type == "message":
            message = message_of(event, buyer.shop)
            new = buyer.add_message(event.agent_id, message, touched=touched)
            if not new:
                differs = message_differs(buyer, event.agent_id, message)
        elif event.type == "transfer":
            to_agent_id = event.to_agent_id
            assert to_agent_id is not UNSET
            if not has_room_for_chat(buyer, to_agent_id, ts, event.event_id):
                self._refuse(BUYER_IS_FULL, record)
                return
            new = buyer.add_transfer(event.agent_id, to_agent_id, ts, event.event_id, touched=touched)
            if not new:
                differs = transfer_differs(buyer, event.agent_id, to_agent_id, ts, event.event_id)
        elif event.type == "rating":
            rating = rating_of(event)
            new = buyer.add_rating(event.agent_id, rating)
            if not new:
                differs = rating_differs(buyer, event.agent_id, rating)
        else:
            assert_never(event.type)
        if not new:
            self._repeat(record.topic, differs=differs)
            return
        for order in touched:
            self._emit(buyer, order, self._watermark.value, "chat", late=late)
            if self._has_tasks:
                self._emit_tasks(buyer, order, self._watermark.value, "chat")
        sooner = False
        if self._reports:
            day = buyer.shop.zone.day_of(ts)
            since = min([day, *[_first_day(order, buyer.shop) for order in touched]]) if touched else day
            sooner = self._mark_dirty(buyer, since, event.ts, "chat", late=late, orders=bool(touched))
        if touched or sooner or buyer.due is None:
            self._reschedule(key, buyer, self._watermark.value)
        else:
            self._buyers.change(key)

    def _order(self, record: Record) -> None:
        event = order_event(record)
        key, late = accept(event, record, self._options, self._watermark, self._batch.stats)
        buyer = self._buyers.load(key)
        if event.type != "created" and self._is_forgotten(key, buyer, event.order_id):
            self._refuse(ORDER_IS_FORGOTTEN, record)
            return
        if event.type in PAYMENTS_AND_REFUNDS:
            refusal = excess_amount(buyer, event)
            if refusal is not None:
                self._refuse(refusal, record)
                return
        if not has_room_for_order(buyer, event.event_id):
            self._refuse(BUYER_IS_FULL, record)
            return
        order = buyer.add_order_event(event.order_id, event.event_id, event.ts)
        if order is None:
            known = buyer.orders.get(event.order_id)
            self._repeat(record.topic, differs=order_event_differs(known, event.event_id, order_fact(event)))
            return
        before = _first_day(order, buyer.shop) if order.created_ts is not None else None
        apply_to_order(order, event)
        if order.rare is not None:
            expect_balance(buyer, order)
        if order.created_ts is None:
            _wait(buyer, order, record)
        else:
            order.take_waiting()
            update_order_size(buyer, order)
            judged = event.type not in TASK_EVENTS
            reason = ORDER_EVENT_REASONS[event.type]
            if judged:
                self._emit(buyer, order, self._watermark.value, reason, late=late)
            if self._has_tasks:
                self._emit_tasks(buyer, order, self._watermark.value, reason)
            if judged and self._reports:
                if event.type in REFUNDS and before is not None:
                    since = buyer.shop.zone.day_of(event.ts)
                else:
                    since = _first_day(order, buyer.shop)
                    since = since if before is None else min(since, before)
                self._mark_dirty(buyer, since, event.ts, reason, late=late)
        self._reschedule(key, buyer, self._watermark.value)

    def _ruling(self, record: Record) -> None:
        event = ruling_event(record)
        key, late = accept(event, record, self._options, self._watermark, self._batch.stats)
        buyer = self._buyers.load(key)
        if self._is_forgotten(key, buyer, event.order_id):
            self._refuse(ORDER_IS_FORGOTTEN, record)
            return
        event_id = RULING_MARK + event.event_id
        if not has_room_for_order(buyer, event_id):
            self._refuse(BUYER_IS_FULL, record)
            return
        order = buyer.add_order_event(event.order_id, event_id, event.ts)
        ruling = ruling_of(event)
        if order is None:
            known = buyer.orders.get(event.order_id)
            self._repeat(record.topic, differs=order_event_differs(known, event_id, ruling))
            return
        order.add_ruling(ruling)
        if order.created_ts is None:
            _wait(buyer, order, record)
        else:
            update_order_size(buyer, order)
            self._emit(buyer, order, self._watermark.value, "ruling", late=late)
            if self._has_tasks:
                self._emit_tasks(buyer, order, self._watermark.value, "ruling")
            if self._reports:
                self._mark_dirty(buyer, _first_day(order, buyer.shop), event.ts, "ruling", late=late)
        self._reschedule(key, buyer, self._watermark.value)

    def _is_forgotten(self, key: bytes, buyer: Buyer, order_id: str) -> bool:
        """Whether an order was kept once, and no longer is."""
        return order_id not in buyer.orders and self._forgotten.has(key, order_id)

    # Time

    def _advance(self) -> None:
        """Advance the watermark to what has been seen; fire what is due, each at its own time, in order."""
        watermark = self._watermark.advance()
        if watermark >= self._deadlines.first:
            for due, key in self._deadlines.take(watermark):
                if self._buyers.due_of(key) == due:
                    buyer = self._buyers.load(key)
                    self._fire(key, buyer, due)
                    self._expire(key, buyer, due)
        self._forgotten.advance(watermark)

    def _expire(self, key: bytes, buyer: Buyer, watermark: int, *, answered: bool = False) -> None:
        """Forget what is older than its retention, and find out when to come back."""
        for order in expire(buyer, watermark, self._options.retention, answered=answered):
            self._give_up(order.waiting)
            if order.created_ts is not None:
                self._forgotten.add(key, order.order_id, watermark)
            self._buyers.forget_order(buyer.shop.shop_id, order.order_id)
        self._reschedule(key, buyer, watermark)

    def _flush_at_end(self) -> None:
        """Fire all remaining timers, each at its own time, in order, and forget everything."""
        for due, key in self._deadlines.take(END_OF_TIME):
            if self._buyers.due_of(key) != due:
                continue
            buyer = self._buyers.load(key)
            self._fire(key, buyer, due)
            self._give_up(expire_at_end(buyer, due, self._options.retention))
            again_due = reschedule(buyer, due, self._options.retention)
            if again_due is not None:
                self._deadlines.set(key, again_due)
                self._buyers.change(key)
            elif waits_for_closing(buyer, END_OF_TIME):
                self._buyers.change(key)
            else:
                self._forget_buyer(key, buyer)
        self._forgotten.advance(END_OF_TIME)

    def _forget_buyer(self, key: bytes, buyer: Buyer) -> None:
        """Forget a buyer of whom nothing is to be emitted any more."""
        for order_id in buyer.orders:
            self._buyers.forget_order(buyer.shop.shop_id, order_id)
        self._buyers.forget(key)

    def _fire(self, key: bytes, buyer: Buyer, due: int) -> None:
        """Emit what changes of a buyer by itself at a watermark."""
        if self._share is not None:
            self._place = Place(self._taken, due, key)
        for order in due_orders(buyer, due, self._options.retention, tasks=self._has_tasks):
            if order.horizon is not None and due in order.horizon.deadlines:
                self._emit(buyer, order, due, "timer")
            if self._has_tasks and may_open_or_close_tasks(order):
                self._emit_tasks(buyer, order, due, "timer")
        if buyer.reports_due is not None and buyer.reports_due <= due:
            self._emit_reports(buyer, due)

    def _mark_dirty(
        self, buyer: Buyer, since: int, ts: int, reason: str, *, late: bool = False, orders: bool = True
    ) -> bool:
        """Mark facts, inquiries and figures as changed; see `PendingChanges`.

        Returns whether they are due earlier than before.
        """
        mark_dirty(buyer, since, reason, late=late, orders=orders)
        options, every_ms = self._options, self._caught_up_every_ms
        if every_ms is None:
            return schedule_reports(buyer, ts, self._watermark.value, options.report_every_ms)
        # Nothing holds the watermark back, so from `ts` it comes to this, and is counted from there.
        changed_at = max(ts - options.allowed_lateness_ms, 0)
        return schedule_reports(buyer, changed_at, self._watermark.value, every_ms)

    def _bring_forward(self, every_ms: int) -> None:
        """Let what changed while the partition was behind be emitted soon; not too often, at its limit."""
        options, watermark = self._options, self._watermark.value
        if watermark < self._brought_forward_at + options.report_every_ms:
            return
        self._brought_forward_at = watermark
        last = watermark + min(options.allowed_lateness_ms, HOUR_MS) + options.report_every_ms
        for key in self._deadlines.soon(last):
            due = self._buyers.due_of(key)
            if due is None or due > last:
                continue
            buyer = self._buyers.load(key)
            if buyer.pending_changes is not None and (buyer.reports_due or 0) > watermark + every_ms:
                buyer.reports_due = watermark + every_ms
                self._reschedule(key, buyer, watermark)

    def _emit_reports(self, buyer: Buyer, watermark: int, answered: int | None = None) -> None:
        """Emit what is new of a buyer's facts, inquiries and figures."""
        options = self._options
        for output in emit_reports(buyer, watermark, options.retention.chat_ms, options.partition, answered):
            self._out(output)

    def _emit_tasks(self, buyer: Buyer, order: Order, watermark: int, reason: str) -> None:
        """Emit the service tasks of an order that open or close."""
        now = self._options.now
        if now is not None:
            for output in emit_tasks(buyer, order, watermark, reason, now):
                self._out(output)

    def _closing(self, closing: Closing) -> None:
        """Apply a closing: when an agent last wrote, on a day that all partitions have passed."""
        key = f"{closing.shop_id}|{closing.buyer_id}".encode()
        if self._share is not None and not self._share.has(key):
            return
        buyer = self._buyers.load(key)
        if not add_closing(buyer, closing.agent_id, closing.day, closing.last_ts):
            return
        watermark = self._watermark.value
        self._emit_reports(buyer, watermark, closing.day)
        if watermark < END_OF_TIME:
            self._expire(key, buyer, watermark, answered=True)
        elif waits_for_closing(buyer, watermark):
            self._buyers.change(key)
        else:
            self._forget_buyer(key, buyer)

    def _give_up(self, lost: Iterable[Waiting]) -> None:
        """Send records to the dead letters whose order's creation never came."""
        for waiting in lost:
            self._refuse(
                RefusedRecord(Code.INCOMPLETE_ORDER, _NO_CREATION, "order_id"),
                Record(
                    RULINGS if waiting.is_ruling else ORDERS,
                    waiting.partition,
                    waiting.offset,
                    0,
                    waiting.key,
                    waiting.value,
                ),
            )

    def _reschedule(self, key: bytes, buyer: Buyer, watermark: int) -> None:
        if buyer.is_empty:
            self._buyers.forget(key)
            return
        due = reschedule(buyer, watermark, self._options.retention, tasks=self._has_tasks)
        if due is not None:
            self._deadlines.set(key, due)
        self._buyers.change(key)

    # What goes out

    def _emit(self, buyer: Buyer, order: Order, watermark: int, reason: str, *, late: bool = False) -> None:
        shop_id = buyer.shop.shop_id
        known = order.emitted.get(OFFICIAL)
        was_pending = known is not None and known.verdict.status != FINAL
        decisions = self._batch.stats.decisions
        for revision in revise(buyer, order, watermark, reason, late=late):
            value = encode_decision(shop_id, buyer.buyer_id, revision, max(watermark, NO_WATERMARK))
            key = f"{shop_id}|{order.order_id}"
            if revision.profile == OFFICIAL:
                self._out(Output(DECISIONS, key.encode(), value))
                if known is None:
                    self._buyers.remember_order(key, buyer)
                self._pending += (revision.emitted.verdict.status != FINAL) - was_pending
                kind = OFFICIAL
            else:
                self._out(Output(COMPARISONS, f"{key}|{revision.profile}".encode(), value))
                kind = "comparison"
            counted = (kind, revision.emitted.verdict.outcome, revision.emitted.reason)
            decisions[counted] = decisions.get(counted, 0) + 1

    def _emit_watermark(self) -> None:
        """Emit this partition's watermark to every roll-up: what is on time before it is emitted."""
        watermark = self._watermark.value
        if not self._reports or watermark <= 0:
            return
        emitted = self._emitted_watermark
        if any(
            (watermark - after) // WATERMARK_EVERY_MS > (emitted - after) // WATERMARK_EVERY_MS
            for after in self._registry.day_starts
        ):
            self._emitted_watermark = watermark
            if self._share is not None:
                if self._share.index > 0:
                    return  # all shares of a partition have one watermark: the first emits it
                self._place = Place(self._taken, END_OF_TIME + 1)  # after all that any share emits
            passed = encode_internal(PartitionWatermark(self._options.partition, watermark))
            for number in range(self._options.partitions):
                self._out(Output(BUYER_DAYS, b"", passed, number))

    def _refuse(self, refusal: RefusedRecord, record: Record) -> None:
        self._out(dead_letter(refusal, record, self._options.files))
        letters = self._batch.stats.dead_letters
        letters[refusal.code.value] = letters.get(refusal.code.value, 0) + 1

    def _out(self, output: Output) -> None:
        self._batch.outputs.append(output)
        if self._share is not None:
            self._batch.places.append(self._place)

    def _repeat(self, topic: str, *, differs: bool) -> None:
        stats = self._batch.stats
        stats.events[topic] -= 1
        stats.repeats[topic] = stats.repeats.get(topic, 0) + 1
        if differs:
            stats.other_content[topic] = stats.other_content.get(topic, 0) + 1

    def _finished(self) -> Batch:
        self._emit_watermark()
        self._batch.outputs += self._rollup.flush()
        if self._caught_up_every_ms is not None:
            self._batch.outputs += self._rollup.emit_every(self._caught_up_every_ms, self._watermark.value)
        batch, self._batch = self._batch, Batch()
        batch.changes = (
            self._buyers.take_changes() | self._rollup.take_changes() | self._forgotten.take_changes()
        )
        for output in batch.outputs:
            if output.topic in REPORTS or output.topic == TASKS:
                reports = batch.stats.reports
                reports[output.topic] = reports.get(output.topic, 0) + 1
        value = self._watermark.value
        batch.progress = encode_progress(
            Progress(self._offsets, self._watermark.seen, None if value == BEGINNING else value)
        )
        batch.stats.pending = self._pending
        batch.stats.buyers = self._buyers.count
        batch.stats.watermark = None if value == BEGINNING else value
        return batch


def _wait(buyer: Buyer, order: Order, record: Record) -> None:
    """Keep a record of an order until its creation comes."""
    assert record.value is not None
    is_ruling = record.topic == RULINGS
    order.add_waiting(Waiting(record.partition, record.offset, record.key, record.value, is_ruling))
    update_order_size(buyer, order)


def _first_day(order: Order, shop: Shop) -> int:
    """Return the first day whose figures an order with a known creation is in."""
    return shop.zone.day_of(min(order.instants()))
