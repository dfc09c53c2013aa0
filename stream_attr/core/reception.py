"""Receptions: which of a buyer's messages with an agent count, and why the others do not (RULEBOOK 4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import StrEnum

from stream_attr.core.days import Zone
from stream_attr.core.message import AGENT, BLANK, BROADCAST, BUYER, SUBACCOUNT, Message, Pair
from stream_attr.core.settings import Role
from stream_attr.core.shop import Reading


class Filter(StrEnum):
    """The filters in the order in which they are asked; ``agent_offline`` bears on facts only."""

    EMPTY = "empty"
    OWN_ACCOUNT = "own_account"
    OFFICIAL_ACCOUNT = "official_account"
    BUYER_SUBACCOUNT = "buyer_subaccount"
    BROADCAST = "broadcast"
    FORWARDED = "forwarded"
    ADVERT = "advert"
    SINGLE_SENTENCE = "single_sentence"
    MONOLOGUE = "monologue"


def receptions(pair: Pair, zone: Zone, from_ts: int, until_ts: int) -> Iterator[tuple[int, list[Message]]]:
    """Yield (day, messages) of a pair's receptions that begin on a day within ``[from_ts, until_ts)``.

    Both bounds are first instants of days.
    """
    messages = pair.messages
    index, end = bisect_left(messages, (from_ts,)), len(messages)
    while index < end:
        ts = messages[index].ts
        if ts >= until_ts:
            return
        day = zone.day_of(ts)
        midnight = zone.start_of(day + 1)
        first = index
        while index < end and messages[index].ts < midnight:
            index += 1
        yield day, messages[first:index]


def is_effective(message: Message, reading: Reading) -> bool:
    """Whether a message is an agent's own word: no broadcast, not blank, no automatic reply."""
    return message.side == AGENT and not message.flags & reading.mute


def filtered(
    messages: Sequence[Message],
    first_transfer_ts: int | None,
    reading: Reading,
    role: Role,
    *,
    own_account: bool,
    official_account: bool,
) -> Filter | None:
    """Return the first filter that matches a reception, or None.

    ``messages``: all of the pair's messages of one day, sorted, at least one. ``first_transfer_ts``: when the
    agent first handed the buyer over that day.
    """
    if all(message.flags & BLANK for message in messages):
        return Filter.EMPTY
    if own_account:
        return Filter.OWN_ACCOUNT
    if official_account:
        return Filter.OFFICIAL_ACCOUNT
    if reading.aftersale_unfiltered and role is Role.AFTERSALE:
        return None
    filters = reading.filters
    if filters.buyer_subaccount and any(message.flags & SUBACCOUNT for message in messages):
        return Filter.BUYER_SUBACCOUNT
    buyer_messages = sum(message.side == BUYER for message in messages)
    if filters.broadcast and not buyer_messages and all(message.flags & BROADCAST for message in messages):
        return Filter.BROADCAST
    if filters.forwarded and first_transfer_ts is not None:
        replies = sum(
            is_effective(message, reading) for message in messages if message.ts < first_transfer_ts
        )
        if replies <= filters.forwarded_max_replies:
            return Filter.FORWARDED
    if reading.advert_bit and buyer_messages and _is_advert(messages, reading):
        return Filter.ADVERT
    by_buyer = messages[0].side == BUYER
    if filters.single_sentence and by_buyer and buyer_messages == 1:
        replies = sum(is_effective(message, reading) for message in messages)
        if replies >= filters.single_sentence_min_replies:
            return Filter.SINGLE_SENTENCE
    if filters.monologue and not by_buyer and buyer_messages <= filters.monologue_max_buyer_messages:
        return Filter.MONOLOGUE
    return None


def _is_advert(messages: Sequence[Message], reading: Reading) -> bool:
    spoken = False
    replies = 0
    for message in messages:
        if message.side == BUYER:
            spoken = True
        elif spoken:
            if replies == reading.advert_within:
                return False
            replies += 1
            if message.flags & reading.advert_bit:
                return True
    return False
