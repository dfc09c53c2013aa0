"""The messages, transfers and ratings of a day's receptions, and what each adds to the figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from stream_attr.codec.records.chat_event import message_of, rating_of
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.rules.chat.message import Message
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.reports.measures import Fact
from stream_attr.rules.reports.reception_fact import fact_of
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop

__all__ = ["ReceptionTimeline", "TimelineEntry", "as_recorded", "reception_timelines"]


class TimelineEntry(NamedTuple):
    """A message, transfer or rating of a reception; a message with the figures before and after it."""

    ts: int
    message: Message | None
    """None: a transfer or rating."""
    kind: str
    """Kind of the message; of a transfer: the other agent; of a rating: its score."""
    before: Fact | None = None
    """Figures of all messages before it; None: it is the first."""
    after: Fact | None = None
    """Figures with it; None: not a message, or the last emitted fact does not include it yet."""
    sentence: str = ""
    """Of another entry: ``transfer``, ``transfer_received``, ``rated``, or, of a question of the day before,
    ``past_midnight``."""


@dataclass(slots=True)
class ReceptionTimeline:
    """The messages, transfers and ratings of one reception."""

    agent_id: str
    day: int
    shop: Shop
    events: list[ChatEvent] = field(default_factory=list)
    """In the order in which they were processed."""
    before: Reception | None = None
    """The pair's reception of the day before."""

    def entries(
        self, buyer_id: str, closed_ts: int | None, recorded: Fact, *, final: bool
    ) -> tuple[list[TimelineEntry], bool]:
        """Return the entries in order of time, and whether their figures are those of the last emitted fact.

        ``recorded``: that fact. While it is not ``final``, the newest messages may not be in it yet.
        """
        for count in range(len(self.events), 0, -1):
            entries, fact = self._replayed(buyer_id, closed_ts, self.events[:count])
            if fact is not None and as_recorded(fact) == recorded:
                entries += [self._entry(event) for event in self.events[count:]]
                return sorted(entries, key=_sort_key), True
            if final:
                break
        return self._replayed(buyer_id, closed_ts, self.events)[0], False

    def _replayed(
        self, buyer_id: str, closed_ts: int | None, events: Sequence[ChatEvent]
    ) -> tuple[list[TimelineEntry], Fact | None]:
        reception = Reception()
        reception.before = self.before
        if closed_ts is not None:
            reception.close(closed_ts)
        fact: Fact | None = None
        entries = []
        for event in events:
            if event.type == "rating":
                reception.add_rating(rating_of(event))
            elif event.type == "transfer" and event.agent_id == self.agent_id:
                reception.add_transfer(event.ts, event.event_id)
            elif event.type == "transfer":
                reception.add_handed_over(event.ts)
        for entry in sorted([self._entry(event) for event in events], key=_sort_key):
            if entry.message is None:
                entries.append(entry)
                continue
            before = fact
            reception.add(entry.message)
            fact = fact_of(reception, buyer_id, self.agent_id, self.day, self.shop)
            entries.append(entry._replace(before=before, after=fact))
        if fact is None and reception.has_reception(self.day, self.shop):
            fact = fact_of(reception, buyer_id, self.agent_id, self.day, self.shop)
        rules = self.shop.reception_rules(self.day)
        asked_ts = reception.questions(self.day, self.shop, OFFICIAL, rules).past_midnight
        if asked_ts is not None:
            entries.append(TimelineEntry(asked_ts, None, "", sentence="past_midnight"))
        return sorted(entries, key=_sort_key), fact

    def _entry(self, event: ChatEvent) -> TimelineEntry:
        if event.type == "rating":
            return TimelineEntry(event.ts, None, str(event.score), sentence="rated")
        if event.type == "message":
            return TimelineEntry(event.ts, message_of(event, self.shop), event.kind)
        if event.agent_id == self.agent_id:
            return TimelineEntry(event.ts, None, str(event.to_agent_id), sentence="transfer")
        return TimelineEntry(event.ts, None, event.agent_id, sentence="transfer_received")


def _sort_key(entry: TimelineEntry) -> tuple[int, int, int, str]:
    """Order by time; at one instant transfers to the agent come before messages, other entries after."""
    message = entry.message
    if message is None:
        return entry.ts, 0 if entry.sentence == "transfer_received" else 2, 0, entry.kind
    return entry.ts, 1, message.side, message.event_id


def as_recorded(fact: Fact) -> Fact:
    """Return the figures without those that a reception-fact record does not have."""
    return replace(fact, last_effective_ts=None, may_be_offline=False)


def reception_timelines(chat: Iterable[ChatEvent], day: int, shop: Shop) -> dict[str, ReceptionTimeline]:
    """Return the receptions of a day by agent id; of events with one id the first counts."""
    seen: set[str] = set()
    found: dict[str, ReceptionTimeline] = {}
    before: dict[str, Reception] = {}
    for event in chat:
        if event.event_id in seen or (event.kind == "system" and event.type == "message"):
            continue
        seen.add(event.event_id)
        of_day = shop.zone.day_of(event.ts if event.rated_ts is UNSET else event.rated_ts)
        agents = [event.agent_id]
        if event.type == "transfer":
            agents.append(str(event.to_agent_id))
        if of_day == day:
            for agent_id in agents:
                timeline = found.setdefault(agent_id, ReceptionTimeline(agent_id, day, shop))
                timeline.events.append(event)
        elif of_day == day - 1 and event.type == "message":
            before.setdefault(event.agent_id, Reception()).add(message_of(event, shop))
        elif of_day == day - 1 and event.type == "transfer":
            before.setdefault(agents[1], Reception()).add_handed_over(event.ts)
    carried = shop.reception_rules(day).carried_questions
    for agent_id, timeline in found.items():
        timeline.before = before.get(agent_id)
    return {
        agent_id: timeline
        for agent_id, timeline in found.items()
        if any(_makes_reception(event, agent_id, carried=carried) for event in timeline.events)
    }


def _makes_reception(event: ChatEvent, agent_id: str, *, carried: bool) -> bool:
    return event.type == "message" or (carried and event.type == "transfer" and event.agent_id != agent_id)
