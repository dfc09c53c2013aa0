"""Chat events from JSON bytes, checked by RULEBOOK 2, and the facts that are kept of a message.

A message's text is read here and is not kept.
"""

from __future__ import annotations

from typing import Final

import msgspec.inspect
from msgspec import UNSET

from stream_attr.codec.decoding import check_id, decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.rules.chat.message import (
    AGENT,
    AUTO_REPLY,
    BLANK,
    BROADCAST,
    BUYER,
    PRODUCT_PAGE,
    SUBACCOUNT,
    Message,
)
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Code

_chat: Final = msgspec.json.Decoder(ChatEvent)


def decode_chat(value: bytes | None) -> ChatEvent:
    """Return the chat event of a record's bytes."""
    event = decode(_chat.decode, value)
    if event.type == "message":
        if event.sender is UNSET:
            raise RefusedRecord(Code.MISSING_FIELD, "a message needs `sender`: buyer or agent", "sender")
    elif event.to_agent_id is UNSET:
        raise RefusedRecord(Code.MISSING_FIELD, "a transfer needs `to_agent_id`", "to_agent_id")
    ids = event.shop_id + event.buyer_id + event.agent_id + event.event_id
    if not ids.isprintable() or "|" in ids:
        for name in ("event_id", "shop_id", "buyer_id", "agent_id"):
            check_id(getattr(event, name), name)
    if event.agent_id == "*":
        raise RefusedRecord(Code.BAD_VALUE, "`agent_id` is `*`, which stands for a shop's totals", "agent_id")
    if event.to_agent_id is not UNSET:
        check_id(event.to_agent_id, "to_agent_id")
        if event.to_agent_id == "*":
            raise RefusedRecord(Code.BAD_VALUE, "`to_agent_id` is `*`, which is not an agent", "to_agent_id")
        if event.type == "transfer" and event.to_agent_id == event.agent_id:
            raise RefusedRecord(
                Code.BAD_VALUE, "`to_agent_id` is `agent_id`: a transfer needs another agent", "to_agent_id"
            )
    if event.product_id is not UNSET:
        check_id(event.product_id, "product_id")
    return event


_new: Final = tuple.__new__
"""Makes a named tuple in a third of the time: there is one for every message."""


_KIND_FLAGS: Final = {"text": 0, "image": 0, "card": 0, "broadcast": BROADCAST, "auto_reply": AUTO_REPLY}
"""Of every kind that is kept; ``system`` messages are not."""


_SIDES: Final = {"buyer": BUYER, "agent": AGENT}


_NEVER_BLANK: Final = frozenset({"image", "card"})


def message_of(event: ChatEvent, shop: Shop) -> Message:
    """Return the fact that is kept of a message; its text is matched against the patterns of its day."""
    sender = event.sender
    assert sender is not UNSET  # of a message; only a transfer has none
    side = _SIDES[sender]
    by_buyer = side == BUYER
    kind = event.kind
    flags = _KIND_FLAGS[kind]
    text = event.text
    if text is not UNSET:
        characters = len(text)
        if not text.strip() and kind not in _NEVER_BLANK:
            flags |= BLANK
        if not by_buyer:
            for (exact, wanted), bit in shop.patterns_on(shop.zone.day_of(event.ts)).items():
                if text == wanted if exact else text.startswith(wanted):
                    flags |= bit
    elif event.text_length is not UNSET:
        characters = event.text_length
        if not characters and kind not in _NEVER_BLANK:
            flags |= BLANK
    else:
        characters = 0
    if by_buyer and event.entry == "product_page":
        flags |= PRODUCT_PAGE
    if event.buyer_is_subaccount:
        flags |= SUBACCOUNT
    product_id = None if event.product_id is UNSET else event.product_id
    return _new(Message, (event.ts, side, event.event_id, flags, characters, product_id))
