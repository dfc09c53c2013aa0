"""What days come to, against a count of every change in between; at their edges, and where clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Rollback

from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.periods import period, shop_zone
from stream_attr.ledger.roll_up.days import Day, Part, days_of
from stream_attr.ledger.roll_up.kept import RollUp, kept_days
from stream_attr.ledger.roll_up.looks import Looks
from stream_attr.rules.shop.days import day_name
from tests.ledger.roll_up.receptions import MARGIN_MS, MINUTE_MS, SHOP, Reception, counted, put, say
from tests.properties.test_invariants import examples
from tests.reference.days import ShopDays, day_of, first_instant

SHANGHAI = ShopDays(ZoneInfo("Asia/Shanghai"))
AT_HALF_PAST_TWO = ShopDays(ZoneInfo("Asia/Shanghai"), time(2, 30))
ODD = ShopDays(ZoneInfo("Asia/Kathmandu"), time(6))
NEW_YORK = ShopDays(ZoneInfo("America/New_York"))
NEW_YORK_AT_ONE = ShopDays(ZoneInfo("America/New_York"), time(1, 30))
LORD_HOWE = ShopDays(ZoneInfo("Australia/Lord_Howe"))
APIA = ShopDays(ZoneInfo("Pacific/Apia"))
WHERE = [
    (SHANGHAI, date(2026, 11, 10)),
    (AT_HALF_PAST_TWO, date(2026, 11, 10)),
    (ODD, date(2026, 11, 10)),
    (NEW_YORK, date(2026, 3, 7)),  # on the 8th an hour is jumped over
    (NEW_YORK, date(2026, 10, 31)),  # on the 1st one is there twice
    (NEW_YORK_AT_ONE, date(2026, 10, 31)),  # in it a day begins
    (LORD_HOWE, date(2026, 10, 3)),  # half an hour is jumped over
    (LORD_HOWE, date(2026, 4, 4)),
    (APIA, date(2011, 12, 29)),  # the 30th is jumped over
]
DAYS = 3
_AT = 1_794_499_200_000 + MARGIN_MS
AS_OFTEN = [
    Reception(str(number), "X", date(2026, 11, 12), _AT - 3_600_000 + number, (), characters=7 + number // 5)
    for number in range(6)
]
"""Five of six are alike: more than four fifths."""
ON_THE_DAY_AFTER = Reception("a", "X", date(2026, 11, 13), _AT, ((_AT, _AT + 2 * MARGIN_MS),))
"""Nobody of it is on duty on the last of three days."""


@st.composite
def worlds(draw: st.DrawFn) -> tuple[ShopDays, date, list[Reception]]:
    """A shop's receptions of some days and of those beside them, many of them at an edge."""
    days, first = draw(st.sampled_from(WHERE))
    edges = [first_instant(first + timedelta(days=n), days) for n in range(-1, DAYS + 2)]
    keys = st.tuples(st.sampled_from("abc"), st.sampled_from(["X", "Y", "z"]))
    found: dict[tuple[str, str, date], Reception] = {}
    for _ in range(draw(st.integers(0, 8))):
        buyer, agent = draw(keys)
        near = draw(
            st.sampled_from([0, 1, -1, MARGIN_MS, -MARGIN_MS, MARGIN_MS - 1, -MARGIN_MS + 1])
            | st.integers(-90 * MINUTE_MS, 1500 * MINUTE_MS)
        )
        at = draw(st.sampled_from(edges[:-1])) + near
        presence = []
        begin = at - MARGIN_MS
        for _ in range(draw(st.integers(0, 3))):
            lasts = draw(st.integers(2 * MARGIN_MS, 2 * MARGIN_MS + 100 * MINUTE_MS))
            presence.append((begin, begin + lasts))
            begin += lasts + draw(st.integers(2, 200 * MINUTE_MS))
        day = day_of(at, days)
        found[buyer, agent, day] = Reception(
            buyer,
            agent,
            day,
            at,
            tuple(presence),
            spoke=draw(st.booleans()),
            response_ms=draw(st.none() | st.integers(0, 10**6)),
            filtered=draw(st.sampled_from([None, None, None, "agent_offline"])),
            role=draw(st.sampled_from(["presale", "presale", "presale", "frozen"])),
            slow=draw(st.booleans()),
            replied=draw(st.booleans()),
            asked=draw(st.booleans()),
            handed_over=draw(st.booleans()),
            transferred=draw(st.booleans()),
            by_agent=draw(st.booleans()),
            characters=draw(st.sampled_from([0, 7, 8])),
            duration_ms=draw(st.integers(0, 10**6)),
            effective=draw(st.booleans()),
            exempt=draw(st.sampled_from([None, None, "after_sales"])),
            outcome=draw(st.sampled_from([None, "lost", "payment_lost", "open"])),
        )
    return days, first, list(found.values())


@settings(examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
@example((SHANGHAI, date(2026, 11, 10), [ON_THE_DAY_AFTER]))
@example((SHANGHAI, date(2026, 11, 10), AS_OFTEN))
@example((SHANGHAI, date(2026, 11, 10), [*AS_OFTEN, replace(AS_OFTEN[5], buyer="x", characters=9)]))
def test_what_days_come_to(ledger: Database, world: tuple[ShopDays, date, list[Reception]]) -> None:
    days, first, receptions = world
    last = first + timedelta(days=DAYS - 1)
    asked = period(first.isoformat(), last.isoformat())
    with ledger.connection() as connection, connection.transaction() as transaction:
        say(connection, days)
        for one in receptions:
            put(connection, one)
        zone = shop_zone(connection, SHOP)
        expected = counted(receptions, days, first, last)
        assert days_of(connection, SHOP, zone, asked) == expected
        for number, day in expected.items():
            alone = asked._replace(first=number, last=number)
            assert days_of(connection, SHOP, zone, alone) == {number: day}
        chosen = [one for one in receptions if one.agent in ("X", "z")]
        of_two = days_of(connection, SHOP, zone, asked, ["X", "z"], frozenset({Part.PRESENCE, Part.COUNTS}))
        for number, day in counted(chosen, days, first, last).items():
            day.looks = Looks()
            assert of_two[number] == day
        _make_every_other(connection, expected)
        assert kept_days(connection, SHOP, zone, asked, *Part) == expected
        raise Rollback(transaction)


def _make_every_other(connection: Connection, expected: dict[int, Day]) -> None:
    """Keep some days as the sink does."""
    for number in list(expected)[::2]:
        connection.execute(
            "INSERT INTO agent_day VALUES (%s, '*', %s, 1, 'final', 'timer', 0, 0, 0, '{}')",
            (SHOP, day_name(number)),
        )
    assert RollUp().make(connection, last_day=True) == len(list(expected)[::2])
