"""Rulings (业绩裁定): what a manager decides about the credit of an order that somebody complained of."""

from __future__ import annotations

from typing import Any

from stream_attr.generate.chance import Chance
from stream_attr.generate.orders import Purchase
from stream_attr.generate.shops import Agents, Shop
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS

__all__ = ["Rulings"]


class Rulings:
    """The rulings of one shop."""

    def __init__(self, shop: Shop, agents: Agents, chance: Chance) -> None:
        self._shop_id = shop.shop_id
        self._agents = agents
        self._chance = chance
        self._count = 0
        self.given: list[dict[str, Any]] = []
        """Rulings since the list was last cleared."""

    def _ruling(self, purchase: Purchase, ts: int, kind: str) -> dict[str, Any]:
        self._count += 1
        record = {
            "event_id": f"r-{self._count:06x}",
            "shop_id": self._shop_id,
            "buyer_id": purchase.buyer,
            "order_id": purchase.order_id,
            "ts": ts,
            "type": kind,
            "ruled_by": "店长",
        }
        self.given.append(record)
        return record

    def complain(self, purchase: Purchase) -> None:
        """Somebody complains of a paid order's credit, now and then; some rulings are withdrawn."""
        chance = self._chance
        if purchase.paid_ts is None or not chance.odds(0.012):
            return
        ts = purchase.paid_ts + chance.early(HOUR_MS, 3 * DAY_MS)
        agent_id = chance.pick(self._agents.presale) if chance.odds(0.8) else None
        self._ruling(purchase, ts, "credit")["agent_id"] = agent_id
        if chance.odds(0.25):
            self._ruling(purchase, ts + chance.early(HOUR_MS, DAY_MS), "withdrawn")
