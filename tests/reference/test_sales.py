"""Orders placed, paid, sold and refunded by agent and day (RULEBOOK 8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS, MINUTE_MS
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
    shop_settings,
)

YESTERDAY, TOMORROW = "2026-10-31", "2026-11-02"
COUNTED = ("buyers", "orders", "amount")


def figures(
    group: str,
    names: tuple[str, ...],
    chat: list[Json],
    orders: list[Json],
    settings: list[Json] | None = None,
) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The named figures by agent and day, where there are any."""
    found = {
        (agent_id, day): tuple(record[group][name] for name in names)
        for (_, agent_id, day), record in agent_days(chat, orders, settings or [], [], None).items()
        if record[group] is not None
    }
    return {key: figures for key, figures in found.items() if any(figures)}


@pytest.mark.parametrize("ts", around(MIDNIGHT + DAY_MS))
def test_an_order_is_placed_on_the_day_of_its_creation(ts: int) -> None:
    orders = [order("created", ts), order("paid", NOON + 3 * DAY_MS, amount=70)]
    day = TODAY if ts < MIDNIGHT + DAY_MS else TOMORROW
    found = figures("placed", COUNTED, chat_of("A", NOON), orders)
    assert found == {("A", day): (1, 1, 70), ("*", day): (1, 1, 70)}


@pytest.mark.parametrize("ts", around(MIDNIGHT + DAY_MS))
@pytest.mark.parametrize("group", ["paid", "sales"])
def test_an_order_is_paid_and_sold_on_the_day_of_its_payment(group: str, ts: int) -> None:
    orders = [order("created", NOON + HOUR_MS), order("paid", ts, amount=70)]
    day = TODAY if ts < MIDNIGHT + DAY_MS else TOMORROW
    found = figures(group, COUNTED, chat_of("A", NOON), orders)
    assert found == {("A", day): (1, 1, 70), ("*", day): (1, 1, 70)}


def test_what_was_placed_counts_whether_it_was_paid_or_not() -> None:
    orders = [
        order("created", NOON + HOUR_MS, "unpaid", amount=1),
        order("created", NOON + HOUR_MS, "cancelled", amount=20),
        order("cancelled", NOON + 2 * HOUR_MS, "cancelled"),
        order("created", NOON + HOUR_MS, "paid", amount=999),
        order("paid", NOON + 2 * HOUR_MS, "paid", amount=300),
    ]
    assert figures("placed", COUNTED, chat_of("A", NOON), orders)["A", TODAY] == (1, 3, 321)
    assert figures("paid", COUNTED, chat_of("A", NOON), orders)["A", TODAY] == (1, 1, 300)
    assert figures("sales", COUNTED, chat_of("A", NOON), orders)["A", TODAY] == (1, 1, 300)


def test_an_order_that_nobody_placed_is_nobodys_placing_in_the_shop_either() -> None:
    orders = [order("created", NOON - HOUR_MS), order("paid", NOON + HOUR_MS)]
    chat = chat_of("A", NOON)
    assert figures("placed", COUNTED, chat, orders) == {}
    assert figures("paid", COUNTED, chat, orders)["*", TODAY] == (1, 1, 100)
    assert figures("paid", COUNTED, [], orders) == {}
    assert figures("sales", COUNTED, [], orders) == {("*", TODAY): (1, 1, 100)}


@pytest.mark.parametrize(("rule", "credited"), [("payment", "B"), ("order", "A"), ("order_first", "A")])
def test_placed_paid_and_sold_may_be_three_agents_figures(rule: str, credited: str) -> None:
    chat = chat_of("A", NOON) + chat_of("B", NOON + 2 * HOUR_MS)
    orders = [order("created", NOON + HOUR_MS), order("paid", NOON + DAY_MS)]
    settings = shop_settings(credit_rule=rule)
    shop_and = {"placed": ("A", TODAY), "paid": ("B", TOMORROW), "sales": (credited, TOMORROW)}
    for group, key in shop_and.items():
        found = figures(group, COUNTED, chat, orders, settings)
        assert found == {key: (1, 1, 100), ("*", key[1]): (1, 1, 100)}


def test_a_sale_credited_to_nobody_is_the_shops_and_silent_also_where_somebody_was_paid() -> None:
    orders = [order("created", NOON - HOUR_MS), order("paid", NOON + HOUR_MS, quantity=3)]
    settings = shop_settings(credit_rule="order")
    chat, names = chat_of("A", NOON), (*COUNTED, "quantity")
    assert set(figures("paid", COUNTED, chat, orders, settings)) == {("A", TODAY), ("*", TODAY)}
    assert figures("sales", names, chat, orders, settings) == {("*", TODAY): (1, 1, 100, 3)}
    assert figures("silent", names, chat, orders, settings) == {("*", TODAY): (1, 1, 100, 3)}
    assert figures("silent", names, chat, orders) == {}


def test_a_sale_credited_by_follow_up_is_not_silent() -> None:
    chat = [message(NOON + 1, "A", "buyer"), message(NOON + MINUTE_MS, "A", "agent")]
    orders = [order("created", NOON), order("paid", NOON)]
    settings = shop_settings(silent_followup={"buyer_initiated": True})
    assert figures("sales", COUNTED, chat, orders, settings)["A", TODAY] == (1, 1, 100)
    assert figures("silent", COUNTED, chat, orders, settings) == {}
    assert figures("silent", COUNTED, chat, orders) == {("*", TODAY): (1, 1, 100)}


def test_buyers_count_once_however_many_orders_and_agents() -> None:
    chat = [*chat_of("A", NOON), *chat_of("B", NOON + 2 * HOUR_MS), *chat_of("A", NOON, "b-2")]
    orders = [
        order(kind, ts, order_id, buyer_id)
        for order_id, buyer_id, ts in (
            ("o-1", "b-1", NOON + HOUR_MS),
            ("o-2", "b-1", NOON + HOUR_MS),
            ("o-3", "b-1", NOON + 3 * HOUR_MS),
            ("o-4", "b-2", NOON + HOUR_MS),
        )
        for kind in ("created", "paid")
    ]
    for group in ("placed", "paid", "sales"):
        assert figures(group, COUNTED, chat, orders) == {
            ("A", TODAY): (2, 3, 300),
            ("B", TODAY): (1, 1, 100),
            ("*", TODAY): (2, 4, 400),
        }


@pytest.mark.parametrize(
    ("amounts", "quantities", "per_buyer"),
    [
        ((1, 2), (1, 2), (2, 1.5)),
        ((1, 1, 2), (1, 1, 2), (1, 1.3333)),
        ((1, 2, 2), (1, 2, 2), (2, 1.6667)),
        ((0, 0), (1, 1), (0, 1.0)),
    ],
)
def test_what_a_buyer_bought_is_a_mean_of_amounts_half_up_and_of_quantities_to_four_places(
    amounts: tuple[int, ...], quantities: tuple[int, ...], per_buyer: tuple[int, float]
) -> None:
    bought = list(zip(amounts, quantities, strict=True))
    chat = [m for n in range(len(bought)) for m in chat_of("A", NOON, f"b-{n}")]
    orders = [
        order(kind, NOON + HOUR_MS, f"o-{n}", f"b-{n}", amount=amount, quantity=quantity)
        for n, (amount, quantity) in enumerate(bought)
        for kind in ("created", "paid")
    ]
    found = figures("sales", ("amount_per_buyer", "quantity_per_buyer"), chat, orders)
    assert found == {("A", TODAY): per_buyer, ("*", TODAY): per_buyer}


def test_refunds_count_for_whom_the_sale_does_each_on_its_own_day() -> None:
    orders = [
        order("created", NOON + HOUR_MS),
        order("paid", NOON + 2 * HOUR_MS),
        *(order("refund_requested", ts, amount=1) for ts in around(MIDNIGHT + DAY_MS)),
        *(order("refund_completed", ts, amount=10) for ts in around(MIDNIGHT + 2 * DAY_MS)),
    ]
    expected = {TODAY: (1, 0), TOMORROW: (2, 10), "2026-11-03": (0, 20)}
    found = figures("refunds", ("requested", "completed"), chat_of("A", NOON), orders)
    assert found == {(agent_id, day): figures for agent_id in ("A", "*") for day, figures in expected.items()}


@pytest.mark.parametrize(
    "orders",
    [
        [order("created", NOON - HOUR_MS), order("paid", NOON - HOUR_MS)],  # silent
        [order("created", NOON + HOUR_MS)],  # placed, but never paid
    ],
)
def test_refunds_of_what_nobody_is_credited_with_are_the_shops_alone(orders: list[Json]) -> None:
    refund = order("refund_completed", NOON + 2 * HOUR_MS, amount=30)
    found = figures("refunds", ("requested", "completed"), chat_of("A", NOON), [*orders, refund])
    assert found == {("*", TODAY): (0, 30)}


def test_a_refund_of_an_order_whose_creation_is_not_known_counts_for_nothing() -> None:
    refund = order("refund_completed", NOON + 2 * HOUR_MS, amount=30)
    assert figures("refunds", ("requested", "completed"), chat_of("A", NOON), [refund]) == {}


def test_a_refund_leaves_the_sale_as_it_was() -> None:
    orders = [order("created", NOON + HOUR_MS), order("paid", NOON + 2 * HOUR_MS)]
    sold = figures("sales", COUNTED, chat_of("A", NOON), orders)
    refund = order("refund_completed", NOON + 3 * HOUR_MS)
    assert figures("sales", COUNTED, chat_of("A", NOON), [*orders, refund]) == sold


def test_the_sales_of_all_agents_and_the_silent_ones_are_the_sales_of_the_shop_on_every_day() -> None:
    chat = [*chat_of("A", NOON - DAY_MS), *chat_of("B", NOON), *chat_of("A", NOON, "b-2")]
    orders = [
        order(kind, NOON + shift, f"o-{buyer_id}-{shift}", buyer_id, amount=amount, quantity=amount % 5 + 1)
        for buyer_id, shift, amount in (
            ("b-1", -DAY_MS, 7),
            ("b-1", -HOUR_MS, 11),
            ("b-1", HOUR_MS, 13),
            ("b-2", HOUR_MS, 17),
            ("b-2", DAY_MS, 19),
            ("b-3", HOUR_MS, 23),
            ("b-3", DAY_MS, 29),
        )
        for kind in ("created", "paid")
    ]
    names = ("orders", "quantity", "amount")
    sales, silent = (figures(group, names, chat, orders) for group in ("sales", "silent"))
    assert sales == {
        ("*", YESTERDAY): (1, 3, 7),
        ("A", TODAY): (2, 5, 28),
        ("B", TODAY): (1, 4, 13),
        ("*", TODAY): (4, 13, 64),
        ("A", TOMORROW): (1, 5, 19),
        ("*", TOMORROW): (2, 10, 48),
    }
    assert silent == {("*", YESTERDAY): (1, 3, 7), ("*", TODAY): (1, 4, 23), ("*", TOMORROW): (1, 5, 29)}
    for day in (YESTERDAY, TODAY, TOMORROW):
        of_agents = [one for (agent_id, day_), one in sales.items() if agent_id != "*" and day_ == day]
        assert tuple(map(sum, zip(*of_agents, silent["*", day], strict=True))) == sales["*", day]
