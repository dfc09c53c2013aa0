"""What is odd about single orders, and orders of which no creation is known (RULEBOOK 2)."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import Any, NamedTuple

from msgspec import UNSET

from stream_attr.audit.groups import Groups
from stream_attr.audit.warning import Place, Tally
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.ruling import RulingEvent
from stream_attr.rules.order.order import RULING_MARK


class _Event(NamedTuple):
    """What is kept of an order event or a ruling."""

    buyer_id: str
    event_id: str
    type: str
    ts: int
    amount: int
    creates: bool
    """Whether it tells when the order was placed."""
    part: str | None
    """``payment_id`` of a payment, ``refund_id`` of a refund."""
    place: Place


class Incomplete(NamedTuple):
    """A record that waits for the creation of its order."""

    place: Place
    order_id: str


class Orders:
    """The events of all orders."""

    def __init__(self) -> None:
        self.groups = Groups()
        self.of_two_buyers = Tally()
        self.over_refunded = Tally()
        self.several_payments = Tally()
        self.paid_and_cancelled = Tally()

    def add(self, event: OrderEvent, place: Place) -> None:
        """Add an order event."""
        kind = event.type
        creates = kind == "created" or (kind == "paid" and event.created_ts is not UNSET)
        amount = 0 if event.amount is UNSET else event.amount
        part = event.payment_id if kind == "paid" else event.refund_id
        self.groups.add(
            hash(event.order_id),
            (
                event.shop_id,
                event.order_id,
                event.buyer_id,
                event.event_id,
                kind,
                event.ts,
                amount,
                creates,
                None if part is UNSET else part,
                place.file,
                place.line,
            ),
        )

    def add_ruling(self, event: RulingEvent, place: Place) -> None:
        """Add a ruling, which waits for the creation of its order too."""
        self.groups.add(
            hash(event.order_id),
            (
                event.shop_id,
                event.order_id,
                event.buyer_id,
                RULING_MARK + event.event_id,
                "ruling",
                event.ts,
                0,
                False,
                None,
                place.file,
                place.line,
            ),
        )

    def judge(self) -> list[Incomplete]:
        """Fill the tallies; return the records without a creation in the order in which they were read."""
        incomplete: list[Incomplete] = []
        for bucket in self.groups:
            orders: defaultdict[tuple[str, str], dict[tuple[str, str], _Event]] = defaultdict(dict)
            for record in bucket:
                event = _event_of(record)
                orders[record[0], record[1]].setdefault((event.buyer_id, event.event_id), event)
            for (_, order_id), events in orders.items():
                self._judge(order_id, list(events.values()), incomplete)
        incomplete.sort()
        return incomplete

    def _judge(self, order_id: str, events: list[_Event], incomplete: list[Incomplete]) -> None:
        buyer_id = events[0].buyer_id
        other = next((event for event in events if event.buyer_id != buyer_id), None)
        if other is None:
            self._judge_of_buyer(order_id, events, incomplete)
            return
        self.of_two_buyers.add(other.place)
        events.sort(key=lambda event: event.buyer_id)
        for _, some in groupby(events, lambda event: event.buyer_id):
            self._judge_of_buyer(order_id, list(some), incomplete)

    def _judge_of_buyer(self, order_id: str, events: list[_Event], incomplete: list[Incomplete]) -> None:
        """Judge the events of an order that name one buyer."""
        if not any(event.creates for event in events):
            incomplete += [Incomplete(event.place, order_id) for event in events]
            return
        by_type: defaultdict[str, list[_Event]] = defaultdict(list)
        for event in events:
            by_type[event.type].append(event)
        payments: dict[str | None, _Event] = {}
        for payment in sorted(by_type["paid"], key=_when):
            counts = payments.setdefault(payment.part, payment)
            if (payment.ts, payment.amount) != (counts.ts, counts.amount):
                self.several_payments.add(payment.place)
        created = sorted(by_type["created"], key=_when)
        amount = sum(one.amount for one in payments.values()) if payments else created[0].amount
        refunded = 0
        over = None
        known = set()
        for refund in sorted(by_type["refund_completed"], key=_when):
            if refund.part is not None and refund.part in known:
                continue
            known.add(refund.part)
            refunded += refund.amount
            if over is None and refunded > amount:
                over = refund
        if over is not None:
            self.over_refunded.add(over.place)
        if payments and by_type["cancelled"] and refunded < amount:
            self.paid_and_cancelled.add(min(event.place for event in by_type["cancelled"]))


def _event_of(record: list[Any]) -> _Event:
    _, _, buyer_id, event_id, kind, ts, amount, creates, part, file, line = record
    return _Event(buyer_id, event_id, kind, ts, amount, creates, part, Place(file, line))


def _when(event: _Event) -> tuple[int, str]:
    return event.ts, event.event_id
