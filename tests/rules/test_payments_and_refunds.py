"""Instalments, deposits, refunds with ids, exclusions and notices, in every order of arrival (RULEBOOK 2)."""

from __future__ import annotations

from itertools import permutations

import pytest

from stream_attr.rules.order.facts import Cancelled, Deposit, Exclusion, Placed, Refund
from stream_attr.rules.order.notices import notices_of
from stream_attr.rules.order.order import Order


def payment(ts, event_id, amount=100, payment_id=None, currency=None, products=()):
    return Placed(ts, event_id, amount, None, currency, products, None, payment_id)


def refund(ts, event_id, amount, completed=False, refund_id=None, currency=None):
    return Refund(ts, event_id, amount, completed, refund_id, currency)


def paid(*payments, order=None):
    order = order or Order("o")
    for event in payments:
        order.add_paid(event)
    return order


PAYMENTS = [
    payment(5, "b", 10, "1"),
    payment(5, "a", 20, "1"),
    payment(7, "c", 300, "2", products=("p-2",)),
    payment(6, "d", 4_000, products=("p-0",)),
    payment(8, "e", 50_000),
]


@pytest.mark.parametrize("events", list(permutations(PAYMENTS)))
def test_of_each_payment_id_the_first_counts_and_one_without(events):
    order = paid(*events)
    assert order.paid == payment(5, "a", 20, "1")
    assert (order.paid_ts, order.amount) == (5, 4_320)
    assert order.product_ids == {"p-0", "p-2"}
    assert sorted(event.event_id for event in order.payments) == ["a", "c", "d"]
    assert notices_of(order) == ("several_payments",)


@pytest.mark.parametrize("events", list(permutations([payment(5, "a"), payment(5, "b"), payment(5, "c")])))
def test_the_same_payment_under_two_event_ids_is_no_second_one(events):
    order = paid(*events)
    assert (order.amount, order.payments, notices_of(order)) == (100, [payment(5, "a")], ())
    assert order.rare is None


@pytest.mark.parametrize(
    "other", [payment(6, "b"), payment(5, "b", 101), payment(4, "b"), payment(5, "b", 99)]
)
@pytest.mark.parametrize("payment_id", [None, "1"])
@pytest.mark.parametrize("turn", [1, -1])
def test_one_of_another_time_or_amount_is_noticed(other, payment_id, turn):
    events = [one._replace(payment_id=payment_id) for one in (payment(5, "a"), other)][::turn]
    assert notices_of(paid(*events)) == ("several_payments",)


def test_a_deposit_does_not_hide_the_payment_that_is_known():
    order = paid(payment(5, "a", 10, "1"))
    order.add_deposit(Deposit(4, "d", 1, None, None))
    paid(payment(6, "b", 20, "2"), payment(5, "0", 15, "1"), order=order)
    assert (order.amount, order.paid_ts) == (35, 5)


DEPOSITS = [Deposit(6, "a", 1, 9, None), Deposit(5, "c", 2, 8, None), Deposit(5, "b", 3, None, None)]


@pytest.mark.parametrize("events", list(permutations(DEPOSITS)))
def test_the_first_deposit_counts_and_is_no_payment(events):
    order = Order("o")
    for event in events:
        order.add_deposit(event)
    assert order.deposit == DEPOSITS[2]
    assert (order.paid_ts, order.amount) == (None, 0)
    assert order.deadline(100, 1) == 3_600_100


def test_the_balance_can_be_paid_until_the_deposit_says():
    order = Order("o")
    order.add_deposit(DEPOSITS[0])
    assert order.deadline(100, 1) == 9


REFUNDS = [
    ("request", refund(5, "b", 10, refund_id="1")),
    ("request", refund(5, "a", 20, refund_id="1")),
    ("request", refund(7, "c", 300, refund_id="2")),
    ("complete", refund(8, "d", 4_000, completed=True, refund_id="2")),
    ("complete", refund(7, "e", 50_000, completed=True, refund_id="2")),
    ("close", "2"),
]


@pytest.mark.parametrize("events", list(permutations(REFUNDS)))
def test_the_first_refund_of_an_id_counts_unless_its_request_is_closed(events):
    order = Order("o")
    for what, event in events:
        if what == "close":
            order.close_refund(event)
        else:
            order.add_refund(event)
    assert sorted(order.refunds) == [REFUNDS[1][1], REFUNDS[4][1]]
    assert (order.refund_requested, order.refund_completed) == (20, 50_000)


def test_refunds_without_an_id_count_each():
    order = Order("o")
    for event_id in "ab":
        order.add_refund(refund(5, event_id, 10))
        order.add_refund(refund(5, event_id + "!", 1, completed=True))
    assert (order.refund_requested, order.refund_completed) == (20, 2)


EXCLUSIONS = [Exclusion(5, "a", True), Exclusion(6, "b", True), Exclusion(6, "c", False)]


@pytest.mark.parametrize("events", list(permutations(EXCLUSIONS)))
def test_the_last_exclusion_or_inclusion_holds(events):
    order = Order("o")
    assert not order.is_excluded
    for event in events[:2]:
        order.add_exclusion(event)
    last = max(events[:2])
    assert (order.is_excluded, order.excluded_ts) == (last.excluded, last.ts if last.excluded else None)
    order.add_exclusion(events[2])
    assert not order.is_excluded


@pytest.mark.parametrize(
    ("completed", "cancelled", "expected"),
    [
        ((99,), False, ()),
        ((100,), False, ()),
        ((60, 41), False, ("over_refunded",)),
        ((), True, ("paid_and_cancelled",)),
        ((99,), True, ("paid_and_cancelled",)),
        ((100,), True, ()),
        ((101,), True, ("over_refunded",)),
    ],
)
def test_refunds_are_compared_with_the_amount(completed, cancelled, expected):
    order = paid(payment(5, "a", 60, "1"), payment(6, "b", 40, "2"))
    for number, amount in enumerate(completed):
        order.add_refund(refund(7, f"r{number}", amount, completed=True))
    if cancelled:
        order.add_cancelled(Cancelled(8, "x", None))
    assert notices_of(order) == expected


def test_a_cancelled_order_that_is_not_paid_needs_no_look():
    order = Order("o")
    order.add_created(payment(1, "c"))
    order.add_cancelled(Cancelled(8, "x", None))
    assert notices_of(order) == ()


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@pytest.mark.parametrize("kind", ["created", "instalment", "deposit", "cancelled", "refund"])
def test_each_event_that_counts_has_the_currency_of_the_order(kind, currency):
    order = paid(payment(5, "a", 60, "1", currency="USD"))
    order.add_refund(refund(7, "r", 1))
    if kind == "created":
        order.add_created(payment(1, "c", currency=currency))
    elif kind == "instalment":
        order.add_paid(payment(6, "b", 40, "2", currency=currency))
    elif kind == "deposit":
        order.add_deposit(Deposit(2, "d", 1, None, currency))
    elif kind == "cancelled":
        order.add_cancelled(Cancelled(9, "x", currency))
        order.add_refund(refund(7, "s", 60, completed=True))
    else:
        order.add_refund(refund(8, "s", 1, completed=True, currency=currency))
    assert notices_of(order) == (() if currency == "USD" else ("currency_differs",))


def test_what_does_not_count_may_have_another_currency():
    order = paid(payment(5, "a", currency="USD"), payment(5, "b", currency="EUR"))
    order.add_cancelled(Cancelled(9, "y", "EUR"))
    order.add_cancelled(Cancelled(9, "x", None))
    order.add_refund(refund(6, "r", 1, refund_id="1", currency="EUR"))
    order.close_refund("1")
    order.add_refund(refund(6, "s", 100, completed=True))
    assert notices_of(order) == ()


def test_an_order_that_names_no_currency_is_in_yuan():
    order = paid(payment(5, "a"))
    order.add_refund(refund(6, "r", 1, currency="CNY"))
    assert notices_of(order) == ()
    order.add_refund(refund(6, "s", 1, currency="HKD"))
    assert notices_of(order) == ("currency_differs",)
