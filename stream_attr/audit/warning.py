"""A warning of an audit: what was found, in which lines, and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

SHOWN_PLACES: Final = 5
"""So many lines are named by a warning; of the others only the count is kept."""


class AuditCode(StrEnum):
    """What an audit can find."""

    REPEATED_EVENT_ID = "repeated_event_id"
    RESTARTED_EVENT_IDS = "restarted_event_ids"
    REPEATED_CHAT = "repeated_chat"
    ORDER_OF_TWO_BUYERS = "order_of_two_buyers"
    FEW_BUYERS_WITH_CHAT = "few_buyers_with_chat"
    AGENT_NOT_IN_ROSTER = "agent_not_in_roster"
    AGENT_SPELLING = "agent_spelling"
    MANY_ORDERS = "many_orders"
    OVER_REFUNDED = "over_refunded"
    SEVERAL_PAYMENTS = "several_payments"
    PAID_AND_CANCELLED = "paid_and_cancelled"
    TIME_JUMP = "time_jump"


REMEDIES: Final = {
    AuditCode.REPEATED_EVENT_ID: (
        "An event id names one event; the first one read counts, the others are lost. "
        "Give each event an id of its own."
    ),
    AuditCode.RESTARTED_EVENT_IDS: (
        "Each file seems to count its ids from the beginning; the events of the later files are lost. "
        "Put the export's date in front of each id."
    ),
    AuditCode.REPEATED_CHAT: (
        "The same messages count twice. Import each export once, with the same ids each time."
    ),
    AuditCode.ORDER_OF_TWO_BUYERS: (
        "Each buyer's part is judged as an order of its own. Send all events of an order with one "
        "buyer_id, that of the account which chats."
    ),
    AuditCode.FEW_BUYERS_WITH_CHAT: (
        "Chat and orders may name buyers differently (nickname and account id), or chat is missing. "
        "Compare the buyer_id of both."
    ),
    AuditCode.AGENT_NOT_IN_ROSTER: (
        "It has the role that `unlisted_agents` says. Add it to the roster if it is an agent."
    ),
    AuditCode.AGENT_SPELLING: (
        "Identifiers are compared exactly: these are two agents. Write one spelling everywhere."
    ),
    AuditCode.MANY_ORDERS: (
        "Such an id is often a placeholder (guest, 0): its chat earns the orders of other people. "
        "Send the real buyer_id, or an id for each order."
    ),
    AuditCode.OVER_REFUNDED: (
        "The order's net amount is below 0. Give each refund a refund_id, so that one that was sent under "
        "two event ids counts once; look for amounts in another unit."
    ),
    AuditCode.SEVERAL_PAYMENTS: (
        "Of payments with one payment_id, or without one, only the first counts. Give each instalment a "
        "payment_id of its own; look for a correction that was sent as a payment."
    ),
    AuditCode.PAID_AND_CANCELLED: (
        "The order counts as paid. Send its refund_completed if the buyer has the money back."
    ),
    AuditCode.TIME_JUMP: (
        "Look for a wrong clock, a wrong time zone or a missing export; sort the lines by `ts`, or "
        "replay with an --allowed-lateness that covers the jump."
    ),
}
"""What to do about each."""


class Place(NamedTuple):
    """A line of a file, by the file's number in the order of reading."""

    file: int
    line: int


class AuditWarning(NamedTuple):
    """One warning, about all lines that it holds for."""

    code: AuditCode
    message: str
    places: tuple[str, ...]
    """The first lines, ``FILE:LINE``, at most `SHOWN_PLACES`."""
    lines_found: int
    """How many lines it holds for."""

    @property
    def remedy(self) -> str:
        """What to do."""
        return REMEDIES[self.code]

    def lines(self) -> list[str]:
        """Return ``FILE:LINE: warning: CODE: MESSAGE``, then indented the other lines and what to do."""
        text = [f"{self.places[0]}: warning: {self.code}: {self.message}"]
        if others := self.places[1:]:
            more = self.lines_found - len(self.places)
            text.append(f"  also: {', '.join(others)}{f' and {more:,} more' if more else ''}")
        text.append(f"  {self.remedy}")
        return text


class Tally:
    """Counts lines and keeps the first of them."""

    __slots__ = ("count", "places")

    def __init__(self) -> None:
        self.count = 0
        self.places: list[Place] = []

    def add(self, place: Place) -> None:
        """Count a line; lines come in any order."""
        self.count += 1
        places = self.places
        if len(places) == SHOWN_PLACES:
            if place >= places[-1]:
                return
            places.pop()
        places.append(place)
        places.sort()
