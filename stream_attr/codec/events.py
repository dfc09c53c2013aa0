"""The shapes of chat, order, tick and roster records (RULEBOOK 2); ``inbound`` checks what they say."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_attr.core.days import EARLIEST_TS, LATEST_TS, day_number
from stream_attr.core.settings import Role

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Instant = Annotated[int, Meta(ge=EARLIEST_TS, lt=LATEST_TS)]
MAX_AMOUNT: Final = 2**53 - 1
"""Of one event, and of an order's refunds together: what every JSON reader holds exactly."""
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Version = Annotated[int, Meta(ge=1)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]


class ChatEvent(Struct, gc=False):
    """A record of ``chat-events``; absent optional fields are ``UNSET``."""

    event_id: Id
    shop_id: Id
    buyer_id: Id
    agent_id: Id
    ts: Instant
    type: Literal["message", "transfer"] = "message"
    sender: Literal["buyer", "agent"] | UnsetType = UNSET
    kind: Literal["text", "image", "card", "system", "broadcast", "auto_reply"] = "text"
    text: str | UnsetType = UNSET
    text_length: Annotated[int, Meta(ge=0, le=2**53 - 1)] | UnsetType = UNSET
    entry: Literal["product_page", "order_page", "shop", "other"] | UnsetType = UNSET
    product_id: Id | UnsetType = UNSET
    to_agent_id: Id | UnsetType = UNSET
    buyer_is_subaccount: bool = False


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


TICK_VERSION: Final = 1


class Tick(Struct, gc=False):
    """A record of ``ticks``: it is now ``ts`` on this partition."""

    ts: Instant
    version: Version = TICK_VERSION


class RosterRecord(Struct, gc=False):
    """A record of ``agent-roster``."""

    shop_id: Id
    agent_id: Id
    role: Literal["presale", "aftersale", "frozen"]
    effective_from: str
    name: str | UnsetType = UNSET
    group: str | UnsetType = UNSET

    @property
    def first_day(self) -> int:
        """``effective_from`` as a day number."""
        return day_number(self.effective_from)

    @property
    def as_role(self) -> Role:
        """``role`` as the core knows it."""
        return Role(self.role)


class AnyObject(Struct, gc=False):
    """Any object."""


class Versioned(Struct, gc=False):
    """Any object of which a later version may have other fields."""

    version: Version = 1


class Timed(Struct, gc=False):
    """Any object with a time."""

    ts: Instant
