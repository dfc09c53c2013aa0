"""What each agent did for the buyer around an order: messages and figures by interval (RULEBOOK 5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from stream_attr.rules.chat.message import AGENT, BUYER, PRODUCT_PAGE, Message
from stream_attr.rules.chat.reception import Reception, ReceptionResult
from stream_attr.rules.order.decision import Figures
from stream_attr.rules.order.intervals import Interval
from stream_attr.rules.shop.shop import Shop

LONG: Final = 16
"""From so many messages on, the figures of a reception are cached."""


class Served(NamedTuple):
    """What one agent did for the buyer around an order."""

    agent_id: str
    receptions: list[tuple[int, Reception, ReceptionResult]]
    """(day, reception, its result under the order's profile), by day."""
    spoken: list[Message]
    """The messages of all of them that count, sorted."""
    handed_over: Sequence[int]
    """When questions were handed over in them, sorted; they bear on rounds alone."""


def served_around(
    receptions: Mapping[str, Mapping[int, Reception]], days: range, buyer_id: str, shop: Shop, profile: str
) -> list[Served]:
    """Return what each agent with a reception on one of the days did, by agent id."""
    found = []
    for agent_id in sorted(receptions):
        held = [
            (day, reception, reception.evaluate(buyer_id, agent_id, day, shop, profile))
            for day, reception in receptions[agent_id].items()
            if day in days and (reception.messages or reception.handed_over)
        ]
        if len(held) == 1:
            result = held[0][2]
            found.append(Served(agent_id, held, result.spoken, result.handed_over))
        elif held:
            held.sort(key=itemgetter(0))
            found.append(
                Served(
                    agent_id,
                    held,
                    [message for _, _, result in held for message in result.spoken],
                    [ts for _, _, result in held for ts in result.handed_over],
                )
            )
    return found


def within(messages: list[Message], interval: Interval) -> list[Message]:
    start, end = interval
    if not messages or start >= end or messages[-1].ts < start or messages[0].ts >= end:
        return []
    if messages[0].ts >= start and messages[-1].ts < end:
        return messages
    return messages[bisect_left(messages, (start,)) : bisect_left(messages, (end,))]


def handed_over_within(handed_over: Sequence[int], interval: Interval) -> Sequence[int]:
    """Return the questions of an interval."""
    start, end = interval
    return [ts for ts in handed_over if start <= ts < end]


def figures_of(
    messages: list[Message], products: frozenset[str], handed_over: Sequence[int] = ()
) -> Figures | None:
    """Return the figures of messages; None if no effective agent message is among them.

    ``handed_over``: when questions were, in the same interval.
    """
    rounds = 0
    before = AGENT
    spoke = page = ordered = False
    for _, side, _, flags, _, product_id in messages:
        if side == AGENT:
            spoke = True
            if before == BUYER:
                rounds += 1
        else:
            if flags & PRODUCT_PAGE:
                page = True
            if product_id is not None and product_id in products:
                ordered = True
        before = side
    if not spoke:
        return None
    if handed_over:
        rounds = _rounds(messages, handed_over)
    return Figures(len(messages), rounds, messages[0].ts, messages[-1].ts, page, ordered)


def _rounds(messages: list[Message], handed_over: Sequence[int]) -> int:
    """Return the rounds of messages and questions; at the same time a question comes before any message."""
    rounds = asked = 0
    before = AGENT
    for ts, side, *_ in messages:
        while asked < len(handed_over) and handed_over[asked] <= ts:
            asked += 1
            before = BUYER
        if side == AGENT and before == BUYER:
            rounds += 1
        before = side
    return rounds


def figures_within(one: Served, interval: Interval, products: frozenset[str]) -> Figures | None:
    """Return the figures of an agent's messages in an interval; those of a long reception are cached."""
    one_long = len(one.receptions) == 1 and len(one.spoken) >= LONG
    cache = one.receptions[0][2].figures_cache if one_long else None
    handed_over = handed_over_within(one.handed_over, interval) if one.handed_over else ()
    if cache is None:
        return figures_of(within(one.spoken, interval), products, handed_over)
    key = (interval.start, interval.end, products)
    if key not in cache:
        cache[key] = figures_of(within(one.spoken, interval), products, handed_over)
    return cache[key]
