"""Explains a buyer's day: receptions, orders, what the buyer adds to the figures, what can still change."""

from __future__ import annotations

from collections.abc import Iterator

from stream_attr.codec.money import format_money
from stream_attr.contract.records.decision import EVENT_TIMES
from stream_attr.explain.figures import FiguresExplanation
from stream_attr.explain.reception import ReceptionExplanation
from stream_attr.explain.verify import Decision
from stream_attr.explain.view import BuyerDayView
from stream_attr.explain.writer import BuyerDayWriter
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.rules.vocabulary import FINAL, ORDER_EVENT_TYPES, OUTCOMES, PENDING, STATUSES

__all__ = ["explain_buyer_day", "problems_of"]


def explain_buyer_day(view: BuyerDayView, *, zone: str | None = None, language: str = "en") -> list[str]:
    """Return the lines that explain a buyer's day.

    ``zone``: IANA name of the time zone of all times; None: the shop's. ``language``: ``en`` or ``zh``.
    """
    return list(BuyerDayExplanation(view, zone or view.zone.name, language).lines())


def problems_of(view: BuyerDayView) -> list[str]:
    """Return the contradictions between messages, figures and verdicts, in English; empty: there are none."""
    return list(BuyerDayExplanation(view, view.zone.name, "en").problems())


class BuyerDayExplanation(BuyerDayWriter):
    def __init__(self, view: BuyerDayView, zone: str, language: str) -> None:
        super().__init__(view, zone, language)
        self._receptions = ReceptionExplanation(view, zone, language)
        self._figures = FiguresExplanation(view, zone, language)

    def lines(self) -> Iterator[str]:
        yield from self._heading()
        for fact in self._view.receptions:
            lines = list(self._receptions.lines(fact))
            yield from self._section("reception", lines, agent=self._agent(fact.agent_id))
        yield from self._section("day_orders", list(self._orders()))
        yield from self._section("figures", list(self._figures.lines()))
        yield from self._section("change", list(self._change()))

    def problems(self) -> Iterator[str]:
        for agent_id in self._view.mismatched:
            yield self._sentence("day_mismatched", agent=self._agent(agent_id))
        for order in self._view.orders:
            for problem in self._records.unsupported[order["order_id"]]:
                yield self._sentence("day_order_problem", order=order["order_id"], problem=problem)

    def _heading(self) -> Iterator[str]:
        records, facts, orders = self._records, self._view.receptions, self._view.orders
        yield self._sentence(
            "day", buyer=records.buyer_id, shop=records.shop_id, day=records.day, zone=self._zone.key
        )
        if self._settings is not None:
            yield self._sentence("day_rules", preset=self._settings.preset, settings=self._settings_from())
        yield ""
        pending = any(self._pending())
        yield self._sentence(
            "day_summary",
            receptions=self._count("receptions", len(facts)),
            filtered=sum(fact.filtered is not None for fact in facts),
            orders=self._count("orders", len(orders)),
            status=self._word(STATUSES, PENDING if pending else FINAL),
        )
        problems = list(self.problems())
        if problems:
            yield self._sentence("day_not_verified")
            yield from (self._sentence("problem", problem=problem) for problem in problems)
        elif self._view.timelines:
            yield self._sentence("day_verified_by_messages")
        elif orders:
            yield self._sentence("day_verified")

    def _settings_from(self) -> str:
        shop = self._view.shop
        record = None if shop is None else shop.record_on(day_number(self._records.day))
        if record is None:
            return self._sentence("settings_none")
        return self._sentence("settings_from", day=day_name(record.effective_from))

    # Orders

    def _orders(self) -> Iterator[str]:
        for order in self._view.orders:
            yield from self._order(order)
        if self._view.orders:
            yield self._sentence("day_order_hint", shop=self._records.shop_id)

    def _order(self, order: Decision) -> Iterator[str]:
        currency = order["currency"]
        times = {name: order.get(field) for name, field in EVENT_TIMES.items()}
        events = [
            self._sentence("day_order_event", event=self._word(ORDER_EVENT_TYPES, name), time=self._time(ts))
            for ts, name in sorted((ts, name) for name, ts in times.items() if ts is not None)
        ]
        yield self._sentence(
            "day_order",
            order=order["order_id"],
            amount=format_money(order["amount"], currency),
            quantity=order["quantity"],
            events=self._list(events),
        )
        agents = {
            name: self._sentence("nobody") if order[name] is None else self._agent(order[name]["agent_id"])
            for name in ("placing", "payment", "credit")
        }
        yield "  " + self._sentence(
            "day_order_agents",
            **agents,
            outcome=self._word(OUTCOMES, order["outcome"]),
            status=self._word(STATUSES, order["status"]),
        )
        for refund in order.get("refunds", ()):
            yield f"  {self._time(refund['ts'])}  {self._refund(refund, currency)}"
        yield from ("  " + line for line in self._sums_and_notices(order))

    # What can still change

    def _change(self) -> Iterator[str]:
        pending = list(self._pending())
        yield from pending or [self._sentence("change_none")]
        yield self._sentence("change_always")

    def _pending(self) -> Iterator[str]:
        for fact in self._view.receptions:
            time = self._time(fact.final_at)
            if fact.status == PENDING:
                key = "change_offline" if self._may_be_offline(fact) else "change_reception"
                yield self._sentence(key, agent=self._agent(fact.agent_id), time=time)
            inquiry = self._records.inquiries.get((fact.day, fact.agent_id))
            if inquiry is not None and inquiry.status == PENDING:
                agent = self._agent(fact.agent_id)
                yield self._sentence("change_inquiry", agent=agent, time=self._time(inquiry.final_at))
        for agent_id in self._view.without_fact:
            yield self._sentence("change_not_emitted", agent=self._agent(agent_id))
        for order in self._view.orders:
            if order["status"] == PENDING:
                time = self._time(order["final_at"])
                yield self._sentence("change_order", order=order["order_id"], time=time)
