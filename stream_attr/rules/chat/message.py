"""What is kept of one chat message: time, side, id and flags; never its text (RULEBOOK 2, 4)."""

from __future__ import annotations

from typing import Final, NamedTuple

BUYER: Final = 0
AGENT: Final = 1
"""Sides, numbered so that a buyer's message sorts before an agent's of the same instant."""

BLANK: Final = 1
BROADCAST: Final = 2
AUTO_REPLY: Final = 4
PRODUCT_PAGE: Final = 8
SUBACCOUNT: Final = 16
TEXT_SHIFT: Final = 5
"""From this bit on, one flag for each of the shop's text patterns that the message matched."""


class Message(NamedTuple):
    """One message of a buyer and an agent. Sorts as the rulebook orders messages of a pair."""

    ts: int
    side: int
    event_id: str
    flags: int
    characters: int
    product_id: str | None
