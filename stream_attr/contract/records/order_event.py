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
from stream_attr.rules.vocabulary import ORDER_EVENT_TYPES, REVIEWS, OrderEventType, Review

NEEDS_AMOUNT: Final = frozenset({"created", "deposit_paid", "paid", "refund_requested", "refund_completed"})
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
            "What happened. An order with a paid is paid, whether a cancelled came before or after it. "
            "Of all excluded and included events the last holds.",
        ),
    ]
    amount: Annotated[
        Amount | UnsetType,
        field(
            "Of created: what the order costs, postage included; of paid: what is paid of it; of a refund: "
            "that refund's own amount. Required for created, deposit_paid, paid, refund_requested and "
            "refund_completed. Minor units of the currency (fen)."
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
            "On paid: when the order was placed, at most 30 days before and not after ts, for platforms "
            "that send one record per order."
        ),
    ] = UNSET
    payment_id: Annotated[
        Id | UnsetType,
        field(
            "On paid: tells instalments apart. Of the paid events with one payment_id the first counts, and "
            "of all those without one together; the order's amount is the sum of those that count."
        ),
    ] = UNSET
    refund_id: Annotated[
        Id | UnsetType,
        field(
            "On refunds: tells them apart. Of the requests with one refund_id the first counts, and so of "
            "the completed ones; each without one counts by itself. Required for refund_closed, which takes "
            "back the request of this id."
        ),
    ] = UNSET
    balance_until: Annotated[
        Instant | UnsetType,
        instant(
            "On deposit_paid: until when the balance can be paid, later than ts by at most 40 days. "
            "An order with it is unpaid only from then on."
        ),
    ] = UNSET
    review: Annotated[
        Review | UnsetType, word(REVIEWS, "On reviewed: what the buyer says; required there.")
    ] = UNSET
    product_ids: Annotated[tuple[Annotated[Id, field("A product.")], ...], field("What was ordered.")] = ()


SCHEMA: Final = RecordSchema(
    "order-event",
    "Order event",
    OrderEvent,
    conditions={
        "allOf": [
            when("type", [one for one in ORDER_EVENT_TYPES if one in NEEDS_AMOUNT], {"required": ["amount"]}),
            when("type", "refund_closed", {"required": ["refund_id"]}),
            when("type", "reviewed", {"required": ["review"]}),
        ]
    },
)
