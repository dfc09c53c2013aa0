"""Days of a shop as instants: periods, their parts, and days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream_attr.errors import UnusableError
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.periods import Period, period, shop_zone, slices
from stream_attr.rules.shop.days import day_number, zone


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("2026-11-01", None, "2026-11-01"),
        ("2026-11-01", "2026-11-01", "2026-11-01"),
        ("2026-11-01", "2026-11-30", "2026-11-01 – 2026-11-30"),
        ("2026-11", None, "2026-11-01 – 2026-11-30"),
        ("2028-02", "2028-03-05", "2028-02-01 – 2028-03-05"),
    ],
)
def test_days_and_months(first: str, last: str | None, name: str) -> None:
    assert period(first, last).name == name


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2026-11-31", None, "--from '2026-11-31' is neither a day like 2026-11-01 nor a month like 2026-11"),
        ("2026-13", None, "--from '2026-13' is neither"),
        ("1999-12-31", None, "--from '1999-12-31' is not in the years 2000 to 2099"),
        ("2026-11-02", "2026-11-01", "--to 2026-11-01 is before --from 2026-11-02"),
        ("2026-11-02", "soon", "--to 'soon' is neither"),
    ],
)
def test_what_is_no_period_is_refused(first: str, last: str | None, message: str) -> None:
    with pytest.raises(UnusableError, match=message):
        period(first, last)


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-11", None, "2026-10-01 – 2026-10-31"),
        ("2026-01", "2026-03", "2025-10-01 – 2025-12-31"),
        ("2026-11-08", "2026-11-10", "2026-11-05 – 2026-11-07"),
        ("2026-03-01", None, "2026-02-28"),
    ],
)
def test_the_period_before(first: str, last: str | None, before: str) -> None:
    assert period(first, last).before.name == before


ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana")
DAYS = st.integers(day_number("2011-12-25"), day_number("2012-01-05")) | st.integers(
    day_number("2026-01-01"), day_number("2026-12-31")
)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(["00:00", "04:00", "02:30"]),
    DAYS,
    st.integers(0, 40),
    st.sampled_from([(), ("day",), ("week",), ("month",), ("hour",), ("day", "hour"), ("month", "week")]),
)
@example("Pacific/Apia", "00:00", day_number("2011-12-28"), 5, ("day",))  # had no 30 December
def test_parts_are_a_period_without_gaps(
    name: str, cut: str, first: int, more: int, by: tuple[str, ...]
) -> None:
    of, asked = zone(name, cut), Period(first, first + more)
    parts = slices(of, asked, by)
    assert (parts[0].start, parts[-1].end) == asked.instants(of)
    for one, following in pairwise(parts):
        assert one.end == following.start
    for part in parts:
        assert part.start < part.end
        assert len(part.labels) == len(by)
        for ts in (part.start, part.end - 1):
            if "day" in by:
                day = part.labels[by.index("day")]
                assert of.start_of(day_number(day)) <= ts < of.start_of(day_number(day) + 1)
            if "hour" in by:
                shown = datetime.fromtimestamp(ts / 1000, UTC).astimezone(ZoneInfo(name))
                assert part.labels[by.index("hour")] == f"{shown:%H}:00"


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("America/New_York", "2026-03-08", {"01:00": 60, "02:00": 0, "03:00": 60}),
        ("America/New_York", "2026-11-01", {"00:00": 60, "01:00": 120, "02:00": 60}),
        ("Australia/Lord_Howe", "2026-04-05", {"01:00": 90, "02:00": 60}),
        ("Australia/Lord_Howe", "2026-10-04", {"01:00": 60, "02:00": 30}),
    ],
)
def test_hours_of_days_on_which_clocks_are_changed(name: str, day: str, hours: dict[str, int]) -> None:
    minutes: dict[str, int] = {}
    for part in slices(zone(name), period(day, None), ("hour",)):
        minutes[part.labels[0]] = minutes.get(part.labels[0], 0) + (part.end - part.start) // 60_000
    assert {hour: minutes.get(hour, 0) for hour in hours} == hours


def test_weeks_begin_on_mondays_and_stay_in_the_period() -> None:
    parts = slices(zone("Asia/Shanghai"), period("2026-11-05", "2026-11-16"), ("week",))
    assert [part.labels[0] for part in parts] == [
        "2026-11-05 – 2026-11-08",
        "2026-11-09 – 2026-11-15",
        "2026-11-16",
    ]


def test_the_zone_is_that_of_the_first_settings_record_that_can_be_used(ledger: Database) -> None:
    with ledger.connection() as connection:
        assert shop_zone(connection, "s").name == "Asia/Shanghai"
        for offset, record in enumerate(
            (
                '{"shop_id": "s", "effective_from": "2026-01-01", "timezone": "Mars/Base"}',
                '{"shop_id":"s","effective_from":"2026-01-01","timezone":"Asia/Tokyo","day_cut":"04:00"}',
                '{"shop_id": "s", "effective_from": "2026-02-01"}',
            )
        ):
            connection.execute(
                "INSERT INTO shop_settings (shop_id, source_partition, source_offset, effective_from, record)"
                " VALUES ('s', 0, %s, '2026-01-01', %s)",
                (offset, record),
            )
        found = shop_zone(connection, "s")
        assert (found.name, found.day_cut) == ("Asia/Tokyo", "04:00")
        assert shop_zone(connection, "other").day_cut == "00:00"
