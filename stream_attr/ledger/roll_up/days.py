"""What the chat of a shop's days comes to: by hour how many buyers were there, by agent how it ended."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec import Struct, field
from psycopg import Connection

from stream_attr.ledger.periods import Period, slices
from stream_attr.ledger.roll_up.looks import Looks, looks_of
from stream_attr.rules.shop.days import MINUTE_MS, Zone, day_name

__all__ = ["COUNTING", "FORM", "UNREPLIED", "Counts", "Day", "Hour", "Part", "beside", "days_of"]

FORM: Final = 2
"""Of what is kept of a day. With another number what was kept is computed again."""
_MARGIN_MS: Final = 2 * MINUTE_MS
"""Of a presence, before its first message and after its last (RULEBOOK 8)."""


class Counts(NamedTuple):
    """Receptions of a day, and lost inquiries: of an agent, or of those that began in an hour."""

    receptions: int = 0
    """Those that count."""
    unreplied: int = 0
    slow: int = 0
    lost: int = 0
    payment_lost: int = 0
    filtered: int = 0
    frozen: int = 0
    """Of agents whose receptions count for nothing, filtered or not."""


class Hour(Struct, array_like=True, gc=False):
    """An hour of the clock, or what a shop's day has of it."""

    start: int
    """Epoch milliseconds."""
    lasted: dict[int, int] = field(default_factory=dict)
    """By number of buyers how long so many were there, each once however many agents: milliseconds."""
    on_duty: list[str] = field(default_factory=list)
    """Agents with a reception in that hour in which they wrote something."""
    begun: int = 0
    """Unfiltered receptions whose first message fell into it."""
    response_sum: int = 0
    """Of their first responses, milliseconds."""
    responses: int = 0
    counts: Counts = Counts()
    """Of the day's receptions that began in it."""


class Day(Struct, array_like=True, gc=False):
    """What the chat of a day comes to."""

    hours: list[Hour] = field(default_factory=list)
    """All of the day, in their order; none of a day that the zone's calendar jumps over."""
    agents: dict[str, Counts] = field(default_factory=dict)
    inquiries: dict[str, dict[str, int]] = field(default_factory=dict)
    """By agent and outcome, whether there is a reception of each or not."""
    looks: Looks = field(default_factory=Looks)
    buyers: int = 0
    """With a reception that counts, each once."""


class Part(Enum):
    """What can be asked for of a day, as far as it is not kept."""

    PRESENCE = "presence"
    """Of its hours all but ``counts``."""
    COUNTS = "counts"
    """All that counts."""
    LOOKS = "looks"


WHOLE: Final = frozenset(Part)


_Bound: TypeAlias = dict[str, Any]

COUNTING: Final = "filtered IS NULL AND role <> 'frozen'"
"""Whether a reception counts."""
UNREPLIED: Final = "NOT replied AND (buyer_messages > 0 OR handed_over)"
"""Of one that counts."""
_OF_AGENTS: Final = "(%(chosen)s::text[] IS NULL OR agent_id = ANY(%(chosen)s))"
_AROUND: Final = f"""
    shop_id = %(shop)s AND day BETWEEN %(before)s::date AND %(after)s::date AND {COUNTING} AND {_OF_AGENTS}
"""
"""Unfiltered receptions whose buyers may be there in the days: also those of the days beside them."""
_HOUR: Final = "width_bucket({}, %(starts)s::bigint[])"
_SPANS: Final = f"""
    SELECT buyer_id, agent_id, agent_messages > 0 AS spoke, came, gone
    FROM reception CROSS JOIN LATERAL (
        SELECT presence[n][1] AS came, presence[n][2] + 1 AS gone FROM generate_subscripts(presence, 1) AS n
    ) AS span
    WHERE {_AROUND} AND gone > %(start)s AND came < %(end)s
"""
_PRESENT: Final = f"""
    WITH span AS ({_SPANS}), apart AS (
        SELECT greatest(came, max(gone) OVER earlier) AS came, gone FROM span WINDOW earlier AS
            (PARTITION BY buyer_id ORDER BY came ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), step AS (
        SELECT came AS ts, 1 AS change FROM apart WHERE gone > came
        UNION ALL SELECT gone, -1 FROM apart WHERE gone > came
        UNION ALL SELECT unnest(%(starts)s::bigint[]), 0
        UNION ALL SELECT %(end)s, 0
    ), level AS (
        SELECT ts, sum(change) OVER (ORDER BY ts) AS number, lead(ts) OVER (ORDER BY ts) AS until FROM step)
    SELECT {_HOUR.format("ts")}, number, sum(until - ts)::bigint FROM level
    WHERE ts >= %(start)s AND ts < %(end)s AND until > ts GROUP BY 1, 2 ORDER BY 1, 2
"""
"""What a buyer's spans have in common counts once: each begins where those before it have ended."""
_ON_DUTY: Final = f"""
    WITH span AS ({_SPANS}), spoken AS (
        SELECT agent_id, greatest(came + %(margin)s, %(start)s) AS began,
            least(gone - %(margin)s, %(end)s) AS ended
        FROM span WHERE spoke)
    SELECT DISTINCT hour, agent_id FROM spoken CROSS JOIN LATERAL
        generate_series({_HOUR.format("began")}, {_HOUR.format("ended - 1")}) AS hour
    WHERE began < %(end)s AND ended > %(start)s ORDER BY 1, 2
"""
_BEGUN: Final = f"""
    SELECT {_HOUR.format("first_ts")}, count(*), coalesce(sum(first_response_ms), 0)::bigint,
        count(first_response_ms)
    FROM reception WHERE {_AROUND} AND first_ts >= %(start)s AND first_ts < %(end)s GROUP BY 1
"""
_COUNTS: Final = f"""
    WITH part AS (
        SELECT day, agent_id, greatest({_HOUR.format("first_ts")}, 1) AS hour,
            count(*) FILTER (WHERE {COUNTING}) AS receptions,
            count(*) FILTER (WHERE {COUNTING} AND {UNREPLIED}) AS unreplied,
            count(*) FILTER (WHERE {COUNTING} AND slow) AS slow,
            count(*) FILTER (WHERE outcome = 'lost') AS lost,
            count(*) FILTER (WHERE outcome = 'payment_lost') AS payment_lost,
            count(*) FILTER (WHERE filtered IS NOT NULL AND role <> 'frozen') AS filtered,
            count(*) FILTER (WHERE role = 'frozen') AS frozen
        FROM reception LEFT JOIN (
            SELECT shop_id, buyer_id, agent_id, day, outcome FROM inquiry
            WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
                AND outcome IN ('lost', 'payment_lost')
        ) AS inquiry USING (shop_id, buyer_id, agent_id, day)
        WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date AND {_OF_AGENTS}
        GROUP BY 1, 2, 3)
    SELECT CASE WHEN grouping(day) = 0 THEN day - date '1970-01-01' END, agent_id, hour,
        sum(receptions)::bigint, sum(unreplied)::bigint, sum(slow)::bigint, sum(lost)::bigint,
        sum(payment_lost)::bigint, sum(filtered)::bigint, sum(frozen)::bigint
    FROM part GROUP BY GROUPING SETS ((day, agent_id), (hour))
    ORDER BY 1, 2, 3
"""
_BUYERS: Final = f"""
    SELECT day - date '1970-01-01', count(DISTINCT buyer_id) FROM reception
    WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
        AND {COUNTING} AND {_OF_AGENTS} GROUP BY 1
"""
_INQUIRIES: Final = f"""
    SELECT day - date '1970-01-01', agent_id, outcome, count(*) FROM inquiry
    WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date AND {_OF_AGENTS}
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def days_of(
    connection: Connection[Any],
    shop_id: str,
    zone: Zone,
    period: Period,
    agents: Collection[str] | None = None,
    parts: frozenset[Part] = WHOLE,
) -> dict[int, Day]:
    """Return by its number what each day of a period comes to, out of the receptions themselves.

    ``agents``: of these alone, but for its looks; None: of all. ``parts``: what is made; the rest is empty.
    """
    cut = slices(zone, period, ("day", "hour"))
    days = {day: Day() for day in range(period.first, period.last + 1)}
    hours = [Hour(one.start) for one in cut]
    for one, hour in zip(cut, hours, strict=True):
        days[one.day].hours.append(hour)
    if not cut:
        return days
    bound: _Bound = {
        "shop": shop_id,
        "before": day_name(beside(zone, period.first, -1)),
        "first": day_name(period.first),
        "last": day_name(period.last),
        "after": day_name(beside(zone, period.last, 1)),
        "starts": [one.start for one in cut],
        "start": cut[0].start,
        "end": cut[-1].end,
        "margin": _MARGIN_MS,
        "chosen": None if agents is None else sorted(agents),
    }
    if Part.PRESENCE in parts:
        _add_presence(connection, bound, hours)
    if Part.COUNTS in parts:
        _add_counts(connection, bound, days, hours)
    if Part.LOOKS in parts:
        for day, looks in looks_of(connection, shop_id, period).items():
            days[day].looks = looks
    return days


def beside(zone: Zone, day: int, step: int) -> int:
    """Return the day before (``step`` -1) or after (1) a day, past those that the calendar jumps over."""
    other = day + step
    while zone.start_of(other) == zone.start_of(other + 1):
        other += step
    return other


def _add_presence(connection: Connection[Any], bound: _Bound, hours: list[Hour]) -> None:
    for number, buyers, ms in connection.execute(_PRESENT, bound):
        hours[number - 1].lasted[buyers] = ms
    for number, agent_id in connection.execute(_ON_DUTY, bound):
        hours[number - 1].on_duty.append(agent_id)
    for number, begun, response_sum, responses in connection.execute(_BEGUN, bound):
        hour = hours[number - 1]
        hour.begun, hour.response_sum, hour.responses = begun, response_sum, responses


def _add_counts(connection: Connection[Any], bound: _Bound, days: dict[int, Day], hours: list[Hour]) -> None:
    for day, agent_id, number, *counts in connection.execute(_COUNTS, bound):
        if day is None:
            hours[number - 1].counts = Counts(*counts)
        else:
            days[day].agents[agent_id] = Counts(*counts)
    for day, buyers in connection.execute(_BUYERS, bound):
        days[day].buyers = buyers
    for day, agent_id, outcome, number in connection.execute(_INQUIRIES, bound):
        days[day].inquiries.setdefault(agent_id, {})[outcome] = number
