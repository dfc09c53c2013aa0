"""The figures of every agent and shop by day, recomputed from scratch from all that is known (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.reference.conversion import inquiry_figures, payment_figures
from tests.reference.days import HOUR_MS, MINUTE_MS, day_of, end_after, end_of_day, passed
from tests.reference.facts import fact_of
from tests.reference.inquiries import Inquiry, inquiries, official_orders
from tests.reference.model import Decision, Judged
from tests.reference.offline import settled_receptions
from tests.reference.receptions import Event, Reception
from tests.reference.sales import order_figures, refund_figures, sales_figures, silent_figures
from tests.reference.settings import OFFICIAL
from tests.reference.shops import Shop, shops_of
from tests.reference.workload import workload_figures

AgentDay = dict[str, Any]

EVERYBODY = "*"
"""In the place of an agent: the shop."""


def agent_days(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
    rulings: Sequence[Event] = (),
) -> dict[tuple[str, str, str], AgentDay]:
    """Return the figures per (shop_id, agent_id or ``*``, day) when the watermark stands at ``watermark``.

    All records are valid and accepted. Figures lack what distinguishes emissions: revision, reason,
    watermark.
    """
    judged = official_orders(chat, orders, settings, roster, watermark, rulings)
    outcomes = inquiries(chat, orders, settings, roster, watermark, rulings)
    days = {}
    for shop in shops_of(chat, orders, settings, roster):
        of_shop = [one for one in judged if one.order.shop_id == shop.shop_id and not one.order.excluded]
        ledger = Ledger(
            shop,
            [r for r in settled_receptions(shop, watermark) if r.role != "frozen"],
            [record for (shop_id, *_), record in outcomes.items() if shop_id == shop.shop_id],
            [happening for one in of_shop for happening in happenings_of(one, shop)],
        )
        for agent_id, day in sorted(agent_days_of(ledger)):
            days[shop.shop_id, agent_id, day.isoformat()] = agent_day(ledger, agent_id, day, watermark)
    return days


@dataclass(frozen=True)
class Happening:
    """What an order contributes to the figures of one day: it was placed, paid or sold, or refunded."""

    group: str
    agent_id: str | None
    """Whose figure it is; None: nobody's, but the shop's."""
    day: date
    decision: Decision
    refund: Event | None = None


@dataclass(frozen=True)
class Ledger:
    """All that the figures of one shop are counted from."""

    shop: Shop
    receptions: list[Reception]
    """Those of frozen agents left out."""
    inquiries: list[Inquiry]
    happenings: list[Happening]


def happenings_of(judged: Judged, shop: Shop) -> list[Happening]:
    """Return what an order contributes: to its placing, payment and credited agent, each on its own day."""
    decision = judged.decision

    def agent(part: str) -> str | None:
        return None if decision[part] is None else str(decision[part]["agent_id"])

    def day(ts: int) -> date:
        return day_of(ts, shop.settings.days)

    found = []
    if decision["placing"] is not None:
        found.append(Happening("placed", agent("placing"), day(decision["created_ts"]), decision))
    if decision["payment"] is not None:
        found.append(Happening("paid", agent("payment"), day(decision["paid_ts"]), decision))
    if decision["paid_ts"] is not None:
        found.append(Happening("sales", agent("credit"), day(decision["paid_ts"]), decision))
    found += [
        Happening("refunds", agent("credit"), day(e["ts"]), decision, refund=e) for e in judged.order.refunds
    ]
    return found


def agent_days_of(ledger: Ledger) -> set[tuple[str, date]]:
    """Return the agents and days, and the days of the shop, on which there is something to count."""
    found = {(r.agent_id, r.day) for r in ledger.receptions}
    found |= {(h.agent_id, h.day) for h in ledger.happenings if h.agent_id is not None}
    days = {r.day for r in ledger.receptions} | {h.day for h in ledger.happenings}
    return found | {(EVERYBODY, day) for day in days}


def agent_day(ledger: Ledger, agent_id: str, day: date, watermark: int | None) -> AgentDay:
    """Count one day of one agent, or of the shop."""
    shop = ledger.shop
    days = shop.settings.days

    def is_counted(owner: str | None) -> bool:
        return agent_id in (EVERYBODY, owner)

    def happened(group: str) -> list[Happening]:
        of_day = [h for h in ledger.happenings if (h.group, h.day) == (group, day)]
        return [h for h in of_day if is_counted(h.agent_id)]

    def group_with(final_time: int, figures: dict[str, Any]) -> dict[str, Any]:
        status = "final" if passed(watermark, final_time) else "pending"
        return {"status": status, "final_from": day_of(final_time, days).isoformat(), **figures}

    receptions = [r for r in ledger.receptions if r.day == day and is_counted(r.agent_id)]
    facts = [fact_of(r, shop, watermark) for r in receptions]
    outcomes = [r for r in ledger.inquiries if r["day"] == day.isoformat() and is_counted(r["agent_id"])]
    placed, paid, sold, refunded = map(happened, ("placed", "paid", "sales", "refunds"))
    silent = [h for h in sold if h.agent_id is None]
    settled = settled_from(day, shop)
    groups = {
        "workload": group_with(end_after(day, 0, days), workload_figures(facts, receptions)),
        "inquiries": group_with(end_after(day, 1, days), inquiry_figures(outcomes)),
        "payments": group_with(
            max([end_after(day, 2, days), *payable_until(outcomes)]), payment_figures(outcomes)
        ),
        "placed": group_with(_latest(expired_from(day, shop), placed), order_figures(_decisions(placed))),
        "paid": group_with(_latest(settled, paid), order_figures(_decisions(paid))),
        "sales": group_with(_latest(settled, sold), sales_figures(_decisions(sold))),
        "silent": group_with(_latest(settled, silent), silent_figures(_decisions(silent)))
        if agent_id == EVERYBODY
        else None,
        "refunds": group_with(
            _latest(settled, refunded), refund_figures([h.refund for h in refunded if h.refund is not None])
        ),
    }
    final = all(group["status"] == "final" for group in groups.values() if group is not None)
    return {
        "shop_id": shop.shop_id,
        "agent_id": agent_id,
        "day": day.isoformat(),
        "status": "final" if final else "pending",
        **groups,
    }


def expired_from(day: date, shop: Shop) -> int:
    """Return when the payment deadlines of all orders created on a day are over, with their days."""
    days = shop.settings.days
    hours: int = shop.settings.rules_on(day, OFFICIAL)["payment_deadline_hours"]
    return end_of_day(end_after(day, 0, days) - 1 + hours * HOUR_MS, days)


def payable_until(outcomes: list[Inquiry]) -> list[int]:
    """Return until when what the inquiries led to can still be paid: with a deposit that may be long."""
    return [int(record["final_at"]) for record in outcomes if record["kind"] == "inquiry"]


def settled_from(day: date, shop: Shop) -> int:
    """Return when all that was paid on a day is credited: the follow-up is over as well, where it is on."""
    days = shop.settings.days
    followup = shop.settings.rules_on(day, OFFICIAL)["silent_followup"]
    if not (followup["buyer_initiated"] or followup["agent_initiated"]):
        return end_after(day, 0, days)
    return end_of_day(end_after(day, 0, days) - 1 + followup["minutes"] * MINUTE_MS, days)


def _latest(final_time: int, counted: list[Happening]) -> int:
    """Return when figures are final: never before the decisions that they count."""
    return max([final_time, *(int(h.decision["final_at"]) for h in counted)])


def _decisions(counted: list[Happening]) -> list[Decision]:
    return [h.decision for h in counted]
