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
from stream_attr.rules.order.facts import Placed
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.rules.vocabulary import Code

LONGEST_WAIT_FOR_PAYMENT_MS: Final = 15 * DAY_MS
"""How far before a ``paid`` its ``created_ts`` may lie."""


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
    ids = event.shop_id + event.buyer_id + event.order_id + event.event_id
    if not ids.isprintable() or "|" in ids:
        for name in ("event_id", "shop_id", "buyer_id", "order_id"):
            check_id(getattr(event, name), name)
    for product_id in event.product_ids:
        check_id(product_id, "product_ids")
    if event.currency is not UNSET and not _CURRENCY.fullmatch(event.currency):
        raise RefusedRecord(Code.BAD_VALUE, "`currency` is not an ISO 4217 code (three capitals)", "currency")
    if event.created_ts is not UNSET and event.type == "paid":
        if event.created_ts > event.ts:
            raise RefusedRecord(Code.BAD_VALUE, "`created_ts` lies after `ts`", "created_ts")
        if event.created_ts < event.ts - LONGEST_WAIT_FOR_PAYMENT_MS:
            raise RefusedRecord(
                Code.BAD_VALUE, "`created_ts` lies more than 15 days before `ts`", "created_ts"
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
    )
