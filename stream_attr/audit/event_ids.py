"""Event ids that name several events, and chat that was imported again under other ids (RULEBOOK 2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from msgspec.structs import astuple

from stream_attr.audit.groups import Groups
from stream_attr.audit.warning import Place, Tally
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.ruling import RulingEvent
from stream_attr.rules.shop.days import DAY_MS

SHARE_OF_REPEATED_CHAT: Final = 0.5
"""From this share of repeated messages on, a chat of a day was imported again. Below it stands what happens
where times have whole seconds: the same word sent twice in one second."""

assert {one.__struct_fields__[0] for one in (ChatEvent, OrderEvent, RulingEvent)} == {"event_id"}


def content_of(event: ChatEvent | OrderEvent | RulingEvent) -> int:
    """Return a hash of everything that an event says but its id."""
    return hash(astuple(event)[1:])


class EventIds:
    """The event ids of one topic."""

    def __init__(self) -> None:
        self.groups = Groups()

    def add(self, event: ChatEvent | OrderEvent | RulingEvent, content: int, place: Place) -> None:
        """Add an event."""
        shop_id, event_id = event.shop_id, event.event_id
        self.groups.add(hash(event_id), (shop_id, event_id, content, place.file, place.line))

    def repeated(self) -> tuple[Tally, Tally]:
        """Return the events whose id an earlier event of other content has: in the same file, in another."""
        same_file, other_file = Tally(), Tally()
        for bucket in self.groups:
            first: dict[tuple[str, str], tuple[int, int]] = {}
            for shop_id, event_id, content, file, line in bucket:
                known = first.setdefault((shop_id, event_id), (content, file))
                if known[0] != content:
                    (same_file if known[1] == file else other_file).add(Place(file, line))
        return same_file, other_file


class ChatCopies:
    """Messages with identical content under several event ids, by chat: buyer, agent and day (UTC)."""

    def __init__(self) -> None:
        self.groups = Groups()

    def add(self, event: ChatEvent, content: int, place: Place) -> None:
        """Add an event."""
        chat = hash((event.shop_id, event.buyer_id, event.agent_id, event.ts // DAY_MS))
        self.groups.add(chat, (chat, content, hash(event.event_id), place.file, place.line))

    def repeated(self) -> Tally:
        """Return the repeated messages of chats that were imported again."""
        found = Tally()
        for bucket in self.groups:
            ids: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
            copies: defaultdict[int, list[Place]] = defaultdict(list)
            for chat, content, event_id, file, line in bucket:
                known = ids[chat, content]
                if event_id not in known:
                    if known:
                        copies[chat].append(Place(file, line))
                    known.add(event_id)
            contents = Counter(chat for chat, _ in ids)
            repeated = Counter(chat for (chat, _), known in ids.items() if len(known) > 1)
            for chat, places in copies.items():
                if repeated[chat] >= contents[chat] * SHARE_OF_REPEATED_CHAT:
                    for place in places:
                        found.add(place)
        return found
