"""Buyers of 100,000 messages in a day and of 2,000 orders: what they cost, how long they hold others up."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass

from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.processor import Options, ShopRegistry
from stream_attr.processor.local import LocalDriver, LocalPartition
from stream_attr.processor.ports import AnyRecord, Batch, Record
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS
from stream_attr.testing import MemoryStore
from table import Row

__all__ = ["run"]

MESSAGES = 100_000
MANY_ORDERS = 2_000
MOST_FOR_ORDERS = 2.0
BATCH = 500
EVENTS = frozenset({CHAT, ORDERS})
LONGEST_S = 1.0
DAY_TS = 1_793_462_400_000
"""Midnight in the shop's zone."""
SHOP, BUYER = "jd:1", "poison"
KEY = f"{SHOP}|{BUYER}".encode()
IDS = random.Random(1)


@dataclass(frozen=True, slots=True)
class Stall:
    """What was seen of one variant."""

    longest_s: float
    total_s: float
    state: int
    """Bytes of the buyer's state, at most."""
    output: int
    """Bytes of the largest output."""


def run() -> list[Row]:
    """Measure each variant."""
    variants = {"one agent": _with_orders(1), "200 agents": _with_orders(200)}
    return [*[_row(name, _measured(records)) for name, records in variants.items()], _orders_row()]


def _orders_row() -> Row:
    one, many = (_measured(_orders_of(buyers)).total_s for buyers in (1, MANY_ORDERS))
    return Row(
        f"{MANY_ORDERS:,} orders of one buyer, against as many buyers with one each",
        f"{one / many:.2f} of the CPU time",
        f"at most {MOST_FOR_ORDERS:.0f}",
        note=f"{one:.2f} and {many:.2f} s",
        met=one / many <= MOST_FOR_ORDERS,
    )


def _row(name: str, stall: Stall) -> Row:
    return Row(
        f"batch of a buyer of {MESSAGES:,} messages to {name}",
        f"{stall.longest_s:.2f} s of CPU at most",
        f"at most {LONGEST_S:.0f} s",
        note=f"{MESSAGES / stall.total_s:,.0f} events/s; state {stall.state / 1e6:.1f} MB, "
        f"largest output {stall.output / 1e3:,.0f} kB",
        met=stall.longest_s <= LONGEST_S,
    )


class _Measured(LocalPartition):
    """A partition whose batches are measured, those of internal records too."""

    stall = Stall(0.0, 0.0, 0, 0)

    def process(self, records: Iterable[AnyRecord], at_end: frozenset[str] = EVENTS) -> Batch:
        """See `LocalPartition.process`."""
        before, started = self.stall, time.process_time()
        batch = super().process(records, at_end)
        spent = time.process_time() - started
        self.stall = Stall(
            max(before.longest_s, spent),
            before.total_s + spent,
            max(before.state, len(batch.changes.get(KEY) or b"")),
            max([before.output, *[len(one.value) for one in batch.outputs]]),
        )
        return batch


def _measured(records: list[Record]) -> Stall:
    """Judge batch by batch as a worker does, all outputs and changed state included."""
    partition = _Measured(ShopRegistry(), MemoryStore(), Options())
    driver = LocalDriver([partition])
    for begin in range(0, len(records), BATCH):
        for _ in driver.run(partition.process(records[begin : begin + BATCH])):
            pass
    return partition.stall


def _event(topic: str, number: int, ts: int, *, buyer: str = BUYER, **fields: object) -> tuple[int, Record]:
    ids = {"event_id": f"{IDS.getrandbits(128):032x}", "shop_id": SHOP, "buyer_id": buyer}
    value = {**ids, "ts": ts, **fields}
    return ts, Record(topic, 0, number, ts, f"{SHOP}|{buyer}".encode(), json.dumps(value).encode())


def _message(number: int, agents: int, ts: int) -> tuple[int, Record]:
    sender = "agent" if number % 3 else "buyer"
    return _event(CHAT, number, ts, agent_id=f"agent-{number % agents}", sender=sender, text="在吗")


def _with_orders(agents: int) -> list[Record]:
    """A day's messages and 20 orders, half of them paid an hour later; one message in ten up to 3 h late."""
    chance = random.Random(1)
    step = (DAY_MS - HOUR_MS) // MESSAGES
    arriving = []
    for number in range(MESSAGES):
        ts, record = _message(number, agents, DAY_TS + number * step)
        late = chance.randrange(3 * HOUR_MS) if chance.random() < 0.1 else 0
        arriving.append((ts + late, record))
    for order in range(20):
        ts = DAY_TS + (order + 1) * HOUR_MS
        arriving.append(_event(ORDERS, 2 * order, ts, order_id=f"o{order}", type="created", amount=100))
        if order % 2:
            arriving.append(
                _event(ORDERS, 2 * order + 1, ts + HOUR_MS, order_id=f"o{order}", type="paid", amount=100)
            )
    arriving.sort(key=lambda one: one[0])
    return [record for _, record in [*arriving, _message(MESSAGES, agents, DAY_TS + 2 * DAY_MS)]]


def _orders_of(buyers: int) -> list[Record]:
    """Orders in 20 days, each paid ten minutes later, one in ten refunded, of so many buyers in turn."""
    arriving = []
    for order in range(MANY_ORDERS):
        buyer, ts = f"b{order % buyers}", DAY_TS + order * 20 * DAY_MS // MANY_ORDERS
        events = [("created", 0), ("paid", 10), *([("refund_completed", 30)] if order % 10 == 0 else [])]
        for number, (kind, minutes) in enumerate(events):
            at = ts + minutes * MINUTE_MS
            fields = {"order_id": f"o{order}", "type": kind, "amount": 100}
            arriving.append(_event(ORDERS, 3 * order + number, at, buyer=buyer, **fields))
    arriving.sort(key=lambda one: one[0])
    return [record for _, record in arriving]
