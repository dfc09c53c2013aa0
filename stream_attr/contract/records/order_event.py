"""A record of ``order-events`` (RULEBOOK 2)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_attr.contract.records.fields import (
    Amount,
    BuyerId,
    Id,
    Instant,
    Quantity,
    ShopId,
    field,
    instant,
    word,
)
from stream_attr.contract.schema import RecordSchema, when
from stream_attr.rules.vocabulary import ORDER_EVENT_TYPES, OrderEventType

NEEDS_AMOUNT: Final = frozenset({"created", "paid", "refund_requested", "refund_completed"})
"""The types of events that need an ``amount``."""


class OrderEvent(Struct, gc=False):
    """Something that happened to an order.

    Absent optional fields are ``UNSET``.
    """

    event_id: Annotated[
        Id,
        field("Unique among the shop's order events: a repeat of it is the same event and changes nothing."),
    ]
    shop_id: ShopId
    buyer_id: BuyerId
    order_id: Annotated[Id, field("Unique within the shop; an order belongs to one buyer.")]
    ts: Annotated[Instant, instant("When it happened.")]
    type: Annotated[
        OrderEventType,
        word(
            ORDER_EVENT_TYPES,
            "What happened. An order with a paid is paid, whether a cancelled came before or after it.",
        ),
    ]
    amount: Annotated[
        Amount | UnsetType,
        field(
            "Of created and paid: what the order costs, postage included. Of a refund: that refund's own "
            "amount. "
            "Required for all but cancelled. Minor units of the currency (fen)."
        ),
    ] = UNSET
    quantity: Annotated[
        Quantity | UnsetType, field("Number of items; omitted on paid: as created says, else 1.")
    ] = UNSET
    currency: Annotated[
        Annotated[str, Meta(min_length=3, max_length=3)] | UnsetType,
        field("ISO 4217 code.", pattern="^[A-Z]{3}", default="CNY"),
    ] = UNSET
    created_ts: Annotated[
        Instant | UnsetType,
        instant(
            "On paid: when the order was placed, at most 15 days before and not after ts, for platforms "
            "that send "
            "one record per order."
        ),
    ] = UNSET
    product_ids: Annotated[tuple[Annotated[Id, field("A product.")], ...], field("What was ordered.")] = ()


SCHEMA: Final = RecordSchema(
    "order-event",
    "Order event",
    OrderEvent,
    conditions=when(
        "type", [one for one in ORDER_EVENT_TYPES if one in NEEDS_AMOUNT], {"required": ["amount"]}
    ),
)
