"""What comes of a reception (RULEBOOK 7): every row of the table, with its boundaries."""

from __future__ import annotations

import pytest

from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.inquiries import inquiries
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    TODAY,
    Json,
    around,
    chat_of,
    message,
    order,
    role,
    shop_settings,
    transfer,
)

END_OF_TOMORROW = MIDNIGHT + 2 * DAY_MS
END_OF_PAYMENT = MIDNIGHT + 3 * DAY_MS
LONG_VALIDITY = {"validity": {"natural_days": 3}}
YESTERDAYS_CHAT = chat_of("A", NOON - DAY_MS)
TODAYS_CHAT = chat_of("A", NOON)


def todays(
    chat: list[Json],
    orders: list[Json] | None = None,
    settings: list[Json] | None = None,
    watermark: int | None = None,
    agent_id: str = "A",
) -> Json:
    """The record of today's reception of buyer b-1."""
    found = inquiries(chat, orders or [], settings or [], [], watermark)
    return found["jd:1", "b-1", agent_id, TODAY]


def kind_of(record: Json) -> tuple[str, str, list[str]]:
    return record["kind"], record["outcome"], record["order_ids"]


def test_a_complete_record() -> None:
    orders = [order("created", NOON + HOUR_MS), order("paid", NOON + 2 * HOUR_MS)]
    assert todays(TODAYS_CHAT, orders, watermark=END_OF_PAYMENT - 1) == {
        "shop_id": "jd:1",
        "buyer_id": "b-1",
        "agent_id": "A",
        "day": TODAY,
        "status": "pending",
        "kind": "inquiry",
        "outcome": "paid",
        "exempt": None,
        "order_ids": ["o-1"],
        "final_at": END_OF_PAYMENT,
    }


@pytest.mark.parametrize(
    ("ts", "kind"), [*zip(around(NOON), ("follow_up", "inquiry", "inquiry"), strict=True)]
)
def test_an_order_follows_from_a_reception_from_its_first_message_on(ts: int, kind: str) -> None:
    record = todays(YESTERDAYS_CHAT + TODAYS_CHAT, [order("created", ts)])
    assert (record["kind"], record["order_ids"]) == (kind, ["o-1"])


@pytest.mark.parametrize("ts", around(END_OF_TOMORROW))
def test_an_order_follows_from_a_reception_until_the_next_day_is_over(ts: int) -> None:
    record = todays(TODAYS_CHAT, [order("created", ts)], shop_settings(**LONG_VALIDITY))
    followed = ts < END_OF_TOMORROW
    assert kind_of(record) == (("inquiry", "payment_lost", ["o-1"]) if followed else ("inquiry", "lost", []))
    assert record["final_at"] == (END_OF_PAYMENT if followed else END_OF_TOMORROW)


def test_the_first_message_is_the_first_of_whatever_kind() -> None:
    broadcast = message(NOON - 2, "A", "agent", kind="broadcast")
    record = todays([*YESTERDAYS_CHAT, broadcast, *TODAYS_CHAT], [order("created", NOON - 1)])
    assert kind_of(record) == ("inquiry", "payment_lost", ["o-1"])


@pytest.mark.parametrize(
    ("paid_ts", "outcome"),
    [*zip(around(END_OF_PAYMENT), ("paid", "payment_lost", "payment_lost"), strict=True)],
)
def test_what_was_ordered_is_paid_when_paid_before_the_day_after_next_is_over(
    paid_ts: int, outcome: str
) -> None:
    orders = [order("created", NOON + HOUR_MS), order("paid", paid_ts)]
    assert todays(TODAYS_CHAT, orders)["outcome"] == outcome


@pytest.mark.parametrize(
    ("watermark", "outcome", "status"),
    [
        *zip(
            around(END_OF_PAYMENT),
            ("ordered", "payment_lost", "payment_lost"),
            ("pending", "final", "final"),
            strict=True,
        ),
        (NOON, "ordered", "pending"),
    ],
)
def test_what_was_ordered_and_not_paid_is_lost_at_the_end_of_the_day_after_next(
    watermark: int, outcome: str, status: str
) -> None:
    orders = [order("created", NOON + HOUR_MS), order("cancelled", NOON + 2 * HOUR_MS)]
    record = todays(TODAYS_CHAT, orders, watermark=watermark)
    assert (record["outcome"], record["status"], record["final_at"]) == (outcome, status, END_OF_PAYMENT)


def test_of_several_orders_those_that_the_agent_placed_count_and_one_payment_is_enough() -> None:
    chat = TODAYS_CHAT + chat_of("B", NOON + 3 * HOUR_MS)
    orders = [
        order("created", NOON + 2 * HOUR_MS, "o-2"),
        order("created", NOON + HOUR_MS, "o-1"),
        order("created", NOON + 4 * HOUR_MS, "o-0"),
        order("paid", NOON + 5 * HOUR_MS, "o-0"),
    ]
    assert kind_of(todays(chat, orders)) == ("inquiry", "payment_lost", ["o-1", "o-2"])
    assert kind_of(todays(chat, orders, agent_id="B")) == ("inquiry", "paid", ["o-0"])
    orders.append(order("paid", NOON + 5 * HOUR_MS, "o-2"))
    assert kind_of(todays(chat, orders)) == ("inquiry", "paid", ["o-1", "o-2"])


def test_who_is_the_placing_agent_by_an_earlier_chat_has_its_inquiry_today() -> None:
    todays_question = [message(NOON, "A", "buyer"), message(NOON + 1, "A", "agent", "b-2")]
    record = todays([*YESTERDAYS_CHAT, *todays_question], [order("created", NOON + HOUR_MS)])
    assert kind_of(record) == ("inquiry", "payment_lost", ["o-1"])


def test_the_placing_agent_is_that_of_the_official_profile() -> None:
    chat = TODAYS_CHAT + [message(NOON + n * MINUTE_MS, "A", s) for n, s in ((3, "buyer"), (4, "agent"))]
    settings = shop_settings(profiles={"rounds": {"preset": "kefu_mofang_2"}})
    found = inquiries(
        chat + chat_of("B", NOON + HOUR_MS), [order("created", NOON + 2 * HOUR_MS)], settings, [], None
    )
    assert {agent_id: r["kind"] for (_, _, agent_id, _), r in found.items()} == {
        "A": "assist",
        "B": "inquiry",
    }


def test_an_order_counts_as_soon_as_its_creation_is_known() -> None:
    paid = order("paid", NOON + 2 * HOUR_MS)
    assert kind_of(todays(TODAYS_CHAT, [paid])) == ("inquiry", "lost", [])
    paid["created_ts"] = NOON + HOUR_MS
    assert kind_of(todays(TODAYS_CHAT, [paid])) == ("inquiry", "paid", ["o-1"])


def test_who_serves_a_buyer_whose_orders_are_all_anothers_assists() -> None:
    chat = TODAYS_CHAT + chat_of("B", NOON + HOUR_MS)
    orders = [order("created", NOON + 2 * HOUR_MS, "o-2"), order("created", NOON + 3 * HOUR_MS, "o-1")]
    record = todays(chat, orders)
    assert kind_of(record) == ("assist", "not_counted", ["o-1", "o-2"])
    assert record["final_at"] == END_OF_TOMORROW
    assert todays(chat, orders, agent_id="B")["kind"] == "inquiry"


@pytest.mark.parametrize("ts", around(NOON + MINUTE_MS))
def test_nobody_assists_a_silent_order_which_the_buyer_placed_by_itself(ts: int) -> None:
    record = todays(TODAYS_CHAT, [order("created", ts)])
    silent = ts <= NOON + MINUTE_MS
    assert kind_of(record) == (
        ("self_ordered", "not_counted", ["o-1"]) if silent else ("inquiry", "payment_lost", ["o-1"])
    )
    assert record["final_at"] == (END_OF_TOMORROW if silent else END_OF_PAYMENT)


@pytest.mark.parametrize("ts", around(NOON + MINUTE_MS))
def test_an_agent_assists_an_order_that_another_placed_if_it_answered_before(ts: int) -> None:
    chat = chat_of("B", NOON - HOUR_MS) + TODAYS_CHAT
    placed_by_b = shop_settings(placing_rule="most_rounds")
    chat += [message(NOON - 50 * MINUTE_MS, "B", "buyer"), message(NOON - 49 * MINUTE_MS, "B", "agent")]
    record = todays(chat, [order("created", ts)], placed_by_b)
    helped = ts > NOON + MINUTE_MS
    assert kind_of(record) == ("assist" if helped else "self_ordered", "not_counted", ["o-1"])
    assert record["final_at"] == END_OF_TOMORROW


def test_what_the_agent_said_on_another_day_is_no_help_today() -> None:
    chat = [*YESTERDAYS_CHAT, message(NOON, "A", "buyer"), message(NOON + 2 * HOUR_MS, "A", "agent")]
    chat += chat_of("B", NOON + 30 * MINUTE_MS)
    assert todays(chat, [order("created", NOON + HOUR_MS)])["kind"] == "self_ordered"
    assert todays(chat, [order("created", NOON + 3 * HOUR_MS)])["kind"] == "inquiry"


def test_one_order_that_the_agent_helped_with_is_enough_for_an_assist() -> None:
    chat = [message(NOON, "A", "buyer"), message(NOON + 3 * HOUR_MS, "A", "agent")]
    chat += [m for n in (120, 130, 140) for m in chat_of("B", NOON + n * MINUTE_MS)]
    settings = shop_settings(placing_rule="most_rounds")
    before = order("created", NOON + 150 * MINUTE_MS, "before")
    after = order("created", NOON + 4 * HOUR_MS, "after")
    assert kind_of(todays(chat, [before], settings)) == ("self_ordered", "not_counted", ["before"])
    assert kind_of(todays(chat, [before, after], settings)) == ("assist", "not_counted", ["after", "before"])


def test_orders_that_follow_come_before_what_an_earlier_order_says() -> None:
    orders = [
        order("created", NOON - HOUR_MS, "open"),
        order("created", NOON - DAY_MS, "bought"),
        order("paid", NOON - HOUR_MS, "bought"),
        order("created", NOON, "silent"),
    ]
    assert kind_of(todays(TODAYS_CHAT, orders)) == ("self_ordered", "not_counted", ["silent"])
    assert kind_of(todays(TODAYS_CHAT, orders[:3])) == ("follow_up", "not_counted", ["open"])
    assert kind_of(todays(TODAYS_CHAT, orders[1:3])) == ("after_sales", "not_counted", ["bought"])


def test_who_comes_back_within_the_after_sales_days_and_orders_is_an_inquiry_after_all() -> None:
    orders = [
        order("created", NOON - DAY_MS, "bought"),
        order("paid", NOON - DAY_MS, "bought"),
        order("created", NOON + HOUR_MS, "again"),
    ]
    assert kind_of(todays(TODAYS_CHAT, orders)) == ("inquiry", "payment_lost", ["again"])


@pytest.mark.parametrize(
    ("paid_ts", "kind"),
    [*zip(around(NOON), ("after_sales", "after_sales", "follow_up"), strict=True)],
)
def test_a_reception_until_the_payment_is_a_follow_up_and_from_then_on_after_sales(
    paid_ts: int, kind: str
) -> None:
    orders = [order("created", NOON - HOUR_MS), order("paid", paid_ts)]
    assert kind_of(todays(TODAYS_CHAT, orders)) == (kind, "not_counted", ["o-1"])


@pytest.mark.parametrize(
    ("cancelled_ts", "kind"), [*zip(around(NOON), ("inquiry", "inquiry", "follow_up"), strict=True)]
)
def test_a_cancelled_order_is_not_followed_up(cancelled_ts: int, kind: str) -> None:
    orders = [order("created", NOON - HOUR_MS), order("cancelled", cancelled_ts)]
    assert todays(TODAYS_CHAT, orders)["kind"] == kind


@pytest.mark.parametrize(
    ("created_ts", "kind"),
    [*zip(around(NOON - DAY_MS), ("inquiry", "inquiry", "follow_up"), strict=True)],
)
def test_an_order_past_its_payment_deadline_is_not_followed_up(created_ts: int, kind: str) -> None:
    assert todays(TODAYS_CHAT, [order("created", created_ts)])["kind"] == kind


def test_the_payment_deadline_is_the_setting_of_the_orders_creation_day() -> None:
    created = [order("created", NOON - DAY_MS)]
    longer, shorter = shop_settings(payment_deadline_hours=48), shop_settings(payment_deadline_hours=24)
    for earlier, today, kind in ((longer, shorter, "follow_up"), (shorter, longer, "inquiry")):
        settings = [*earlier, {**today[0], "effective_from": TODAY}]
        assert todays(TODAYS_CHAT, created, settings)["kind"] == kind


@pytest.mark.parametrize(
    ("days", "paid_ts", "kind"),
    [
        *(
            (21, ts, "after_sales" if ts > NOON - 21 * DAY_MS else "inquiry")
            for ts in around(NOON - 21 * DAY_MS)
        ),
        *((1, ts, "after_sales" if ts > NOON - DAY_MS else "inquiry") for ts in around(NOON - DAY_MS)),
        (0, NOON, "inquiry"),
    ],
)
def test_after_sales_are_so_many_times_24_hours_from_the_payment(days: int, paid_ts: int, kind: str) -> None:
    orders = [order("created", NOON - 22 * DAY_MS), order("paid", paid_ts)]
    record = todays(TODAYS_CHAT, orders, shop_settings(after_sales_days=days))
    assert kind_of(record) == (
        ("after_sales", "not_counted", ["o-1"]) if kind == "after_sales" else ("inquiry", "lost", [])
    )


def test_the_after_sales_days_are_the_setting_of_the_receptions_day() -> None:
    orders = [order("created", NOON - 3 * DAY_MS), order("paid", NOON - 3 * DAY_MS)]
    settings = [*shop_settings(after_sales_days=1), *shop_settings(after_sales_days=4)]
    settings[1]["effective_from"] = TODAY
    assert todays(TODAYS_CHAT, orders, settings)["kind"] == "after_sales"


@pytest.mark.parametrize(
    ("orders", "before", "after"),
    [
        ([], ("inquiry", "open", []), ("inquiry", "lost", [])),
        (
            [order("created", NOON)],
            ("self_ordered", "not_counted", ["o-1"]),
            ("self_ordered", "not_counted", ["o-1"]),
        ),
        (
            [order("created", NOON - 1)],
            ("follow_up", "not_counted", ["o-1"]),
            ("follow_up", "not_counted", ["o-1"]),
        ),
        (
            [order("created", NOON - 1), order("paid", NOON)],
            ("after_sales", "not_counted", ["o-1"]),
            ("after_sales", "not_counted", ["o-1"]),
        ),
    ],
)
def test_all_but_what_was_ordered_is_final_when_the_next_day_is_over(
    orders: list[Json], before: tuple[str, str, list[str]], after: tuple[str, str, list[str]]
) -> None:
    records = [todays(TODAYS_CHAT, orders, watermark=w) for w in (NOON, *around(END_OF_TOMORROW), None)]
    assert [kind_of(record) for record in records] == [before, before, after, after, after]
    assert [record["status"] for record in records] == ["pending", "pending", "final", "final", "final"]
    assert {record["final_at"] for record in records} == {END_OF_TOMORROW}


def test_there_is_one_record_per_reception_that_is_unfiltered_and_of_a_presale_agent() -> None:
    agents = ("A", "B", "C", "D")
    chat = [m for agent_id in agents for start in (NOON, NOON + DAY_MS) for m in chat_of(agent_id, start)]
    chat += [transfer(NOON + 1, "D", "A"), message(NOON, "A", "agent", "b-2")]
    roster = [
        role("A", "presale"),
        role("B", "aftersale"),
        role("C", "frozen"),
        role("B", "presale", "2026-11-02"),
    ]
    assert {key[1:] for key in inquiries(chat, [], [], roster, None)} == {
        ("b-1", "A", "2026-11-01"),
        ("b-1", "A", "2026-11-02"),
        ("b-1", "B", "2026-11-02"),
        ("b-1", "D", "2026-11-02"),
    }


@pytest.mark.parametrize(
    ("watermark", "records"), [*zip(around(MIDNIGHT + DAY_MS), (1, 0, 0), strict=True), (None, 0)]
)
def test_a_record_is_gone_when_its_agent_proves_to_have_been_offline(
    watermark: int | None, records: int
) -> None:
    assert len(inquiries([message(NOON, "A", "buyer")], [], [], [], watermark)) == records


def test_a_repeated_event_and_events_of_another_shop_or_buyer_change_nothing() -> None:
    orders = [order("created", NOON + HOUR_MS)]
    others = [
        {**orders[0], "shop_id": "jd:2", "order_id": "o-2"},
        order("created", NOON + HOUR_MS, "o-3", "b-2"),
        order("created", NOON - HOUR_MS, "o-4", "b-2"),
    ]
    record = todays(TODAYS_CHAT, orders)
    assert todays(TODAYS_CHAT * 2, orders * 2 + others) == record
    assert kind_of(todays(TODAYS_CHAT, others)) == ("inquiry", "lost", [])
