"""Order events from JSON bytes, checked by RULEBOOK 2, and the facts that are kept of them."""

from __future__ import annotations

import re
from typing import Final

import msgspec.inspect
from msgspec import UNSET

from stream_attr.codec.decoding import check_id, decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import LoneSurrogatesError
from stream_attr.contract.records.order_event import NEEDS_AMOUNT, OrderEvent
from stream_attr.rules.order.facts import Cancelled, Deposit, Exclusion, Placed, Refund, Reviewed
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.rules.vocabulary import Code

LONGEST_WAIT_FOR_PAYMENT_MS: Final = 30 * DAY_MS
"""How far before a ``paid`` its ``created_ts`` may lie."""
LONGEST_WAIT_FOR_BALANCE_MS: Final = 40 * DAY_MS
"""How far after a ``deposit_paid`` its ``balance_until`` may lie."""


_order: Final = msgspec.json.Decoder(OrderEvent)


_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


def decode_order(value: bytes | None) -> OrderEvent:
    """Return the order event of a record's bytes."""
    try:
        event = decode(_order.decode, value)
    except LoneSurrogatesError as found:
        return found.read_by(decode_order)
    if event.amount is UNSET and event.type in NEEDS_AMOUNT:
        raise RefusedRecord(Code.MISSING_FIELD, f"`{event.type}` needs `amount`, in minor units", "amount")
    if event.refund_id is UNSET and event.type == "refund_closed":
        raise RefusedRecord(Code.MISSING_FIELD, "`refund_closed` needs `refund_id`", "refund_id")
    if event.review is UNSET and event.type == "reviewed":
        raise RefusedRecord(Code.MISSING_FIELD, "`reviewed` needs `review`: good, neutral or bad", "review")
    ids = event.shop_id + event.buyer_id + event.order_id + event.event_id
    if not ids.isprintable() or "|" in ids:
        for name in ("event_id", "shop_id", "buyer_id", "order_id"):
            check_id(getattr(event, name), name)
    if event.payment_id is not UNSET:
        check_id(event.payment_id, "payment_id")
    if event.refund_id is not UNSET:
        check_id(event.refund_id, "refund_id")
    for product_id in event.product_ids:
        check_id(product_id, "product_ids")
    if event.currency is not UNSET and not _CURRENCY.fullmatch(event.currency):
        raise RefusedRecord(Code.BAD_VALUE, "`currency` is not an ISO 4217 code (three capitals)", "currency")
    if event.created_ts is not UNSET and event.type == "paid":
        if event.created_ts > event.ts:
            raise RefusedRecord(Code.BAD_VALUE, "`created_ts` lies after `ts`", "created_ts")
        if event.created_ts < event.ts - LONGEST_WAIT_FOR_PAYMENT_MS:
            raise RefusedRecord(
                Code.BAD_VALUE, "`created_ts` lies more than 30 days before `ts`", "created_ts"
            )
    if event.balance_until is not UNSET and event.type == "deposit_paid":
        if event.balance_until <= event.ts:
            raise RefusedRecord(Code.BAD_VALUE, "`balance_until` is not later than `ts`", "balance_until")
        if event.balance_until > event.ts + LONGEST_WAIT_FOR_BALANCE_MS:
            raise RefusedRecord(
                Code.BAD_VALUE, "`balance_until` lies more than 40 days after `ts`", "balance_until"
            )
    return event


def placed_of(event: OrderEvent) -> Placed:
    """Return what is kept of a ``created`` or ``paid`` event."""
    return Placed(
        event.ts,
        event.event_id,
        0 if event.amount is UNSET else event.amount,
        None if event.quantity is UNSET else event.quantity,
        None if event.currency is UNSET else event.currency,
        event.product_ids,
        None if event.created_ts is UNSET else event.created_ts,
        None if event.payment_id is UNSET else event.payment_id,
    )


def deposit_of(event: OrderEvent) -> Deposit:
    """Return what is kept of a ``deposit_paid`` event."""
    return Deposit(
        event.ts,
        event.event_id,
        0 if event.amount is UNSET else event.amount,
        None if event.balance_until is UNSET else event.balance_until,
        None if event.currency is UNSET else event.currency,
    )


def cancelled_of(event: OrderEvent) -> Cancelled:
    """Return what is kept of a ``cancelled`` event."""
    return Cancelled(event.ts, event.event_id, None if event.currency is UNSET else event.currency)


def refund_of(event: OrderEvent) -> Refund:
    """Return what is kept of a ``refund_requested`` or ``refund_completed`` event."""
    return Refund(
        event.ts,
        event.event_id,
        0 if event.amount is UNSET else event.amount,
        event.type == "refund_completed",
        None if event.refund_id is UNSET else event.refund_id,
        None if event.currency is UNSET else event.currency,
    )


def exclusion_of(event: OrderEvent) -> Exclusion:
    """Return what is kept of an ``excluded`` or ``included`` event."""
    return Exclusion(event.ts, event.event_id, event.type == "excluded")


def reviewed_of(event: OrderEvent) -> Reviewed:
    """Return what is kept of a ``reviewed`` event."""
    return Reviewed(event.ts, event.event_id, event.review == "good")
