"""One buyer's state: the facts known of a buyer in a shop, what was said of the orders, and what is due.

Nothing here depends on the order in which events came. Facts are kept for `Retention`, and longer only where
a living order's verdict rests on them: no verdict moves because its grounds were forgotten (RULEBOOK 6).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple

from stream_attr.core.attribution import judge
from stream_attr.core.days import DAY_MS
from stream_attr.core.decision import FINAL, Judgement, Verdict
from stream_attr.core.finality import deadlines, verdict
from stream_attr.core.message import Message, Pair
from stream_attr.core.order import Emitted, Horizon, Order, Waiting
from stream_attr.core.shop import Shop


class Retention(NamedTuple):
    """How long facts are kept behind the watermark, milliseconds."""

    chat_ms: int = 35 * DAY_MS
    """Chat facts; an event older than that is too late."""
    order_ms: int = 45 * DAY_MS
    """Orders, after their last event."""

    def of_orders(self, shop: Shop) -> int:
        """Return how long a shop's orders are kept after their last event."""
        return max(self.order_ms, self.chat_ms, (shop.longest_after_sales_days + 2) * DAY_MS)


class Revision(NamedTuple):
    """A verdict to be emitted."""

    order: Order
    profile: str
    judgement: Judgement
    verdict: Verdict
    revision: int
    reason: str


class Buyer:
    """The state of one buyer in one shop."""

    __slots__ = ("buyer_id", "chat_ids", "due", "order_event_ids", "orders", "pairs", "shop")

    def __init__(
        self,
        shop: Shop,
        buyer_id: str,
        pairs: dict[str, Pair] | None = None,
        orders: dict[str, Order] | None = None,
    ) -> None:
        self.shop = shop
        self.buyer_id = buyer_id
        self.pairs: dict[str, Pair] = {} if pairs is None else pairs
        """By agent id."""
        self.orders: dict[str, Order] = {} if orders is None else orders
        self.chat_ids = {one.event_id for pair in self.pairs.values() for one in pair.messages}
        self.chat_ids.update(event_id for pair in self.pairs.values() for _, event_id in pair.transfers)
        self.order_event_ids = {event_id for order in self.orders.values() for event_id in order.event_ids}
        self.due: int | None = None
        """The next watermark at which something has to be done; see :meth:`reschedule`."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be kept."""
        return not self.pairs and not self.orders

    # Facts

    def add_message(self, agent_id: str, message: Message) -> bool:
        """Learn of a message; return False if its event is known already."""
        if message.event_id in self.chat_ids:
            return False
        self.chat_ids.add(message.event_id)
        messages = self._pair(agent_id).messages
        if not messages or messages[-1] < message:
            messages.append(message)
        else:
            insort(messages, message)
        return True

    def add_transfer(self, agent_id: str, ts: int, event_id: str) -> bool:
        """Learn that an agent handed the buyer over; return False if the event is known already."""
        if event_id in self.chat_ids:
            return False
        self.chat_ids.add(event_id)
        insort(self._pair(agent_id).transfers, (ts, event_id))
        return True

    def _pair(self, agent_id: str) -> Pair:
        pair = self.pairs.get(agent_id)
        if pair is None:
            pair = self.pairs[agent_id] = Pair()
        return pair

    def order_of(self, order_id: str, event_id: str, ts: int) -> Order | None:
        """Return the order that a new order event belongs to; None if the event is known already."""
        if event_id in self.order_event_ids:
            return None
        self.order_event_ids.add(event_id)
        order = self.orders.get(order_id)
        if order is None:
            order = self.orders[order_id] = Order(order_id)
        order.event_ids.append(event_id)
        order.last_ts = max(order.last_ts, ts)
        return order

    # Verdicts

    def judgements(self, order: Order) -> dict[str, Judgement]:
        """Return the judgements on an order whose creation is known, by profile."""
        shop = self.shop
        if not order.sealed and (not order.judged or order.judged_version != shop.version):
            created_ts = order.created_ts
            assert created_ts is not None
            judged = {
                profile: judge(order, self.pairs, self.buyer_id, shop, profile)
                for profile in shop.profiles_on(shop.zone.day_of(created_ts))
            }
            order.judged = judged
            order.judged_version = shop.version
            order.horizon = Horizon(
                min(one.interest_from for one in judged.values()),
                max(one.interest_until for one in judged.values()),
                tuple(sorted({due for one in judged.values() for due in deadlines(order, one)})),
            )
        return order.judged

    def _horizon(self, order: Order) -> Horizon:
        if order.horizon is None:
            self.judgements(order)
        assert order.horizon is not None
        return order.horizon

    def touched_by_chat(self, ts: int) -> list[Order]:
        """Return the orders that chat at ``ts`` may bear on; what was derived of them is forgotten."""
        found = []
        for order in self.orders.values():
            horizon = order.horizon
            if (
                horizon is not None
                and not order.sealed
                and horizon.interest_from <= ts < horizon.interest_until
            ):
                order.judged = {}
                found.append(order)
        return found

    def revise(self, order: Order, watermark: int, reason: str, *, late: bool = False) -> Iterator[Revision]:
        """Yield what has to be said anew of an order whose creation is known, and take it as said.

        ``late``: the cause is an event older than the watermark; where it changes a final verdict, that is
        the reason given.
        """
        for profile, judgement in self.judgements(order).items():
            new = verdict(order, judgement, watermark)
            known = order.emitted.get(profile)
            if known is not None and known.verdict == new:
                continue
            if known is None:
                revision = Emitted(1, reason, new)
            else:
                was_final = known.verdict.status == FINAL
                revision = Emitted(known.revision + 1, "late_event" if late and was_final else reason, new)
            order.emitted[profile] = revision
            yield Revision(order, profile, judgement, new, revision.revision, revision.reason)

    # Deadlines and expiry

    def reschedule(self, watermark: int, retention: Retention) -> int | None:
        """Find the next watermark, past this one, at which something is due; None if nothing is."""
        dues = []
        orders_ms = retention.of_orders(self.shop)
        for order in self.orders.values():
            dues.append(order.last_ts + orders_ms)
            if order.created_ts is not None and not order.sealed:
                horizon = self._horizon(order)
                dues += horizon.deadlines
                if _can_be_sealed(order):
                    dues.append(horizon.interest_until + retention.chat_ms)
        oldest = self._oldest_chat()
        if oldest is not None:
            dues.append(self.shop.zone.end_of_day(oldest) + retention.chat_ms)
        self.due = min((due for due in dues if due > watermark), default=None)
        return self.due

    def expire(self, watermark: int, retention: Retention) -> list[Waiting]:
        """Forget what is older than its retention; return the records whose orders' creation never came."""
        lost: list[Waiting] = []
        needed_from = cutoff = watermark - retention.chat_ms
        orders_ms = retention.of_orders(self.shop)
        for order in list(self.orders.values()):
            if watermark >= order.last_ts + orders_ms:
                lost += order.waiting
                del self.orders[order.order_id]
                self.order_event_ids.difference_update(order.event_ids)
            elif order.created_ts is not None and not order.sealed:
                horizon = self._horizon(order)
                if _can_be_sealed(order) and horizon.interest_until <= cutoff:
                    self.judgements(order)
                    order.sealed = True
                else:
                    needed_from = min(needed_from, horizon.interest_from)
        oldest = self._oldest_chat()
        if oldest is not None and self.shop.zone.end_of_day(oldest) <= needed_from:
            self._forget_chat(self.shop.zone.start_of(self.shop.zone.day_of(needed_from)))
        return lost

    def _oldest_chat(self) -> int | None:
        oldest = [pair.messages[0].ts for pair in self.pairs.values() if pair.messages]
        oldest += [pair.transfers[0][0] for pair in self.pairs.values() if pair.transfers]
        return min(oldest, default=None)

    def _forget_chat(self, before_ts: int) -> None:
        for agent_id, pair in list(self.pairs.items()):
            gone = bisect_left(pair.messages, (before_ts,))
            self.chat_ids.difference_update(one.event_id for one in pair.messages[:gone])
            del pair.messages[:gone]
            gone = bisect_left(pair.transfers, (before_ts,))
            self.chat_ids.difference_update(event_id for _, event_id in pair.transfers[:gone])
            del pair.transfers[:gone]
            if not pair.messages and not pair.transfers:
                del self.pairs[agent_id]


def _can_be_sealed(order: Order) -> bool:
    # A creation known from the payment alone can still be corrected; one not paid can still be paid.
    return order.paid is not None and order.created is not None
