"""What was said in the receptions of a day, message by message, and what each adds to the figures."""

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

__all__ = ["Heard", "LastEmitted", "as_told", "receptions_of"]


class Heard(NamedTuple):
    """A message of a reception, or a hand-over, and what it adds to the figures."""

    ts: int
    message: Message | None
    """None: a hand-over."""
    kind: str
    """Of a message; of a hand-over, to whom."""
    before: Fact | None = None
    """The figures without it and what follows; None: it is the first."""
    after: Fact | None = None
    """The figures with it; None: they have not been told with it yet, or it is a hand-over."""


@dataclass(slots=True)
class LastEmitted:
    """What was said in one reception."""

    agent_id: str
    day: int
    shop: Shop
    events: list[ChatEvent] = field(default_factory=list)
    """Messages and hand-overs in the order in which they were judged."""

    def heard(
        self, buyer_id: str, closed_ts: int | None, told: Fact, *, final: bool
    ) -> tuple[list[Heard], bool]:
        """Return what was heard and what each message adds to the figures, and whether these are as told.

        What came last may not be told yet, unless they are told as ``final``.
        """
        for count in range(len(self.events), 0, -1):
            steps, fact = self._heard(buyer_id, closed_ts, self.events[:count])
            if fact is not None and as_told(fact) == told:
                steps += [_step(event, self.shop) for event in self.events[count:]]
                return sorted(steps, key=_place), True
            if final:
                break
        return self._heard(buyer_id, closed_ts, self.events)[0], False

    def _heard(
        self, buyer_id: str, closed_ts: int | None, events: Sequence[ChatEvent]
    ) -> tuple[list[Heard], Fact | None]:
        reception = Reception()
        reception.closed_ts = closed_ts
        fact: Fact | None = None
        steps = []
        for event in events:
            if event.type == "transfer":
                reception.add_transfer(event.ts, event.event_id)
        for step in sorted([_step(event, self.shop) for event in events], key=_place):
            if step.message is None:
                steps.append(step)
                continue
            before = fact
            reception.add(step.message)
            fact = fact_of(reception, buyer_id, self.agent_id, self.day, self.shop)
            steps.append(step._replace(before=before, after=fact))
        return steps, fact


def _step(event: ChatEvent, shop: Shop) -> Heard:
    if event.type == "transfer":
        return Heard(event.ts, None, str(event.to_agent_id))
    return Heard(event.ts, message_of(event, shop), event.kind)


def _place(one: Heard) -> tuple[int, bool, int, str]:
    """Where it stands among others: at one instant messages first, in their order."""
    message = one.message
    return (one.ts, True, 0, one.kind) if message is None else (*message[:1], False, *message[1:3])


def as_told(fact: Fact) -> Fact:
    """Return figures without those that no record tells."""
    return replace(fact, last_effective_ts=None, may_be_offline=False, presence=())


def receptions_of(chat: Iterable[ChatEvent], day: int, shop: Shop) -> dict[str, LastEmitted]:
    """Return what was said on a day, by agent id; of events with one id the first counts."""
    known: set[str] = set()
    found: dict[str, LastEmitted] = {}
    for event in chat:
        if event.event_id in known or (event.kind == "system" and event.type == "message"):
            continue
        known.add(event.event_id)
        if shop.zone.day_of(event.ts) == day:
            found.setdefault(event.agent_id, LastEmitted(event.agent_id, day, shop)).events.append(event)
    return {
        agent_id: said
        for agent_id, said in found.items()
        if any(event.type == "message" for event in said.events)
    }
