"""The messages of a day's receptions in order, and what each adds to the reception's figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from stream_attr.codec.records.chat_event import message_of
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.rules.chat.message import Message
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.reports.measures import Fact
from stream_attr.rules.reports.reception_fact import fact_of
from stream_attr.rules.shop.shop import Shop

__all__ = ["ReceptionTimeline", "TimelineEntry", "as_recorded", "reception_timelines"]


class TimelineEntry(NamedTuple):
    """A message or transfer of a reception, with the figures before and after it."""

    ts: int
    message: Message | None
    """None: a transfer."""
    kind: str
    """Kind of the message; of a transfer: the agent it goes to."""
    before: Fact | None = None
    """Figures of all messages before it; None: it is the first."""
    after: Fact | None = None
    """Figures with it; None: a transfer, or the last emitted fact does not include it yet."""


@dataclass(slots=True)
class ReceptionTimeline:
    """The messages and transfers of one reception."""

    agent_id: str
    day: int
    shop: Shop
    events: list[ChatEvent] = field(default_factory=list)
    """In the order in which they were processed."""

    def entries(
        self, buyer_id: str, closed_ts: int | None, recorded: Fact, *, final: bool
    ) -> tuple[list[TimelineEntry], bool]:
        """Return the entries in order of time, and whether their figures are those of the last emitted fact.

        ``recorded``: that fact. While it is not ``final``, the newest messages may not be in it yet.
        """
        for count in range(len(self.events), 0, -1):
            entries, fact = self._replayed(buyer_id, closed_ts, self.events[:count])
            if fact is not None and as_recorded(fact) == recorded:
                entries += [_entry(event, self.shop) for event in self.events[count:]]
                return sorted(entries, key=_sort_key), True
            if final:
                break
        return self._replayed(buyer_id, closed_ts, self.events)[0], False

    def _replayed(
        self, buyer_id: str, closed_ts: int | None, events: Sequence[ChatEvent]
    ) -> tuple[list[TimelineEntry], Fact | None]:
        reception = Reception()
        if closed_ts is not None:
            reception.close(closed_ts)
        fact: Fact | None = None
        entries = []
        for event in events:
            if event.type == "transfer":
                reception.add_transfer(event.ts, event.event_id)
        for entry in sorted([_entry(event, self.shop) for event in events], key=_sort_key):
            if entry.message is None:
                entries.append(entry)
                continue
            before = fact
            reception.add(entry.message)
            fact = fact_of(reception, buyer_id, self.agent_id, self.day, self.shop)
            entries.append(entry._replace(before=before, after=fact))
        return entries, fact


def _entry(event: ChatEvent, shop: Shop) -> TimelineEntry:
    if event.type == "transfer":
        return TimelineEntry(event.ts, None, str(event.to_agent_id))
    return TimelineEntry(event.ts, message_of(event, shop), event.kind)


def _sort_key(entry: TimelineEntry) -> tuple[int, bool, int, str]:
    """Order by time; at one instant messages come before transfers."""
    message = entry.message
    return (entry.ts, True, 0, entry.kind) if message is None else (*message[:1], False, *message[1:3])


def as_recorded(fact: Fact) -> Fact:
    """Return the figures without those that a reception-fact record does not have."""
    return replace(fact, last_effective_ts=None, may_be_offline=False)


def reception_timelines(chat: Iterable[ChatEvent], day: int, shop: Shop) -> dict[str, ReceptionTimeline]:
    """Return the receptions of a day by agent id; of events with one id the first counts."""
    seen: set[str] = set()
    found: dict[str, ReceptionTimeline] = {}
    for event in chat:
        if event.event_id in seen or (event.kind == "system" and event.type == "message"):
            continue
        seen.add(event.event_id)
        if shop.zone.day_of(event.ts) == day:
            found.setdefault(event.agent_id, ReceptionTimeline(event.agent_id, day, shop)).events.append(
                event
            )
    return {
        agent_id: timeline
        for agent_id, timeline in found.items()
        if any(event.type == "message" for event in timeline.events)
    }
