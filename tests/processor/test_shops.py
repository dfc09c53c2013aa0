"""The book of shops: what a record of a topic may change, and that history does not move (RULEBOOK 2)."""

from __future__ import annotations

import errno
import json
from zoneinfo import ZoneInfo

import pytest

from stream_attr.contract.topics import CHAT, DEAD_LETTERS, ROSTER, SETTINGS
from stream_attr.processor import ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.chat.message import AUTO_REPLY
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, _data, day_name, day_number, zone
from stream_attr.rules.vocabulary import Role

TODAY = day_number("2026-11-10")
NOON = zone("Asia/Shanghai").start_of(TODAY) + 12 * HOUR_MS
FILES = {SETTINGS: ("settings.jsonl",), ROSTER: ("roster.jsonl",)}


def apply(registry, topic, timestamp=NOON, **value):
    """Apply a record; return the code and the field of its dead letter, if it is refused."""
    record = Record(topic, 0, 0, timestamp, b"k", json.dumps({"shop_id": "jd:1", **value}).encode())
    refused = registry.apply(record)
    if refused is None:
        return None
    assert refused.topic == DEAD_LETTERS
    letter = json.loads(refused.value)
    return letter["code"], letter["field"]


def settings(registry, day, timestamp=NOON, **value):
    return apply(registry, SETTINGS, timestamp, effective_from=day_name(day), **value)


def roster(registry, day, role="presale", timestamp=NOON, agent_id="A"):
    return apply(registry, ROSTER, timestamp, agent_id=agent_id, role=role, effective_from=day_name(day))


REFUSED = ("bad_value", "effective_from")


def test_the_first_record_of_a_shop_may_name_any_past_day():
    registry = ShopRegistry()
    assert settings(registry, TODAY - 300, preset="pdd") is None
    assert registry.shop("jd:1").settings_on(TODAY - 300).preset == "pdd"


@pytest.mark.parametrize(("day", "answer"), [(TODAY - 1, REFUSED), (TODAY, None), (TODAY + 1, None)])
def test_a_later_one_holds_from_today_at_the_earliest(day, answer):
    registry = ShopRegistry()
    settings(registry, TODAY - 300)
    version = registry.shop("jd:1").version
    assert settings(registry, day, preset="pdd") == answer
    assert (registry.shop("jd:1").version == version) is (answer is not None)
    assert (registry.shop("jd:1").settings_on(day).preset == "pdd") is (answer is None)


@pytest.mark.parametrize(
    ("timestamp", "answer"),
    [(NOON + 12 * HOUR_MS - 1, None), (NOON + 12 * HOUR_MS, REFUSED), (NOON - 40 * DAY_MS, None)],
)
def test_today_is_the_day_of_the_records_timestamp_in_the_shops_zone(timestamp, answer):
    registry = ShopRegistry()
    settings(registry, TODAY - 300)
    assert settings(registry, TODAY, timestamp) == answer


def test_today_is_another_day_in_another_zone():
    registry = ShopRegistry()
    settings(registry, TODAY - 300, timezone="America/New_York")
    early = zone("Asia/Shanghai").start_of(TODAY) + HOUR_MS  # still yesterday in New York
    assert settings(registry, TODAY - 1, early) is None


def test_records_of_files_are_taken_as_they_stand():
    registry = ShopRegistry(FILES)
    assert settings(registry, TODAY, timestamp=0) is None
    assert settings(registry, TODAY - 300, timestamp=0, preset="pdd") is None
    assert roster(registry, TODAY, timestamp=0) is None
    assert roster(registry, TODAY - 300, timestamp=0) is None
    assert registry.shop("jd:1").settings_on(TODAY - 1).preset == "pdd"


@pytest.mark.parametrize("registry", [ShopRegistry(), ShopRegistry(FILES)], ids=["topic", "files"])
def test_a_shop_keeps_the_time_zone_of_its_first_record(registry):
    assert settings(registry, TODAY, timezone="Europe/Berlin") is None
    assert settings(registry, TODAY + 1, timezone="Asia/Shanghai") == ("bad_value", "timezone")
    assert settings(registry, TODAY + 1, timezone="Europe/Berlin") is None
    assert settings(registry, TODAY + 2) is None  # names none
    assert registry.shop("jd:1").zone.name == "Europe/Berlin"


@pytest.mark.parametrize("registry", [ShopRegistry(), ShopRegistry(FILES)], ids=["topic", "files"])
def test_a_shop_keeps_the_day_cut_of_its_first_record(registry):
    assert settings(registry, TODAY, day_cut="02:30") is None
    assert settings(registry, TODAY + 1, day_cut="00:00") == ("bad_value", "day_cut")
    assert settings(registry, TODAY + 1, timezone="Asia/Shanghai", day_cut="02:30") is None
    assert settings(registry, TODAY + 2) is None  # names none
    assert (registry.shop("jd:1").zone.name, registry.shop("jd:1").zone.day_cut) == ("Asia/Shanghai", "02:30")


def test_a_first_record_without_a_day_cut_says_midnight():
    registry = ShopRegistry()
    settings(registry, TODAY)
    assert settings(registry, TODAY + 1, day_cut="02:00") == ("bad_value", "day_cut")
    assert settings(registry, TODAY + 1, day_cut="00:00") is None


@pytest.mark.parametrize("hour", [-1, 0])
def test_today_begins_at_the_day_cut(hour):
    registry = ShopRegistry()
    settings(registry, TODAY - 300, day_cut="02:00")
    sent = zone("Asia/Shanghai").start_of(TODAY) + 2 * HOUR_MS + hour
    assert settings(registry, TODAY - 1, sent) == (None if hour < 0 else REFUSED)


def test_a_first_record_without_a_zone_says_shanghai():
    registry = ShopRegistry()
    settings(registry, TODAY)
    assert settings(registry, TODAY + 1, timezone="UTC") == ("bad_value", "timezone")


def test_a_refused_first_record_is_none():
    registry = ShopRegistry()
    assert settings(registry, TODAY, preset="nobody's") == ("bad_value", "preset")
    assert not registry.shop("jd:1").is_set
    assert settings(registry, TODAY - 9, timezone="UTC") is None


def test_what_needs_text_holds_from_tomorrow_where_the_change_is_for_today():
    registry = ShopRegistry()
    settings(registry, TODAY - 300)
    settings(registry, TODAY, auto_reply={"identify": True}, payment_deadline_hours=1)
    settings(registry, TODAY + 5, auto_reply={"identify": False})
    shop = registry.shop("jd:1")
    assert [shop.settings_on(day).payment_deadline_hours for day in (TODAY - 1, TODAY)] == [24, 1]
    identified = [
        bool(shop.reception_rules(TODAY + day).ineffective_flags & AUTO_REPLY) for day in (-1, 0, 1, 4, 5)
    ]
    assert identified == [False, False, True, True, False]


def test_the_first_record_and_files_have_the_text_still_to_come():
    first, files = ShopRegistry(), ShopRegistry(FILES)
    settings(first, TODAY, auto_reply={"identify": True})
    settings(files, TODAY - 9)
    settings(files, TODAY, auto_reply={"identify": True})
    for registry in (first, files):
        assert registry.shop("jd:1").reception_rules(TODAY).ineffective_flags & AUTO_REPLY


@pytest.mark.parametrize(("day", "answer"), [(TODAY - 1, REFUSED), (TODAY, None), (TODAY + 1, None)])
def test_roles_do_not_move_either(day, answer):
    registry = ShopRegistry()
    assert roster(registry, TODAY - 300) is None
    assert roster(registry, day, "frozen") == answer
    role = registry.shop("jd:1").role_on("A", day, Role.AFTERSALE)
    assert role is (Role.FROZEN if answer is None else Role.PRESALE)


def test_the_first_record_of_every_agent_may_name_any_past_day():
    registry = ShopRegistry()
    assert roster(registry, TODAY - 1) is None
    assert roster(registry, TODAY - 300, agent_id="B") is None


def test_shops_do_not_know_of_each_other():
    registry = ShopRegistry()
    settings(registry, TODAY, preset="pdd")
    assert settings(registry, TODAY - 300, shop_id="jd:2", timezone="UTC") is None
    assert registry.shop("jd:1").zone.name == "Asia/Shanghai"
    assert registry.shop("jd:3").settings_on(TODAY).preset == "jd_cloud"


def test_a_tombstone_changes_nothing():
    refused = ShopRegistry().apply(Record(SETTINGS, 0, 7, NOON, b"jd:1", None))
    assert refused is not None
    assert json.loads(refused.value)["code"] == "not_json"
    assert refused.key == b"jd:1"


def test_a_key_without_end_is_too_large_and_its_beginning_is_kept():
    refused = ShopRegistry().apply(Record(SETTINGS, 0, 7, NOON, b"k" * 100_000, b"{}"))
    assert refused is not None
    assert json.loads(refused.value)["code"] == "too_large"
    assert refused.key == b"k" * 65_536


def test_other_topics_are_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="not a topic of shops"):
        ShopRegistry().apply(Record(CHAT, 0, 0, NOON, b"k", b"{}"))


def test_a_machine_out_of_descriptors_is_not_the_records_fault(no_file_descriptors):
    zone.cache_clear()
    _data.cache_clear()
    ZoneInfo.clear_cache()
    registry = ShopRegistry()
    with no_file_descriptors, pytest.raises(OSError, match="Too many open files") as raised:
        settings(registry, TODAY, timezone="Europe/Berlin")
    assert raised.value.errno == errno.EMFILE
    assert not registry.shop("jd:1").is_set
    assert settings(registry, TODAY, timezone="Europe/Berlin") is None
    assert registry.shop("jd:1").zone.name == "Europe/Berlin"
