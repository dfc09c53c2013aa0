"""What is kept of one chat message: time, side, id and flags; never its text (RULEBOOK 2, 4)."""

from __future__ import annotations

from typing import NamedTuple

BUYER = 0
AGENT = 1
"""Sides, numbered so that a buyer's message sorts before an agent's of the same instant."""

BLANK = 1
BROADCAST = 2
AUTO_REPLY = 4
PRODUCT_PAGE = 8
SUBACCOUNT = 16
TEXT_SHIFT = 5
"""Flags from this bit on say which of the day's text patterns the message matched."""


class Message(NamedTuple):
    """One message of a buyer and an agent. Sorts as the rulebook orders messages of a pair."""

    ts: int
    side: int
    event_id: str
    flags: int
    characters: int
    product_id: str | None


class Pair:
    """All that is known between the buyer and one agent."""

    __slots__ = ("messages", "transfers")

    def __init__(
        self, messages: list[Message] | None = None, transfers: list[tuple[int, str]] | None = None
    ) -> None:
        self.messages: list[Message] = [] if messages is None else messages
        """Sorted; of every kind but ``system``."""
        self.transfers: list[tuple[int, str]] = [] if transfers is None else transfers
        """Sorted (ts, event id) of the agent's hand-overs of this buyer."""
