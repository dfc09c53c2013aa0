"""From when on each of an agent's and a shop's figures of a day are final (RULEBOOK 8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    TODAY,
    Json,
    around,
    busy_day,
    chat_of,
    order,
    shop_settings,
)


def statuses(found: dict[Any, Json], agent_id: str = "*") -> dict[str, str]:
    day = found["jd:1", agent_id, TODAY]
    groups = {name: group for name, group in day.items() if isinstance(group, dict)}
    return {"day": day["status"], **{name: group["status"] for name, group in groups.items()}}


@pytest.mark.parametrize(
    ("end", "turning"),
    [
        (MIDNIGHT + DAY_MS, {"workload", "paid", "sales", "silent", "refunds"}),
        (MIDNIGHT + 2 * DAY_MS, {"inquiries", "placed"}),
        (MIDNIGHT + 3 * DAY_MS, {"payments", "day"}),
    ],
)
def test_each_group_is_final_on_its_own_day_and_the_day_with_the_last(end: int, turning: set[str]) -> None:
    chat, orders = busy_day()
    before, at, after = (statuses(agent_days(chat, orders, [], [], w)) for w in around(end))
    assert {name for name in before if before[name] != at[name]} == turning
    assert {at[name] for name in turning} == {"final"}
    assert after == at


@pytest.mark.parametrize(
    ("hours", "final_from"),
    [(1, "2026-11-03"), (24, "2026-11-03"), (25, "2026-11-04"), (48, "2026-11-04"), (168, "2026-11-09")],
)
def test_what_was_placed_is_final_when_the_last_payment_deadline_of_the_day_is_over(
    hours: int, final_from: str
) -> None:
    found = agent_days(chat_of("A", NOON), [], shop_settings(payment_deadline_hours=hours), [], NOON)
    assert found["jd:1", "A", TODAY]["placed"]["final_from"] == final_from
    assert found["jd:1", "*", TODAY]["placed"]["final_from"] == final_from


@pytest.mark.parametrize(
    ("followup", "final_from"),
    [
        ({}, "2026-11-02"),
        ({"minutes": 1440}, "2026-11-02"),
        ({"buyer_initiated": True}, "2026-11-03"),
        ({"agent_initiated": True, "minutes": 1}, "2026-11-03"),
        ({"agent_initiated": True, "minutes": 1440}, "2026-11-03"),
    ],
)
def test_sales_are_final_when_the_last_follow_up_of_the_day_is_over(followup: Json, final_from: str) -> None:
    found = agent_days(chat_of("A", NOON), [], shop_settings(silent_followup=followup), [], NOON)
    day = found["jd:1", "*", TODAY]
    names = ("paid", "sales", "silent", "refunds")
    assert {day[name]["final_from"] for name in names} == {final_from}
    assert day["workload"]["final_from"] == "2026-11-02"


def test_the_settings_that_say_when_figures_are_final_are_those_of_their_day() -> None:
    settings = [
        *shop_settings(payment_deadline_hours=48, silent_followup={"buyer_initiated": True}),
        {"shop_id": "jd:1", "effective_from": TODAY},
    ]
    day = agent_days(chat_of("A", NOON), [], settings, [], NOON)["jd:1", "A", TODAY]
    assert (day["placed"]["final_from"], day["sales"]["final_from"]) == ("2026-11-03", "2026-11-02")


def test_figures_are_not_final_before_the_decisions_that_they_count() -> None:
    # Paid after its deadline: the order of today's placing is final with the day of its payment.
    chat, created = chat_of("A", NOON), order("created", NOON + HOUR_MS)
    late = [created, order("paid", NOON + 5 * DAY_MS)]
    day = agent_days(chat, late, [], [], None)["jd:1", "A", TODAY]
    assert (day["placed"]["final_from"], day["paid"]["final_from"]) == ("2026-11-07", "2026-11-02")

    # Paid before it was created: today's sale is final with the day of its creation.
    early = [order("created", NOON + DAY_MS), order("paid", NOON + HOUR_MS)]
    day = agent_days(chat, early, [], [], None)["jd:1", "A", TODAY]
    for group in ("paid", "sales"):
        assert (day[group]["orders"], day[group]["final_from"]) == (1, "2026-11-03")
    assert day["refunds"]["final_from"] == "2026-11-02"

    # Asked back before it was paid: today's refund is final with the day of the payment.
    asked_back = [created, order("refund_requested", NOON + 2 * HOUR_MS), order("paid", NOON + DAY_MS)]
    day = agent_days(chat, asked_back, [], [], None)["jd:1", "A", TODAY]
    assert (day["refunds"]["requested"], day["refunds"]["final_from"]) == (100, "2026-11-03")
    assert day["sales"]["final_from"] == "2026-11-02"


def test_only_a_shops_own_silent_sales_hold_its_silent_figures_back() -> None:
    orders = [order("created", NOON + DAY_MS), order("paid", NOON + HOUR_MS)]
    credited = agent_days(chat_of("A", NOON), orders, [], [], None)["jd:1", "*", TODAY]
    assert (credited["sales"]["final_from"], credited["silent"]["final_from"]) == ("2026-11-03", "2026-11-02")
    silent = agent_days([], orders, [], [], None)["jd:1", "*", TODAY]
    assert (silent["sales"]["final_from"], silent["silent"]["final_from"]) == ("2026-11-03", "2026-11-03")
