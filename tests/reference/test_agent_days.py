"""The figures of agents and shops by day (RULEBOOK 8): which there are, and all that they hold."""

from __future__ import annotations

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS
from tests.reference.shorthand import (
    DAY_MS,
    NOON,
    TODAY,
    Json,
    busy_day,
    chat_of,
    message,
    order,
    rating,
    role,
    shop_settings,
)

TOMORROW = "2026-11-02"


def keys_of(
    chat: list[Json], orders: list[Json] | None = None, roster: list[Json] | None = None
) -> list[tuple[str, str]]:
    return sorted(key[1:] for key in agent_days(chat, orders or [], [], roster or [], None))


def these(record: Json, expected: Json) -> Json:
    """What a record has of the fields and figures that are expected."""
    return {
        name: these(record[name], value) if isinstance(value, dict) else record[name]
        for name, value in expected.items()
    }


def test_a_record_of_an_agent() -> None:
    expected = {
        "shop_id": "jd:1",
        "agent_id": "A",
        "day": TODAY,
        "status": "final",
        "workload": {
            "status": "final",
            "final_from": "2026-11-02",
            "consults": 2,
            "receptions": 2,
            "unreplied": 0,
            "reply_rate": 1.0,
            "buyer_messages": 2,
            "agent_messages": 2,
            "answer_question_ratio": 1.0,
            "agent_characters": 2,
            "first_response_ms": 60_000,
            "first_response_ms_sum": 120_000,
            "first_responses": 2,
            "response_ms": 60_000,
            "response_ms_sum": 120_000,
            "responses": 2,
            "slow_receptions": 0,
            "ratings": 0,
            "satisfied": 0,
            "satisfaction": None,
            "max_simultaneous": 2,
        },
        "inquiries": {
            "status": "final",
            "final_from": "2026-11-03",
            "inquiries": 2,
            "open": 0,
            "ordered": 1,
            "lost": 1,
            "assists": 0,
            "self_ordered": 0,
            "follow_ups": 0,
            "after_sales": 0,
            "exempt": 0,
            "inquiry_to_order": 0.5,
        },
        "payments": {
            "status": "final",
            "final_from": "2026-11-04",
            "paid": 1,
            "payment_lost": 0,
            "inquiry_to_payment": 0.5,
            "order_to_payment": 1.0,
        },
        "placed": {"status": "final", "final_from": "2026-11-03", "buyers": 1, "orders": 1, "amount": 1000},
        "paid": {"status": "final", "final_from": "2026-11-02", "buyers": 0, "orders": 0, "amount": 0},
        "sales": {
            "status": "final",
            "final_from": "2026-11-02",
            "buyers": 0,
            "orders": 0,
            "quantity": 0,
            "amount": 0,
            "amount_per_buyer": None,
            "quantity_per_buyer": None,
        },
        "silent": None,
        "refunds": {"status": "final", "final_from": "2026-11-02", "requested": 0, "completed": 0},
    }
    assert these(agent_days(*busy_day(), [], [], None)["jd:1", "A", TODAY], expected) == expected


def test_a_record_of_a_shop() -> None:
    expected = {
        "shop_id": "jd:1",
        "agent_id": "*",
        "day": TODAY,
        "status": "final",
        "workload": {
            "status": "final",
            "final_from": "2026-11-02",
            "consults": 2,
            "receptions": 2,
            "unreplied": 0,
            "reply_rate": 1.0,
            "buyer_messages": 3,
            "agent_messages": 3,
            "answer_question_ratio": 1.0,
            "agent_characters": 2,
            "first_response_ms": 60_000,
            "first_response_ms_sum": 180_000,
            "first_responses": 3,
            "response_ms": 60_000,
            "response_ms_sum": 180_000,
            "responses": 3,
            "slow_receptions": 0,
            "ratings": 0,
            "satisfied": 0,
            "satisfaction": None,
            "max_simultaneous": 2,
        },
        "inquiries": {
            "status": "final",
            "final_from": "2026-11-03",
            "inquiries": 2,
            "open": 0,
            "ordered": 1,
            "lost": 1,
            "assists": 0,
            "self_ordered": 0,
            "follow_ups": 1,
            "after_sales": 0,
            "exempt": 0,
            "inquiry_to_order": 0.5,
        },
        "payments": {
            "status": "final",
            "final_from": "2026-11-04",
            "paid": 1,
            "payment_lost": 0,
            "inquiry_to_payment": 0.5,
            "order_to_payment": 1.0,
        },
        "placed": {"status": "final", "final_from": "2026-11-03", "buyers": 1, "orders": 1, "amount": 1000},
        "paid": {"status": "final", "final_from": "2026-11-02", "buyers": 1, "orders": 1, "amount": 1000},
        "sales": {
            "status": "final",
            "final_from": "2026-11-02",
            "buyers": 2,
            "orders": 2,
            "quantity": 3,
            "amount": 1501,
            "amount_per_buyer": 751,
            "quantity_per_buyer": 1.5,
        },
        "silent": {
            "status": "final",
            "final_from": "2026-11-02",
            "buyers": 1,
            "orders": 1,
            "quantity": 1,
            "amount": 501,
        },
        "refunds": {"status": "final", "final_from": "2026-11-02", "requested": 200, "completed": 0},
    }
    assert these(agent_days(*busy_day(), [], [], None)["jd:1", "*", TODAY], expected) == expected


def test_the_sales_of_all_agents_and_the_silent_ones_are_the_sales_of_the_shop() -> None:
    found = agent_days(*busy_day(), [], [], None)
    of_agents = [
        day["sales"] for (_, agent_id, day_), day in found.items() if agent_id != "*" and day_ == TODAY
    ]
    shop = found["jd:1", "*", TODAY]
    for name in ("orders", "quantity", "amount"):
        assert sum(sales[name] for sales in of_agents) + shop["silent"][name] == shop["sales"][name] > 0


def test_an_agents_day_is_there_when_anything_falls_on_it() -> None:
    assert keys_of(*busy_day()) == [
        ("*", TODAY),
        ("*", TOMORROW),
        ("A", TODAY),
        ("B", TODAY),
        ("B", TOMORROW),
    ]


@pytest.mark.parametrize(
    ("chat", "orders", "keys"),
    [
        ([message(NOON, "A", "agent")], [], [("*", TODAY), ("A", TODAY)]),  # filtered, but a consult
        ([rating(5, NOON), message(NOON, "A", "buyer", kind="system")], [], []),
        ([], [order("created", NOON)], []),
        ([], [order("paid", NOON)], []),  # waits for its creation
        ([], [order("created", NOON), order("paid", NOON + DAY_MS)], [("*", TOMORROW)]),
        ([], [order("created", NOON), order("refund_requested", NOON + DAY_MS)], [("*", TOMORROW)]),
        (
            chat_of("A", NOON - DAY_MS),
            [order("created", NOON)],
            [("*", "2026-10-31"), ("*", TODAY), ("A", "2026-10-31"), ("A", TODAY)],
        ),
    ],
)
def test_a_day_is_there_by_a_reception_a_placing_a_payment_a_sale_or_a_refund(
    chat: list[Json], orders: list[Json], keys: list[tuple[str, str]]
) -> None:
    assert keys_of(chat, orders) == keys


def test_frozen_agents_count_for_nothing_and_aftersale_agents_in_the_workload_alone() -> None:
    chat = chat_of("A", NOON) + chat_of("B", NOON, "b-2")
    orders = [
        order(kind, NOON + HOUR_MS, f"o-{b}", b) for b in ("b-1", "b-2") for kind in ("created", "paid")
    ]
    roster = [role("A", "frozen"), role("B", "aftersale")]
    found = agent_days(chat, orders, [], roster, None)
    assert sorted(found) == [("jd:1", "*", TODAY), ("jd:1", "B", TODAY)]
    assert keys_of(chat_of("A", NOON), [], roster) == []
    shop, agent = found["jd:1", "*", TODAY], found["jd:1", "B", TODAY]
    assert [day["workload"]["consults"] for day in (shop, agent)] == [1, 1]
    assert [day["workload"]["receptions"] for day in (shop, agent)] == [1, 1]
    for group, figure in (("inquiries", "inquiries"), ("placed", "orders"), ("paid", "orders")):
        assert [day[group][figure] for day in (shop, agent)] == [0, 0]
    assert (shop["sales"]["orders"], shop["silent"]["orders"], agent["sales"]["orders"]) == (2, 2, 0)


def test_a_repeated_event_counts_once_and_another_shop_counts_for_itself() -> None:
    chat, orders = busy_day()
    found = agent_days(chat, orders, [], [], None)
    others_chat, others_orders = (
        [{**e, "shop_id": "jd:2", "buyer_id": f"other-{e['buyer_id']}"} for e in events]
        for events in (chat, orders)
    )
    both = agent_days(chat * 2 + others_chat, orders * 2 + others_orders, [], [], None)
    assert {key: day for key, day in both.items() if key[0] == "jd:1"} == found
    assert len(both) == 2 * len(found)


def test_days_are_those_of_the_shops_own_time_zone() -> None:
    chat, orders = busy_day()
    shifted = [[{**e, "ts": e["ts"] - 12 * HOUR_MS} for e in events] for events in (chat, orders)]
    found = agent_days(shifted[0], shifted[1], shop_settings(timezone="UTC"), [], None)
    assert sorted({day for *_, day in found}) == ["2026-10-31", "2026-11-01"]
    assert found["jd:1", "A", "2026-10-31"]["payments"]["final_from"] == "2026-11-03"
