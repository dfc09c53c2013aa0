"""Figures of receptions: what one buyer adds to a day of an agent, or of the shop (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from stream_attr.rules.reports.measures import AdditiveFigures, Fact
from stream_attr.rules.reports.sums import summed
from stream_attr.rules.vocabulary import Role

_FROZEN: Final = Role.FROZEN.value
SATISFIED: Final = 4
"""The least score with which a buyer is satisfied (RULEBOOK 2)."""


class Workload(AdditiveFigures, frozen=True):
    """Figures of receptions; only ``consults`` and ``unanswered`` include those that a filter matched."""

    consults: int = 0
    receptions: int = 0
    unreplied: int = 0
    buyer_messages: int = 0
    agent_messages: int = 0
    agent_characters: int = 0
    first_response_ms: int = 0
    first_responses: int = 0
    response_ms: int = 0
    responses: int = 0
    slow: int = 0
    unanswered: int = 0
    """Buyers who wait for a closing: their workload and inquiries can still change."""
    ratings: int = 0
    """Receptions that were rated."""
    satisfied: int = 0
    """Those whose last rating is 4 or 5."""


NO_WORKLOAD: Final = Workload()


def workload_of(fact: Fact, closed_ts: int | None) -> Workload | None:
    """Return a reception's workload; ``closed_ts``: when its agent spoke last, from a closing, or None."""
    unanswered = 1 if fact.may_be_offline and closed_ts is None else 0
    if fact.role == _FROZEN:
        return Workload(unanswered=1) if unanswered else None
    if fact.filtered is not None:
        return Workload(consults=1, unanswered=unanswered)
    first, rating = fact.first_response_ms, fact.rating
    return Workload(
        1,
        1,
        1 if not fact.replied and is_answerable(fact) else 0,
        fact.buyer_messages,
        fact.agent_messages,
        fact.agent_characters,
        first or 0,
        0 if first is None else 1,
        fact.response_ms_sum,
        fact.response_count,
        1 if fact.slow else 0,
        unanswered,
        0 if rating is None else 1,
        1 if rating is not None and rating >= SATISFIED else 0,
    )


def is_answerable(fact: Fact) -> bool:
    """Whether the buyer wrote or was handed over: such a reception is unreplied or replied."""
    return fact.buyer_messages > 0 or fact.handed_over


def combined_workload(some: Iterable[Workload | None], *, replied: bool) -> Workload | None:
    """Return the workload of one buyer with the shop; ``replied``: whether some agent replied."""
    there = [workload for workload in some if workload is not None]
    if len(there) < 2:
        return there[0] if there else None
    return replace(
        Workload(*summed(there)),
        consults=max([one.consults for one in there]),
        receptions=max([one.receptions for one in there]),
        unreplied=0 if replied else max([one.unreplied for one in there]),
        unanswered=max([one.unanswered for one in there]),
    )
