"""Whose a buyer's message to a shared inbox is: of the one who answers next.

A helpdesk lets anybody answer. An assignment is often older than the conversation of today, so that it
decides only where nobody answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from stream_attr.adapters.collector import Adapted, Answer
from stream_attr.adapters.skips import Reason, Skip
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.rules.shop.days import DAY_MS, END_OF_TIME

__all__ = ["PATIENCE_MS", "SharedInbox"]

PATIENCE_MS: Final = DAY_MS
"""How long a message waits for an answer."""


@dataclass(slots=True)
class _Conversation:
    waiting: list[ChatEvent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


class SharedInbox:
    """Messages that wait for whoever answers, by conversation.

    To begin again after a stop, tell it the last day of payloads once more: its events come again with their
    ids, and change nothing.
    """

    def __init__(self, patience_ms: int = PATIENCE_MS) -> None:
        self._patience_ms = patience_ms
        self._conversations: dict[str, _Conversation] = {}

    def take(self, adapted: Adapted) -> Adapted:
        """Return what a payload gives, with the messages that are somebody's by now, also those of before."""
        touched: dict[str, _Conversation] = {}
        for answer in adapted.answers:
            touched[answer.conversation] = one = self._conversation(answer.conversation)
            if answer not in one.answers:
                one.answers.append(answer)
        for waiting in adapted.waiting:
            touched[waiting.conversation] = one = self._conversation(waiting.conversation)
            if all(event.event_id != waiting.event.event_id for event in one.waiting):
                one.waiting.append(waiting.event)
        answered = [event for one in touched.values() for event in self._answered(one)]
        events = sorted((*adapted.events, *answered), key=lambda event: event.ts)
        return adapted._replace(events=tuple(events), waiting=(), answers=())

    def expire(self, now_ts: int = END_OF_TIME) -> Adapted:
        """Return what nobody answered in time: a message of whom it is assigned to, or a counted reason.

        ``now_ts``: the time by the payloads; left out: no more come.
        """
        before = now_ts - self._patience_ms
        events: list[ChatEvent] = []
        skipped: list[Skip] = []
        for key, one in list(self._conversations.items()):
            for event in [event for event in one.waiting if event.ts < before]:
                one.waiting.remove(event)
                if event.agent_id:
                    events.append(event)
                else:
                    skipped.append(Skip(Reason.NOBODY_ANSWERED, "message"))
            one.answers = [answer for answer in one.answers if answer.ts >= before]
            if not (one.waiting or one.answers):
                del self._conversations[key]
        return Adapted(tuple(events), tuple(skipped))

    def _conversation(self, key: str) -> _Conversation:
        return self._conversations.setdefault(key, _Conversation())

    def _answered(self, one: _Conversation) -> list[ChatEvent]:
        found: list[ChatEvent] = []
        for event in list(one.waiting):
            answers = [
                answer for answer in one.answers if event.ts <= answer.ts <= event.ts + self._patience_ms
            ]
            if answers:
                one.waiting.remove(event)
                first = min(answers, key=lambda answer: (answer.ts, answer.agent_id))
                found.append(msgspec.structs.replace(event, agent_id=first.agent_id))
        return found
