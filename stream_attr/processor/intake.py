"""Intake: bytes become events, once, and events that cannot be used are refused (RULEBOOK 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, assert_never

from msgspec import UNSET

from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import (
    cancelled_of,
    decode_order,
    deposit_of,
    exclusion_of,
    placed_of,
    refund_of,
    reviewed_of,
)
from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.records.tick import decode_tick
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.ruling import RulingEvent
from stream_attr.contract.topics import RULINGS
from stream_attr.processor.options import Options
from stream_attr.processor.ports import ForeignRecord, Record, Stats
from stream_attr.processor.watermark import Watermark
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.repeats import OrderFact
from stream_attr.rules.order.facts import Placed, Refund
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import MINUTE_MS
from stream_attr.rules.vocabulary import Code

AHEAD_OF_CLOCK_MS: Final = 10 * MINUTE_MS
"""How far an event or tick may lie ahead of the wall clock."""
REFUNDS: Final = frozenset({"refund_requested", "refund_completed"})
"""They bear on service tasks alone."""
PAYMENTS_AND_REFUNDS: Final = REFUNDS | {"paid"}

BUYER_IS_FULL: Final = RefusedRecord(
    Code.TOO_LARGE,
    "what is known of this buyer already is as much as can be kept until some of it is forgotten",
)

ORDER_IS_FORGOTTEN: Final = RefusedRecord(
    Code.TOO_LATE,
    "its order is kept no longer: the order's last event lies further back than orders are kept "
    "(`--order-retention-days`)",
    "order_id",
)


def chat_event(record: Record) -> ChatEvent:
    """Return the chat event of a record, which may be decoded already. Raises RefusedRecord."""
    event = record.event
    return event if isinstance(event, ChatEvent) else decode_chat(record.value)


def order_event(record: Record) -> OrderEvent:
    """Return the order event of a record, which may be decoded already. Raises RefusedRecord."""
    event = record.event
    return event if isinstance(event, OrderEvent) else decode_order(record.value)


def ruling_event(record: Record) -> RulingEvent:
    """Return the ruling of a record, which may be decoded already. Raises RefusedRecord."""
    event = record.event
    return event if isinstance(event, RulingEvent) else decode_ruling(record.value)


def tick_ts(record: Record, clock: Callable[[], int] | None) -> int:
    """Return the time of a tick; one from the future would make all that follows too late.

    Raises RefusedRecord.
    """
    ts = decode_tick(record.value).ts
    refuse_future(ts, clock)
    return ts


def refuse_future(ts: int, clock: Callable[[], int] | None) -> None:
    """Raise RefusedRecord for a time more than 10 minutes ahead of the wall clock."""
    if clock is not None and ts > clock() + AHEAD_OF_CLOCK_MS:
        raise RefusedRecord(
            Code.FUTURE_TIMESTAMP, "`ts` lies more than 10 minutes ahead of the wall clock", "ts"
        )


def accept(
    event: ChatEvent | OrderEvent | RulingEvent,
    record: Record,
    options: Options,
    watermark: Watermark,
    stats: Stats,
) -> tuple[bytes, bool]:
    """Count an event (`count`); return its buyer's key, and whether it is late.

    Raises RefusedRecord for another key than its own, a time in the future, and one beyond the history kept.
    """
    key = f"{event.shop_id}|{event.buyer_id}".encode()
    if options.files is None and record.key != key:
        raise RefusedRecord(
            Code.KEY_MISMATCH, "the record's key is not `shop_id|buyer_id` of its value", "key"
        )
    return key, count(record.topic, event.ts, options, watermark, stats)


def count(topic: str, ts: int, options: Options, watermark: Watermark, stats: Stats) -> bool:
    """Count an event by its time and let the watermark see it; return whether it is late.

    A ruling does not move the watermark.

    Raises RefusedRecord for a time in the future, and one beyond the history kept.
    """
    refuse_future(ts, options.clock)
    late = ts < watermark.value
    if late and ts < watermark.value - options.retention.chat_ms:
        raise RefusedRecord(
            Code.TOO_LATE, "`ts` lies further behind the watermark than history is kept", "ts"
        )
    if topic != RULINGS:
        watermark.see(topic, ts)
    stats.events[topic] = stats.events.get(topic, 0) + 1
    if late:
        stats.late[topic] = stats.late.get(topic, 0) + 1
    return late


def count_foreign(record: ForeignRecord, options: Options, watermark: Watermark, stats: Stats) -> None:
    """Count an event of another share, unless it is refused there."""
    ts = record.ts
    if ts is None:
        return
    try:
        if record.rated_ts is not None:
            refuse_forgotten_rating(record.rated_ts, options, watermark)
        count(record.topic, ts, options, watermark, stats)
    except RefusedRecord:
        pass


def rated_ts(event: ChatEvent) -> int:
    """Return when the service was given that a rating is of."""
    return event.ts if event.rated_ts is UNSET else event.rated_ts


def refuse_forgotten_rating(ts: int, options: Options, watermark: Watermark) -> None:
    """Raise RefusedRecord for a rating of service of a day of which no history is kept."""
    if ts < watermark.value - options.retention.chat_ms:
        raise RefusedRecord(
            Code.TOO_LATE, "`rated_ts` lies further behind the watermark than history is kept", "rated_ts"
        )


def excess_amount(buyer: Buyer, event: OrderEvent) -> RefusedRecord | None:
    """Return the refusal of a payment or refund with which those of its order exceed the largest amount."""
    order = buyer.orders.get(event.order_id)
    if order is None or event.event_id in buyer.order_event_ids:
        return None
    counted: Iterable[Placed | Refund]
    if event.type == "paid":
        group = None if event.payment_id is UNSET else event.payment_id
        counted = [one for one in order.payments if one.payment_id != group]
    else:
        completed = event.type == "refund_completed"
        group = None if event.refund_id is UNSET else event.refund_id
        counted = [
            one
            for one in order.refunds
            if one.completed == completed and (group is None or one.refund_id != group)
        ]
    if (event.amount or 0) + sum([one.amount for one in counted]) <= MAX_AMOUNT:
        return None
    what = "payments" if event.type == "paid" else "refunds"
    return RefusedRecord(
        Code.BAD_VALUE, f"`amount`: the order's {what} come to more than {MAX_AMOUNT}", "amount"
    )


def apply_to_order(order: Order, event: OrderEvent) -> None:
    """Add an event to the facts of its order."""
    match event.type:
        case "created":
            order.add_created(placed_of(event))
        case "paid":
            order.add_paid(placed_of(event))
        case "cancelled":
            order.add_cancelled(cancelled_of(event))
        case "refund_requested" | "refund_completed":
            order.add_refund(refund_of(event))
        case "deposit_paid":
            order.add_deposit(deposit_of(event))
        case "refund_closed":
            assert event.refund_id is not UNSET
            order.close_refund(event.refund_id)
        case "excluded" | "included":
            order.add_exclusion(exclusion_of(event))
        case "parcel_returned" | "parcel_inspected":
            order.add_time(event.type, event.ts)
        case "reviewed":
            order.add_review(reviewed_of(event))
        case _:
            assert_never(event.type)


def order_fact(event: OrderEvent) -> OrderFact | None:
    """Return what is kept of an order event with its id; None: nothing is."""
    match event.type:
        case "created" | "paid":
            return placed_of(event)
        case "cancelled":
            return cancelled_of(event)
        case "refund_requested" | "refund_completed":
            return refund_of(event)
        case "deposit_paid":
            return deposit_of(event)
        case "excluded" | "included":
            return exclusion_of(event)
        case "reviewed":
            return reviewed_of(event)
        case "refund_closed" | "parcel_returned" | "parcel_inspected":
            return None
        case _:
            assert_never(event.type)
