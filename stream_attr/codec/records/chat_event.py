"""Chat events from JSON bytes, checked by RULEBOOK 2, and the facts that are kept of a message.

A message's text is read here and is not kept.
"""

from __future__ import annotations

from typing import Final

import msgspec.inspect
from msgspec import UNSET

from stream_attr.codec.decoding import check_id, decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import LoneSurrogatesError
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
from stream_attr.rules.chat.reception import Rating
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Code

_chat: Final = msgspec.json.Decoder(ChatEvent)


def decode_chat(value: bytes | None) -> ChatEvent:
    """Return the chat event of a record's bytes."""
    try:
        event = decode(_chat.decode, value)
    except LoneSurrogatesError as found:
        return found.read_by(decode_chat)
    if event.type == "message":
        if event.sender is UNSET:
            raise RefusedRecord(Code.MISSING_FIELD, "a message needs `sender`: buyer or agent", "sender")
    elif event.type == "transfer":
        if event.to_agent_id is UNSET:
            raise RefusedRecord(Code.MISSING_FIELD, "a transfer needs `to_agent_id`", "to_agent_id")
    else:
        if event.score is UNSET:
            raise RefusedRecord(Code.MISSING_FIELD, "a rating needs `score`: 1 to 5", "score")
        if event.rated_ts is not UNSET and event.rated_ts > event.ts:
            raise RefusedRecord(Code.BAD_VALUE, "`rated_ts` lies after `ts`", "rated_ts")
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


def rating_of(event: ChatEvent) -> Rating:
    """Return the fact that is kept of a rating."""
    score, rated_ts = event.score, event.rated_ts
    assert score is not UNSET  # of a rating
    return Rating(event.ts, event.event_id, score, event.ts if rated_ts is UNSET else rated_ts)


_new: Final = tuple.__new__
"""Makes a named tuple in a third of the time: there is one for every message."""


_KIND_FLAGS: Final = {"text": 0, "image": 0, "card": 0, "broadcast": BROADCAST, "auto_reply": AUTO_REPLY}
"""Of every kind that is kept; ``system`` messages are not."""


_SIDES: Final = {"buyer": BUYER, "agent": AGENT}


_NEVER_BLANK: Final = frozenset({"image", "card"})


_SHOWS_NOTHING: Final = frozenset(
    # White space.
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
    # Fillers and the blank Braille pattern.
    "\u115f\u1160\u2800\u3164\uffa0"
).union(
    # The category Cf of Unicode 16: listed, so that all versions of Python judge alike.
    *(
        map(chr, range(first, last + 1))
        for first, last in (
            *((0xAD, 0xAD), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD), (0x70F, 0x70F)),
            *((0x890, 0x891), (0x8E2, 0x8E2), (0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E)),
            *((0x2060, 0x2064), (0x2066, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB)),
            *((0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3)),
            *((0x1D173, 0x1D17A), (0xE0001, 0xE0001), (0xE0020, 0xE007F)),
        )
    )
)
"""A text of nothing else is blank (RULEBOOK 4)."""


def shows_nothing(text: str) -> bool:
    return not text or (text[0] in _SHOWS_NOTHING and _SHOWS_NOTHING.issuperset(text))


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
        begins_visibly = "!" <= text < "\x7f" or "\u3400" <= text < "\ua000"  # most texts: quickly asked
        if not begins_visibly and kind not in _NEVER_BLANK and shows_nothing(text):
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
