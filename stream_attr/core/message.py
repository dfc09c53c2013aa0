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
"""Flags from this bit on say which of the shop's text patterns the message matched."""


class Message(NamedTuple):
    """One message of a buyer and an agent. Sorts as the rulebook orders messages of a pair."""

    ts: int
    side: int
    event_id: str
    flags: int
    characters: int
    product_id: str | None
