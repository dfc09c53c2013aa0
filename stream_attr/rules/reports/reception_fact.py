"""Reception facts: the figures of a buyer's chat with an agent on one day (RULEBOOK 8)."""

from __future__ import annotations

from typing import Final

from stream_attr.rules.chat.message import AGENT, BUYER, PRODUCT_PAGE
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.reports.measures import Fact
from stream_attr.rules.shop.days import END_OF_TIME, MINUTE_MS
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Filter, Role

EFFECTIVE_CONVERSATION_MS: Final = 30_000
PRESENT_MS: Final = 2 * MINUTE_MS
"""A buyer is present from so long before to so long after each message."""
NOBODY_SPOKE: Final = -1
"""In a closing: the agent sent no effective message to any buyer that day."""

_AFTERSALE: Final = Role.AFTERSALE
_TRIED_BEFORE_OFFLINE: Final = frozenset(
    {Filter.EMPTY, Filter.OWN_ACCOUNT, Filter.OFFICIAL_ACCOUNT, Filter.BUYER_SUBACCOUNT}
)


def fact_of(reception: Reception, buyer_id: str, agent_id: str, day: int, shop: Shop) -> Fact:
    """Return the figures of a reception under the shop's official settings.

    ``agent_offline`` can match only once a closing has come, with the time at which the agent last spoke that
    day. Pure: the same facts, settings and closing give the same figures.
    """
    reception_rules = shop.reception_rules(day)
    settings = shop.settings_on(day)
    ineffective = reception_rules.ineffective_flags
    longest_ms = None if settings.max_wait_minutes is None else settings.max_wait_minutes * MINUTE_MS
    slow_ms = settings.slow_response.seconds * 1000
    buyer_messages = agent_messages = characters = rounds = 0
    response_sum = response_count = slow_count = 0
    first_response: int | None = None
    last_effective: int | None = None
    replied = page = False
    messages = reception.messages
    questions = reception.questions(day, shop, OFFICIAL, reception_rules)
    handed_over, waiting_since = questions
    before = AGENT if waiting_since is None else BUYER
    asked = 0
    next_question_ts = handed_over[0] if handed_over else END_OF_TIME
    presence: list[int] = []
    gone_ts = 0
    for ts, side, _, flags, length, _ in messages:
        if ts - PRESENT_MS > gone_ts:
            if presence:
                presence.append(gone_ts)
            presence.append(ts - PRESENT_MS)
        gone_ts = ts + PRESENT_MS
        while next_question_ts <= ts:
            before = BUYER
            if waiting_since is None:
                waiting_since = next_question_ts
            asked += 1
            next_question_ts = handed_over[asked] if asked < len(handed_over) else END_OF_TIME
        if side == BUYER:
            buyer_messages += 1
            before = BUYER
            if waiting_since is None:
                waiting_since = ts
            if flags & PRODUCT_PAGE:
                page = True
        elif not flags & ineffective:
            agent_messages += 1
            characters += length
            last_effective = ts
            if before == BUYER:
                rounds += 1
                before = AGENT
            if waiting_since is not None:
                replied = True
                response = ts - waiting_since
                waiting_since = None
                if longest_ms is None or response < longest_ms:
                    if first_response is None:
                        first_response = response
                    response_sum += response
                    response_count += 1
                    if response > slow_ms:
                        slow_count += 1
    if messages:
        presence.append(gone_ts)
        first_ts, last_ts = messages[0].ts, messages[-1].ts
    else:  # it was handed over, without any message
        first_ts, last_ts = reception.handed_over[0], reception.handed_over[-1]
    role = shop.role_on(agent_id, day, reception_rules.unlisted)
    filtered = reception.evaluate(buyer_id, agent_id, day, shop, OFFICIAL).filtered
    asked_ts = reception.asked_ts(questions)
    may_be_offline = (
        last_effective is None
        and asked_ts is not None
        and reception_rules.filters.agent_offline
        and filtered not in _TRIED_BEFORE_OFFLINE
        and not (reception_rules.aftersale_unfiltered and role is _AFTERSALE)
    )
    closed_ts = reception.closed_ts
    if may_be_offline and closed_ts is not None and (asked_ts or 0) > closed_ts:
        filtered = Filter.AGENT_OFFLINE
    return Fact(
        first_ts,
        last_ts,
        asked_ts is not None,
        buyer_messages,
        agent_messages,
        characters,
        rounds,
        replied,
        first_response,
        response_sum,
        response_count,
        slow_count >= settings.slow_response.times,
        page,
        bool(reception.transfers),
        None if filtered is None else str(filtered),
        role.value,
        last_effective,
        may_be_offline,
        tuple(presence),
        bool(handed_over),
        reception.ratings[-1].score if reception.ratings else None,
    )
