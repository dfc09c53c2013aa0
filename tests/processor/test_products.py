"""Decisions name the products of an order, and none is revised for their sake."""

from __future__ import annotations

from tests.processor.test_money import DAY_MS, MINUTE_MS, NOON, Shop


def products(shop):
    decision = shop.decision()
    return decision["revision"], decision["product_ids"]


def test_products_are_those_of_the_creation_and_of_all_payments_that_count():
    shop = Shop()
    shop.order("created", NOON, 900, product_ids=["p-2", "p-1", "p-2"])
    assert products(shop) == (1, ["p-1", "p-2"])
    shop.order("paid", NOON + MINUTE_MS, 400, payment_id="1", product_ids=["p-0"])
    assert products(shop) == (2, ["p-0", "p-1", "p-2"])
    shop.order("paid", NOON + 2 * MINUTE_MS, 400, payment_id="1", product_ids=["p-9"])
    assert products(shop)[1] == ["p-0", "p-1", "p-2"], "a payment told twice does not count"


def test_products_alone_make_no_revision_and_the_next_one_names_them():
    shop = Shop()
    shop.order("created", NOON, 900)
    shop.order("paid", NOON + MINUTE_MS, 900, payment_id="1")
    assert products(shop) == (2, [])
    shop.order("paid", NOON + 2 * MINUTE_MS, 0, payment_id="2", product_ids=["p-1"])
    assert products(shop) == (2, [])
    shop.pass_days(1, 1)
    assert products(shop) == (3, ["p-1"])


def test_a_hundred_products_are_named():
    shop = Shop()
    shop.order("created", NOON + DAY_MS, 1, product_ids=[f"p-{number:03}" for number in range(150, -1, -1)])
    assert products(shop) == (1, [f"p-{number:03}" for number in range(100)])
