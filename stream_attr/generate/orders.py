"""The life of an order: placed, paid or left, cancelled, refunded."""

from __future__ import annotations

from typing import Any

from stream_attr.generate.chance import Chance
from stream_attr.generate.shops import Product, Shop
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS

__all__ = ["Orders", "Purchase"]


class Purchase:
    """One order being made: what every later event of it needs."""

    __slots__ = ("amount", "buyer", "created_ts", "order_id", "paid_ts", "products", "quantity")

    def __init__(
        self, order_id: str, buyer: str, created_ts: int, products: list[Product], quantity: int
    ) -> None:
        self.order_id = order_id
        self.buyer = buyer
        self.created_ts = created_ts
        self.paid_ts: int | None = None
        self.products = products
        self.quantity = quantity
        self.amount = sum(product.price for product in products) * quantity


class Orders:
    """The order events of one shop."""

    def __init__(self, shop: Shop, chance: Chance) -> None:
        self._shop = shop
        self._chance = chance
        self._events = 0
        self._orders = 0
        self.happened: list[dict[str, Any]] = []
        """What happened since somebody last took it away."""

    def _event(self, purchase: Purchase, ts: int, kind: str) -> dict[str, Any]:
        self._events += 1
        record = {
            "event_id": f"e-{self._events:06x}",
            "shop_id": self._shop.shop_id,
            "buyer_id": purchase.buyer,
            "order_id": purchase.order_id,
            "ts": ts,
            "type": kind,
        }
        self.happened.append(record)
        return record

    def _describe(self, record: dict[str, Any], purchase: Purchase) -> None:
        record["quantity"] = purchase.quantity * len(purchase.products)
        record["product_ids"] = [product.product_id for product in purchase.products]

    def _money(self, record: dict[str, Any], amount: int) -> None:
        record["amount"] = amount
        if self._shop.currency != "CNY":
            record["currency"] = self._shop.currency

    def place(self, buyer: str, ts: int, products: list[Product]) -> Purchase:
        """The buyer orders (下单) and pays, or does not: the time of payment is in what is returned."""
        chance = self._chance
        self._orders += 1
        quantity = 1 if chance.odds(0.8) else chance.integer(2, 5)
        purchase = Purchase(f"o-{self._orders:05x}", buyer, ts, products, quantity)
        paid = chance.odds(0.86)
        if paid:
            purchase.paid_ts = ts + self._hesitation()
        if not (paid and self._shop.single_record):
            created = self._event(purchase, ts, "created")
            self._money(created, purchase.amount)
            self._describe(created, purchase)
        return purchase

    def _hesitation(self) -> int:
        """How long until the payment; now and then it comes after the deadline of 24 hours."""
        chance = self._chance
        u = chance.draw()
        if u < 0.68:
            return chance.early(8_000, 3 * MINUTE_MS)
        if u < 0.88:
            return chance.early(3 * MINUTE_MS, 2 * HOUR_MS)
        if u < 0.985:
            return chance.early(2 * HOUR_MS, 24 * HOUR_MS)
        return chance.integer(24 * HOUR_MS, 36 * HOUR_MS)

    def settle(self, purchase: Purchase) -> int | None:
        """Write the payment (付款), or how the order ended; returns when the buyer began to complain."""
        chance = self._chance
        if purchase.paid_ts is None:
            if chance.odds(0.4):
                self._event(purchase, purchase.created_ts + chance.early(60_000, 20 * HOUR_MS), "cancelled")
            elif chance.odds(0.5):
                closed = purchase.created_ts + DAY_MS + chance.integer(0, 5 * MINUTE_MS)
                self._event(purchase, closed, "cancelled")
            return None
        # Shops now and then let the price down before payment (改价).
        amount = purchase.amount if chance.odds(0.95) else purchase.amount * 9 // 10
        paid = self._event(purchase, purchase.paid_ts, "paid")
        self._money(paid, amount)
        if self._shop.single_record:
            paid["created_ts"] = purchase.created_ts
            self._describe(paid, purchase)
        if chance.odds(0.003):
            self._event(purchase, purchase.paid_ts + chance.integer(0, MINUTE_MS), "cancelled")
        if chance.odds(0.08):
            return self._refund(purchase, amount)
        return None

    def _refund(self, purchase: Purchase, amount: int) -> int:
        chance = self._chance
        assert purchase.paid_ts is not None
        asked = purchase.paid_ts + chance.early(20 * MINUTE_MS, 7 * DAY_MS)
        part = amount if chance.odds(0.65) else amount * chance.integer(5, 60) // 100
        self._money(self._event(purchase, asked, "refund_requested"), part)
        if chance.odds(0.85):
            done = asked + chance.early(10 * MINUTE_MS, 3 * DAY_MS) + chance.integer(0, MINUTE_MS)
            self._money(self._event(purchase, done, "refund_completed"), part)
        return asked - chance.early(5 * 1_000, 30 * MINUTE_MS)
