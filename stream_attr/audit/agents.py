"""Agents of the chat who are not in the roster, or are written differently there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from stream_attr.audit.warning import Place, Tally

MAX_AGENTS: Final = 100_000
"""So many agents are compared at most: beyond it, ``agent_id`` does not hold agents."""


class Agent(NamedTuple):
    """An agent of the chat and what is odd about it."""

    shop_id: str
    agent_id: str
    other_spelling: str | None
    """Of the roster, or of the chat; None: it is not in the roster in any spelling."""
    lines: Tally


class Agents:
    """The agents of the chat and of the roster."""

    def __init__(self, *, has_roster: bool) -> None:
        self._has_roster = has_roster
        self._roster: set[tuple[str, str]] = set()
        self._chat: dict[tuple[str, str], Tally] = {}

    def add_roster(self, shop_id: str, agent_id: str) -> None:
        """Add an agent of the roster."""
        self._roster.add((shop_id, agent_id))

    def add_chat(self, shop_id: str, agent_id: str, place: Place) -> None:
        """Add an agent of a chat event."""
        tally = self._chat.get((shop_id, agent_id))
        if tally is None:
            if len(self._chat) >= MAX_AGENTS:
                return
            tally = self._chat[shop_id, agent_id] = Tally()
        tally.add(place)

    def odd(self) -> Iterator[Agent]:
        """Yield the agents of the chat that are not in the roster, in the order in which they were read."""
        spellings: dict[tuple[str, str], str] = {}
        # What is listed is the right spelling; among the others, what was used most.
        used = sorted(self._chat.items(), key=lambda item: (-item[1].count, item[1].places[0]))
        for shop_id, agent_id in [*sorted(self._roster), *(agent for agent, _ in used)]:
            spellings.setdefault((shop_id, _plain(agent_id)), agent_id)
        for (shop_id, agent_id), lines in sorted(self._chat.items(), key=lambda item: item[1].places[0]):
            if (shop_id, agent_id) in self._roster:
                continue
            other = spellings[shop_id, _plain(agent_id)]
            if other != agent_id:
                yield Agent(shop_id, agent_id, other, lines)
            elif self._has_roster:
                yield Agent(shop_id, agent_id, None, lines)


def _plain(agent_id: str) -> str:
    """Return an identifier without case and spaces."""
    return "".join(agent_id.casefold().split())
