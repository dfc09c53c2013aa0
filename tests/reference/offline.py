"""The filter that knows of other buyers' chats (RULEBOOK 4, filter 5), and the receptions it leaves.

Sections 7 and 8 see a shop's receptions so; section 5 leaves the filter out of account.
"""

from __future__ import annotations

from dataclasses import replace

from tests.reference.days import end_after, passed
from tests.reference.receptions import Reception, receptions_of
from tests.reference.settings import OFFICIAL
from tests.reference.shops import Shop

_ASKED_BEFORE = frozenset({"empty", "own_account", "official_account", "buyer_subaccount"})


def settled_receptions(shop: Shop, watermark: int | None) -> list[Reception]:
    """Return all receptions of a shop under its official settings, ``agent_offline`` among their filters.

    It is asked once the day of a reception is over, and before that as if it did not match.
    """
    found = [
        reception
        for buyer_id in sorted({e["buyer_id"] for e in shop.chat})
        for reception in receptions_of(
            buyer_id,
            [e for e in shop.chat if e["buyer_id"] == buyer_id],
            OFFICIAL,
            shop.settings,
            shop.roster,
        )
    ]
    return [replace(r, filtered=_filtered(r, found, shop, watermark)) for r in found]


def _filtered(
    reception: Reception, of_shop: list[Reception], shop: Shop, watermark: int | None
) -> str | None:
    """Return the first filter that matches, ``agent_offline`` in its place between 4 and 6."""
    rules = shop.settings.rules_on(reception.day, OFFICIAL)
    if reception.filtered in _ASKED_BEFORE:
        return reception.filtered
    if reception.role == "aftersale" and rules["aftersale_unfiltered"]:
        return reception.filtered
    over = passed(watermark, end_after(reception.day, 0, shop.settings.days))
    if over and rules["filters"]["agent_offline"]["enabled"] and _is_offline(reception, of_shop):
        return "agent_offline"
    return reception.filtered


def _is_offline(reception: Reception, of_shop: list[Reception]) -> bool:
    """Say whether the buyer began, or its question came, after all that the agent said that day."""
    effective = [
        m["ts"]
        for other in of_shop
        if (other.agent_id, other.day) == (reception.agent_id, reception.day)
        for m in other.counted
        if m["sender"] == "agent"
    ]
    beginning = reception.beginning
    return bool(beginning["sender"] == "buyer") and all(beginning["ts"] > ts for ts in effective)
