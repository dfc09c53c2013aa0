"""Instalments, deposits, refunds, notices and excluded orders (RULEBOOK 2, 5, 6 and 7), by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.inquiries import inquiries
from tests.reference.model import judge
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    TODAY,
    Json,
    around,
    chat_of,
    order,
    shop_settings,
)

CREATED = order("created", NOON, amount=1000)


def decision_on(
    *events: Json,
    chat: list[Json] | None = None,
    settings: list[Json] | None = None,
    watermark: int | None = None,
) -> Json:
    (decision,) = judge(chat or [], list(events), settings or [], [], watermark).values()
    return decision


def paid(ts: int, amount: int, payment_id: str | None = None, **more: Any) -> Json:
    if payment_id is not None:
        more["payment_id"] = payment_id
    return order("paid", ts, amount=amount, event_id=f"paid/{ts}/{amount}/{payment_id}", **more)


def refund(kind: str, ts: int, amount: int, refund_id: str | None = None, **more: Any) -> Json:
    if refund_id is not None:
        more["refund_id"] = refund_id
    return order(f"refund_{kind}", ts, amount=amount, event_id=f"{kind}/{ts}/{amount}/{refund_id}", **more)


def closed(ts: int, refund_id: str) -> Json:
    return order("refund_closed", ts, refund_id=refund_id, event_id=f"closed/{ts}/{refund_id}")


def sums(decision: Json) -> tuple[int, int, int]:
    return decision["refund_requested"], decision["refund_completed"], decision["net_amount"]


# Instalments


def test_worked_example_of_instalments() -> None:
    first, second = paid(NOON + HOUR_MS, 10_000, "1"), paid(NOON + 2 * DAY_MS, 90_000, "2")
    created = order("created", NOON, amount=100_000)
    decision = decision_on(created, second, first, chat=chat_of("A", NOON - HOUR_MS))
    assert (decision["paid_ts"], decision["amount"]) == (NOON + HOUR_MS, 100_000)
    assert decision["notices"] == []
    days = agent_days(chat_of("A", NOON - HOUR_MS), [created, first, second], [], [], None)
    assert {key[1:]: day["sales"]["amount"] for key, day in days.items()} == {
        ("*", TODAY): 100_000,
        ("A", TODAY): 100_000,
    }

    without_ids = decision_on(created, paid(NOON + HOUR_MS, 10_000), paid(NOON + 2 * DAY_MS, 90_000))
    assert (without_ids["amount"], without_ids["notices"]) == (10_000, ["several_payments"])


def test_of_payments_with_one_id_the_first_counts_and_of_those_without_one_together_the_first() -> None:
    events = [
        CREATED,
        paid(NOON + 4, 1, "x"),
        paid(NOON + 3, 20, "x"),
        paid(NOON + 5, 300),
        paid(NOON + 6, 4000),
        paid(NOON + 2, 50_000, "y"),
    ]
    decision = decision_on(*events)
    assert (decision["amount"], decision["paid_ts"]) == (50_320, NOON + 2)
    assert decision["notices"] == ["several_payments"]


@pytest.mark.parametrize(
    ("ts", "amount", "payment_id", "notices"),
    [
        (NOON + 1, 1000, None, []),  # the same under two event ids
        (NOON + 2, 1000, None, ["several_payments"]),
        (NOON + 1, 1001, None, ["several_payments"]),
        (NOON + 2, 1001, "another", []),  # an instalment
    ],
)
def test_a_payment_that_does_not_count_and_differs_is_noticed(
    ts: int, amount: int, payment_id: str | None, notices: list[str]
) -> None:
    again = {**paid(ts, amount, payment_id), "event_id": "z"}
    assert decision_on(CREATED, paid(NOON + 1, 1000), again)["notices"] == notices


def test_quantity_and_currency_are_the_first_payments_and_products_those_of_all_that_count() -> None:
    chat = chat_of("A", NOON - HOUR_MS)
    chat[0]["product_id"] = "p-2"
    created = {**CREATED, "quantity": 5, "currency": "USD", "product_ids": ["p-1"]}
    events = [
        created,
        paid(NOON + 1, 1, "1", quantity=2),
        paid(NOON + 2, 1, "2", quantity=3, currency="EUR", product_ids=["p-2"]),
    ]
    decision = decision_on(*events, chat=chat)
    assert (decision["quantity"], decision["currency"], decision["amount"]) == (2, "USD", 2)
    assert decision["candidates"][0]["placing"]["ordered_product"]
    assert decision["product_ids"] == ["p-1", "p-2"]
    not_counting = {**paid(NOON + 3, 1, "1"), "product_ids": ["p-2"]}
    decision = decision_on(created, paid(NOON + 1, 1, "1"), not_counting, chat=chat)
    assert not decision["candidates"][0]["placing"]["ordered_product"]


def test_a_hundred_products_are_named() -> None:
    created = {**CREATED, "product_ids": [f"p-{number:03}" for number in range(150, -1, -1)]}
    assert decision_on(created)["product_ids"] == [f"p-{number:03}" for number in range(100)]


def test_the_creation_that_a_later_instalment_names_counts() -> None:
    events = [paid(NOON + 1, 1, "1"), paid(NOON + 2, 2, "2", created_ts=NOON)]
    decision = decision_on(*events)
    assert (decision["created_ts"], decision["paid_ts"], decision["amount"]) == (NOON, NOON + 1, 3)


# Deposits

OCTOBER_24 = MIDNIGHT - 8 * DAY_MS
END_OF_NOVEMBER_11 = MIDNIGHT + 11 * DAY_MS
DEPOSIT = order("deposit_paid", OCTOBER_24 + 1, amount=50, balance_until=END_OF_NOVEMBER_11 - 1)
BALANCE = order("paid", END_OF_NOVEMBER_11 - 4 * HOUR_MS, amount=1000)
PRESALE = [order("created", OCTOBER_24, amount=1000), DEPOSIT]
WORDS = [*chat_of("A", OCTOBER_24 - HOUR_MS), *chat_of("B", END_OF_NOVEMBER_11 - 5 * HOUR_MS)]
LONG = {"validity": {"natural_days": 15}}


def test_worked_example_of_a_deposit_is_awaited_until_its_balance_is_paid() -> None:
    for watermark in (OCTOBER_24 + DAY_MS, OCTOBER_24 + 5 * DAY_MS, END_OF_NOVEMBER_11 - 5 * HOUR_MS):
        decision = decision_on(*PRESALE, chat=WORDS, watermark=watermark)
        assert (decision["outcome"], decision["status"]) == ("awaiting_payment", "pending")
        assert decision["final_at"] == END_OF_NOVEMBER_11
        assert (decision["deposit_ts"], decision["deposit_amount"]) == (OCTOBER_24 + 1, 50)
    decision = decision_on(*PRESALE, BALANCE, chat=WORDS)
    assert (decision["credit"]["agent_id"], decision["amount"]) == ("B", 1000)
    by_order = decision_on(*PRESALE, BALANCE, chat=WORDS, settings=shop_settings(credit_rule="order"))
    assert by_order["credit"]["agent_id"] == "A"


def test_worked_example_of_a_deposit_keeps_its_inquiry_ordered_until_then() -> None:
    def inquiry(orders: list[Json], watermark: int | None) -> tuple[str, str, int]:
        found = inquiries(WORDS, orders, [], [], watermark)["jd:1", "b-1", "A", "2026-10-23"]
        return found["outcome"], found["status"], found["final_at"]

    last = END_OF_NOVEMBER_11 - 1
    assert inquiry(PRESALE, last) == ("ordered", "pending", END_OF_NOVEMBER_11)
    assert inquiry(PRESALE, END_OF_NOVEMBER_11) == ("payment_lost", "final", END_OF_NOVEMBER_11)
    assert inquiry([*PRESALE, BALANCE], last) == ("paid", "pending", END_OF_NOVEMBER_11)
    assert inquiry([*PRESALE, BALANCE], None) == ("paid", "final", END_OF_NOVEMBER_11)


@pytest.mark.parametrize("watermark", around(END_OF_NOVEMBER_11 - 1))
def test_whose_balance_is_not_paid_by_then_has_not_paid(watermark: int) -> None:
    decision = decision_on(*PRESALE, watermark=watermark)
    outcome = "awaiting_payment" if watermark < END_OF_NOVEMBER_11 - 1 else "unpaid"
    assert decision["outcome"] == outcome


def test_a_deposit_that_names_no_end_leaves_the_deadline_where_it_was() -> None:
    deposit = order("deposit_paid", NOON + 1, amount=50)
    decision = decision_on(CREATED, deposit, watermark=NOON + DAY_MS)
    assert (decision["outcome"], decision["final_at"]) == ("unpaid", MIDNIGHT + 2 * DAY_MS)


def test_of_two_deposits_the_first_counts() -> None:
    deposits = [
        order("deposit_paid", NOON + 2, amount=70, balance_until=NOON + 9 * DAY_MS),
        order("deposit_paid", NOON + 1, amount=50, balance_until=NOON + 5 * DAY_MS),
    ]
    decision = decision_on(CREATED, *deposits, watermark=NOON)
    assert (decision["deposit_ts"], decision["deposit_amount"]) == (NOON + 1, 50)
    assert (decision["amount"], decision["final_at"]) == (1000, MIDNIGHT + 6 * DAY_MS)


def test_a_deposit_is_no_payment_and_alone_no_order() -> None:
    assert judge([], [DEPOSIT], [], [], None) == {}
    decision = decision_on(*PRESALE, watermark=OCTOBER_24 + 2)
    assert (decision["paid_ts"], decision["credit"], decision["amount"]) == (None, None, 1000)


@pytest.mark.parametrize("x", around(END_OF_NOVEMBER_11 - 1))
def test_a_deposit_order_is_cancelled_before_its_balance_is_due(x: int) -> None:
    decision = decision_on(*PRESALE, order("cancelled", x))
    assert decision["outcome"] == ("cancelled" if x < END_OF_NOVEMBER_11 - 1 else "unpaid")


def test_who_serves_the_buyer_before_the_balance_follows_up_and_assists() -> None:
    decision = decision_on(*PRESALE, chat=WORDS, watermark=END_OF_NOVEMBER_11)
    assert decision["assists"] == [{"agent_id": "B", "kind": "followup"}]
    found = inquiries(WORDS, PRESALE, [], [], None)["jd:1", "b-1", "B", "2026-11-11"]
    assert (found["kind"], found["order_ids"]) == ("follow_up", ["o-1"])


def test_the_latest_balance_of_the_agents_own_orders_tells_until_when_they_can_be_paid() -> None:
    chat = chat_of("A", NOON - HOUR_MS)
    orders = [
        CREATED,
        order("created", NOON, "o-2"),
        order("created", NOON, "o-3"),
        order("deposit_paid", NOON + 1, "o-2", balance_until=NOON + 5 * DAY_MS),
        order("deposit_paid", NOON + 1, "o-3", balance_until=NOON + 4 * DAY_MS),
    ]
    (record,) = inquiries(chat, orders, [], [], None).values()
    assert (record["outcome"], record["final_at"]) == ("payment_lost", MIDNIGHT + 6 * DAY_MS)
    late = order("paid", MIDNIGHT + 6 * DAY_MS - 1)  # the order without a deposit: one payment is enough
    (record,) = inquiries(chat, [*orders, late], [], [], None).values()
    assert record["outcome"] == "paid"
    soon = [orders[1], order("deposit_paid", NOON + 1, "o-2", balance_until=NOON + 2)]
    (record,) = inquiries(chat, soon, [], [], None).values()
    assert record["final_at"] == MIDNIGHT + 3 * DAY_MS


def test_figures_of_payments_are_final_when_the_last_balance_can_be_paid_no_more() -> None:
    day = agent_days(WORDS, PRESALE, [], [], END_OF_NOVEMBER_11 - 1)["jd:1", "A", "2026-10-23"]
    groups = ("workload", "inquiries", "payments")
    assert [day[group]["status"] for group in groups] == ["final", "final", "pending"]
    assert day["payments"]["final_from"] == "2026-11-12"


# Refunds


def test_of_refunds_with_one_id_the_first_counts_and_each_without_one() -> None:
    decision = decision_on(
        CREATED,
        paid(NOON + 1, 1000),
        refund("requested", NOON + 3, 100, "r"),
        refund("requested", NOON + 2, 70, "r"),
        refund("requested", NOON + 4, 5),
        refund("requested", NOON + 5, 5),
        refund("completed", NOON + 7, 60, "r"),
        refund("completed", NOON + 6, 70, "r"),
    )
    assert sums(decision) == (80, 70, 930)
    assert decision["refunds"] == [
        {"refund_id": "r", "ts": NOON + 2, "amount": 70, "completed": False},
        {"refund_id": None, "ts": NOON + 4, "amount": 5, "completed": False},
        {"refund_id": None, "ts": NOON + 5, "amount": 5, "completed": False},
        {"refund_id": "r", "ts": NOON + 6, "amount": 70, "completed": True},
    ]


@pytest.mark.parametrize("ts", around(NOON + 5))
def test_a_refund_that_was_rejected_asks_for_nothing_whichever_came_first(ts: int) -> None:
    events = [
        CREATED,
        paid(NOON + 1, 1000),
        refund("requested", NOON + 5, 300, "r"),
        refund("requested", NOON + 6, 20, "s"),
        refund("requested", NOON + 7, 1),
        closed(ts, "r"),
    ]
    assert sums(decision_on(*events)) == (21, 0, 1000)


def test_a_closed_refund_that_was_completed_stays_completed() -> None:
    events = [CREATED, paid(NOON + 1, 1000), refund("requested", NOON + 2, 300, "r"), closed(NOON + 9, "r")]
    assert sums(decision_on(*events, refund("completed", NOON + 8, 300, "r"))) == (0, 300, 700)


def test_a_closed_refund_that_is_asked_again_under_its_id_asks_for_nothing() -> None:
    events = [CREATED, paid(NOON + 1, 1000), refund("requested", NOON + 2, 300, "r"), closed(NOON + 9, "r")]
    assert sums(decision_on(*events, refund("requested", NOON + 10, 300, "r"))) == (0, 0, 1000)
    assert sums(decision_on(*events, refund("requested", NOON + 10, 250, "r-2"))) == (250, 0, 1000)


def test_a_hundred_refunds_are_shown_and_all_are_added_up() -> None:
    for number, cut in ((100, False), (101, True)):
        refunds = [{**refund("completed", NOON + 5, 1), "event_id": f"r-{n:03}"} for n in range(number)]
        decision = decision_on(CREATED, paid(NOON + 1, 1000), *refunds[::-1])
        assert (len(decision["refunds"]), decision["refunds_cut"]) == (100, cut)
        assert decision["refund_completed"] == number


def test_refunds_that_count_are_those_of_the_figures() -> None:
    chat = chat_of("A", NOON - HOUR_MS)
    events = [
        CREATED,
        paid(NOON + 1, 1000),
        refund("requested", NOON + 2, 300, "r"),
        closed(NOON + 9, "r"),
        refund("requested", NOON + 10, 20, "s"),
        refund("completed", NOON + DAY_MS, 20, "s"),
        refund("completed", NOON + DAY_MS + 1, 20, "s"),
    ]
    days = agent_days(chat, events, [], [], None)
    refunds = {day: days["jd:1", "A", day]["refunds"] for day in (TODAY, "2026-11-02")}
    assert (refunds[TODAY]["requested"], refunds[TODAY]["completed"]) == (20, 0)
    assert (refunds["2026-11-02"]["requested"], refunds["2026-11-02"]["completed"]) == (0, 20)


# Notices


@pytest.mark.parametrize(("refunded", "notices"), [(999, []), (1000, []), (1001, ["over_refunded"])])
def test_more_refunds_than_money_are_noticed(refunded: int, notices: list[str]) -> None:
    events = [CREATED, paid(NOON + 1, 900, "1"), paid(NOON + 2, 100, "2")]
    assert decision_on(*events, refund("completed", NOON + 3, refunded))["notices"] == notices
    assert decision_on(*events, refund("requested", NOON + 3, 5000))["notices"] == []


@pytest.mark.parametrize(
    ("refunded", "notices"), [(999, ["paid_and_cancelled"]), (1000, []), (0, ["paid_and_cancelled"])]
)
def test_a_paid_order_that_was_cancelled_and_not_paid_back_is_noticed(
    refunded: int, notices: list[str]
) -> None:
    events = [CREATED, paid(NOON + 1, 1000), refund("completed", NOON + 3, refunded)]
    for cancelled in (order("cancelled", NOON), order("cancelled", NOON + 2)):
        assert decision_on(*events, cancelled)["notices"] == notices
    assert decision_on(CREATED, order("cancelled", NOON + 2))["notices"] == []


@pytest.mark.parametrize(
    ("event", "differs"),
    [
        (order("cancelled", NOON + 5, currency="USD"), True),
        (order("cancelled", NOON + 7, currency="USD"), False),  # the second
        (order("deposit_paid", NOON + 1, currency="USD"), True),
        (paid(NOON + 3, 1, "another", currency="USD"), True),
        (paid(NOON + 3, 1000, currency="USD"), False),  # does not count
        (refund("completed", NOON + 3, 1, currency="USD"), True),
        (refund("completed", NOON + 3, 1, currency="EUR"), False),
        (refund("requested", NOON + 3, 1, "open", currency="USD"), True),
        (refund("requested", NOON + 3, 1, "closed", currency="USD"), False),
        (refund("completed", NOON + 3, 1, "closed", currency="USD"), True),
        (closed(NOON + 4, "nothing"), False),
    ],
)
def test_another_currency_than_the_orders_is_noticed_where_it_counts(event: Json, *, differs: bool) -> None:
    events = [
        {**CREATED, "currency": "EUR"},
        paid(NOON + 2, 1000),
        order("cancelled", NOON + 6),
        closed(NOON + 4, "closed"),
        event,
    ]
    assert ("currency_differs" in decision_on(*events)["notices"]) is differs


def test_a_creation_in_another_currency_than_the_payment_is_noticed() -> None:
    created = {**CREATED, "currency": "USD"}
    decision = decision_on(created, paid(NOON + 2, 1000, currency="EUR"))
    assert (decision["currency"], decision["notices"]) == ("EUR", ["currency_differs"])
    yuan = decision_on(CREATED, refund("completed", NOON + 3, 1, currency="EUR"), paid(NOON + 1, 1000))
    assert (yuan["currency"], yuan["notices"]) == ("CNY", ["currency_differs"])


def test_notices_are_sorted() -> None:
    decision = decision_on(
        {**CREATED, "currency": "EUR"},
        order("cancelled", NOON + 2, currency="USD"),
        paid(NOON + 1, 1000),
        paid(NOON + 3, 1000),
    )
    assert decision["notices"] == ["currency_differs", "paid_and_cancelled", "several_payments"]


# Excluded orders

EXCLUDED = order("excluded", NOON + HOUR_MS)
BOUGHT = [CREATED, paid(NOON + MINUTE_MS, 1000), refund("completed", NOON + DAY_MS, 10)]


def test_an_excluded_order_is_nobodys() -> None:
    chat = chat_of("A", NOON - HOUR_MS) + chat_of("B", NOON - 2 * HOUR_MS)
    decision = decision_on(*BOUGHT, EXCLUDED, chat=chat, watermark=MIDNIGHT + DAY_MS - 1)
    assert decision["outcome"] == "excluded"
    assert [decision[name] for name in ("silence", "placing", "payment", "credit")] == [None] * 4
    assert (decision["assists"], decision["candidates"], decision["discarded"]) == ([], [], [])
    assert (decision["amount"], decision["refund_completed"], decision["paid_ts"]) == (
        1000,
        10,
        NOON + MINUTE_MS,
    )
    assert (decision["status"], decision["final_at"]) == ("pending", MIDNIGHT + DAY_MS)
    assert decision_on(*BOUGHT, EXCLUDED, watermark=MIDNIGHT + DAY_MS)["status"] == "final"


@pytest.mark.parametrize(
    "events",
    [[CREATED], [CREATED, order("cancelled", NOON + 1)], [CREATED, order("paid", NOON + 9 * DAY_MS)]],
)
def test_an_excluded_order_is_final_with_its_day_whatever_else(events: list[Json]) -> None:
    decision = decision_on(*events, EXCLUDED)
    assert (decision["outcome"], decision["final_at"]) == ("excluded", MIDNIGHT + DAY_MS)


def test_of_exclusions_and_inclusions_the_last_holds() -> None:
    back = order("included", NOON + 2 * HOUR_MS)
    assert decision_on(*BOUGHT, back, EXCLUDED)["outcome"] == "silent"
    again = order("excluded", NOON + 3 * HOUR_MS)
    assert decision_on(*BOUGHT, again, back, EXCLUDED)["outcome"] == "excluded"
    at_one_time = {**back, "ts": EXCLUDED["ts"], "event_id": "a"}
    assert decision_on(*BOUGHT, at_one_time, EXCLUDED)["outcome"] == "excluded"
    assert decision_on(*BOUGHT, {**at_one_time, "event_id": "z"}, EXCLUDED)["outcome"] == "silent"


def test_an_excluded_order_counts_in_no_figure_and_no_inquiry() -> None:
    chat = chat_of("A", NOON - HOUR_MS)
    found = agent_days(chat, [*BOUGHT, EXCLUDED], [], [], None)
    assert found == agent_days(chat, [], [], [], None)
    assert inquiries(chat, [*BOUGHT, EXCLUDED], [], [], None) == inquiries(chat, [], [], [], None)
    later = chat_of("A", NOON + 2 * HOUR_MS)
    records = inquiries(later, [*BOUGHT, EXCLUDED], [], [], None).values()
    assert [record["kind"] for record in records] == ["inquiry"]
    records = inquiries(later, BOUGHT, [], [], None).values()
    assert [record["kind"] for record in records] == ["after_sales"]


def test_an_excluded_order_does_not_stand_before_what_another_order_says() -> None:
    chat = chat_of("A", NOON - HOUR_MS)
    other = order("created", NOON + 2 * HOUR_MS, "o-2")
    (record,) = inquiries(chat, [*BOUGHT, EXCLUDED, other], [], [], None).values()
    assert record["order_ids"] == ["o-2"]
