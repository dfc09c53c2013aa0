"""Service tasks: told when they fall due, closed when their cause ends, never of what happened long ago."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from stream_attr.contract.registry import record_schema
from stream_attr.contract.topics import CHAT, ORDERS, SETTINGS, TASKS, TICKS
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.testing import MemoryStore

NOON = zone("Asia/Shanghai").start_of(20_758) + 12 * HOUR_MS
"""2026-11-01 12:00 in Shanghai, a Sunday."""
VALID = Draft202012Validator(record_schema("service-task"))


class Shop:
    """A live partition on which one buyer orders; what it tells of tasks."""

    def __init__(self, **tasks):
        self.registry = ShopRegistry()
        record = {"shop_id": "jd:1", "effective_from": "2026-10-01", **({"tasks": tasks} if tasks else {})}
        assert self.registry.apply(Record(SETTINGS, 0, 0, NOON, None, json.dumps(record).encode())) is None
        self.now = NOON
        self.store = MemoryStore()
        self.offset = 0
        self.start()

    def start(self):
        options = Options(allowed_lateness_ms=0, now=lambda: self.now)
        self.processor = Processor(self.registry, self.store, options)
        self.processor.restore(None)

    def send(self, topic, **value):
        """Judge a record; return the tasks told: kind, status, agent."""
        self.offset += 1
        key = b"jd:1|b-1" if topic != TICKS else None
        record = Record(topic, 0, self.offset, self.now, key, json.dumps(value).encode())
        batch = self.processor.process([record], frozenset())
        self.store.apply(batch.changes)
        told = [json.loads(output.value) for output in batch.outputs if output.topic == TASKS]
        for task in told:
            VALID.validate(task)
            assert task["task_id"] == f"jd:1|o-1|{task['kind']}"
        self.told = told
        return [(task["kind"], task["status"], task["agent_id"]) for task in told]

    def say(self, ts, agent_id="A", sender="agent"):
        ids = {"shop_id": "jd:1", "buyer_id": "b-1", "agent_id": agent_id, "event_id": f"m{self.offset}"}
        return self.send(CHAT, **ids, ts=ts, sender=sender)

    def order(self, type_, ts, amount=900):
        ids = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "event_id": f"e{self.offset}"}
        return self.send(ORDERS, **ids, ts=ts, type=type_, amount=amount)

    def tick(self, ts):
        self.now = max(self.now, ts)
        return self.send(TICKS, ts=ts)


def served(shop):
    """Let agent A serve the buyer before the order."""
    shop.say(NOON - 2 * MINUTE_MS, sender="buyer")
    shop.say(NOON - MINUTE_MS)


def test_who_does_not_pay_is_reminded_by_the_placing_agent_until_the_payment():
    shop = Shop()
    served(shop)
    assert shop.order("created", NOON) == []
    assert shop.tick(NOON + 15 * MINUTE_MS - 1) == []
    assert shop.tick(NOON + 15 * MINUTE_MS) == [("payment_reminder_sms", "open", "A")]
    assert shop.tick(NOON + 30 * MINUTE_MS - 1) == []
    assert shop.tick(NOON + 30 * MINUTE_MS) == [("payment_reminder", "open", "A")]
    assert shop.order("paid", NOON + 31 * MINUTE_MS) == [
        ("payment_reminder_sms", "closed", "A"),
        ("payment_reminder", "closed", "A"),
        ("address_check", "open", "A"),
    ]
    assert [task["closed_ts"] for task in shop.told] == [NOON + 31 * MINUTE_MS] * 2 + [None]
    assert [task["revision"] for task in shop.told] == [2, 2, 1]


@pytest.mark.parametrize("type_", ["paid", "cancelled"])
@pytest.mark.parametrize(("after", "told"), [(-1, 0), (0, 0), (1, 1)])
def test_who_has_paid_or_cancelled_by_then_is_not_reminded(type_, after, told):
    shop = Shop(address_check={"enabled": False}, payment_reminder={"enabled": False})
    shop.order("created", NOON)
    ts = NOON + 15 * MINUTE_MS + after
    shop.order(type_, ts) if not told else shop.tick(NOON + 15 * MINUTE_MS)
    reminded = shop.tick(NOON + 15 * MINUTE_MS + 1) if not told else shop.told
    assert len(reminded) == told


@pytest.mark.parametrize(("amount", "told"), [(799, 0), (800, 0), (801, 1)])
def test_of_small_sums_nobody_is_reminded_by_sms(amount, told):
    shop = Shop(payment_reminder={"enabled": False})
    shop.order("created", NOON, amount)
    assert len(shop.tick(NOON + 15 * MINUTE_MS)) == told


def test_an_unpaid_order_is_given_up_at_its_deadline():
    shop = Shop(payment_reminder_sms={"enabled": False})
    shop.order("created", NOON)
    assert shop.tick(NOON + 30 * MINUTE_MS) == [("payment_reminder", "open", None)]
    assert shop.tick(NOON + DAY_MS - 1) == []
    assert shop.tick(NOON + DAY_MS) == [("payment_reminder", "closed", None)]


def test_an_order_paid_after_its_deadline_was_given_up_then_whenever_that_is_known():
    shop = Shop(payment_reminder_sms={"enabled": False})
    shop.order("created", NOON)
    shop.tick(NOON + HOUR_MS)
    assert shop.order("paid", NOON + DAY_MS + 5) == [("payment_reminder", "closed", None)]
    assert shop.told[0]["closed_ts"] == NOON + DAY_MS


def test_where_nobody_placed_the_order_the_duty_agent_is_responsible():
    duty = [
        {"weekday": 6, "from": "00:00", "to": "24:00", "agent_id": "saturday"},
        {"weekday": 7, "from": "09:00", "to": "12:30", "agent_id": "morning"},
        {"weekday": 7, "from": "12:30", "to": "24:00", "agent_id": "evening"},
    ]
    shop = Shop(duty=duty, payment_reminder_sms={"minutes": 29})
    shop.order("created", NOON)
    assert shop.tick(NOON + 30 * MINUTE_MS) == [
        ("payment_reminder_sms", "open", "morning"),
        ("payment_reminder", "open", "evening"),
    ]


def test_chat_that_comes_after_the_payment_opens_and_moves_the_address_check():
    shop = Shop()
    shop.order("created", NOON)
    assert shop.order("paid", NOON + 5) == []
    shop.say(NOON - 2, sender="buyer")
    assert shop.say(NOON - 1) == [("address_check", "open", "A")]
    assert shop.told[0]["reason"] == "chat"
    shop.say(NOON + 1, "B", sender="buyer")
    assert shop.say(NOON + 2, "B") == [("address_check", "open", "B")]


def test_of_a_full_silent_order_nobody_checks_the_address():
    shop = Shop()
    shop.order("created", NOON)
    assert shop.order("paid", NOON + 1) == []


def test_an_earlier_payment_that_makes_an_order_full_silent_closes_the_address_check():
    shop = Shop()
    shop.order("created", NOON)
    shop.say(NOON + 2, sender="buyer")
    shop.say(NOON + 3)
    assert shop.order("paid", NOON + 5) == [("address_check", "open", "A")]
    assert shop.order("paid", NOON + 1) == [("address_check", "closed", "A")]
    assert shop.told[0]["closed_ts"] == NOON + 5


@pytest.mark.parametrize("end", ["cancelled", "refund", "midnight"])
def test_the_address_is_checked_until_the_order_is_called_off_or_the_day_is_over(end):
    shop = Shop()
    served(shop)
    shop.order("created", NOON)
    assert shop.order("paid", NOON + 1) == [("address_check", "open", "A")]
    if end == "cancelled":
        told = shop.order("cancelled", NOON + 2)
    elif end == "refund":
        assert shop.order("refund_completed", NOON + 2, 899) == []
        told = shop.order("refund_completed", NOON + 3, 1)
    else:
        assert shop.tick(NOON + 12 * HOUR_MS - 1) == []
        told = shop.tick(NOON + 12 * HOUR_MS)
    assert told == [("address_check", "closed", "A")]


def test_of_what_happened_long_ago_nobody_is_told():
    shop = Shop()
    shop.now = NOON + 45 * MINUTE_MS + 1
    shop.order("created", NOON)
    assert shop.tick(NOON + 15 * MINUTE_MS) == []
    assert shop.tick(NOON + 30 * MINUTE_MS) == [("payment_reminder", "open", None)]
    shop.now = NOON + DAY_MS
    assert shop.order("paid", NOON + 40 * MINUTE_MS) == [("payment_reminder", "closed", None)]


def test_nobody_is_told_twice_after_a_restart():
    shop = Shop()
    shop.order("created", NOON)
    assert len(shop.tick(NOON + 30 * MINUTE_MS)) == 2
    shop.start()
    assert shop.tick(NOON + 31 * MINUTE_MS) == []
    assert [task[1] for task in shop.order("cancelled", NOON + 32 * MINUTE_MS)] == ["closed", "closed"]


def test_without_a_clock_nobody_is_told_anything():
    shop = Shop()
    shop.processor = Processor(shop.registry, shop.store, Options(allowed_lateness_ms=0))
    shop.order("created", NOON)
    assert shop.tick(NOON + HOUR_MS) == []


def test_of_an_order_with_a_deposit_nobody_is_reminded():
    shop = Shop()
    served(shop)
    shop.order("created", NOON)
    assert shop.order("deposit_paid", NOON + MINUTE_MS) == []
    assert shop.tick(NOON + 40 * MINUTE_MS) == []
    assert shop.order("paid", NOON + 41 * MINUTE_MS) == [("address_check", "open", "A")]


@pytest.mark.parametrize("after", [-MINUTE_MS, MINUTE_MS])
@pytest.mark.parametrize("type_", ["deposit_paid", "excluded", "paid"])
def test_a_reminder_that_was_sent_ends_with_what_comes_later(type_, after):
    """Also where it happened before the reminder fell due, and was known only then."""
    shop = Shop(payment_reminder={"enabled": False}, address_check={"enabled": False})
    served(shop)
    shop.order("created", NOON)
    due = NOON + 15 * MINUTE_MS
    assert shop.tick(due) == [("payment_reminder_sms", "open", "A")]
    told = shop.order(type_, due + after)
    assert told == [("payment_reminder_sms", "closed", "A")]
    assert shop.told[0]["closed_ts"] == due + after
    assert shop.tick(NOON + DAY_MS) == []


def test_an_excluded_order_has_no_task_and_ends_those_it_had():
    shop = Shop()
    served(shop)
    shop.order("created", NOON)
    assert shop.order("excluded", NOON + MINUTE_MS) == []
    assert shop.tick(NOON + 20 * MINUTE_MS) == []
    assert shop.order("included", NOON + 21 * MINUTE_MS) == [("payment_reminder_sms", "open", "A")]
    assert shop.order("paid", NOON + 22 * MINUTE_MS) == [
        ("payment_reminder_sms", "closed", "A"),
        ("address_check", "open", "A"),
    ]
    assert shop.order("excluded", NOON + 23 * MINUTE_MS) == [("address_check", "closed", "A")]
    assert shop.told[0]["closed_ts"] == NOON + 23 * MINUTE_MS
    assert shop.order("included", NOON + 24 * MINUTE_MS) == []
