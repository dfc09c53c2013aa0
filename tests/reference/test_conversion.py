"""What came of the inquiries of an agent, and of a shop, on one day (RULEBOOK 8)."""

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
    chat_of,
    message,
    order,
    outreach_of,
    shop_settings,
)

INQUIRIES = ("inquiries", "open", "ordered", "lost")
OTHERS = ("assists", "self_ordered", "follow_ups", "after_sales", "exempt")
PAYMENTS = ("paid", "payment_lost", "inquiry_to_payment", "order_to_payment")


def figures(
    group: str,
    names: tuple[str, ...],
    chat: list[Json],
    orders: list[Json],
    settings: list[Json] | None = None,
    watermark: int | None = None,
) -> dict[str, tuple[Any, ...]]:
    """The named figures of today, by agent."""
    found = agent_days(chat, orders, settings or [], [], watermark)
    return {
        agent_id: tuple(record[group][name] for name in names)
        for (_, agent_id, day), record in found.items()
        if day == TODAY
    }


def bought(
    buyer_id: str, created_ts: int, paid_ts: int | None = None, order_id: str | None = None
) -> list[Json]:
    order_id = order_id or f"o-{buyer_id}"
    paid = [] if paid_ts is None else [order("paid", paid_ts, order_id, buyer_id)]
    return [order("created", created_ts, order_id, buyer_id), *paid]


def four_buyers() -> tuple[list[Json], list[Json]]:
    """Of four inquiries one is paid, one is not, and two come to nothing."""
    chat = [m for n in range(4) for m in chat_of("A", NOON, f"b-{n}")]
    return chat, bought("b-0", NOON + HOUR_MS, NOON + 2 * HOUR_MS) + bought("b-1", NOON + HOUR_MS)


def test_an_agents_inquiries_are_ordered_lost_or_open() -> None:
    end = MIDNIGHT + 2 * DAY_MS
    for watermark, expected in zip(around(end), ((4, 2, 2, 0), (4, 0, 2, 2), (4, 0, 2, 2)), strict=True):
        found = figures("inquiries", INQUIRIES, *four_buyers(), watermark=watermark)
        assert found == {"A": expected, "*": expected}
        inquiries, still_open, ordered, lost = expected
        assert inquiries == ordered + lost + still_open


def test_what_was_ordered_is_paid_or_lost_when_the_day_after_next_is_over() -> None:
    end = MIDNIGHT + 3 * DAY_MS
    for watermark, payment_lost in zip(around(end), (0, 1, 1), strict=True):
        found = figures("payments", PAYMENTS, *four_buyers(), watermark=watermark)
        assert found == dict.fromkeys(("A", "*"), (1, payment_lost, 0.25, 0.5))
    (ordered,) = figures("inquiries", ("ordered",), *four_buyers())["*"]
    assert ordered == sum(figures("payments", ("paid", "payment_lost"), *four_buyers())["*"])


def test_conversion_is_of_inquiries_and_of_those_that_ordered() -> None:
    chat = [m for n in range(3) for m in chat_of("A", NOON, f"b-{n}")]
    orders = bought("b-0", NOON + HOUR_MS, NOON + 2 * HOUR_MS) + bought("b-1", NOON + HOUR_MS)
    assert figures("inquiries", ("inquiry_to_order",), chat, orders)["A"] == (0.6667,)
    assert figures("payments", PAYMENTS[2:], chat, orders)["A"] == (0.3333, 0.5)
    assert figures("payments", PAYMENTS, chat, [])["A"] == (0, 0, 0.0, None)


def test_without_an_inquiry_there_is_no_conversion() -> None:
    chat, orders = chat_of("A", NOON), bought("b-1", NOON - 1)
    assert figures("inquiries", (*INQUIRIES, "inquiry_to_order"), chat, orders)["A"] == (0, 0, 0, 0, None)
    assert figures("payments", PAYMENTS, chat, orders)["A"] == (0, 0, None, None)


def test_other_kinds_are_counted_apart() -> None:
    chat = [m for n in range(4) for m in chat_of("A", NOON, f"b-{n}")]
    chat += [message(NOON, "A", "agent", "b-4"), message(NOON + 1, "A", "buyer", "b-4")]
    chat += chat_of("A", NOON, "b-5") + chat_of("B", NOON + HOUR_MS, "b-5")
    orders = [*bought("b-0", NOON), *bought("b-1", NOON - 1), *bought("b-2", NOON - 1, NOON)]
    orders += bought("b-5", NOON + 2 * HOUR_MS)
    settings = shop_settings(agent_initiated_exempt={"enabled": True})
    assert figures("inquiries", INQUIRIES + OTHERS, chat, orders, settings) == {
        "A": (1, 0, 0, 1, 1, 1, 1, 1, 1),
        "B": (1, 0, 1, 0, 0, 0, 0, 0, 0),
        "*": (2, 0, 1, 1, 1, 1, 1, 1, 1),
    }


def test_a_buyer_lost_by_one_agent_and_ordering_of_another_has_ordered_in_the_shop() -> None:
    # B's order is cancelled before the buyer turns to A, so that A's chat is no follow-up of it.
    chat = chat_of("B", NOON) + chat_of("A", NOON + 3 * HOUR_MS)
    orders = [*bought("b-1", NOON + HOUR_MS), order("cancelled", NOON + 2 * HOUR_MS, "o-b-1")]
    assert figures("inquiries", INQUIRIES, chat, orders) == {
        "A": (1, 0, 0, 1),
        "B": (1, 0, 1, 0),
        "*": (1, 0, 1, 0),
    }
    assert figures("payments", PAYMENTS, chat, orders) == {
        "A": (0, 0, 0.0, None),
        "B": (0, 1, 0.0, 0.0),
        "*": (0, 1, 0.0, 0.0),
    }
    assert figures("inquiries", INQUIRIES, chat, orders, watermark=NOON + 4 * HOUR_MS) == {
        "A": (1, 1, 0, 0),
        "B": (1, 0, 1, 0),
        "*": (1, 0, 1, 0),
    }


@pytest.mark.parametrize(
    ("watermark", "inquiries"), [(MIDNIGHT + 2 * DAY_MS - 1, (1, 1, 0, 0)), (None, (1, 0, 0, 1))]
)
def test_a_buyer_of_two_inquiries_without_an_order_is_open_and_lost_once_in_the_shop(
    watermark: int | None, inquiries: tuple[int, ...]
) -> None:
    chat = chat_of("A", NOON) + chat_of("B", NOON)
    found = figures("inquiries", INQUIRIES, chat, [], watermark=watermark)
    assert found == dict.fromkeys(("A", "B", "*"), inquiries)


@pytest.mark.parametrize(
    ("paid", "of_a", "of_shop"),
    [
        ([], (0, 1), (0, 1)),
        (["o-A"], (1, 0), (1, 0)),
        (["o-B"], (0, 1), (1, 0)),
        (["o-A", "o-B"], (1, 0), (1, 0)),
    ],
)
def test_a_buyer_of_two_agents_has_paid_in_the_shop_when_either_is_paid(
    paid: list[str], of_a: tuple[int, int], of_shop: tuple[int, int]
) -> None:
    chat = chat_of("A", NOON) + chat_of("B", NOON + 2 * HOUR_MS)
    orders = bought("b-1", NOON + HOUR_MS, order_id="o-A") + bought("b-1", NOON + 3 * HOUR_MS, order_id="o-B")
    orders += [order("paid", NOON + 4 * HOUR_MS, order_id) for order_id in paid]
    found = figures("payments", PAYMENTS[:2], chat, orders)
    assert (found["A"], found["*"]) == (of_a, of_shop)
    assert figures("inquiries", ("inquiries", "ordered"), chat, orders)["*"] == (1, 1)


def test_a_buyer_of_two_agents_is_not_lost_in_the_shop_before_the_deadline() -> None:
    chat = chat_of("A", NOON) + chat_of("B", NOON + 2 * HOUR_MS)
    orders = bought("b-1", NOON + HOUR_MS, order_id="o-A") + bought("b-1", NOON + 3 * HOUR_MS, order_id="o-B")
    before = figures("payments", PAYMENTS[:2], chat, orders, watermark=MIDNIGHT + 3 * DAY_MS - 1)
    assert before == dict.fromkeys(("A", "B", "*"), (0, 0))


def test_a_buyer_is_counted_once_in_each_other_kind_and_in_several_kinds_too() -> None:
    chat = [m for agent_id in ("A", "B", "C") for m in chat_of(agent_id, NOON)]
    assists = figures("inquiries", ("inquiries", *OTHERS), chat, bought("b-1", NOON + HOUR_MS))
    # All spoke last at one time: the smallest agent id placed it.
    assert assists == {
        "A": (1, 0, 0, 0, 0, 0),
        "B": (0, 1, 0, 0, 0, 0),
        "C": (0, 1, 0, 0, 0, 0),
        "*": (1, 1, 0, 0, 0, 0),
    }
    follow_ups = figures("inquiries", ("inquiries", *OTHERS), chat, bought("b-1", NOON - 1))
    assert follow_ups["*"] == (0, 0, 0, 1, 0, 0)
    after_sales = figures("inquiries", ("inquiries", *OTHERS), chat, bought("b-1", NOON - 1, NOON))
    assert after_sales["*"] == (0, 0, 0, 0, 1, 0)


def test_a_buyer_exempt_with_one_agent_and_an_inquiry_of_another_counts_as_both() -> None:
    chat = outreach_of("A", NOON) + outreach_of("B", NOON) + chat_of("C", NOON)
    settings = shop_settings(agent_initiated_exempt={"enabled": True})
    found = figures("inquiries", ("inquiries", "lost", "exempt"), chat, [], settings)
    assert found == {"A": (0, 0, 1), "B": (0, 0, 1), "C": (1, 1, 0), "*": (1, 1, 1)}


def test_an_inquiry_belongs_to_the_day_of_its_reception() -> None:
    chat = chat_of("A", NOON)
    orders = bought("b-1", NOON + DAY_MS, NOON + 2 * DAY_MS)
    assert figures("inquiries", INQUIRIES, chat, orders)["A"] == (1, 0, 1, 0)
    assert figures("payments", PAYMENTS, chat, orders)["A"] == (1, 0, 1.0, 1.0)
    tomorrow = agent_days(chat, orders, [], [], None)["jd:1", "*", "2026-11-02"]
    assert tomorrow["inquiries"]["inquiries"] == 0
