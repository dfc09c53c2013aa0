"""The reference model where scenarios do not reach: days, presets as a table, receipts, what is first.

The rule-by-rule examples and boundaries are in ``tests/scenarios``; the model is asked all of them there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.reference.days import HOUR_MS, MINUTE_MS, ShopDays, day_of, end_of_day, first_instant
from tests.reference.model import judge
from tests.reference.settings import complete

DAY_MS = 24 * HOUR_MS
MIDNIGHT = 1_793_462_400_000
"""2026-11-01 00:00 in Asia/Shanghai."""


def message(ts: int, agent_id: str, sender: str, **more: Any) -> dict[str, Any]:
    event_id = f"{ts}/{agent_id}/{sender}"
    owner = {"shop_id": "jd:1", "buyer_id": "b-1"}
    return {**owner, "event_id": event_id, "agent_id": agent_id, "ts": ts, "sender": sender, **more}


def order(kind: str, ts: int, **more: Any) -> dict[str, Any]:
    ids = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "event_id": f"{kind}/{ts}"}
    return {**ids, "type": kind, "ts": ts, "amount": 100, **more}


def only_decision(
    chat: list[dict[str, Any]],
    orders: list[dict[str, Any]],
    settings: list[dict[str, Any]] | None = None,
    watermark: int | None = None,
) -> dict[str, Any]:
    (decision,) = judge(chat, orders, settings or [], [], watermark).values()
    return decision


def test_the_constant_is_midnight_in_shanghai() -> None:
    assert datetime.fromtimestamp(MIDNIGHT / 1000, UTC).isoformat() == "2026-10-31T16:00:00+00:00"


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Asia/Shanghai", date(2026, 11, 1), "2026-10-31T16:00:00+00:00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00:00+00:00", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00:00+00:00", 25),
        # Clocks jump from 0:00 to 1:00: the day begins at the jump.
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00+00:00", 23),
        # Clocks fall back from 24:00 to 23:00: the day before has 25 hours.
        ("America/Sao_Paulo", date(2018, 2, 17), "2018-02-17T02:00:00+00:00", 25),
    ],
)
def test_a_day_begins_and_ends_with_its_zone(zone: str, day: date, begins: str, hours: int) -> None:
    days = ShopDays(ZoneInfo(zone))
    first = round(datetime.fromisoformat(begins).timestamp() * 1000)
    end = first + hours * HOUR_MS
    assert first_instant(day, days) == first
    assert [day_of(ts, days) == day for ts in (first - 1, first, end - 1, end)] == [False, True, True, False]
    assert [end_of_day(ts, days) for ts in (first - 1, first, end - 1)] == [first, end, end]


@pytest.mark.parametrize(
    ("preset", "row"),
    [
        ("jd_cloud", ("last_chat", "last_chat", "payment", {"natural_days": 1}, "off")),
        ("kefu_mofang", ("last_chat", "most_rounds", "order_first", {"hours": 48}, "off")),
        ("kefu_mofang_2", ("most_rounds", "last_chat", "order_first", {"hours": 48}, "off")),
        ("dongdong_guanjia", ("last_chat", "last_chat", "order", {"hours": 24}, "product_page")),
        ("jd_official", ("last_chat", "last_chat", "order", {"hours": 24}, "ordered_product")),
        ("pdd", ("last_chat", "last_chat", "order_first", {"natural_days": 2}, "off")),
        ("chitu", ("last_chat", "last_chat", "order_first", {"hours": 24}, "off")),
        ("taobao_basic", ("last_chat", "last_chat", "order_first", {"hours": 24}, "off")),
    ],
)
def test_presets_say_what_their_table_says(preset: str, row: tuple[Any, ...]) -> None:
    rules = complete({"preset": preset})
    names = ("placing_rule", "payment_rule", "credit_rule", "validity", "product_priority")
    assert tuple(rules[name] for name in names) == row
    assert rules["silent_followup"] == {"buyer_initiated": False, "agent_initiated": False, "minutes": 10}


def test_the_example_of_the_settings_section_merges_as_it_says() -> None:
    rules = complete(
        {
            "preset": "jd_cloud",
            "validity": {"hours": 72},
            "silent_followup": {"buyer_initiated": True},
            "auto_reply": {"identify": True, "prefix": "^"},
            "filters": {
                "monologue": {"max_buyer_messages": 1},
                "advert": {"enabled": True, "phrase": "祝生活愉快"},
                "agent_offline": {"enabled": False},
            },
        }
    )
    assert rules["validity"] == {"hours": 72}
    assert rules["silent_followup"] == {"buyer_initiated": True, "agent_initiated": False, "minutes": 10}
    assert rules["filters"]["monologue"] == {"enabled": True, "max_buyer_messages": 1}
    assert rules["filters"]["advert"] == {"enabled": True, "phrase": "祝生活愉快", "within": 2}
    assert rules["filters"]["forwarded"] == {"enabled": True, "max_replies": 1}


def test_a_complete_decision() -> None:
    noon, page = MIDNIGHT + 12 * HOUR_MS, {"entry": "product_page", "product_id": "p-1"}
    chat = [
        message(noon - 5 * MINUTE_MS, "A", "buyer", **page),
        message(noon - 4 * MINUTE_MS, "A", "agent"),
        message(noon + 1 * MINUTE_MS, "B", "buyer"),
        message(noon + 2 * MINUTE_MS, "B", "agent"),
        message(noon + 3 * MINUTE_MS, "D", "agent"),
    ]
    orders = [
        order("created", noon, amount=900, quantity=2, product_ids=["p-1"]),
        order("paid", noon + 10 * MINUTE_MS, amount=800),
        order("refund_completed", noon + 20 * MINUTE_MS, amount=50),
    ]
    of_a = {
        "messages": 2,
        "rounds": 1,
        "first_ts": noon - 5 * MINUTE_MS,
        "last_ts": noon - 4 * MINUTE_MS,
        "product_page": True,
        "ordered_product": True,
    }
    of_b = {
        "messages": 2,
        "rounds": 1,
        "first_ts": noon + MINUTE_MS,
        "last_ts": noon + 2 * MINUTE_MS,
        "product_page": False,
        "ordered_product": False,
    }
    assert only_decision(chat, orders, watermark=MIDNIGHT + DAY_MS - 1) == {
        "shop_id": "jd:1",
        "order_id": "o-1",
        "buyer_id": "b-1",
        "profile": "official",
        "preset": "jd_cloud",
        "settings_from": None,
        "status": "pending",
        "outcome": "credited",
        "silence": "none",
        "placing": {"agent_id": "A", "rule": "last_chat", "last_ts": noon - 4 * MINUTE_MS, "rounds": 1},
        "payment": {"agent_id": "B", "rule": "last_chat", "last_ts": noon + 2 * MINUTE_MS, "rounds": 1},
        "credit": {"agent_id": "B", "basis": "payment", "rule": "payment"},
        "assists": [],
        "amount": 800,
        "quantity": 2,
        "currency": "CNY",
        "product_ids": ["p-1"],
        "refund_requested": 0,
        "refund_completed": 50,
        "net_amount": 750,
        "created_ts": noon,
        "deposit_ts": None,
        "deposit_amount": None,
        "paid_ts": noon + 10 * MINUTE_MS,
        "cancelled_ts": None,
        "ruling": None,
        "notices": [],
        "refunds": [
            {"refund_id": None, "ts": noon + 20 * MINUTE_MS, "amount": 50, "completed": True},
        ],
        "refunds_cut": False,
        "final_at": MIDNIGHT + DAY_MS,
        "candidates": [
            {"agent_id": "A", "placing": of_a, "payment": of_a, "followup": None},
            {"agent_id": "B", "placing": None, "payment": of_b, "followup": None},
        ],
        "discarded": [{"agent_id": "D", "day": "2026-11-01", "reason": "monologue"}],
    }


@pytest.mark.parametrize(
    ("cancelled_ts", "final_at"),
    [
        (MIDNIGHT + DAY_MS - 1, MIDNIGHT + 2 * DAY_MS),  # before the order: the order's own day
        (MIDNIGHT + 2 * DAY_MS - 1, MIDNIGHT + 2 * DAY_MS),
        (MIDNIGHT + 2 * DAY_MS, MIDNIGHT + 3 * DAY_MS),
    ],
)
def test_a_cancelled_order_is_final_with_the_later_day(cancelled_ts: int, final_at: int) -> None:
    orders = [order("created", MIDNIGHT + DAY_MS), order("cancelled", cancelled_ts)]
    settings = [{"shop_id": "jd:1", "effective_from": "2026-01-01", "payment_deadline_hours": 48}]
    decision = only_decision([], orders, settings)
    assert (decision["outcome"], decision["final_at"]) == ("cancelled", final_at)


def test_the_first_of_two_events_with_one_id_is_the_event() -> None:
    noon = MIDNIGHT + 12 * HOUR_MS
    orders = [order("created", noon, event_id="x", amount=1), order("created", noon, event_id="x", amount=2)]
    assert only_decision([], orders)["amount"] == 1
    assert only_decision([], orders[::-1])["amount"] == 2


def test_a_follow_up_window_over_midnight_joins_two_receptions() -> None:
    paid_ts = MIDNIGHT + DAY_MS - 5 * MINUTE_MS
    chat = [message(paid_ts + MINUTE_MS, "A", "agent"), message(paid_ts + 10 * MINUTE_MS, "A", "buyer")]
    orders = [order("created", paid_ts), order("paid", paid_ts)]
    settings = [
        {
            "shop_id": "jd:1",
            "effective_from": "2026-01-01",
            "silent_followup": {"agent_initiated": True},
            "filters": {"monologue": {"enabled": False}},
        }
    ]
    decision = only_decision(chat, orders, settings)
    assert decision["credit"] == {"agent_id": "A", "basis": "followup", "rule": "payment"}
    assert decision["final_at"] == MIDNIGHT + 2 * DAY_MS
    assert decision["discarded"] == []


def test_events_of_another_buyer_or_shop_do_not_bear_on_an_order() -> None:
    noon = MIDNIGHT + 12 * HOUR_MS
    chat = [
        {**message(noon - 2, "A", side), field: "other"}
        for side in ("buyer", "agent")
        for field in ("shop_id", "buyer_id")
    ]
    decision = only_decision(chat, [order("created", noon)])
    assert (decision["placing"], decision["discarded"]) == (None, [])
