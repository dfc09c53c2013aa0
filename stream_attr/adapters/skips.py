"""Why a part of a payload gives no event: a word that is counted, and what it is about."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from stream_attr.errors import StreamAttrError

__all__ = ["MEANINGS", "WORTH_A_LOOK", "Reason", "Skip", "SkippedError"]


class Reason(StrEnum):
    """Why a part of a payload gives no event."""

    IGNORED = "ignored"
    NOT_A_SALE = "not_a_sale"
    NOT_MONEY = "not_money"
    NOT_YET = "not_yet"
    NO_BUYER = "no_buyer"
    NO_TIME = "no_time"
    PRIVATE = "private"
    NOT_SENT = "not_sent"
    NEEDS_DETAIL = "needs_detail"
    UNKNOWN_SHOP = "unknown_shop"
    UNKNOWN = "unknown"
    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"
    BAD_ID = "bad_id"
    BAD_TIME = "bad_time"
    BAD_AMOUNT = "bad_amount"
    BAD_VALUE = "bad_value"
    NOBODY_ANSWERED = "nobody_answered"


MEANINGS: Final = {
    Reason.IGNORED: "says nothing that our events have: a heartbeat, a parcel on its way",
    Reason.NOT_A_SALE: "a test order, or goods that are sent once more in exchange",
    Reason.NOT_MONEY: "a refund that ends in an exchange, a repair or a restock",
    Reason.NOT_YET: "not done yet: a transaction that is pending, a group that is not complete",
    Reason.NO_BUYER: "a guest, or the platform does not say whose it is; `bridge` can say it",
    Reason.NO_TIME: "the platform does not say when, and the payload did not come right after it",
    Reason.PRIVATE: "a note among agents",
    Reason.NOT_SENT: "a message that failed, was taken back or was not sent",
    Reason.NEEDS_DETAIL: "the payload lacks what `enrich` did not give either",
    Reason.UNKNOWN_SHOP: "of a shop that the connection does not name",
    Reason.UNKNOWN: "a kind of payload, or a word in it, that this adapter does not know",
    Reason.NOT_JSON: "not JSON in UTF-8",
    Reason.MISSING_FIELD: "a field is missing that the event needs",
    Reason.BAD_TYPE: "a field is of another type than the platform documents",
    Reason.BAD_ID: "an id that is damaged, or that the contract does not take",
    Reason.BAD_TIME: "not a time of the form that the platform documents",
    Reason.BAD_AMOUNT: "not an amount of the unit that the platform documents",
    Reason.BAD_VALUE: "a value that the contract does not take",
    Reason.NOBODY_ANSWERED: "a message to a shared inbox, of nobody's, that nobody answered",
}
"""What each means, for people."""

WORTH_A_LOOK: Final = frozenset(Reason) - {
    Reason.IGNORED,
    Reason.NOT_A_SALE,
    Reason.NOT_MONEY,
    Reason.NOT_YET,
    Reason.NO_BUYER,
    Reason.PRIVATE,
    Reason.NOT_SENT,
    Reason.NOBODY_ANSWERED,
}
"""Reasons that say something is wrong: with the payload, the connection or this adapter."""


class Skip(NamedTuple):
    """A part of a payload that gives no event."""

    reason: Reason
    about: str
    """The field or the kind of payload; never a value that a buyer wrote."""


class SkippedError(StreamAttrError):
    """Ends the reading of one part of a payload."""

    def __init__(self, reason: Reason, about: str) -> None:
        super().__init__(f"{reason}: {about}")
        self.skip = Skip(reason, about)
