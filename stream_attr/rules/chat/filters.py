"""The filters of receptions, in the order in which they are tried (RULEBOOK 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stream_attr.rules.chat.message import AGENT, BLANK, BROADCAST, BUYER, SUBACCOUNT, Message
from stream_attr.rules.shop.day_rules import ReceptionRules
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.rules.vocabulary import Filter, Role

_AFTERSALE: Final = Role.AFTERSALE


def filtered(
    messages: Sequence[Message],
    first_transfer_ts: int | None,
    reception_rules: ReceptionRules,
    role: Role,
    *,
    by_buyer: bool,
    handed_over: bool,
    own_account: bool,
    official_account: bool,
) -> Filter | None:
    """Return the first filter that matches a reception, or None.

    ``messages``: all of the reception, sorted; without messages it matches ``empty``, unless a question was
    ``handed_over``. ``first_transfer_ts``: when the agent first transferred the buyer that day. ``by_buyer``:
    whether the buyer initiated it.
    """
    if not handed_over and all(one.flags & BLANK for one in messages):
        return Filter.EMPTY
    if own_account:
        return Filter.OWN_ACCOUNT
    if official_account:
        return Filter.OFFICIAL_ACCOUNT
    if reception_rules.aftersale_unfiltered and role is _AFTERSALE:
        return None
    filters = reception_rules.filters
    if filters.buyer_subaccount and any(one.flags & SUBACCOUNT for one in messages):
        return Filter.BUYER_SUBACCOUNT
    buyer_messages = len([one for one in messages if one.side == BUYER])
    if (
        filters.broadcast
        and messages
        and not buyer_messages
        and all(one.flags & BROADCAST for one in messages)
    ):
        return Filter.BROADCAST
    if filters.forwarded and first_transfer_ts is not None:
        replies = sum(_is_effective(one, reception_rules) for one in messages if one.ts < first_transfer_ts)
        if replies <= filters.forwarded_max_replies:
            return Filter.FORWARDED
    if reception_rules.advert_bit and buyer_messages and _is_advert(messages, reception_rules):
        return Filter.ADVERT
    if (
        filters.single_sentence
        and by_buyer
        and buyer_messages == 1
        and _replies(messages, reception_rules) >= filters.single_sentence_min_replies
    ):
        return Filter.SINGLE_SENTENCE
    if filters.monologue and not by_buyer and buyer_messages <= filters.monologue_max_buyer_messages:
        return Filter.MONOLOGUE
    return None


def _is_effective(message: Message, reception_rules: ReceptionRules) -> bool:
    """Whether it is an agent message that is neither a broadcast nor blank nor an automatic reply."""
    return message.side == AGENT and not message.flags & reception_rules.ineffective_flags


def _replies(messages: Sequence[Message], reception_rules: ReceptionRules) -> int:
    """Return the number of effective agent messages after the buyer's first message."""
    replies = 0
    spoken = False
    for message in messages:
        if message.side == BUYER:
            spoken = True
        elif spoken and not message.flags & reception_rules.ineffective_flags:
            replies += 1
    return replies


def _is_advert(messages: Sequence[Message], reception_rules: ReceptionRules) -> bool:
    return any(one.flags & reception_rules.advert_bit for one in _first_replies(messages, reception_rules))


def stable_from(messages: Sequence[Message], buyer_messages: int, reception_rules: ReceptionRules) -> int:
    """Return the instant from which on a further plain message makes no filter match.

    ``END_OF_TIME``: any may. A message before the first one is another matter.
    """
    if reception_rules.filters.single_sentence and buyer_messages < 2:
        return END_OF_TIME
    if not reception_rules.advert_bit:
        return 0
    replies = _first_replies(messages, reception_rules)
    return replies[-1].ts + 1 if replies and len(replies) == reception_rules.advert_within else END_OF_TIME


def _first_replies(messages: Sequence[Message], reception_rules: ReceptionRules) -> list[Message]:
    """Return the agent messages after the buyer's first among which an advert is looked for."""
    replies: list[Message] = []
    spoken = False
    for message in messages:
        if message.side == BUYER:
            spoken = True
        elif spoken:
            if len(replies) == reception_rules.advert_within:
                break
            replies.append(message)
    return replies
