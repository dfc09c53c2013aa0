"""Buyers who order without any chat, and buyers with very many orders."""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple

from stream_attr.audit.groups import Groups
from stream_attr.audit.warning import Place, Tally

MANY_ORDERS: Final = 100
"""More orders of one buyer than this are too many for a person; a company's account may have them."""
MIN_ORDER_BUYERS: Final = 20
"""Of fewer buyers, a share says nothing."""
MIN_SHARE_WITH_CHAT: Final = 0.05
"""Below this share of order buyers with chat, chat and orders hardly name the same buyers."""
_REMEMBERED: Final = 100_000
"""So many recent buyers and orders are remembered, so as not to keep one for each of their events."""


class ShopBuyers(NamedTuple):
    """The buyers of a shop's orders."""

    buyers: int
    with_chat: int
    without_chat: Tally
    """The first order events of those without chat."""


class ManyOrders(NamedTuple):
    """A buyer with very many orders."""

    place: Place
    shop_id: str
    buyer_id: str
    orders: Tally
    """The first event of each order."""


class Buyers:
    """The buyers of chat and of orders."""

    def __init__(self) -> None:
        self.groups = Groups()
        self._recent: set[int] = set()
        self.shops: dict[str, ShopBuyers] = {}
        self.many_orders: list[ManyOrders] = []

    def add_chat(self, shop_id: str, buyer_id: str) -> None:
        """Add a buyer's chat event."""
        if self._is_new(hash((shop_id, buyer_id))):
            self.groups.add(hash(buyer_id), (shop_id, buyer_id, None, 0, 0))

    def add_order(self, shop_id: str, buyer_id: str, order_id: str, place: Place) -> None:
        """Add a buyer's order event."""
        order = hash((shop_id, buyer_id, order_id))
        if self._is_new(order):
            self.groups.add(hash(buyer_id), (shop_id, buyer_id, order, place.file, place.line))

    def _is_new(self, seen: int) -> bool:
        recent = self._recent
        if seen in recent:
            return False
        if len(recent) >= _REMEMBERED:
            recent.clear()
        recent.add(seen)
        return True

    def judge(self) -> None:
        """Find the share of order buyers with chat by shop, and the buyers with many orders."""
        for bucket in self.groups:
            with_chat: set[tuple[str, str]] = set()
            orders: defaultdict[tuple[str, str], dict[int, Place]] = defaultdict(dict)
            for shop_id, buyer_id, order, file, line in bucket:
                if order is None:
                    with_chat.add((shop_id, buyer_id))
                else:
                    orders[shop_id, buyer_id].setdefault(order, Place(file, line))
            for buyer, places in orders.items():
                self._judge(buyer, list(places.values()), buyer in with_chat)
        self.many_orders.sort()

    def _judge(self, buyer: tuple[str, str], places: list[Place], has_chat: bool) -> None:
        shop_id, buyer_id = buyer
        known = self.shops.get(shop_id) or ShopBuyers(0, 0, Tally())
        if not has_chat:
            known.without_chat.add(min(places))
        self.shops[shop_id] = known._replace(buyers=known.buyers + 1, with_chat=known.with_chat + has_chat)
        if len(places) > MANY_ORDERS:
            tally = Tally()
            for place in places:
                tally.add(place)
            self.many_orders.append(ManyOrders(min(places), shop_id, buyer_id, tally))
