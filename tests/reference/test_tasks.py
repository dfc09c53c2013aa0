"""What agents should do for orders (RULEBOOK 9), by hand."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    Json,
    around,
    chat_of,
    order,
    ruling,
    shop_settings,
)
from tests.reference.tasks import on_duty, tasks

CHAT = chat_of("A", NOON - HOUR_MS)
CREATED = order("created", NOON, amount=801)
SMS, REMINDER = "payment_reminder_sms", "payment_reminder"
SUNDAY = 7  # 2026-11-01
WHOLE_DAY = {"weekday": SUNDAY, "from": "00:00", "to": "24:00"}


def shown(
    orders: list[Json],
    watermark: int,
    chat: list[Json] | None = None,
    rulings: list[Json] | None = None,
    **settings: Any,
) -> dict[str, tuple[str, str | None, int, int | None]]:
    """By kind: status, agent, due and closed time."""
    found = tasks(
        CHAT if chat is None else chat,
        orders,
        shop_settings(tasks=settings),
        [],
        watermark,
        rulings or [],
    )
    names = ("status", "agent_id", "due_ts", "closed_ts")
    return {kind: tuple(task[name] for name in names) for (*_, kind), task in found.items()}


def test_a_complete_task() -> None:
    assert tasks(CHAT, [CREATED], [], [], NOON + 15 * MINUTE_MS) == {
        ("jd:1", "o-1", SMS): {
            "task_id": "jd:1|o-1|payment_reminder_sms",
            "shop_id": "jd:1",
            "order_id": "o-1",
            "buyer_id": "b-1",
            "kind": SMS,
            "agent_id": "A",
            "status": "open",
            "due_ts": NOON + 15 * MINUTE_MS,
            "closed_ts": None,
        }
    }


@pytest.mark.parametrize(("kind", "minutes"), [(SMS, 15), (REMINDER, 30)])
def test_who_has_not_paid_in_so_many_minutes_is_reminded(kind: str, minutes: int) -> None:
    due = NOON + minutes * MINUTE_MS
    for watermark, is_there in zip(around(due), (False, True, True), strict=True):
        assert (kind in shown([CREATED], watermark)) is is_there
    for end in ("paid", "cancelled", "deposit_paid"):
        for ts, is_there in zip(around(due), (False, False, True), strict=True):
            found = shown([CREATED, order(end, ts)], NOON + HOUR_MS)
            assert (kind in found) is is_there
            if is_there:
                assert found[kind] == ("closed", "A", due, ts)


@pytest.mark.parametrize(("amount", "is_there"), [(800, False), (801, True)])
def test_of_small_amounts_nobody_is_reminded_by_sms(amount: int, *, is_there: bool) -> None:
    found = shown([{**CREATED, "amount": amount}], NOON + HOUR_MS)
    assert list(found) == ([SMS, REMINDER] if is_there else [REMINDER])


def test_a_reminder_is_closed_when_the_order_can_be_paid_no_more() -> None:
    assert shown([CREATED], NOON + DAY_MS - 1)[REMINDER][0] == "open"
    assert shown([CREATED], NOON + DAY_MS)[REMINDER][3] == NOON + DAY_MS


@pytest.mark.parametrize("event", [order("deposit_paid", NOON), order("excluded", NOON + DAY_MS)])
def test_no_reminder_is_sent_of_an_order_with_a_deposit_or_an_excluded_one(event: Json) -> None:
    assert shown([CREATED, event], NOON + HOUR_MS) == {}


def test_where_nobody_placed_the_order_the_duty_agent_reminds() -> None:
    duty = [
        {"weekday": 6, "from": "00:00", "to": "24:00", "agent_id": "saturday"},
        {"weekday": SUNDAY, "from": "09:00", "to": "12:30", "agent_id": "morning"},
        {"weekday": SUNDAY, "from": "12:30", "to": "24:00", "agent_id": "evening"},
    ]
    found = shown([CREATED], NOON + HOUR_MS, [], duty=duty)
    assert [found[kind][1] for kind in (SMS, REMINDER)] == ["morning", "evening"]
    assert [one[1] for one in shown([CREATED], NOON + HOUR_MS, []).values()] == [None, None]
    assert shown([CREATED], NOON + HOUR_MS, duty=duty)[REMINDER][1] == "A"


def test_weekdays_and_hours_are_the_clocks() -> None:
    duty = [{"weekday": 1, "from": "00:00", "to": "01:00", "agent_id": "D"}]
    zone = ZoneInfo("Asia/Shanghai")
    monday = MIDNIGHT + DAY_MS
    for instant, agent_id in zip(around(monday), (None, "D", "D"), strict=True):
        assert on_duty(instant, duty, zone) == agent_id
    for instant, agent_id in zip(around(monday + HOUR_MS), ("D", None, None), strict=True):
        assert on_duty(instant, duty, zone) == agent_id
    settings = [*shop_settings(day_cut="02:00", tasks={"duty": duty})]
    created = order("created", monday + 20 * MINUTE_MS)  # on Sunday, by the shop's days
    found = tasks([], [created], settings, [], monday + HOUR_MS)
    assert found["jd:1", "o-1", REMINDER]["agent_id"] == "D"


def test_the_payment_agent_checks_the_address_until_the_day_is_over() -> None:
    paid = order("paid", NOON + 1)
    assert shown([CREATED, paid], NOON + 1) == {"address_check": ("open", "A", NOON + 1, None)}
    found = shown([CREATED, paid], MIDNIGHT + DAY_MS)
    assert found["address_check"][3] == MIDNIGHT + DAY_MS
    assert shown([CREATED, paid], NOON + 1, []) == {}  # full-silent
    called_off = [CREATED, paid, order("cancelled", NOON + 5)]
    assert shown(called_off, NOON + 9)["address_check"][3] == NOON + 5
    halves = [order("refund_completed", NOON + n, amount=amount) for n, amount in ((3, 99), (4, 1))]
    assert shown([CREATED, paid, halves[0]], NOON + 9)["address_check"][0] == "open"
    assert shown([CREATED, paid, *halves], NOON + 9)["address_check"][3] == NOON + 4


def test_where_there_is_a_placing_agent_alone_that_one_checks_the_address() -> None:
    deposit = order("deposit_paid", NOON, balance_until=NOON + 30 * DAY_MS)
    orders = [CREATED, deposit, order("paid", NOON + 25 * DAY_MS)]
    assert shown(orders, NOON + 25 * DAY_MS)["address_check"][:2] == ("open", "A")


# Parcels and reviews

DUE = MIDNIGHT + 17 * HOUR_MS + 30 * MINUTE_MS


@pytest.mark.parametrize(("came", "due"), [(DUE - 1, DUE), (DUE, DUE), (DUE + 1, DUE + DAY_MS)])
def test_a_parcel_is_inspected_by_half_past_five_of_its_day_or_the_next(came: int, due: int) -> None:
    orders = [order("created", MIDNIGHT), order("paid", MIDNIGHT), order("parcel_returned", came)]
    duty = [{**WHOLE_DAY, "agent_id": "D"}]
    assert shown(orders, came, [], duty=duty) == {"parcel_inspection": ("open", "D", due, None)}
    inspected = order("parcel_inspected", came + 5)
    assert shown([*orders, inspected], came + 5, [])["parcel_inspection"] == ("closed", None, due, came + 5)


def test_a_parcel_is_due_by_the_time_that_the_shop_says() -> None:
    orders = [order("created", MIDNIGHT), order("paid", MIDNIGHT), order("parcel_returned", NOON)]
    found = shown(orders, NOON, [], parcel_inspection={"by": "12:00"})
    assert found["parcel_inspection"][2] == NOON
    assert shown(orders, NOON, [], parcel_inspection={"enabled": False}) == {}


def test_who_is_on_duty_when_the_parcel_comes_inspects_it() -> None:
    duty = [
        {"weekday": SUNDAY, "from": "00:00", "to": "12:00", "agent_id": "morning"},
        {"weekday": SUNDAY, "from": "12:00", "to": "24:00", "agent_id": "evening"},
    ]
    orders = [order("created", MIDNIGHT), order("paid", MIDNIGHT)]
    for came, agent_id in zip(around(NOON), ("morning", "evening", "evening"), strict=True):
        found = shown([*orders, order("parcel_returned", came)], NOON + 1, [], duty=duty)
        assert found["parcel_inspection"][1] == agent_id


def reviewed(ts: int, review: str) -> Json:
    return order("reviewed", ts, review=review)


BOUGHT = [order("created", NOON), order("paid", NOON)]


@pytest.mark.parametrize("review", ["neutral", "bad"])
def test_a_buyer_who_is_not_content_is_followed_up_in_a_day(review: str) -> None:
    orders = [*BOUGHT, reviewed(NOON + DAY_MS, review)]
    assert shown(orders, NOON + DAY_MS)["review_follow_up"] == ("open", "A", NOON + 2 * DAY_MS, None)
    better = reviewed(NOON + 3 * DAY_MS, "good")
    found = shown([*orders, better], NOON + 3 * DAY_MS)
    assert found["review_follow_up"] == ("closed", "A", NOON + 2 * DAY_MS, NOON + 3 * DAY_MS)


def test_a_content_buyer_is_left_alone_and_one_who_was_content_before_is_not() -> None:
    orders = [*BOUGHT, reviewed(NOON + DAY_MS, "good")]
    assert "review_follow_up" not in shown(orders, NOON + 9 * DAY_MS)
    orders.append(reviewed(NOON + 2 * DAY_MS, "bad"))
    assert shown(orders, NOON + 9 * DAY_MS)["review_follow_up"][:3] == ("open", "A", NOON + 3 * DAY_MS)


def test_the_day_of_the_first_review_tells_who_follows_up_else_the_credited_agent() -> None:
    names = {"odd": "O", "even": "E"}
    first, second = NOON + 12 * HOUR_MS - 1, NOON + 12 * HOUR_MS  # the 1st, the 2nd
    for reviews, agent_id in (
        ([reviewed(first, "bad")], "O"),
        ([reviewed(second, "bad")], "E"),
        ([reviewed(first, "good"), reviewed(second, "bad")], "O"),
    ):
        found = shown([*BOUGHT, *reviews], NOON + DAY_MS, review_follow_up=names)
        assert found["review_follow_up"][1] == agent_id
    found = shown([*BOUGHT, reviewed(second, "bad")], NOON + DAY_MS, review_follow_up={"odd": "O"})
    assert found["review_follow_up"][1] == "A"
    ruled = shown([*BOUGHT, reviewed(second, "bad")], NOON + DAY_MS, rulings=[ruling("R", NOON)])
    assert ruled["review_follow_up"][1] == "R"
    assert shown([*BOUGHT, reviewed(second, "bad")], NOON + DAY_MS, [])["review_follow_up"][1] is None


def test_for_an_excluded_order_nothing_is_to_be_done() -> None:
    orders = [
        *BOUGHT,
        reviewed(NOON + 1, "bad"),
        order("parcel_returned", NOON + 1),
        order("excluded", NOON + 2),
    ]
    assert shown(orders, NOON + DAY_MS) == {}
