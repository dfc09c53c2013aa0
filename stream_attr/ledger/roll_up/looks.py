"""What of a day's chat is worth a look: receptions and inquiries that stand out."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, NamedTuple

from msgspec import Struct, field
from psycopg import Connection

from stream_attr.ledger.periods import Period
from stream_attr.rules.shop.days import day_name

__all__ = ["Alike", "BothWays", "Looks", "Short", "Single", "looks_of"]

_ALIKE_LEAST: Final = 5
_ALIKE_SHARE: Final = Fraction(4, 5)
"""Receptions of a day that are alike in their numbers of messages and characters: so many, and of all."""


class BothWays(NamedTuple):
    """A reception that was handed over both ways, on a day on which another one of the buyer was, too."""

    agent_id: str
    first_ts: int
    buyer_id: str
    agents: str
    """All of that day."""


class Single(NamedTuple):
    """An inquiry that the agent began, in which the buyer wrote one sentence."""

    agent_id: str
    first_ts: int
    buyer_id: str
    outcome: str


class Alike(NamedTuple):
    """A reception in which the agent has written as much as in most others of the day."""

    agent_id: str
    first_ts: int
    buyer_id: str
    messages: int
    characters: int
    alike: int
    every: int
    """Unfiltered receptions of the agent's day with at least one message."""


class Short(NamedTuple):
    """A lost inquiry of less than an effective conversation."""

    agent_id: str
    first_ts: int
    buyer_id: str
    duration_ms: int


class Looks(Struct, array_like=True, gc=False):
    """What stands out of a day."""

    both_ways: list[BothWays] = field(default_factory=list)
    single: list[Single] = field(default_factory=list)
    alike: list[Alike] = field(default_factory=list)
    short: list[Short] = field(default_factory=list)


_DAY: Final = "day - date '1970-01-01'"
_DAYS: Final = "shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date"
_BOTH_WAYS: Final = f"""
    SELECT {_DAY}, agent_id, first_ts, buyer_id, agents FROM (
        SELECT *, count(*) OVER same AS number, string_agg(agent_id, ', ') OVER same AS agents FROM reception
        WHERE {_DAYS} AND transferred AND handed_over
        WINDOW same AS (PARTITION BY buyer_id, day ORDER BY agent_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) AS both_ways
    WHERE number > 1 ORDER BY 1, 2, 3, 4
"""
_INQUIRIES: Final = f"""
    SELECT {_DAY}, agent_id, first_ts, buyer_id, outcome, duration_ms, is_single, is_short FROM (
        SELECT shop_id, buyer_id, agent_id, day, outcome, kind = 'inquiry' AND exempt IS NULL AS is_counted
        FROM inquiry WHERE {_DAYS}
    ) AS inquiry JOIN (
        SELECT *, initiator = 'agent' AND buyer_messages = 1 AND NOT handed_over AS is_of_agent
        FROM reception WHERE {_DAYS}
    ) AS reception USING (shop_id, buyer_id, agent_id, day) CROSS JOIN LATERAL (
        SELECT is_counted AND is_of_agent AS is_single,
            outcome = 'lost' AND NOT effective_conversation AS is_short) AS found
    WHERE is_single OR is_short ORDER BY 1, 2, 3, 4
"""
_SPOKEN: Final = f"{_DAYS} AND filtered IS NULL AND role <> 'frozen' AND agent_messages > 0"
_ALIKE: Final = f"""
    WITH same AS (
        SELECT agent_id, day, agent_messages, agent_characters, count(*) AS alike,
            sum(count(*)) OVER (PARTITION BY agent_id, day)::bigint AS every
        FROM reception WHERE {_SPOKEN} GROUP BY 1, 2, 3, 4
    ), found AS (
        SELECT * FROM same
        WHERE alike >= %(least)s AND alike >= every * %(share)s::numeric AND agent_characters > 0)
    SELECT {_DAY}, agent_id, first_ts, buyer_id, agent_messages, agent_characters, alike, every
    FROM found JOIN reception USING (agent_id, day, agent_messages, agent_characters)
    WHERE {_SPOKEN} ORDER BY 1, 2, 3, 4
"""


def looks_of(connection: Connection[Any], shop_id: str, period: Period) -> dict[int, Looks]:
    """Return by its number what stands out of each day of a period."""
    found = {day: Looks() for day in range(period.first, period.last + 1)}
    bound = {
        "shop": shop_id,
        "first": day_name(period.first),
        "last": day_name(period.last),
        "least": _ALIKE_LEAST,
        "share": str(float(_ALIKE_SHARE)),
    }
    for day, *both_ways in connection.execute(_BOTH_WAYS, bound):
        found[day].both_ways.append(BothWays(*both_ways))
    for day, agent_id, first_ts, buyer_id, outcome, duration_ms, is_single, is_short in connection.execute(
        _INQUIRIES, bound
    ):
        if is_single:
            found[day].single.append(Single(agent_id, first_ts, buyer_id, outcome))
        if is_short:
            found[day].short.append(Short(agent_id, first_ts, buyer_id, duration_ms))
    for day, *alike in connection.execute(_ALIKE, bound):
        found[day].alike.append(Alike(*alike))
    return found
