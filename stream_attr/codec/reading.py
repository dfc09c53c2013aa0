"""What the core keeps of an inbound event. A message's text is read here, and goes no further."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from stream_attr.codec.events import ChatEvent, OrderEvent
from stream_attr.core.message import (
    AGENT,
    AUTO_REPLY,
    BLANK,
    BROADCAST,
    BUYER,
    PRODUCT_PAGE,
    SUBACCOUNT,
    Message,
)
from stream_attr.core.placed import Placed
from stream_attr.core.shop import Shop

_new: Final = tuple.__new__
"""Makes a named tuple in a third of the time: there is one for every message."""
_KIND_FLAGS: Final = {"text": 0, "image": 0, "card": 0, "broadcast": BROADCAST, "auto_reply": AUTO_REPLY}
"""Of every kind that is kept: of ``system`` messages nothing is."""
_SIDES: Final = {"buyer": BUYER, "agent": AGENT}
_NEVER_BLANK: Final = frozenset({"image", "card"})


def message_of(event: ChatEvent, shop: Shop) -> Message:
    """Return what is kept of a message; its text is matched against the patterns of its day."""
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
            for (whole, wanted), bit in shop.patterns_on(shop.zone.day_of(event.ts)).items():
                if text == wanted if whole else text.startswith(wanted):
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
