"""A record of ``chat-events`` (RULEBOOK 2)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_attr.contract.records.fields import Id, Instant


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
