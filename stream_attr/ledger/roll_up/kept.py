"""The table ``day_roll_up``: what days come to, made once they are over.

A row is there only while it is right: the database deletes it when receptions or inquiries of it change.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from psycopg import Connection, errors

from stream_attr.ledger.periods import Period, shop_zone
from stream_attr.ledger.roll_up.days import FORM, Day, Part, beside, days_of
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import Zone, day_name

__all__ = ["RollUp", "kept_days"]

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Day)

_KEPT: Final = """
    SELECT day - date '1970-01-01', content::text FROM day_roll_up
    WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
        AND form = %(form)s AND zone = %(zone)s AND day_cut = %(day_cut)s
"""


def kept_days(
    connection: Connection[Any], shop_id: str, zone: Zone, period: Period, *parts: Part
) -> dict[int, Day]:
    """Return by its number what each day of a period comes to; of what is not kept, these parts are made now.

    Within a `snapshot` what is kept is what the receptions of the same snapshot come to.
    """
    bound = {
        "shop": shop_id,
        "first": day_name(period.first),
        "last": day_name(period.last),
        "form": FORM,
        "zone": zone.name,
        "day_cut": zone.day_cut,
    }
    days = {day: _DECODER.decode(text) for day, text in connection.execute(_KEPT, bound)}
    for missing in _runs(day for day in range(period.first, period.last + 1) if day not in days):
        days |= days_of(connection, shop_id, zone, missing, parts=frozenset(parts))
    return dict(sorted(days.items()))


def _runs(days: Iterable[int]) -> Iterator[Period]:
    """Yield ascending days as periods without gaps."""
    first = last = None
    for day in days:
        if last is not None and day != last + 1:
            assert first is not None
            yield Period(first, last)
            first = None
        first, last = day if first is None else first, day
    if first is not None and last is not None:
        yield Period(first, last)


class RollUp:
    """Makes what days come to, while there is nothing else to do."""

    MOST_DAYS: Final = 7
    """At once: so long a sink that has read more of them waits."""
    AGAIN_S: Final = 300.0
    """Before a day that was made is made again: a day can change for as long as its inquiries are open."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], float] = {}

    def make(self, connection: Connection[Any], seconds: float = math.inf, *, last_day: bool = False) -> int:
        """Make days that are still to be made, for some time; return how many have been.

        ``last_day``: also the last one that a shop has, which is still coming in otherwise.

        Raises:
            psycopg.Error: the database refuses, or is away.
        """
        until = time.monotonic() + seconds
        made = 0
        if connection.execute(_TRIGGERS).fetchone() != (6,):  # tables that were recreated by hand have none
            return made
        for shop_id, some in self._due(connection, last_day=last_day):
            if time.monotonic() >= until:
                break
            for day in range(some.first, some.last + 1):
                self._made[shop_id, day] = time.monotonic()
            if not _make(connection, shop_id, some):
                break
            made += some.days
        return made

    def _due(self, connection: Connection[Any], *, last_day: bool) -> list[tuple[str, Period]]:
        """Return the days that are to be made now, of each shop in parts."""
        long_ago = time.monotonic() - self.AGAIN_S
        self._made = {key: at for key, at in self._made.items() if at > long_ago}
        for shop_id, *made_by in connection.execute(_MADE_BY).fetchall():
            zone = shop_zone(connection, shop_id)
            if made_by != [zone.name, zone.day_cut]:  # of settings that have come since
                connection.execute(_DELETE, (shop_id, *made_by))
        bound = {"form": FORM, "total": TOTAL, "last_day": last_day}
        of_shop: dict[str, list[int]] = {}
        for shop_id, day in connection.execute(_DUE, bound):
            if (shop_id, day) not in self._made:
                of_shop.setdefault(shop_id, []).append(day)
        return [
            (shop_id, Period(first, min(first + self.MOST_DAYS - 1, run.last)))
            for shop_id, days in of_shop.items()
            for run in _runs(days)
            for first in range(run.first, run.last + 1, self.MOST_DAYS)
        ]


_TRIGGERS: Final = """
    SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('reception'::regclass, 'inquiry'::regclass)
        AND starts_with(tgname, 'day_roll_up') AND tgenabled = 'O'
        AND current_setting('default_transaction_isolation') = 'read committed'
"""
"""Which delete what is no longer right; of transactions of another isolation they would not see all."""
_TIMEOUTS: Final = "SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '20s'"
"""Of a day that is made while there is nothing else to do; what has to wait for longer is made later."""
_MADE_BY: Final = "SELECT DISTINCT shop_id, zone, day_cut FROM day_roll_up"
_DELETE: Final = "DELETE FROM day_roll_up WHERE shop_id = %s AND zone = %s AND day_cut = %s"
_DUE: Final = """
    SELECT agent_day.shop_id, agent_day.day - date '1970-01-01'
    FROM agent_day LEFT JOIN day_roll_up ON day_roll_up.shop_id = agent_day.shop_id
        AND day_roll_up.day = agent_day.day AND form = %(form)s
    WHERE agent_id = %(total)s AND day_roll_up.shop_id IS NULL AND (%(last_day)s OR agent_day.day <
        (SELECT max(day) FROM agent_day AS known
            WHERE known.shop_id = agent_day.shop_id AND known.agent_id = %(total)s))
    ORDER BY 1, 2
"""
_KEEP: Final = """
    INSERT INTO day_roll_up (shop_id, day, form, zone, day_cut, content) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (shop_id, day) DO UPDATE SET
        form = excluded.form, zone = excluded.zone, day_cut = excluded.day_cut, content = excluded.content
"""


def _make(connection: Connection[Any], shop_id: str, period: Period) -> bool:
    """Make days of a shop; return whether they have been: not where it would take too long to wait."""
    try:
        with connection.transaction():
            connection.execute(_TIMEOUTS)
            # Whoever changes a reception or an inquiry meanwhile waits, and then deletes what is made of it.
            connection.execute("LOCK TABLE day_roll_up IN SHARE ROW EXCLUSIVE MODE")
            zone = shop_zone(connection, shop_id)
            for day, one in days_of(connection, shop_id, zone, period).items():
                if (beside(zone, day, -1), beside(zone, day, 1)) != (day - 1, day + 1):
                    continue  # beside a day that is jumped over: the triggers do not know where it is near to
                content = _ENCODER.encode(one).decode()
                connection.execute(_KEEP, (shop_id, day_name(day), FORM, zone.name, zone.day_cut, content))
    except (errors.LockNotAvailable, errors.QueryCanceled):
        return False
    return True
