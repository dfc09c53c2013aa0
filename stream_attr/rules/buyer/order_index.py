"""An index of one buyer's many orders, so that no event walks over all of them.

Derived from the orders and never stored. A buyer with few orders has none: walking over them is quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from sortedcontainers import SortedList

from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import END_OF_TIME, Zone

DueOf = Callable[[Order, int], int]
"""The first instant after a watermark at which something of an order is due; `END_OF_TIME`: none."""


class OrderIndex:
    """A buyer's orders by due time, by last event, by day, and by the end of the chat that bears on them."""

    __slots__ = (
        "_by_day",
        "_changed",
        "_days",
        "_due",
        "_dues",
        "_last",
        "_orders",
        "_undated",
        "_until",
        "_untils",
        "touched",
        "version",
        "zone",
    )

    def __init__(self, orders: dict[str, Order], zone: Zone, version: int) -> None:
        """``version``: the shop's, under which the orders are indexed; another one needs another index."""
        self.zone = zone
        self.version = version
        self.touched: dict[str, Order] = dict(orders)
        """Orders that have changed since they were last taken out of here, by id."""
        self._orders = orders
        self._changed: dict[str, Order] = dict(orders)
        self._undated: dict[str, Order] = dict(orders)
        self._due: dict[str, int] = {}
        self._dues: list[tuple[int, str]] = []
        """Heap; an entry counts while ``_due`` has the same due."""
        self._last: list[tuple[int, str]] = [(order.last_ts, order_id) for order_id, order in orders.items()]
        """Heap of last events; an outdated entry is replaced when it comes to the top."""
        heapify(self._last)
        self._days: dict[str, set[int]] = {}
        self._by_day: dict[int, set[str]] = {}
        self._until: dict[str, int] = {}
        self._untils: SortedList = SortedList()

    def change(self, order: Order) -> None:
        """Record that an order is new, or that its facts, judgement or verdict have changed."""
        order_id = order.order_id
        if order_id not in self._days and order_id not in self._changed:
            heappush(self._last, (order.last_ts, order_id))
        self.touched[order_id] = self._changed[order_id] = self._undated[order_id] = order

    def remove(self, order: Order) -> None:
        """Remove an order."""
        order_id = order.order_id
        for some in (self.touched, self._changed, self._undated):
            some.pop(order_id, None)
        self._due.pop(order_id, None)
        for day in self._days.pop(order_id, ()):
            self._by_day[day].discard(order_id)
        until = self._until.pop(order_id, None)
        if until is not None:
            self._untils.remove((until, order_id))

    def first_due(self, watermark: int, due_of: DueOf) -> int:
        """Return when the first order is due after a watermark, `END_OF_TIME` if none is."""
        for order in self._undated.values():
            self._date(order, due_of(order, watermark))
        self._undated.clear()
        dues = self._dues
        while dues:
            due, order_id = dues[0]
            if self._due.get(order_id) != due:
                heappop(dues)
            elif due <= watermark:
                heappop(dues)
                order = self._orders[order_id]
                self._date(order, due_of(order, watermark))
            else:
                return due
        return END_OF_TIME

    def _date(self, order: Order, due: int) -> None:
        order_id = order.order_id
        if self._due.get(order_id) != due:
            self._due[order_id] = due
            heappush(self._dues, (due, order_id))

    def take_due(self, watermark: int, due_of: DueOf) -> list[Order]:
        """Return by id the orders that are due at a watermark, and those that have changed since."""
        self.first_due(watermark - 1, due_of)
        found, self.touched = self.touched, {}
        dues = self._dues
        while dues and dues[0][0] <= watermark:
            due, order_id = heappop(dues)
            if self._due.get(order_id) == due:
                del self._due[order_id]
                found[order_id] = self._undated[order_id] = self._orders[order_id]
        return [found[order_id] for order_id in sorted(found)]

    def first_last_ts(self) -> int:
        """Return the last event's time of the order that has had no event for the longest time."""
        last = self._last
        while last:
            ts, order_id = last[0]
            order = self._orders.get(order_id)
            if order is not None and order.last_ts == ts:
                return ts
            heappop(last)
            if order is not None:
                heappush(last, (order.last_ts, order_id))
        return END_OF_TIME

    def take_last_before(self, ts: int) -> list[Order]:
        """Return the orders whose last event is of ``ts`` or before, each once."""
        found = []
        while self.first_last_ts() <= ts:
            found.append(self._orders[heappop(self._last)[1]])
        return found

    def on(self, day: int) -> list[Order]:
        """Return by id the orders that were placed, paid or refunded on a day."""
        self._catch_up()
        return [self._orders[order_id] for order_id in sorted(self._by_day.get(day, ()))]

    def days(self) -> Iterable[int]:
        """Return the days on which an order was placed, paid or refunded."""
        self._catch_up()
        return [day for day, orders in self._by_day.items() if orders]

    def around(self, ts: int) -> list[Order]:
        """Return the orders on which chat at ``ts`` may bear, and perhaps others."""
        self._catch_up()
        return [self._orders[order_id] for _, order_id in self._untils.irange((ts + 1, ""))]

    def _catch_up(self) -> None:
        for order_id, order in self._changed.items():
            self._set_days(order_id, {self.zone.day_of(ts) for ts in order.instants()})
            until = None if order.horizon is None or order.sealed else order.horizon.interest_until
            known = self._until.get(order_id)
            if until != known:
                if known is not None:
                    self._untils.remove((known, order_id))
                    del self._until[order_id]
                if until is not None:
                    self._untils.add((until, order_id))
                    self._until[order_id] = until
        self._changed.clear()

    def _set_days(self, order_id: str, days: set[int]) -> None:
        known = self._days.get(order_id, set())
        if days != known or not known:
            for day in known - days:
                self._by_day[day].discard(order_id)
            for day in days - known:
                self._by_day.setdefault(day, set()).add(order_id)
            self._days[order_id] = days
