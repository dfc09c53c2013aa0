"""A record of ``order-events`` (RULEBOOK 2)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_attr.contract.records.fields import Amount, Id, Instant, Quantity


class OrderEvent(Struct, gc=False):
    """A record of ``order-events``; absent optional fields are ``UNSET``."""

    event_id: Id
    shop_id: Id
    buyer_id: Id
    order_id: Id
    ts: Instant
    type: Literal["created", "paid", "cancelled", "refund_requested", "refund_completed"]
    amount: Amount | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    currency: Annotated[str, Meta(min_length=3, max_length=3)] | UnsetType = UNSET
    created_ts: Instant | UnsetType = UNSET
    product_ids: tuple[Id, ...] = ()
