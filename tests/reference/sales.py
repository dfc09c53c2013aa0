"""What the decisions on some orders come to (RULEBOOK 8)."""

from __future__ import annotations

from typing import Any

from tests.reference.model import Decision
from tests.reference.rates import mean, rate
from tests.reference.receptions import Event


def order_figures(decisions: list[Decision]) -> dict[str, Any]:
    """Count orders that were placed, or paid."""
    return {
        "buyers": len({d["buyer_id"] for d in decisions}),
        "orders": len(decisions),
        "amount": sum(d["amount"] for d in decisions),
    }


def silent_figures(decisions: list[Decision]) -> dict[str, Any]:
    """Count orders that were sold."""
    return {
        "buyers": len({d["buyer_id"] for d in decisions}),
        "orders": len(decisions),
        "quantity": sum(d["quantity"] for d in decisions),
        "amount": sum(d["amount"] for d in decisions),
    }


def sales_figures(decisions: list[Decision]) -> dict[str, Any]:
    """Count orders that were sold, and what a buyer bought of them."""
    figures = silent_figures(decisions)
    return {
        **figures,
        "amount_per_buyer": mean(figures["amount"], figures["buyers"]),
        "quantity_per_buyer": rate(figures["quantity"], figures["buyers"]),
    }


def refund_figures(refunds: list[Event]) -> dict[str, Any]:
    """Add up refunds by what they are: asked for, or done."""

    def total(kind: str) -> int:
        return sum(e["amount"] for e in refunds if e["type"] == kind)

    return {"requested": total("refund_requested"), "completed": total("refund_completed")}
