"""One buyer's facts in one shop: chat, orders, and what was emitted of them.

Nothing here depends on the order in which events arrive: facts are kept, and verdicts are derived from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stream_attr.rules.buyer.emitted import PendingChanges
from stream_attr.rules.buyer.order_index import OrderIndex
from stream_attr.rules.buyer.relevance import NOTHING, VERDICT, bearing
from stream_attr.rules.buyer.size import (
    bytes_in_receipt,
    bytes_of_message,
    bytes_of_rating,
    bytes_of_transfer,
)
from stream_attr.rules.chat.message import Message
from stream_attr.rules.chat.reception import Rating, Reception
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import Zone
from stream_attr.rules.shop.shop import Shop

FEW_ORDERS: Final = 16
"""Up to so many orders, walking over them is quicker than an index."""


OpenReception = tuple[str, int, Reception]
"""A reception of which something may still be emitted, with its agent id and day."""


class Buyer:
    """The facts of one buyer in one shop, and what was emitted of them last."""

    __slots__ = (
        "_index",
        "_zone",
        "balances_until",
        "buyer_id",
        "chat_bytes",
        "chat_expires_at",
        "chat_ids",
        "day_digests",
        "due",
        "expires_at",
        "input_ended",
        "oldest_day",
        "open_receptions",
        "open_version",
        "order_bytes",
        "order_event_ids",
        "orders",
        "packed",
        "pending_changes",
        "receipt_bytes",
        "receptions",
        "reports_due",
        "shop",
        "touched_agents",
    )

    def __init__(self, shop: Shop, buyer_id: str) -> None:
        self.shop = shop
        self.buyer_id = buyer_id
        self.receptions: dict[str, dict[int, Reception]] = {}
        """By agent id and day."""
        self.orders: dict[str, Order] = {}
        self.chat_ids: set[str] = set()
        self.order_event_ids: set[str] = set()
        self.packed: dict[str, bytes] = {}
        """By agent id, encoded messages, of the agents who have no new ones since."""
        self._zone: Zone = shop.zone
        self._index: OrderIndex | None = None
        """Where there are many orders."""
        # When something is due
        self.due: int | None = None
        """The next watermark at which something has to be done; None until ``reschedule`` finds it."""
        self.expires_at = 0
        """No fact has to go before this watermark; derived by ``reschedule``, 0 until then."""
        self.chat_expires_at = 0
        """No chat has to go before this watermark; likewise."""
        self.balances_until = 0
        """From this watermark on no balance can be paid any more; 0: no order has a deposit."""
        self.oldest_day: int | None = None
        """The earliest day of which there is chat."""
        self.input_ended = False
        """Whether no more events can come."""
        # Reports: facts, inquiries, figures
        self.pending_changes: PendingChanges | None = None
        """What has changed since reports were last emitted."""
        self.reports_due: int | None = None
        """The watermark at which reports are emitted next."""
        self.touched_agents: set[str] = set()
        """Agents with new chat since reports were last emitted."""
        self.open_receptions: list[OpenReception] | None = None
        """The receptions of which something may still be emitted; None: derive them again."""
        self.open_version = -1
        """The shop's version under which they were derived."""
        self.day_digests: dict[int, int] = {}
        """By day, the digest of the contributions that were emitted last."""
        # Size
        self.chat_bytes: int | None = None
        """Estimated bytes of chat; None: to be counted."""
        self.order_bytes: int | None = None
        """Estimated bytes of orders; None: to be counted."""
        self.receipt_bytes = 0
        """Estimated bytes of a receipt that names each reception."""

    @property
    def is_empty(self) -> bool:
        """Whether no fact is left."""
        return not self.receptions and not self.orders

    # Chat

    def add_message(self, agent_id: str, message: Message, *, touched: list[Order]) -> bool:
        """Add a message; return False if its event is known already.

        The orders whose verdict it may change are added to ``touched``.
        """
        event_id = message.event_id
        if event_id in self.chat_ids:
            return False
        self.chat_ids.add(event_id)
        if self.chat_bytes is not None:
            self.chat_bytes += bytes_of_message(message)
        if self._zone is not self.shop.zone:
            self.follow_zone()
        day = self.shop.zone.day_of(message.ts)
        reception = self._reception(agent_id, day)
        self.touched_agents.add(agent_id)
        self.packed.pop(agent_id, None)
        for order in self._orders_around(message.ts):
            changes = bearing(order, message, reception, agent_id, day, self.buyer_id, self.shop)
            if changes == NOTHING:
                continue
            order.stale = True
            if changes == VERDICT:
                touched.append(order)
        reception.add(message)
        if reception.has_next_day:
            self._carry_into_next_day(agent_id, day, touched)
        return True

    def add_transfer(
        self, agent_id: str, to_agent_id: str, ts: int, event_id: str, *, touched: list[Order]
    ) -> bool:
        """Add an agent's transfer of the buyer to another one; see :meth:`add_message`."""
        if event_id in self.chat_ids:
            return False
        self.chat_ids.add(event_id)
        if self.chat_bytes is not None:
            self.chat_bytes += bytes_of_transfer(event_id)
        if self._zone is not self.shop.zone:
            self.follow_zone()
        for order in self._orders_around(ts):
            touched.append(order)
            order.stale = True
        day = self.shop.zone.day_of(ts)
        self._reception(agent_id, day).add_transfer(ts, event_id)
        self.touched_agents.add(agent_id)
        receiving = self._reception(to_agent_id, day)
        receiving.add_handed_over(ts)
        self.touched_agents.add(to_agent_id)
        if receiving.has_next_day:
            self._carry_into_next_day(to_agent_id, day, touched)
        return True

    def add_rating(self, agent_id: str, rating: Rating) -> bool:
        """Add a rating of an agent's service; return False if its event is known already."""
        if rating.event_id in self.chat_ids:
            return False
        self.chat_ids.add(rating.event_id)
        if self.chat_bytes is not None:
            self.chat_bytes += bytes_of_rating(rating)
        if self._zone is not self.shop.zone:
            self.follow_zone()
        self._reception(agent_id, self.shop.zone.day_of(rating.rated_ts)).add_rating(rating)
        self.touched_agents.add(agent_id)
        self.open_receptions = None  # a day that is over is rated, too
        return True

    def _carry_into_next_day(self, agent_id: str, day: int, touched: list[Order]) -> None:
        """Have the next day's reception derived again where this day's may leave a question to it."""
        following = self.receptions[agent_id][day + 1]
        if following.follows_on(self.shop):
            following.forget_derived()
            for order in self._orders_around(following.messages[0].ts):
                order.stale = True
                if order not in touched:
                    touched.append(order)

    def restore(
        self,
        agent_id: str,
        messages: Iterable[Message],
        transfers: Iterable[tuple[int, str]] = (),
        handed_over: Iterable[int] = (),
        ratings: Iterable[Rating] = (),
    ) -> None:
        """Add stored chat facts, which are sorted."""
        day_of = self.shop.zone.day_of
        self.chat_bytes = None
        self.open_receptions = None
        for message in messages:
            self.chat_ids.add(message.event_id)
            self._reception(agent_id, day_of(message.ts)).messages.append(message)
        for transfer in transfers:
            self.chat_ids.add(transfer[1])
            self._reception(agent_id, day_of(transfer[0])).transfers.append(transfer)
        for ts in handed_over:
            self._reception(agent_id, day_of(ts)).add_handed_over(ts)
        for rating in ratings:
            self.chat_ids.add(rating.event_id)
            self._reception(agent_id, day_of(rating.rated_ts)).add_rating(rating)

    def _reception(self, agent_id: str, day: int) -> Reception:
        days = self.receptions.get(agent_id)
        if days is None:
            days = self.receptions[agent_id] = {}
        reception = days.get(day)
        if reception is None:
            reception = days[day] = Reception()
            before, following = days.get(day - 1), days.get(day + 1)
            if before is not None:
                reception.before = before
                before.has_next_day = True
            if following is not None:
                following.before = reception
                reception.has_next_day = True
            if self.open_receptions is not None:
                self.open_receptions.append((agent_id, day, reception))
            self.receipt_bytes += bytes_in_receipt(agent_id)
            if self.oldest_day is None or day < self.oldest_day:
                self.oldest_day = day
                self.due = None
        return reception

    def follow_zone(self) -> None:
        """Divide the facts into days again if the shop's first settings record came after them."""
        if self._zone is not self.shop.zone:
            self._zone = self.shop.zone
            before, self.receptions = self.receptions, {}
            self.oldest_day = None
            self.receipt_bytes = 0
            for agent_id, days in before.items():
                for day in sorted(days):
                    one = days[day]
                    self.restore(agent_id, one.messages, one.transfers, one.handed_over, one.ratings)
                for day, reception in self.receptions.get(agent_id, {}).items():
                    if day in days:  # revisions of a day go on counting
                        reception.last_emitted_fact = days[day].last_emitted_fact
                        reception.last_emitted_inquiry = days[day].last_emitted_inquiry

    def drop_chat_before(self, day: int) -> None:
        """Drop the chat of all days before ``day``."""
        self.chat_bytes = None
        self.open_receptions = None
        self.packed.clear()
        for agent_id, days in list(self.receptions.items()):
            for dropped_day in [one for one in days if one < day]:
                dropped = days.pop(dropped_day)
                self.receipt_bytes -= bytes_in_receipt(agent_id)
                self.chat_ids.difference_update([one.event_id for one in dropped.messages])
                self.chat_ids.difference_update([event_id for _, event_id in dropped.transfers])
                self.chat_ids.difference_update([rating.event_id for rating in dropped.ratings])
            if day in days:
                days[day].before = None
            if not days:
                del self.receptions[agent_id]
        self.oldest_day = min([one for days in self.receptions.values() for one in days], default=None)

    # Orders

    def add_order_event(self, order_id: str, event_id: str, ts: int) -> Order | None:
        """Return the order that a new order event belongs to; None if the event is known already."""
        if event_id in self.order_event_ids:
            return None
        self.order_event_ids.add(event_id)
        order = self.orders.get(order_id)
        if order is None:
            order = self.orders[order_id] = Order(order_id)
        order.event_ids.append(event_id)
        order.last_ts = max(order.last_ts, ts)
        self.reindex(order)
        return order

    def drop_order(self, order: Order) -> None:
        """Drop an order and its events."""
        del self.orders[order.order_id]
        if self._index is not None:
            self._index.remove(order)
        if self.order_bytes is not None:
            self.order_bytes -= order.size
        self.order_event_ids.difference_update(order.event_ids)

    def order_index(self) -> OrderIndex | None:
        """Return the index of the orders; None where there are few."""
        if len(self.orders) <= FEW_ORDERS:
            self._index = None
            return None
        index, shop = self._index, self.shop
        if index is None or index.zone is not shop.zone or index.version != shop.version:
            index = self._index = OrderIndex(self.orders, shop.zone, shop.version)
        return index

    def reindex(self, order: Order) -> None:
        """Let the index, where there is one, follow a change of an order."""
        if self._index is not None:
            self._index.change(order)

    def end_input(self) -> None:
        """Record that no more events can come: from now on nothing is due for its retention's sake."""
        if not self.input_ended:
            self.input_ended = True
            self._index = None

    def orders_on(self, day: int) -> list[Order]:
        """Return the orders that were placed, paid or refunded on a day, and perhaps others."""
        index = self.order_index()
        return list(self.orders.values()) if index is None else index.on(day)

    def order_days(self) -> Iterable[int]:
        """Return the days on which an order was placed, paid or refunded."""
        index = self.order_index()
        if index is not None:
            return index.days()
        day_of = self.shop.zone.day_of
        return {day_of(ts) for order in self.orders.values() for ts in order.instants()}

    def _orders_around(self, ts: int) -> list[Order]:
        """Return the orders on which chat at ``ts`` may bear."""
        index = self.order_index()
        around = []
        for order in self.orders.values() if index is None else index.around(ts):
            if order.horizon is not None and not order.sealed:
                interest_from, interest_until, _ = order.horizon
                if interest_from <= ts < interest_until:
                    around.append(order)
        return around
