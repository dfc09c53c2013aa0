"""Days that begin later than midnight, and on which clocks change (RULEBOOK 1), by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS, MINUTE_MS, ShopDays, day_of, end_of_day, first_instant
from tests.reference.facts import facts
from tests.reference.inquiries import inquiries
from tests.reference.model import judge
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    TODAY,
    Json,
    around,
    chat_of,
    message,
    order,
    shop_settings,
)

CUT = "02:00"
CUT_MS = 2 * HOUR_MS
TOMORROW = "2026-11-02"
NEXT_CUT = MIDNIGHT + DAY_MS + CUT_MS


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "cut", "day", "begins", "minutes"),
    [
        ("Asia/Shanghai", "02:00", date(2026, 11, 1), "2026-10-31T18:00", 24 * 60),
        ("Asia/Shanghai", "12:00", date(2026, 11, 1), "2026-11-01T04:00", 24 * 60),
        # New York: 2:00 becomes 3:00 on 8 March, and 2:00 becomes 1:00 on 1 November 2026.
        ("America/New_York", "00:00", date(2026, 3, 8), "2026-03-08T05:00", 23 * 60),
        ("America/New_York", "02:00", date(2026, 3, 7), "2026-03-07T07:00", 24 * 60),
        ("America/New_York", "02:00", date(2026, 3, 8), "2026-03-08T07:00", 23 * 60),
        ("America/New_York", "02:30", date(2026, 3, 8), "2026-03-08T07:00", 23 * 60 + 30),
        ("America/New_York", "03:00", date(2026, 3, 8), "2026-03-08T07:00", 24 * 60),
        ("America/New_York", "00:00", date(2026, 11, 1), "2026-11-01T04:00", 25 * 60),
        ("America/New_York", "02:00", date(2026, 10, 31), "2026-10-31T06:00", 25 * 60),
        ("America/New_York", "02:00", date(2026, 11, 1), "2026-11-01T07:00", 24 * 60),
        ("America/New_York", "01:30", date(2026, 11, 1), "2026-11-01T05:30", 25 * 60),  # the first 1:30
        # Lord Howe: clocks change by half an hour, at 2:00.
        ("Australia/Lord_Howe", "00:00", date(2026, 4, 5), "2026-04-04T13:00", 24 * 60 + 30),
        ("Australia/Lord_Howe", "02:00", date(2026, 4, 4), "2026-04-03T15:00", 24 * 60 + 30),
        ("Australia/Lord_Howe", "00:00", date(2026, 10, 4), "2026-10-03T13:30", 23 * 60 + 30),
        ("Australia/Lord_Howe", "02:00", date(2026, 10, 4), "2026-10-03T15:30", 23 * 60 + 30),
        # Havana: 0:00 becomes 1:00 on 8 March, and 1:00 becomes 0:00 on 1 November 2026.
        ("America/Havana", "00:00", date(2026, 3, 8), "2026-03-08T05:00", 23 * 60),
        ("America/Havana", "02:00", date(2026, 3, 7), "2026-03-07T07:00", 23 * 60),
        ("America/Havana", "00:00", date(2026, 11, 1), "2026-11-01T04:00", 25 * 60),
        ("America/Havana", "02:00", date(2026, 10, 31), "2026-10-31T06:00", 25 * 60),
        ("America/Havana", "00:30", date(2026, 11, 1), "2026-11-01T04:30", 25 * 60),  # the first 0:30
        # Apia had no 30 December 2011.
        ("Pacific/Apia", "00:00", date(2011, 12, 29), "2011-12-29T10:00", 24 * 60),
        ("Pacific/Apia", "00:00", date(2011, 12, 30), "2011-12-30T10:00", 0),
        ("Pacific/Apia", "00:00", date(2011, 12, 31), "2011-12-30T10:00", 24 * 60),
        ("Pacific/Apia", "02:00", date(2011, 12, 29), "2011-12-29T12:00", 22 * 60),
        ("Pacific/Apia", "02:00", date(2011, 12, 30), "2011-12-30T10:00", 2 * 60),
        ("Pacific/Apia", "02:00", date(2011, 12, 31), "2011-12-30T12:00", 24 * 60),
    ],
)
def test_a_day_runs_from_its_cut_to_the_next_by_the_clock(
    zone: str, cut: str, day: date, begins: str, minutes: int
) -> None:
    days = ShopDays(ZoneInfo(zone), time.fromisoformat(cut))
    first = utc(begins)
    end = first + minutes * MINUTE_MS
    assert first_instant(day, days) == first
    assert first_instant(day + timedelta(days=1), days) == end
    if minutes:
        expected = [False, True, True, False]
        assert [day_of(ts, days) == day for ts in (first - 1, first, end - 1, end)] == expected
        assert [end_of_day(ts, days) for ts in (first, end - 1)] == [end, end]


def test_where_a_clock_is_put_back_over_the_cut_the_day_that_began_goes_on() -> None:
    # Havana, cut 0:30: from 0:30 on it is the 1st, also when it is 0:10 again.
    days = ShopDays(ZoneInfo("America/Havana"), time(0, 30))
    first = utc("2026-11-01T04:30")
    assert [day_of(ts, days).day for ts in (first - 1, first, first + 40 * MINUTE_MS)] == [31, 1, 1]


def test_worked_example_of_a_day_cut() -> None:
    ts = MIDNIGHT + DAY_MS + 90 * MINUTE_MS  # 1:30 on the 2nd
    settings = shop_settings(day_cut=CUT, validity={"natural_days": 0})
    chat = [message(ts, "A", "buyer"), message(ts + MINUTE_MS, "A", "agent")]
    orders = [order("created", ts + 10 * MINUTE_MS), order("paid", ts + 11 * MINUTE_MS)]
    for watermark, status in zip(around(NEXT_CUT), ("pending", "final", "final"), strict=True):
        (decision,) = judge(chat, orders, settings, [], watermark).values()
        assert (decision["credit"]["agent_id"], decision["final_at"]) == ("A", NEXT_CUT)
        assert decision["status"] == status
    assert list(facts(chat, orders, settings, [], None)) == [("jd:1", "b-1", "A", TODAY)]
    assert {day for *_, day in agent_days(chat, orders, settings, [], None)} == {TODAY}


@pytest.mark.parametrize("ts", around(MIDNIGHT + CUT_MS))
def test_natural_days_begin_at_the_cut(ts: int) -> None:
    settings = shop_settings(day_cut=CUT, validity={"natural_days": 1})
    chat = [message(ts, "A", "buyer"), message(ts, "A", "agent")]
    (decision,) = judge(chat, [order("created", NEXT_CUT)], settings, [], None).values()
    assert (decision["placing"] is not None) is (ts >= MIDNIGHT + CUT_MS)


@pytest.mark.parametrize("ts", around(NEXT_CUT))
def test_a_setting_and_a_role_hold_from_the_cut_of_their_day(ts: int) -> None:
    later = {"shop_id": "jd:1", "effective_from": TOMORROW, "max_wait_minutes": 1}
    settings = [*shop_settings(day_cut=CUT, max_wait_minutes=60), later]
    roster = [{"shop_id": "jd:1", "agent_id": "A", "role": "aftersale", "effective_from": TOMORROW}]
    chat = [message(ts, "A", "buyer"), message(ts + 2 * MINUTE_MS, "A", "agent")]
    found = facts(chat, [], settings, roster, None)
    first_day = ts < NEXT_CUT
    (*_, day), fact = next(iter(found.items()))
    assert (day, fact["role"]) == ((TODAY, "presale") if first_day else (TOMORROW, "aftersale"))


@pytest.mark.parametrize("created_ts", around(NEXT_CUT + DAY_MS))
def test_an_order_follows_from_a_reception_until_the_cut_of_the_day_after_next(created_ts: int) -> None:
    settings = shop_settings(day_cut=CUT, validity={"natural_days": 3})
    chat = chat_of("A", MIDNIGHT + CUT_MS)
    (record,) = inquiries(chat, [order("created", created_ts)], settings, [], None).values()
    followed = created_ts < NEXT_CUT + DAY_MS
    assert record["outcome"] == ("payment_lost" if followed else "lost")
    assert record["final_at"] == NEXT_CUT + (2 if followed else 1) * DAY_MS


def test_a_question_is_carried_past_the_cut_and_not_past_midnight() -> None:
    asked, answered = (message(NEXT_CUT + n, "A", side) for n, side in ((-1, "buyer"), (1, "agent")))
    settings = shop_settings(day_cut=CUT)
    found = facts([asked, answered], [], settings, [], None)
    assert found["jd:1", "b-1", "A", TOMORROW]["initiator"] == "buyer"
    midnight = MIDNIGHT + DAY_MS
    chat = [message(midnight - 1, "A", "buyer"), message(midnight + 1, "A", "agent")]
    assert [fact["first_response_ms"] for fact in facts(chat, [], settings, [], None).values()] == [2]


def test_profiles_and_later_records_have_the_days_of_the_first_record() -> None:
    ts = MIDNIGHT + DAY_MS + HOUR_MS
    later: Json = {"shop_id": "jd:1", "effective_from": "2026-10-01"}
    settings = [*shop_settings(day_cut=CUT), {**later, "profiles": {"alt": {"preset": "jd_cloud"}}}]
    decisions = judge([], [order("created", ts), order("paid", ts)], settings, [], None)
    assert {decision["final_at"] for decision in decisions.values()} == {NEXT_CUT}
    assert len(decisions) == 2
