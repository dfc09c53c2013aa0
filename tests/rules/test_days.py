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


@pytest.mark.parametrize(
    ("name", "cut", "on", "begins", "hours"),
    [
        ("Asia/Shanghai", "02:00", "2026-11-01", "2026-10-31T18:00", 24),
        ("Asia/Shanghai", "12:00", "2026-11-01", "2026-11-01T04:00", 24),
        # New York: from 02:00 to 03:00 on 8 March, from 02:00 to 01:00 on 1 November
        ("America/New_York", "02:00", "2026-03-07", "2026-03-07T07:00", 24),
        ("America/New_York", "02:00", "2026-03-08", "2026-03-08T07:00", 23),
        ("America/New_York", "02:30", "2026-03-07", "2026-03-07T07:30", 23.5),
        ("America/New_York", "02:30", "2026-03-08", "2026-03-08T07:00", 23.5),  # with the jump
        ("America/New_York", "02:00", "2026-10-31", "2026-10-31T06:00", 25),
        ("America/New_York", "02:00", "2026-11-01", "2026-11-01T07:00", 24),
        ("America/New_York", "01:30", "2026-10-31", "2026-10-31T05:30", 24),
        ("America/New_York", "01:30", "2026-11-01", "2026-11-01T05:30", 25),  # with the first 01:30
        # Lord Howe: from 02:00 to 02:30 on 4 October, from 02:00 to 01:30 on 5 April
        ("Australia/Lord_Howe", "02:00", "2026-10-03", "2026-10-02T15:30", 24),
        ("Australia/Lord_Howe", "02:00", "2026-10-04", "2026-10-03T15:30", 23.5),
        ("Australia/Lord_Howe", "02:15", "2026-10-04", "2026-10-03T15:30", 23.75),
        ("Australia/Lord_Howe", "02:00", "2026-04-04", "2026-04-03T15:00", 24.5),
        ("Australia/Lord_Howe", "01:45", "2026-04-05", "2026-04-04T14:45", 24.5),
        # Havana: from 00:00 to 01:00 on 8 March, from 01:00 to 00:00 on 1 November
        ("America/Havana", "02:00", "2026-03-07", "2026-03-07T07:00", 23),
        ("America/Havana", "00:30", "2026-03-08", "2026-03-08T05:00", 23.5),
        ("America/Havana", "02:00", "2026-10-31", "2026-10-31T06:00", 25),
        ("America/Havana", "00:30", "2026-11-01", "2026-11-01T04:30", 25),
        # Apia: from 24:00 on 29 December to 00:00 on 31 December
        ("Pacific/Apia", "02:00", "2011-12-29", "2011-12-29T12:00", 22),
        ("Pacific/Apia", "02:00", "2011-12-30", "2011-12-30T10:00", 2),
        ("Pacific/Apia", "02:00", "2011-12-31", "2011-12-30T12:00", 24),
    ],
)
def test_a_day_begins_when_the_clocks_come_to_its_cut(name, cut, on, begins, hours):
    shop = zone(name, cut)
    first = at(begins)
    assert shop.start_of(day(on)) == first
    assert shop.start_of(day(on) + 1) - first == hours * HOUR_MS
    assert [shop.day_of(first + ms) for ms in (-1, 0, 1)] == [day(on) - 1, day(on), day(on)]
    assert shop.end_of_day(first - 1) == first


CHANGING = ("America/New_York", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia")


@pytest.mark.parametrize("cut", ["00:30", "01:45", "02:00", "12:00"])
@pytest.mark.parametrize("name", CHANGING)
def test_days_with_a_cut_follow_each_other_without_gap_or_overlap(name, cut):
    shop = zone(name, cut)
    for number in range(day("2026-01-01"), day("2027-01-01")):
        begin, end = shop.start_of(number), shop.start_of(number + 1)
        assert [shop.day_of(ts) for ts in (begin, end - 1)] == [number] * 2
        assert 23 * HOUR_MS <= end - begin <= 25 * HOUR_MS


@pytest.mark.parametrize("cut", ["", "2:00", "02:60", "12:01", "-1:00", "02:00:00", "０2:00", "02:00\n"])
def test_a_day_cut_is_from_midnight_to_noon(cut):
    with pytest.raises(ValueError, match="is not a time HH:MM from 00:00 to 12:00"):
        zone("Asia/Shanghai", cut)


def test_what_the_clock_shows_does_not_depend_on_the_cut():
    shop = zone("America/New_York", "12:00")
    assert shop.clock(at("2026-11-01T05:59")) == (day("2026-11-01"), 119)
    assert shop.clock(at("2026-11-01T06:00")) == (day("2026-11-01"), 60)  # the second 01:00
    assert shop.at_clock(day("2026-11-01"), 60) == at("2026-11-01T05:00")  # the first
    assert shop.at_clock(day("2026-03-08"), 150) == at("2026-03-08T07:00")  # 02:30 is jumped over


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
