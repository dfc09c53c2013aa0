"""What came of the inquiries of one agent, or of a shop, on one day (RULEBOOK 8).

Of one agent a buyer has one record a day; of a shop it may have several, and counts once.
"""

from __future__ import annotations

from typing import Any

from tests.reference.inquiries import Inquiry
from tests.reference.rates import rate

_ORDERED = frozenset({"ordered", "paid", "payment_lost"})


def inquiry_figures(records: list[Inquiry]) -> dict[str, Any]:
    """Count the buyers of each kind of record; one that ordered of somebody is neither open nor lost."""
    outcomes = _counted_outcomes(records)
    ordered = _ordered(outcomes)
    unanswered = [found for buyer_id, found in outcomes.items() if buyer_id not in ordered]
    still_open = sum("open" in found for found in unanswered)
    return {
        "inquiries": len(outcomes),
        "open": still_open,
        "ordered": len(ordered),
        "lost": len(unanswered) - still_open,
        "assists": _buyers(records, "assist"),
        "self_ordered": _buyers(records, "self_ordered"),
        "follow_ups": _buyers(records, "follow_up"),
        "after_sales": _buyers(records, "after_sales"),
        "exempt": len({r["buyer_id"] for r in records if r["exempt"] is not None}),
        "inquiry_to_order": rate(len(ordered), len(outcomes)),
    }


def payment_figures(records: list[Inquiry]) -> dict[str, Any]:
    """Count the buyers who paid what they ordered, and those of whom it is known that they did not."""
    outcomes = _counted_outcomes(records)
    ordered = _ordered(outcomes)
    paid = sum("paid" in found for found in ordered.values())
    payment_lost = sum(found & _ORDERED == {"payment_lost"} for found in ordered.values())
    return {
        "paid": paid,
        "payment_lost": payment_lost,
        "inquiry_to_payment": rate(paid, len(outcomes)),
        "order_to_payment": rate(paid, len(ordered)),
    }


def _counted_outcomes(records: list[Inquiry]) -> dict[str, set[str]]:
    """Return per buyer the outcomes of its inquiries that are not exempt."""
    outcomes: dict[str, set[str]] = {}
    for record in records:
        if record["kind"] == "inquiry" and record["exempt"] is None:
            outcomes.setdefault(record["buyer_id"], set()).add(record["outcome"])
    return outcomes


def _ordered(outcomes: dict[str, set[str]]) -> dict[str, set[str]]:
    return {buyer_id: found for buyer_id, found in outcomes.items() if found & _ORDERED}


def _buyers(records: list[Inquiry], kind: str) -> int:
    return len({r["buyer_id"] for r in records if r["kind"] == kind})
