"""How many buyers are there at one time, against a count of every change in between."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import pressure
from stream_attr.ledger.reports.scope import Options
from tests.ledger.reports.brute_force import half_up, local_day
from tests.ledger.reports.conftest import Traffic, table
from tests.ledger.reports.handmade import start_of

SHOP = "jd:10086"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOUR_MS = 3_600_000
START = 1_794_067_200_000
"""2026-11-08, 00:00 in Shanghai, a Sunday."""


def receptions_of(traffic: Traffic) -> list[dict[str, Any]]:
    return [
        one
        for one in traffic.last("reception-facts", "shop_id", "buyer_id", "agent_id", "day")
        if one["shop_id"] == SHOP and one["filtered"] is None and one["role"] != "frozen"
    ]


def lasted(receptions: list[dict[str, Any]], start: int, end: int) -> dict[int, int]:
    """How many milliseconds of an interval so many buyers were there, counted between any two changes."""
    changes = {start, end}
    for one in receptions:
        changes |= {ts for begin, last in one["presence"] for ts in (begin, last + 1) if start < ts < end}
    found: dict[int, int] = defaultdict(int)
    ordered = sorted(changes)
    for at, until in pairwise(ordered):
        there = {
            one["buyer_id"]
            for one in receptions
            if any(begin <= at and until - 1 <= last for begin, last in one["presence"])
        }
        found[len(there)] += until - at
    return found


@pytest.mark.parametrize("days", [1, 9])
def test_every_weekday_and_hour(ended: Traffic, read: Connection, days: int) -> None:
    receptions = receptions_of(ended)
    last = (datetime(2026, 11, 8, tzinfo=UTC) + timedelta(days=days - 1)).date().isoformat()
    made = pressure.report(read, Options((SHOP,), period("2026-11-08", last), capacity=1))
    cells: dict[tuple[str, str], list[int]] = defaultdict(list)
    for hour in range(24 * days):
        cells[WEEKDAYS[(6 + hour // 24) % 7], f"{hour % 24:02}:00"].append(START + hour * HOUR_MS)
    rows = table(made, made.rows, "weekday", "hour")
    assert rows.keys() == cells.keys()
    busy = 0
    for key, starts in cells.items():
        sums: dict[int, int] = defaultdict(int)
        for start in starts:
            for number, ms in lasted(receptions, start, start + HOUR_MS).items():
                sums[number] += ms
        row = rows[key]
        assert row["days"] == len(starts)
        assert row["most"] == max(sums)
        within = [
            n
            for n in sorted(sums)
            if sum(ms for m, ms in sums.items() if m <= n) * 10 >= HOUR_MS * len(starts) * 9
        ]
        assert row["usual"] == within[0]
        begun = [
            one for one in receptions if any(start <= one["first_ts"] < start + HOUR_MS for start in starts)
        ]
        assert row["receptions"] == len(begun)
        responses = [one["first_response_ms"] for one in begun if one["first_response_ms"] is not None]
        assert row["first_response"] == half_up(sum(responses), len(responses))
        assert row["needed"] == row["usual"]
        busy += row["most"] > 1
    assert busy > 3 or days == 1


def test_the_most_of_a_day_is_that_of_agent_daily(ended: Traffic, read: Connection) -> None:
    """A quiet midnight on both sides: no chat runs over it."""
    checked = 0
    for day in ("2026-11-08", "2026-11-09", "2026-11-10", "2026-11-11"):
        alone = [one for one in receptions_of(ended) if one["day"] == day]
        if any(local_day(ts) != day for one in alone for pair in one["presence"] for ts in pair):
            continue
        made = pressure.report(read, Options((SHOP,), period(day, None)))
        (record,) = [
            one
            for one in ended.agent_days
            if (one["shop_id"], one["agent_id"], one["day"]) == (SHOP, "*", day)
        ]
        most = max(row["most"] for row in table(made, made.rows, "weekday", "hour").values())
        assert most == record["workload"]["max_simultaneous"]
        checked += 1
    assert checked


def test_days_are_short_where_fewer_agents_were_on_duty_than_needed(read: Connection) -> None:
    asked = period("2026-11-01", "2026-11-14")
    many = pressure.report(read, Options((SHOP,), asked, capacity=100))
    assert all(row["needed"] in (0, 1) for row in table(many, many.rows, "weekday", "hour").values())
    one = pressure.report(read, Options((SHOP,), asked, capacity=1))
    for row in table(one, one.rows, "weekday", "hour").values():
        assert 0 <= row["short"] <= row["days"]
        if row["agents"] == 0:
            assert row["short"] == (row["days"] if row["needed"] else 0)


def test_an_hour_in_which_the_shops_day_begins_is_one_hour(ledger: Database) -> None:
    """Days begin at 02:30, and a was there at 02:10 on the 10th, a Tuesday, b at 02:50."""
    shop, two = "jd:1", start_of("2026-11-10") + 2 * HOUR_MS
    settings = {"shop_id": shop, "effective_from": "2026-01-01", "day_cut": "02:30"}
    with ledger.connection() as connection:
        connection.execute(
            "INSERT INTO shop_settings VALUES (%s, 0, 0, '2026-01-01', %s)", (shop, json.dumps(settings))
        )
        for agent, day, minute in (("a", "2026-11-09", 10), ("b", "2026-11-10", 50)):
            at = two + minute * 60_000
            connection.execute(
                "INSERT INTO reception VALUES (%s, 'x', %s, %s, 1, 'final', 'timer', %s, %s, 'buyer', 1, 1,"
                " 1, 1, true, 1, 1, 1, false, 0, false, false, false, false, NULL, %s, NULL, 'presale',"
                " 0, 0, 0, 0)",
                (shop, agent, day, at, at, [[at - 120_000, at + 120_000]]),
            )
        made = pressure.report(connection, Options((shop,), period("2026-11-09", "2026-11-10"), capacity=1))
        row = table(made, made.rows, "weekday", "hour")["Tuesday", "02:00"]
    assert (row["days"], row["agents"], row["receptions"], row["most"]) == (1, 2.0, 2, 1)
