"""The rules in force on a day, with where each comes from."""

from __future__ import annotations

import json

import orjson
import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.explain.shop_rules import ShopHistory
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import DAY_MS, day_number

DAY = "2026-11-02"
NOON = day_number(DAY) * DAY_MS + DAY_MS // 6  # in Shanghai
SHOP = "jd:1"


def record(topic: str, offset: int, sent: int = NOON, **fields: object) -> Record:
    value = {"shop_id": SHOP, "effective_from": "2026-11-01"} | fields
    return Record(topic, 0, offset, sent, None, orjson.dumps(value))


def on(day: str, *records: Record, profile: str = "official") -> dict[str, tuple[object, str]]:
    history = ShopHistory(SHOP)
    for one in records:
        history.add(one)
    found = history.on(day_number(day), profile)
    return {rule.name: (rule.value, rule.origin) for rule in found.rules}


PLACE = "shop-settings 0@{} sent 2026-11-02T04:00:00Z, from {}"


def test_a_shop_without_records_runs_on_defaults() -> None:
    rules = on(DAY)
    assert {origin for _, origin in rules.values()} == {"default"}
    assert rules["preset"] == ("jd_cloud", "default")


def test_each_rule_names_the_default_the_preset_or_the_record() -> None:
    rules = on(
        DAY,
        record(
            SETTINGS,
            7,
            preset="kefu_mofang",
            timezone="Asia/Tokyo",
            day_cut="02:00",
            silent_followup={"minutes": 5},
            filters={"monologue": {"max_buyer_messages": 1}},
            tasks={"payment_reminder_sms": {"minutes": 20}},
        ),
    )
    here = PLACE.format(7, "2026-11-01")
    assert rules["timezone"] == ("Asia/Tokyo", here)
    assert rules["day_cut"] == ("02:00", here)
    assert rules["preset"] == ("kefu_mofang", here)
    assert rules["payment_rule"] == ("most_rounds", "preset kefu_mofang")
    assert rules["validity"] == ({"hours": 48}, "preset kefu_mofang")
    assert rules["silent_followup.minutes"] == (5, here)
    assert rules["silent_followup.buyer_initiated"] == (False, "default")
    assert rules["filters.monologue.max_buyer_messages"] == (1, here)
    assert rules["filters.monologue.enabled"] == (True, "default")
    assert rules["tasks.payment_reminder_sms.minutes"] == (20, here)


def test_the_record_in_force_is_the_last_one_that_has_begun() -> None:
    records = [
        record(SETTINGS, 0, after_sales_days=1),
        record(SETTINGS, 1, effective_from="2026-11-05", after_sales_days=2),
        record(SETTINGS, 2, effective_from="2026-11-05", after_sales_days=3),
    ]
    assert on("2026-10-31", *records)["after_sales_days"] == (21, "default")
    assert on("2026-11-04", *records)["after_sales_days"] == (1, PLACE.format(0, "2026-11-01"))
    assert on("2026-11-05", *records)["after_sales_days"] == (3, PLACE.format(2, "2026-11-05"))


def test_rules_that_need_text_hold_from_the_day_after_they_were_sent() -> None:
    records = [
        record(SETTINGS, 0),
        record(SETTINGS, 1, effective_from=DAY, auto_reply={"identify": True}, overnight_once=True),
    ]
    here = PLACE.format(1, DAY)
    today, tomorrow = on(DAY, *records), on("2026-11-03", *records)
    assert (today["auto_reply.identify"], today["overnight_once"]) == ((False, "default"), (True, here))
    assert tomorrow["auto_reply.identify"] == (True, here)


def test_another_profile_has_rules_of_its_own() -> None:
    one = record(SETTINGS, 0, overnight_once=True, profiles={"pdd-like": {"preset": "pdd"}})
    rules = on(DAY, one, profile="pdd-like")
    assert rules["preset"] == ("pdd", PLACE.format(0, "2026-11-01"))
    assert rules["validity"] == ({"natural_days": 2}, "preset pdd")
    assert rules["overnight_once"] == (False, "default")


def test_refused_records_and_those_of_other_shops_are_not_in_force() -> None:
    history = ShopHistory(SHOP)
    for one in (
        record(SETTINGS, 0),
        record(SETTINGS, 1, effective_from="2026-10-01"),
        record(SETTINGS, 2, shop_id="jd:2", preset="nobody"),
        record(ROSTER, 0, agent_id="A", role="presale"),
        record(ROSTER, 1, agent_id="A", role="frozen", effective_from="2026-12-01"),
        record(ROSTER, 2, agent_id="B", role="frozen", effective_from="2026-12-01"),
        record(ROSTER, 3, agent_id="A", role="aftersale", effective_from="2026-10-01"),
    ):
        history.add(one)
    assert [(one.place.split(" sent ")[0], one.code) for one in history.refusals] == [
        ("shop-settings 0@1", "bad_value"),
        ("agent-roster 0@3", "bad_value"),
    ]
    assert [one[:2] for one in history.on(day_number(DAY)).roster] == [("A", "presale")]


def test_every_setting_of_a_record_is_shown_by_its_name() -> None:
    """Setting a rule to what is shown of it changes nothing but its origin."""
    defaults = decode_settings(orjson.dumps({"shop_id": SHOP, "effective_from": DAY}))
    for name, (value, _) in on(DAY).items():
        if name == "filters.advert.phrase":
            continue  # it has no default that a record may name
        given: object = value
        for part in reversed(name.split(".")):
            given = {part: given}
        assert isinstance(given, dict)
        one = record(SETTINGS, 0, **given)
        assert decode_settings(one.value).settings == defaults.settings, name
        assert on(DAY, one)[name] == (value, PLACE.format(0, "2026-11-01")), name


@pytest.fixture
def show(tmp_path):
    (tmp_path / "settings.jsonl").write_text(
        '{"shop_id": "jd:1", "effective_from": "2026-11-01", "credit_rule": "order"}\n'
        '{"shop_id": "jd:1", "effective_from": "2026-11-02", "preset": "nobody"}\n'
    )

    def show(*arguments: str):
        base = ["settings", "show", SHOP, "--settings", str(tmp_path / "settings.jsonl")]
        return CliRunner().invoke(main, [*base, *arguments])

    return show


def test_the_command_reads_files_and_prints_a_table_or_json(show, tmp_path) -> None:
    here = f"{tmp_path}/settings.jsonl:1, from 2026-11-01"
    table = show("--on", DAY)
    assert table.exit_code == 0
    assert table.stdout.startswith(f"Shop jd:1 on {DAY}, profile official")
    [line] = [line for line in table.stdout.splitlines() if line.startswith("credit_rule")]
    assert line.split(maxsplit=2) == ["credit_rule", '"order"', here]
    assert table.stderr.startswith(f"refused, so not in force: {tmp_path}/settings.jsonl:2: bad_value: ")
    found = json.loads(show("--on", DAY, "--json").stdout)
    assert found["settings"]["credit_rule"] == {"value": "order", "origin": here}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(["--on", "2026-13-01"], "not a date"), (["--profile", "x"], "has no profile 'x'; it has: official")],
)
def test_a_wrong_day_or_profile_is_wrong_usage(show, arguments: list[str], problem: str) -> None:
    result = show(*arguments)
    assert result.exit_code == 2
    assert problem in result.stderr
