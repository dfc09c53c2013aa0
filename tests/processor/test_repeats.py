"""Whether what repeats an event id says something else, as far as it is kept; it changes nothing."""

from __future__ import annotations

import json

import pytest

from stream_attr.contract.topics import CHAT, ORDERS, RULINGS
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, zone
from stream_attr.testing import MemoryStore

NOON = zone("Asia/Shanghai").start_of(20_758) + 12 * HOUR_MS
IDS = {"event_id": "e-1", "shop_id": "jd:1", "buyer_id": "b-1", "ts": NOON}
ORDER = {**IDS, "order_id": "o-1"}
SAID = {**IDS, "agent_id": "A", "sender": "agent", "text": "hello", "product_id": "p-1"}
TRANSFER = {**IDS, "agent_id": "A", "type": "transfer", "to_agent_id": "B"}
RATING = {**IDS, "agent_id": "A", "type": "rating", "score": 5, "rated_ts": NOON - 1}
CREATED = {**ORDER, "type": "created", "amount": 100, "product_ids": ["p-1"]}
PAID = {**ORDER, "type": "paid", "amount": 100, "created_ts": NOON - 1, "payment_id": "1"}
DEPOSIT = {**ORDER, "type": "deposit_paid", "amount": 10, "balance_until": NOON + DAY_MS}
REFUND = {**ORDER, "type": "refund_completed", "amount": 10, "refund_id": "r-1"}
CANCELLED = {**ORDER, "type": "cancelled"}
REVIEWED = {**ORDER, "type": "reviewed", "review": "good"}
CLOSED = {**ORDER, "type": "refund_closed", "refund_id": "r-1"}
RULED = {**ORDER, "type": "credit", "agent_id": "A", "ruled_by": "li"}


class Partition:
    """A processor that is restored from what it stored after each record, or is not."""

    def __init__(self, *, restores: bool) -> None:
        self.store = MemoryStore()
        self.restores = restores
        self.progress: bytes | None = None
        self.offset = 0
        self.processor = self._made()

    def _made(self) -> Processor:
        made = Processor(ShopRegistry(), self.store, Options(allowed_lateness_ms=0))
        made.restore(self.progress)
        return made

    def send(self, topic: str, event: dict[str, object]) -> tuple[int, int]:
        """How many events were repeats, and how many of these said something else."""
        if self.restores and self.offset:
            self.processor = self._made()
        self.offset += 1
        record = Record(topic, 0, self.offset, NOON, b"jd:1|b-1", json.dumps(event).encode())
        batch = self.processor.process([record], frozenset())
        self.store.apply(batch.changes)
        self.progress = batch.progress
        stats = batch.stats
        return sum(stats.repeats.values()), sum(stats.other_content.values())


SAME = (0, 0), (1, 0)
OTHER = (0, 0), (1, 1)
CASES = [
    (CHAT, SAID, {}, SAME),
    (CHAT, SAID, {"text": "hallo"}, SAME),  # texts are not kept
    (CHAT, SAID, {"text": "hello!"}, OTHER),
    (CHAT, SAID, {"text": " ", "text_length": 5}, OTHER),
    (CHAT, SAID, {"ts": NOON + 1}, OTHER),
    (CHAT, SAID, {"ts": NOON + DAY_MS}, OTHER),
    (CHAT, SAID, {"agent_id": "B"}, OTHER),
    (CHAT, SAID, {"sender": "buyer"}, OTHER),
    (CHAT, SAID, {"kind": "broadcast"}, OTHER),
    (CHAT, SAID, {"product_id": "p-2"}, OTHER),
    (CHAT, SAID, TRANSFER, OTHER),
    (CHAT, TRANSFER, {}, SAME),
    (CHAT, TRANSFER, {"to_agent_id": "C"}, OTHER),
    (CHAT, TRANSFER, {"ts": NOON - 1}, OTHER),
    (CHAT, RATING, {}, SAME),
    (CHAT, RATING, {"score": 4}, OTHER),
    (CHAT, RATING, {"rated_ts": NOON - 2}, OTHER),
    (ORDERS, CREATED, {}, SAME),
    (ORDERS, CREATED, {"quantity": 2}, OTHER),
    (ORDERS, CREATED, {"amount": 101}, OTHER),
    (ORDERS, CREATED, {"product_ids": []}, OTHER),
    (ORDERS, CREATED, {"order_id": "o-2"}, OTHER),
    (ORDERS, CREATED, {"type": "cancelled"}, OTHER),
    (ORDERS, PAID, {}, SAME),
    (ORDERS, PAID, {"payment_id": "2"}, OTHER),
    (ORDERS, PAID, {"created_ts": NOON - 2}, OTHER),
    (ORDERS, DEPOSIT, {}, SAME),
    (ORDERS, DEPOSIT, {"balance_until": NOON + 1}, OTHER),
    (ORDERS, REFUND, {}, SAME),
    (ORDERS, REFUND, {"type": "refund_requested"}, OTHER),
    (ORDERS, CANCELLED, {}, SAME),
    (ORDERS, CANCELLED, {"ts": NOON + 1}, OTHER),
    (ORDERS, REVIEWED, {}, SAME),
    (ORDERS, REVIEWED, {"review": "bad"}, OTHER),
    (ORDERS, CLOSED, {"refund_id": "r-2"}, SAME),  # its time and what it closes are not kept by its id
    (RULINGS, RULED, {}, SAME),
    (RULINGS, RULED, {"agent_id": "B"}, OTHER),
    (RULINGS, RULED, {"ruled_by": "wang"}, OTHER),
]


@pytest.mark.parametrize("restores", [False, True], ids=["in memory", "restored"])
@pytest.mark.parametrize(("topic", "first", "changes", "expected"), CASES)
def test_what_is_kept_is_compared(topic, first, changes, expected, restores):
    partition = Partition(restores=restores)
    if topic == RULINGS:
        partition.send(ORDERS, {**CREATED, "event_id": "e-0"})
    assert (partition.send(topic, first), partition.send(topic, {**first, **changes})) == expected


def test_a_payment_that_does_not_count_is_not_kept():
    partition = Partition(restores=False)
    partition.send(ORDERS, CREATED)
    partition.send(ORDERS, {**PAID, "event_id": "e-2"})
    late = {**PAID, "event_id": "e-3", "ts": NOON + 1}
    assert [partition.send(ORDERS, late), partition.send(ORDERS, {**late, "amount": 7})] == [(0, 0), (1, 0)]


def test_messages_are_compared_after_the_shops_patterns_have_changed():
    store, registry = MemoryStore(), ShopRegistry()
    processor = Processor(registry, store, Options(allowed_lateness_ms=0))
    said = {**SAID, "text": "^hello"}
    record = Record(CHAT, 0, 1, NOON, b"jd:1|b-1", json.dumps(said).encode())
    processor.process([record], frozenset())
    settings = {
        "shop_id": "jd:1",
        "effective_from": "2026-01-01",
        "auto_reply": {"identify": True, "prefix": "^"},
    }
    registry.apply(Record("shop-settings", 0, 0, NOON, b"jd:1", json.dumps(settings).encode()))
    stats = processor.process([record], frozenset()).stats
    assert (stats.repeats, stats.other_content) == ({CHAT: 1}, {})
