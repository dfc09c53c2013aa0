"""A shop's history: which record holds on which day, and what must be read while the text is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_attr.rules.chat.message import AUTO_REPLY, BLANK, BROADCAST, TEXT_SHIFT
from stream_attr.rules.shop.day_rules import Pattern, SettingsRecord
from stream_attr.rules.shop.settings import DEFAULT_SETTINGS, PRESETS, AutoReply, Filters, Settings
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Role

D = 20_000
"""A day number."""
PREFIXED = replace(DEFAULT_SETTINGS, auto_reply=AutoReply(identify=True, prefix="^"))
ADVERT = replace(DEFAULT_SETTINGS, filters=Filters(advert=True, advert_phrase="bye", advert_within=3))


def record(first_day, settings=DEFAULT_SETTINGS, text_from=None, **profiles):
    return SettingsRecord(first_day, first_day if text_from is None else text_from, settings, profiles)


def shop_with(*records, timezone="Asia/Shanghai"):
    shop = Shop("jd:1")
    for one in records:
        shop.add_settings(one, timezone)
    return shop


def test_before_its_first_record_a_shop_runs_on_the_default_preset():
    shop = Shop("jd:1")
    assert not shop.is_set
    assert (shop.zone.name, shop.settings_on(D)) == ("Asia/Shanghai", PRESETS["jd_cloud"])
    shop.add_settings(record(D, PRESETS["pdd"]), "Europe/Berlin")
    assert shop.is_set
    assert (shop.zone.name, shop.settings_on(D - 1)) == ("Europe/Berlin", PRESETS["jd_cloud"])
    assert shop.record_on(D - 1) is None


@pytest.mark.parametrize("turn", [1, -1])
def test_a_record_holds_from_its_day_until_the_next_whatever_came_first(turn):
    records = [record(D, PRESETS["pdd"]), record(D + 2, PRESETS["chitu"])]
    shop = shop_with(*records[::turn])
    presets = [shop.settings_on(day).preset for day in range(D - 1, D + 4)]
    assert presets == ["jd_cloud", "pdd", "pdd", "chitu", "chitu"]


def test_of_two_records_of_one_day_the_later_holds():
    shop = shop_with(record(D, PRESETS["pdd"]), record(D, PRESETS["chitu"]), record(D - 1))
    assert shop.settings_on(D).preset == "chitu"


def test_the_first_record_alone_names_the_time_zone():
    shop = shop_with(record(D))
    shop.add_settings(record(D + 1), "Europe/Berlin")
    assert shop.zone.name == "Asia/Shanghai"


def test_profiles_are_those_of_the_record_in_force_the_official_first():
    shop = shop_with(record(D, PRESETS["pdd"], b=PRESETS["chitu"], a=PRESETS["jd_official"]), record(D + 1))
    assert [shop.profiles_on(day) for day in (D - 1, D, D + 1)] == [
        ("official",), ("official", "a", "b"), ("official",),
    ]  # fmt: skip
    assert shop.settings_on(D, "a").preset == "jd_official"
    # A reception of a day without the profile is read by that day's official settings.
    assert shop.settings_on(D + 1, "a") == shop.settings_on(D + 1)
    assert shop.settings_on(D, "unheard-of").preset == "pdd"


def test_what_needs_text_holds_from_text_from_the_rest_from_the_first_day():
    before = replace(DEFAULT_SETTINGS, filters=Filters(monologue=True))
    after = replace(PREFIXED, filters=Filters(monologue=False, advert=True, advert_phrase="bye"))
    shop = shop_with(record(D - 9, before), record(D, after, text_from=D + 1))
    readings = [shop.reception_rules(day) for day in (D - 1, D, D + 1)]
    assert [one.filters.monologue for one in readings] == [True, False, False]
    assert [bool(one.advert_bit) for one in readings] == [False, False, True]
    assert [bool(one.ineffective_flags & AUTO_REPLY) for one in readings] == [False, False, True]
    assert [shop.patterns_on(day) for day in (D - 1, D)] == [{}, {}]
    assert set(shop.patterns_on(D + 1)) == {Pattern(False, "^"), Pattern(True, "bye")}


def test_text_settings_given_up_for_today_go_on_until_midnight():
    shop = shop_with(record(D - 9, PREFIXED), record(D, text_from=D + 1))
    rules = [shop.reception_rules(day) for day in (D, D + 1)]
    assert [bool(one.ineffective_flags & AUTO_REPLY) for one in rules] == [True, False]
    assert [set(shop.patterns_on(day)) for day in (D, D + 1)] == [{Pattern(False, "^")}, set()]


def test_each_profile_reads_its_own_pattern_of_those_of_the_day():
    shop = shop_with(record(D, PREFIXED, advert=ADVERT, same=PREFIXED))
    bit = shop.patterns_on(D)
    assert sorted(bit.values()) == [1 << TEXT_SHIFT, 2 << TEXT_SHIFT]
    official, advert, same = (shop.reception_rules(D, profile) for profile in ("official", "advert", "same"))
    assert (
        official.ineffective_flags
        == same.ineffective_flags
        == BROADCAST | BLANK | AUTO_REPLY | bit[Pattern(False, "^")]
    )
    assert advert.ineffective_flags == BROADCAST | BLANK
    assert (advert.advert_bit, advert.advert_within) == (bit[Pattern(True, "bye")], 3)
    assert official.advert_bit == 0


def test_a_pattern_keeps_its_flag_whatever_is_named_later():
    shop = shop_with(record(D, PREFIXED))
    before = shop.patterns_on(D + 1)
    shop.add_settings(record(D + 1, replace(DEFAULT_SETTINGS), advert=ADVERT), "Asia/Shanghai")
    shop.add_settings(record(D + 2, replace(DEFAULT_SETTINGS), advert=ADVERT, same=PREFIXED), "Asia/Shanghai")
    assert not set(before.values()) & set(shop.patterns_on(D + 1).values())
    assert shop.patterns_on(D + 2).items() >= before.items()


def test_an_empty_prefix_is_not_a_pattern():
    shop = shop_with(record(D, replace(DEFAULT_SETTINGS, auto_reply=AutoReply(identify=True))))
    assert shop.patterns_on(D) == {}
    assert shop.reception_rules(D).ineffective_flags == BROADCAST | BLANK | AUTO_REPLY


def test_a_prefix_that_is_not_identified_is_not_a_pattern():
    shop = shop_with(record(D, replace(DEFAULT_SETTINGS, auto_reply=AutoReply(prefix="^"))))
    assert shop.patterns_on(D) == {}
    assert shop.reception_rules(D).ineffective_flags == BROADCAST | BLANK


@pytest.mark.parametrize("turn", [1, -1])
def test_a_role_holds_from_its_day_until_the_next(turn):
    shop = Shop("jd:1")
    for first_day, role in [(D, Role.AFTERSALE), (D + 2, Role.FROZEN)][::turn]:
        shop.add_role("A", first_day, role)
    roles = [shop.role_on("A", day, Role.PRESALE) for day in range(D - 1, D + 4)]
    assert roles == [Role.PRESALE, Role.AFTERSALE, Role.AFTERSALE, Role.FROZEN, Role.FROZEN]
    assert shop.role_on("B", D, Role.FROZEN) is Role.FROZEN


def test_of_two_roles_of_one_day_the_later_holds():
    shop = Shop("jd:1")
    shop.add_role("A", D, Role.AFTERSALE)
    shop.add_role("A", D, Role.PRESALE)
    assert shop.role_on("A", D, Role.FROZEN) is Role.PRESALE


def test_an_unlisted_agent_has_the_role_of_the_profiles_own_setting():
    frozen = replace(DEFAULT_SETTINGS, unlisted_agents=Role.FROZEN)
    shop = shop_with(record(D, DEFAULT_SETTINGS, strict=frozen))
    assert shop.is_presale("A", D, "official")
    assert not shop.is_presale("A", D, "strict")


def test_an_agent_is_an_own_account_from_its_first_day_in_any_role():
    shop = Shop("jd:1")
    shop.add_role("A", D + 1, Role.PRESALE)
    shop.add_role("A", D, Role.FROZEN)
    assert [shop.is_own_account("A", day) for day in (D - 1, D, D + 1)] == [False, True, True]
    assert not shop.is_own_account("B", D)


def test_the_longest_after_sales_days_ever_set_are_remembered():
    shop = Shop("jd:1")
    assert shop.longest_after_sales_days == 21
    for days in (3, 30, 10):
        shop.add_settings(record(D, Settings(after_sales_days=days)), "Asia/Shanghai")
    assert shop.longest_after_sales_days == 30
    only = shop_with(record(D, Settings(after_sales_days=0)))
    assert only.longest_after_sales_days == 0


def test_every_accepted_record_makes_a_new_version_and_nothing_stale_is_read():
    shop = shop_with(record(D))
    version, _ = shop.version, (shop.reception_rules(D), shop.patterns_on(D))
    shop.add_settings(record(D, PREFIXED), "Asia/Shanghai")
    assert shop.version == version + 1
    assert shop.reception_rules(D).ineffective_flags & AUTO_REPLY
    assert shop.patterns_on(D)
    shop.add_role("A", D, Role.FROZEN)
    assert shop.version == version + 2
