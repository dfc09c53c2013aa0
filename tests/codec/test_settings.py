"""Settings records: partial objects over preset and defaults, profiles that stand alone (RULEBOOK 3)."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.rules.shop.days import day_number
from stream_attr.rules.shop.settings import (
    NEVER_FOLLOW_UP,
    PRESETS,
    AgentInitiatedExempt,
    AutoReply,
    Filters,
    Settings,
    Shift,
    SilentFollowup,
    SlowResponse,
    Tasks,
    Validity,
)
from stream_attr.rules.vocabulary import Code, CreditRule, PickRule, ProductPriority, Role

DEFAULT = PRESETS["jd_cloud"]
TABLE = {
    # RULEBOOK 3: placing, payment, credit, validity, product priority
    "jd_cloud": ("last_chat", "last_chat", "payment", Validity(natural_days=1), "off"),
    "kefu_mofang": ("last_chat", "most_rounds", "order_first", Validity(hours=48), "off"),
    "kefu_mofang_2": ("most_rounds", "last_chat", "order_first", Validity(hours=48), "off"),
    "dongdong_guanjia": ("last_chat", "last_chat", "order", Validity(hours=24), "product_page"),
    "jd_official": ("last_chat", "last_chat", "order", Validity(hours=24), "ordered_product"),
    "pdd": ("last_chat", "last_chat", "order_first", Validity(natural_days=2), "off"),
    "chitu": ("last_chat", "last_chat", "order_first", Validity(hours=24), "off"),
    "taobao_basic": ("last_chat", "last_chat", "order_first", Validity(hours=24), "off"),
}


def decoded(**given):
    return decode_settings(json.dumps({"shop_id": "jd:1", "effective_from": "2026-01-01", **given}).encode())


def test_the_presets_are_those_of_the_rulebook():
    assert PRESETS.keys() == TABLE.keys()
    assert TABLE.keys() > NEVER_FOLLOW_UP


@pytest.mark.parametrize("preset", TABLE)
def test_a_preset_alone_is_its_row_and_else_the_default(preset):
    placing, payment, credit, validity, priority = TABLE[preset]
    assert decoded(preset=preset).settings == Settings(
        preset=preset,
        placing_rule=PickRule(placing),
        payment_rule=PickRule(payment),
        credit_rule=CreditRule(credit),
        validity=validity,
        product_priority=ProductPriority(priority),
    )


def test_the_defaults_are_those_of_the_rulebook():
    record = decoded()
    assert (record.first_day, record.timezone, record.profiles) == (day_number("2026-01-01"), None, {})
    assert record.day_cut is None
    assert record.settings == DEFAULT
    assert (DEFAULT.payment_deadline_hours, DEFAULT.unlisted_agents) == (24, Role.PRESALE)
    assert (DEFAULT.after_sales_days, DEFAULT.max_wait_minutes) == (21, 10)
    assert DEFAULT.silent_followup == SilentFollowup(False, False, 10)
    assert DEFAULT.slow_response == SlowResponse(120, 3)
    assert DEFAULT.agent_initiated_exempt == AgentInitiatedExempt(False, 1)
    assert DEFAULT.filters == Filters(
        buyer_subaccount=False, agent_offline=True, broadcast=True, forwarded=True, forwarded_max_replies=1,
        advert=False, advert_phrase="", advert_within=2, single_sentence=False, single_sentence_min_replies=3,
        monologue=True, monologue_max_buyer_messages=0,
    )  # fmt: skip


SINGLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"placing_rule": "most_rounds"}, {"placing_rule": PickRule.MOST_ROUNDS}),
    ({"payment_rule": "most_rounds"}, {"payment_rule": PickRule.MOST_ROUNDS}),
    ({"credit_rule": "order"}, {"credit_rule": CreditRule.ORDER}),
    ({"validity": {"hours": 72}}, {"validity": Validity(hours=72)}),
    ({"validity": {"natural_days": 0}}, {"validity": Validity(natural_days=0)}),
    ({"product_priority": "product_page"}, {"product_priority": ProductPriority.PRODUCT_PAGE}),
    ({"silent_followup": {"minutes": 5}}, {"silent_followup": SilentFollowup(minutes=5)}),
    ({"silent_followup": {"buyer_initiated": True}}, {"silent_followup": SilentFollowup(True, False, 10)}),
    ({"payment_deadline_hours": 168}, {"payment_deadline_hours": 168}),
    ({"unlisted_agents": "frozen"}, {"unlisted_agents": Role.FROZEN}),
    ({"after_sales_days": 0}, {"after_sales_days": 0}),
    ({"max_wait_minutes": None}, {"max_wait_minutes": None}),
    ({"tasks": {}}, {"tasks": Tasks()}),
    (
        {
            "tasks": {
                "payment_reminder_sms": {"minutes": 5, "min_amount": 0},
                "payment_reminder": {"enabled": False},
                "address_check": {"enabled": False},
                "parcel_inspection": {"by": "09:05"},
                "review_follow_up": {"odd": "客服-乙"},
                "duty": [{"weekday": 7, "from": "09:05", "to": "24:00", "agent_id": "A"}],
            }
        },
        {
            "tasks": Tasks(
                sms_minutes=5,
                sms_min_amount=0,
                reminder=False,
                address_check=False,
                parcel_inspection_by=545,
                review_follow_up_odd="客服-乙",
                duty=(Shift(7, 545, 1440, "A"),),
            )
        },
    ),
    ({"slow_response": {"times": 1}}, {"slow_response": SlowResponse(120, 1)}),
    ({"auto_reply": {"prefix": "^"}}, {"auto_reply": AutoReply(False, "^")}),
    ({"aftersale_unfiltered": True}, {"aftersale_unfiltered": True}),
    (
        {"agent_initiated_exempt": {"enabled": True}},
        {"agent_initiated_exempt": AgentInitiatedExempt(True, 1)},
    ),
    ({"overnight_once": True}, {"overnight_once": True}),
    ({"carried_questions": False}, {"carried_questions": False}),
    ({"official_accounts": ["x", "y", "x"]}, {"official_accounts": frozenset("xy")}),
    ({"filters": {}}, {}),
    ({"filters": {"broadcast": {"enabled": False}}}, {"filters": Filters(broadcast=False)}),
    ({"filters": {"forwarded": {"max_replies": 0}}}, {"filters": Filters(forwarded_max_replies=0)}),
    (
        {"filters": {"advert": {"enabled": True, "phrase": "x", "within": 1}, "monologue": {}}},
        {"filters": Filters(advert=True, advert_phrase="x", advert_within=1)},
    ),
    ({"filters": {"advert": {"phrase": "x"}}}, {"filters": Filters(advert_phrase="x")}),
]


@pytest.mark.parametrize("preset", ["jd_cloud", "kefu_mofang"])
@pytest.mark.parametrize(("given", "changes"), SINGLE, ids=[str(given) for given, _ in SINGLE])
def test_a_setting_changes_what_it_names_and_nothing_else(preset, given, changes):
    assert decoded(preset=preset, **given).settings == replace(PRESETS[preset], **changes)


def test_every_setting_is_among_those():
    changed = {name for _, changes in SINGLE for name in changes}
    assert changed == {field.name for field in fields(Settings)} - {"preset"}


def test_a_profile_is_its_preset_and_its_own_overrides_alone():
    record = decoded(
        preset="pdd",
        payment_deadline_hours=1,
        timezone="Europe/Berlin",
        profiles={"plain": {}, "mofang-2_x": {"preset": "kefu_mofang_2", "credit_rule": "payment"}},
    )
    assert record.timezone == "Europe/Berlin"
    assert record.profiles == {
        "plain": DEFAULT,
        "mofang-2_x": replace(PRESETS["kefu_mofang_2"], credit_rule=CreditRule.PAYMENT),
    }
    kept = record.record(5)
    assert (kept.effective_from, kept.text_from) == (record.first_day, 5)
    assert (kept.settings, kept.profiles) == (record.settings, record.profiles)


@pytest.mark.parametrize("preset", sorted(NEVER_FOLLOW_UP))
@pytest.mark.parametrize("side", ["buyer_initiated", "agent_initiated"])
def test_a_profile_is_refused_what_its_original_never_does(preset, side):
    with pytest.raises(RefusedRecord, match="never credits silent follow-up") as refused:
        decoded(profiles={"x": {"preset": preset, "silent_followup": {side: True}}})
    assert (refused.value.code, refused.value.field) == (Code.BAD_VALUE, "profiles.x.silent_followup")
