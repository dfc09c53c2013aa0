"""What is known of an order is the same whatever order its events came in (RULEBOOK 2)."""

from __future__ import annotations

from itertools import permutations

import pytest

from stream_attr.rules.order.facts import Cancelled, Placed
from stream_attr.rules.order.order import Order


def placed(ts, event_id, amount=100, quantity=None, currency=None, product_ids=(), created_ts=None):
    return Placed(ts, event_id, amount, quantity, currency, product_ids, created_ts)


@pytest.mark.parametrize("events", list(permutations([placed(5, "b"), placed(5, "a"), placed(6, "0")])))
def test_the_first_of_each_type_counts_by_time_then_id(events):
    order = Order("o")
    for event in events:
        order.add_created(event)
        order.add_paid(event)
    assert order.created == order.paid == placed(5, "a")


@pytest.mark.parametrize("events", list(permutations([(7, "a"), (5, "b"), (5, "a")])))
def test_the_first_cancellation_counts(events):
    order = Order("o")
    for ts, event_id in events:
        order.add_cancelled(Cancelled(ts, event_id, None))
    assert order.cancelled == Cancelled(5, "a", None)


def test_nothing_is_known_of_a_new_order():
    order = Order("o")
    assert (order.created_ts, order.paid_ts, order.cancelled_ts) == (None, None, None)
    assert (order.amount, order.quantity, order.currency) == (0, 1, "CNY")
    assert order.product_ids == frozenset()


def test_created_beats_created_ts_whenever_it_comes():
    order = Order("o")
    order.add_paid(placed(9, "p", created_ts=3))
    assert order.created_ts == 3
    order.add_created(placed(4, "c"))
    assert order.created_ts == 4


def test_a_payment_alone_creates_nothing():
    order = Order("o")
    order.add_paid(placed(9, "p"))
    assert (order.created_ts, order.paid_ts) == (None, 9)


@pytest.mark.parametrize(
    ("created", "paid", "amount", "quantity", "currency"),
    [
        ({"amount": 1, "quantity": 2, "currency": "EUR"}, None, 1, 2, "EUR"),
        ({"amount": 1, "quantity": 2, "currency": "EUR"}, {"amount": 0}, 0, 2, "EUR"),
        ({"amount": 1}, {"amount": 5, "quantity": 3, "currency": "USD"}, 5, 3, "USD"),
        ({"amount": 1}, {"amount": 5}, 5, 1, "CNY"),
    ],
)
def test_the_payment_speaks_before_the_creation(created, paid, amount, quantity, currency):
    order = Order("o")
    order.add_created(placed(1, "c", **created))
    if paid is not None:
        order.add_paid(placed(2, "p", **paid))
    assert (order.amount, order.quantity, order.currency) == (amount, quantity, currency)


def test_the_products_are_those_of_creation_and_payment_together():
    order = Order("o")
    order.add_created(placed(1, "c", product_ids=("x", "y")))
    order.add_paid(placed(2, "p", product_ids=("y", "z")))
    assert order.product_ids == {"x", "y", "z"}


@pytest.mark.parametrize("turn", [1, -1])
def test_of_several_payments_the_first_with_a_creation_counts(turn):
    payments = [placed(5, "a"), placed(6, "b", created_ts=2), placed(7, "c", created_ts=1)]
    order = Order("o")
    for payment in payments[::turn]:
        order.add_paid(payment)
    assert (order.paid_ts, order.created_ts) == (5, 2)
