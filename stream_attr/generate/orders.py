"""The life of an order: placed, excluded, paid at once, in parts or not at all, cancelled, refunded."""

from __future__ import annotations

from typing import Any

from stream_attr.generate.chance import Chance
from stream_attr.generate.shops import Product, Shop
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS

__all__ = ["Orders", "Purchase"]


class Purchase:
    """One order being made: what every later event of it needs."""

    __slots__ = (
        "amount",
        "balance_until",
        "buyer",
        "created_ts",
        "order_id",
        "paid_ts",
        "products",
        "quantity",
    )

    def __init__(
        self, order_id: str, buyer: str, created_ts: int, products: list[Product], quantity: int
    ) -> None:
        self.order_id = order_id
        self.buyer = buyer
        self.created_ts = created_ts
        self.paid_ts: int | None = None
        """Of the first instalment; None: it is not paid."""
        self.balance_until: int | None = None
        """Where a deposit was paid: until when the balance can be."""
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
            if chance.odds(0.02):
                self._deposit(purchase)
            if chance.odds(0.015):
                self._exclude(purchase)
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

    def _deposit(self, purchase: Purchase) -> None:
        """A deposit (定金); the balance is paid days later, until a day that is fixed, or not at all."""
        chance = self._chance
        ts = purchase.created_ts + chance.early(8_000, 10 * MINUTE_MS)
        until = ts + chance.integer(1, 12) * DAY_MS
        deposit = self._event(purchase, ts, "deposit_paid")
        self._money(deposit, purchase.amount // 10)
        deposit["balance_until"] = purchase.balance_until = until
        if purchase.paid_ts is not None:
            purchase.paid_ts = until - chance.early(MINUTE_MS, DAY_MS)

    def _exclude(self, purchase: Purchase) -> None:
        """Somebody marks the order as one that is none (刷单, 补差价, a test), now and then by mistake."""
        chance = self._chance
        ts = purchase.created_ts + chance.early(10 * MINUTE_MS, 30 * HOUR_MS)
        self._event(purchase, ts, "excluded")
        if chance.odds(0.25):
            self._event(purchase, ts + chance.early(10 * MINUTE_MS, 10 * HOUR_MS), "included")

    def settle(self, purchase: Purchase) -> int | None:
        """Write the payment (付款), or how the order ended; returns when the buyer began to complain."""
        chance = self._chance
        if purchase.paid_ts is None:
            if chance.odds(0.4):
                self._event(purchase, purchase.created_ts + chance.early(60_000, 20 * HOUR_MS), "cancelled")
            elif chance.odds(0.5):
                closed = purchase.balance_until or purchase.created_ts + DAY_MS
                self._event(purchase, closed + chance.integer(0, 5 * MINUTE_MS), "cancelled")
            return None
        # Shops now and then let the price down before payment (改价).
        amount = purchase.amount if chance.odds(0.95) else purchase.amount * 9 // 10
        self._pay(purchase, purchase.paid_ts, amount)
        if chance.odds(0.003):
            self._event(purchase, purchase.paid_ts + chance.integer(0, MINUTE_MS), "cancelled")
        if chance.odds(0.08):
            return self._refund(purchase, amount)
        if chance.odds(0.06):
            self._review(purchase, purchase.paid_ts)
        return None

    def _review(self, purchase: Purchase, ts: int) -> None:
        """The buyer reviews the order (评价), and some of those who were not content do so again."""
        chance = self._chance
        ts += chance.early(6 * HOUR_MS, 9 * DAY_MS)
        review = chance.pick(("good", "good", "good", "neutral", "bad"))
        self._event(purchase, ts, "reviewed")["review"] = review
        if review != "good" and chance.odds(0.4):
            self._event(purchase, ts + chance.early(HOUR_MS, 3 * DAY_MS), "reviewed")["review"] = "good"

    def _pay(self, purchase: Purchase, ts: int, amount: int) -> None:
        """One payment; now and then instalments, or one that is charged twice."""
        chance = self._chance
        what = chance.draw()
        if what < 0.025 and not self._shop.single_record:
            first = amount * chance.integer(10, 60) // 100
            for number, part in enumerate((first, amount - first), 1):
                paid = self._event(purchase, ts, "paid")
                paid["payment_id"] = str(number)
                self._money(paid, part)
                ts += chance.early(HOUR_MS, 3 * DAY_MS)
            return
        for _ in range(2 if what > 0.996 else 1):
            paid = self._event(purchase, ts, "paid")
            self._money(paid, amount)
            if self._shop.single_record:
                paid["created_ts"] = purchase.created_ts
                self._describe(paid, purchase)
            ts += chance.early(20 * 1_000, 10 * MINUTE_MS)

    def _refund(self, purchase: Purchase, amount: int) -> int:
        """A refund: completed, left open, or refused and asked for again; some platforms give it an id."""
        chance = self._chance
        assert purchase.paid_ts is not None
        asked = purchase.paid_ts + chance.early(20 * MINUTE_MS, 7 * DAY_MS)
        part = amount if chance.odds(0.65) else amount * chance.integer(5, 60) // 100
        number = 1 if chance.odds(0.6) else None
        ts = asked
        if number is not None and chance.odds(0.15):
            self._one_refund(purchase, ts, "refund_requested", part, number)
            ts += chance.early(HOUR_MS, 2 * DAY_MS)
            closed = self._event(purchase, ts, "refund_closed")
            closed["refund_id"] = f"r-{number}"
            if chance.odds(0.5):
                return asked - chance.early(5 * 1_000, 30 * MINUTE_MS)
            number += 1
            ts += chance.early(HOUR_MS, 2 * DAY_MS)
        self._one_refund(purchase, ts, "refund_requested", part, number)
        if chance.odds(0.85):
            done = ts + chance.early(10 * MINUTE_MS, 3 * DAY_MS) + chance.integer(0, MINUTE_MS)
            if chance.odds(0.3):
                self._send_back(purchase, done)
            # More than was paid, where postage is given back that the buyer did not pay.
            part += 1_000 if chance.odds(0.06) and part == amount else 0
            self._one_refund(purchase, done, "refund_completed", part, number)
        return asked - chance.early(5 * 1_000, 30 * MINUTE_MS)

    def _send_back(self, purchase: Purchase, ts: int) -> None:
        """The parcel of a refund comes back (退货), and is opened soon, late or never."""
        chance = self._chance
        self._event(purchase, ts, "parcel_returned")
        if chance.odds(0.85):
            self._event(purchase, ts + chance.early(20 * MINUTE_MS, 30 * HOUR_MS), "parcel_inspected")

    def _one_refund(self, purchase: Purchase, ts: int, kind: str, amount: int, number: int | None) -> None:
        record = self._event(purchase, ts, kind)
        self._money(record, amount)
        if number is not None:
            record["refund_id"] = f"r-{number}"
        if self._shop.currency == "CNY" and self._chance.odds(0.03):
            record["currency"] = "HKD"
