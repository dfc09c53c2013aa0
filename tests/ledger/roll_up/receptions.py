"""Receptions and inquiries made up, in a ledger, and what they come to, counted from scratch."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from stream_attr.ledger.database.connect import Connection
from stream_attr.ledger.roll_up.days import Counts, Day, Hour
from stream_attr.ledger.roll_up.looks import Alike, BothWays, Looks, Short, Single
from stream_attr.rules.shop.days import day_number
from tests.reference.days import ShopDays, first_instant, local_time

SHOP = "jd:1"
MINUTE_MS = 60_000
MARGIN_MS = 2 * MINUTE_MS


@dataclass(frozen=True)
class Reception:
    """A chat of a buyer with an agent."""

    buyer: str
    agent: str
    day: date
    first_ts: int
    presence: tuple[tuple[int, int], ...]
    """First and last millisecond."""
    spoke: bool = True
    response_ms: int | None = None
    filtered: str | None = None
    role: str = "presale"
    slow: bool = False
    replied: bool = True
    asked: bool = True
    handed_over: bool = False
    transferred: bool = False
    by_agent: bool = False
    """Whether the agent began."""
    characters: int = 1
    duration_ms: int = 0
    effective: bool = False
    outcome: str | None = None
    """Of its inquiry; None: there is none."""
    exempt: str | None = None

    @property
    def counts(self) -> bool:
        return self.filtered is None and self.role != "frozen"


def say(connection: Connection, days: ShopDays, shop: str = SHOP) -> None:
    """Give a shop its time zone and day cut."""
    record = {
        "shop_id": shop,
        "effective_from": "2026-01-01",
        "timezone": days.zone.key,
        "day_cut": f"{days.cut:%H:%M}",
    }
    connection.execute(
        "INSERT INTO shop_settings VALUES (%s, 0, 0, '2026-01-01', %s)", (shop, json.dumps(record))
    )


def put(connection: Connection, one: Reception, shop: str = SHOP) -> None:
    connection.execute(
        "INSERT INTO reception VALUES (%s, %s, %s, %s, 1, 'pending', 'timer', %s, %s, %s, %s, %s, %s, 1,"
        " %s, %s, 0, 0, %s, %s, %s, false, %s, %s, NULL, %s, %s, %s, 0, 0, 0, 0)",
        (
            *(shop, one.buyer, one.agent, one.day, one.first_ts, one.first_ts),
            *("agent" if one.by_agent else "buyer", int(one.asked), int(one.spoke), one.characters),
            *(one.replied, one.response_ms, one.slow, one.duration_ms, one.effective),
            *(one.transferred, one.handed_over, [list(pair) for pair in one.presence]),
            *(one.filtered, one.role),
        ),
    )
    if one.outcome is not None:
        connection.execute(
            "INSERT INTO inquiry VALUES (%s, %s, %s, %s, 1, 'final', 'timer', 'inquiry', %s, %s, '{}', 0,"
            " 0, 0, 0)",
            (shop, one.buyer, one.agent, one.day, one.outcome, one.exempt),
        )


def counted(receptions: list[Reception], days: ShopDays, first: date, last: date) -> dict[int, Day]:
    """What each day comes to, from every change in between."""
    found = {}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        hours = [_hour(receptions, day, start, end) for start, end in _hours(day, days)]
        own = sorted((one for one in receptions if one.day == day), key=_turn)
        agents = {one.agent: [other for other in own if other.agent == one.agent] for one in own}
        inquiries = {
            agent: dict(sorted(Counter(one.outcome for one in some if one.outcome is not None).items()))
            for agent, some in agents.items()
        }
        found[day_number(day.isoformat())] = Day(
            hours,
            {agent: _counts(some) for agent, some in agents.items()},
            {agent: outcomes for agent, outcomes in inquiries.items() if outcomes},
            _looks(own),
            len({one.buyer for one in own if one.counts}),
        )
    return found


def _turn(one: Reception) -> tuple[str, int, str]:
    return one.agent, one.first_ts, one.buyer


def _looks(own: list[Reception]) -> Looks:
    """Of the receptions of one day, in their order."""
    looks = Looks()
    for one in own:
        who = (one.agent, one.first_ts, one.buyer)
        there = sorted(
            other.agent
            for other in own
            if other.buyer == one.buyer and other.transferred and other.handed_over
        )
        if one.agent in there and len(there) > 1:
            looks.both_ways.append(BothWays(*who, ", ".join(there)))
        is_inquiry = one.outcome is not None
        if is_inquiry and one.exempt is None and one.by_agent and one.asked and not one.handed_over:
            looks.single.append(Single(*who, str(one.outcome)))
        spoken = [other for other in own if other.agent == one.agent and other.counts and other.spoke]
        alike = [other for other in spoken if other.characters == one.characters]
        if one in alike and one.characters and len(alike) >= 5 and len(alike) * 5 >= len(spoken) * 4:
            looks.alike.append(Alike(*who, 1, one.characters, len(alike), len(spoken)))
        if one.outcome == "lost" and not one.effective:
            looks.short.append(Short(*who, one.duration_ms))
    return looks


def _hours(day: date, days: ShopDays) -> list[tuple[int, int]]:
    """Minutes of a day whose clocks show one hour, one after the other."""
    minutes = range(first_instant(day, days), first_instant(day + timedelta(days=1), days), MINUTE_MS)
    found = []
    for _, some in groupby(minutes, lambda ts: local_time(ts, days.zone).hour):
        own = list(some)
        found.append((own[0], own[-1] + MINUTE_MS))
    return found


def _hour(receptions: list[Reception], day: date, start: int, end: int) -> Hour:
    counting = [one for one in receptions if one.counts]
    spans = [(one, begin, last + 1) for one in counting for begin, last in one.presence]
    changes = sorted({start, end, *(ts for _, *pair in spans for ts in pair if start < ts < end)})
    lasted: Counter[int] = Counter()
    for at, until in pairwise(changes):
        there = {one.buyer for one, begin, gone in spans if begin <= at and until <= gone}
        lasted[len(there)] += until - at
    on_duty = {
        one.agent
        for one, begin, gone in spans
        if one.spoke and begin + MARGIN_MS < end and gone - MARGIN_MS > start
    }
    begun = [one for one in counting if start <= one.first_ts < end]
    responses = [one.response_ms for one in begun if one.response_ms is not None]
    own = [one for one in receptions if one.day == day and start <= one.first_ts < end]
    return Hour(
        start,
        dict(sorted(lasted.items())),
        sorted(on_duty),
        len(begun),
        sum(responses),
        len(responses),
        _counts(own),
    )


def _counts(receptions: list[Reception]) -> Counts:
    counting = [one for one in receptions if one.counts]
    return Counts(
        len(counting),
        sum(not one.replied and (one.asked or one.handed_over) for one in counting),
        sum(one.slow for one in counting),
        sum(one.outcome == "lost" for one in receptions),
        sum(one.outcome == "payment_lost" for one in receptions),
        sum(one.filtered is not None and one.role != "frozen" for one in receptions),
        sum(one.role == "frozen" for one in receptions),
    )
