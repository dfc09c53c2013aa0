"""Payloads of a helpdesk and of shop systems, twice and in any order, end as one decision each."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from stream_attr.adapters.shared_inbox import SharedInbox
from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.testing import Driver
from tests.adapters.platforms import Store, adapted, changed, documents, sample

PLACED = 1772417400000
SETTINGS = {
    "shop_id": "s1",
    "effective_from": "2026-01-01",
    "preset": "jd_cloud",
    "timezone": "Asia/Shanghai",
}
ROBOT = {"shop_id": "s1", "agent_id": "chatwoot-robot-2", "role": "frozen", "effective_from": "2026-01-01"}


def conversation(buyer: str) -> list[tuple[str, Any]]:
    """A question, a robot's reply at once, and the answer of agent 11 twenty seconds later."""
    names = ("message_created_incoming", "message_created_agent_bot", "message_created_outgoing")
    return [
        ("chatwoot", changed(sample("chatwoot", name), conversation__meta__sender__identifier=buyer))
        for name in names
    ]


SHOPS = {
    "woocommerce": ("31", "7001", ["order_created", "order_updated_processing"]),
    "shopify": ("6600000000001", "5500000000001", ["orders_create", "orders_paid"]),
    "doudian": ("#sampleDoudianOpenId0001", "6900000000000000001", ["webhook_batch"]),
    "taobao": ("AAHsampleOpenUid0001", "2600000000000000001", ["tmc_TradeCreate", "tmc_TradeBuyerPay"]),
}
"""By platform: the buyer, the order, and its payloads."""


OF_ITS_HISTORY = {"decision_id", "supersedes", "revision", "reason", "final_at", "watermark"}


def judgement(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision without what depends on how often it was made before."""
    return {name: value for name, value in decision.items() if name not in OF_ITS_HISTORY}


def judged(deliveries: list[tuple[str, Any]]) -> dict[str, Any]:
    """The last decision of each order."""
    inbox, driver = SharedInbox(), Driver(settings=[SETTINGS], roster=[ROBOT])
    given = [inbox.take(adapted(platform, payload)) for platform, payload in deliveries]
    for one in (*given, inbox.expire()):
        for event in one.events:
            topic = "order-events" if isinstance(event, OrderEvent) else "chat-events"
            driver.send(topic, json.loads(encode_json(event)))
    driver.finish()
    assert [one for one in driver.emitted if one.topic == "dead-letters"] == []
    return driver.last("attribution-decisions")


@pytest.mark.parametrize("platform", SHOPS)
def test_twice_and_out_of_order_is_one_decision(platform):
    buyer, order_id, names = SHOPS[platform]
    deliveries = [*conversation(buyer), *((platform, sample(platform, name)) for name in names)]
    in_order = judged(deliveries)
    assert in_order.keys() == {f"s1|{order_id}"}
    (decision,) = in_order.values()
    assert (decision["status"], decision["outcome"]) == ("final", "credited")
    assert decision["credit"]["agent_id"] == "11"
    assert decision["amount"] == 19900
    assert decision["paid_ts"] == PLACED + 120_000
    for seed in range(6):
        shuffled = deliveries * 2
        random.Random(seed).shuffle(shuffled)
        (again,) = judged(shuffled).values()
        assert judgement(again) == judgement(decision)


def test_a_robot_alone_earns_nothing():
    deliveries = conversation("31")[:2]
    deliveries += [("woocommerce", sample("woocommerce", "order_updated_processing"))]
    (decision,) = judged(deliveries).values()
    assert decision["credit"] is None


def test_the_one_who_answered_earns_it_and_not_the_one_it_was_assigned_to():
    question, robot, answer = conversation("31")
    order = ("woocommerce", sample("woocommerce", "order_updated_processing"))
    (decision,) = judged([question, robot, ("chatwoot", changed(answer[1], sender__id=77)), order]).values()
    assert decision["credit"]["agent_id"] == "77"


def test_a_refund_reaches_the_decision_once():
    names = ["orders_create", "orders_paid", "refunds_create", "refunds_create"]
    deliveries = [("shopify", sample("shopify", name)) for name in names]
    for order in (deliveries, deliveries[::-1], [*deliveries[2:], *deliveries[:2]]):
        (decision,) = judged(order).values()
        assert decision["refund_completed"] == 19900


def test_instalments_of_shopify_are_added_up():
    transactions = sample("shopify", "order_transactions")
    first = transactions["transactions"][0]
    transactions["transactions"] = [
        {**first, "id": 1, "amount": "100.00"},
        {**first, "id": 2, "amount": "99.00", "processed_at": "2026-03-02T11:12:00+08:00"},
    ]
    known = {**documents("shopify"), ("transactions", "5500000000001"): transactions}
    given = adapted("shopify", sample("shopify", "orders_paid"), enrich=Store(known))
    driver = Driver(settings=[SETTINGS])
    for event in given.events:
        driver.send("order-events", json.loads(encode_json(event)))
    driver.finish()
    (decision,) = driver.last("attribution-decisions").values()
    assert decision["amount"] == 19900
    assert decision["notices"] == []
