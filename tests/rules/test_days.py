"""Natural days: where each begins and ends, also where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, day_name, day_number, zone


def at(text):
    """Epoch milliseconds of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def day(name):
    return day_number(name)


@pytest.mark.parametrize("name", ["1970-01-01", "2000-02-29", "2026-11-01", "2099-12-31"])
def test_a_day_has_one_name_and_one_number(name):
    assert day_name(day_number(name)) == name
    assert day_number(name) == (date.fromisoformat(name) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    "name",
    ["", "2026-11-1", "20261101", "2026-W44-7", "2026-13-01", "2026-02-30", "2025-02-29", "0000-01-01",
     "2026-11-01T00:00", " 2026-11-01", "2026-11-01\n", "２０２６-11-01", "+026-11-01"],
)  # fmt: skip
def test_nothing_else_is_a_date(name):
    with pytest.raises(ValueError, match=r"."):
        day_number(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "Asia",
        "/etc/localtime",
        "../Asia/Shanghai",
        "UTC+8",
        "Asia/Shanghai\0",
        "localtime",
        "posixrules",
        "Factory",
        "UTC/x",
        "x" * 300,
    ],
)
def test_only_iana_names_are_zones(name):
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("name", "day_before", "midnight"),
    [
        ("UTC", "2026-10-31", "2026-11-01T00:00"),
        ("Asia/Shanghai", "2026-10-31", "2026-10-31T16:00"),
        ("Asia/Kathmandu", "2026-10-31", "2026-10-31T18:15"),
        ("America/New_York", "2026-10-31", "2026-11-01T04:00"),
        ("Pacific/Kiritimati", "2026-10-31", "2026-10-31T10:00"),
    ],
)
def test_a_day_begins_with_its_first_millisecond(name, day_before, midnight):
    shop, first = zone(name), at(midnight)
    before = day(day_before)
    assert [shop.day_of(first + ms) for ms in (-1, 0, 1)] == [before, before + 1, before + 1]
    assert [shop.end_of_day(first + ms) for ms in (-1, 0, 1)] == [first, *[shop.start_of(before + 2)] * 2]


@pytest.mark.parametrize(
    ("name", "on", "hours"),
    [
        ("Asia/Shanghai", "2026-03-29", 24),
        ("Europe/Berlin", "2026-03-28", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Sao_Paulo", "2018-11-04", 23),  # its midnight does not exist
        ("America/Sao_Paulo", "2018-02-17", 25),  # its last hour comes twice
        ("America/Havana", "2026-11-01", 25),  # its first hour comes twice
        ("Pacific/Apia", "2011-12-30", 0),  # skipped, the date line moved
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(name, on, hours):
    shop = zone(name)
    assert shop.start_of(day(on) + 1) - shop.start_of(day(on)) == hours * HOUR_MS


ODD_ZONES = (
    *("Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Beirut"),
    *("Africa/Casablanca", "Australia/Lord_Howe", "Asia/Pyongyang", "Antarctica/Troll"),
)


@pytest.mark.parametrize("name", ODD_ZONES)
def test_days_follow_each_other_without_gap_or_overlap(name):
    shop = zone(name)
    for number in range(day("2014-01-01"), day("2028-01-01")):
        begin, end = shop.start_of(number), shop.start_of(number + 1)
        assert shop.day_of(begin) == number
        assert shop.day_of(end - 1) == number
        assert shop.end_of_day(begin) == shop.end_of_day(end - 1) == end
        assert 22 * HOUR_MS <= end - begin <= 26 * HOUR_MS


def test_a_skipped_day_holds_no_instant():
    shop = zone("Pacific/Apia")
    skipped = shop.start_of(day("2011-12-30"))
    assert shop.day_of(skipped - 1) == day("2011-12-29")
    assert shop.day_of(skipped) == day("2011-12-31")


def test_zones_are_shared():
    assert zone("Asia/Shanghai") is zone("Asia/Shanghai")


@pytest.mark.parametrize("name", ["Asia/Shanghai", "Europe/Berlin"])
def test_all_times_of_events_have_days(name):
    shop = zone(name)
    for ts in (946_684_800_000, 4_102_444_800_000 - 1):  # RULEBOOK 2: the years 2000 to 2099
        assert shop.end_of_day(ts) - DAY_MS <= ts < shop.end_of_day(ts)
