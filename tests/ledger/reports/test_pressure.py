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
from stream_attr.rules.shop.days import END_OF_TIME
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
    known, now = [one["day"] for one in receptions], made.as_of.latest
    assert now is not None
    cells: dict[tuple[str, str], list[int]] = defaultdict(list)
    for hour in range(24 * days):
        start = START + hour * HOUR_MS
        has_some = local_day(start) <= max(known) and any(lasted(receptions, start, start + HOUR_MS))
        if local_day(start) < min(known) or (start >= now and not has_some):
            continue
        cells[WEEKDAYS[(6 + hour // 24) % 7], f"{hour % 24:02}:00"].append(start)
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


def received(connection: Connection, shop: str, agent: str, day: str, presence: tuple[int, int]) -> None:
    """A reception of a day: a buyer of the agent's own is there all the time, and is answered."""
    at = presence[0] + 120_000
    connection.execute(
        "INSERT INTO reception VALUES (%s, %s, %s, %s, 1, 'final', 'timer', %s, %s, 'buyer', 1, 1,"
        " 1, 1, true, 1, 1, 1, false, 0, false, false, false, false, NULL, %s, NULL, 'presale',"
        " 0, 0, 0, 0)",
        (shop, f"of-{agent}", agent, day, at, at, [list(presence)]),
    )


@pytest.mark.parametrize(
    ("now", "eleven", "said"),
    [
        (
            "2026-11-16 10:30",
            2,
            (
                ", days without receptions too; the last one as far as it has come, with the hour of 10:00.",
                "，没有接待的日子也计入；最后一天计至 10:00 时段（含）。",
            ),
        ),
        ("2026-11-17 00:00", 3, (", days without receptions too.", "，没有接待的日子也计入。")),
        (None, 3, (", days without receptions too.", "，没有接待的日子也计入。")),
    ],
)
def test_only_days_that_the_ledger_can_know_are_counted(
    ledger: Database, now: str | None, eleven: int, said: tuple[str, str]
) -> None:
    """Four agents and buyers from 10 to 11 on two Mondays, none on the one between them."""
    shop = "jd:1"
    with ledger.connection() as connection:
        for day in ("2026-11-02", "2026-11-16"):
            ten = start_of(day) + 10 * HOUR_MS
            for agent in "abcd":
                received(connection, shop, agent, day, (ten, ten + HOUR_MS - 1))
        at = END_OF_TIME if now is None else int(datetime.fromisoformat(f"{now}+08:00").timestamp() * 1000)
        connection.execute("INSERT INTO sink_offset VALUES ('reception-facts', 0, 1, NULL, %s, %s)", (at, at))
        made = pressure.report(connection, Options((shop,), period("2026-11", None), capacity=1))
        rows = table(made, made.rows, "weekday", "hour")
        ten_oclock = rows["Monday", "10:00"]
        names = ("days", "agents", "needed", "short", "receptions")
        assert [ten_oclock[name] for name in names] == [3, 2.6667, 4, 1, 8]
        found = {key: row["days"] for key, row in rows.items()}
        assert (found["Monday", "11:00"], found["Tuesday", "10:00"], found["Sunday", "23:00"]) == (
            eleven,
            2,
            2,
        )
        [text] = [note.text for note in made.notes if shop in note.text.english]
        days = "2026-11-02 – 2026-11-16"
        assert text == (f"Shop {shop}: counted are {days}{said[0]}", f"店铺 {shop}：统计 {days}{said[1]}")
        before = pressure.report(connection, Options((shop,), period("2026-10", None)))
        assert not before.rows
        assert before.notes[-1].text.english == (
            f"Shop {shop}: none of these days is counted: the ledger has its receptions of {days}."
        )


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
            received(connection, shop, agent, day, (at - 120_000, at + 120_000))
        made = pressure.report(connection, Options((shop,), period("2026-11-09", "2026-11-10"), capacity=1))
        row = table(made, made.rows, "weekday", "hour")["Tuesday", "02:00"]
    assert (row["days"], row["agents"], row["receptions"], row["most"]) == (1, 2.0, 2, 1)
