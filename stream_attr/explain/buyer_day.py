"""Tells a buyer's day in words: what each reception came to and why, and what figures the buyer is in."""

from __future__ import annotations

from collections.abc import Iterator

from stream_attr.explain.day_teller import DayTeller
from stream_attr.explain.decision import EVENTS
from stream_attr.explain.figures import FiguresTeller
from stream_attr.explain.reception import ReceptionTeller
from stream_attr.explain.teller import money
from stream_attr.explain.verify import Decision
from stream_attr.explain.view import Known
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.rules.vocabulary import FINAL, PENDING

__all__ = ["explain_day", "problems_of"]


def explain_day(known: Known, *, zone: str | None = None, language: str = "en") -> list[str]:
    """Return the lines that tell a buyer's day.

    ``zone``: IANA name of the time zone to tell times in; None: the shop's. ``language``: ``en`` or ``zh``.
    """
    return list(_WholeTeller(known, zone or known.zone.name, language).tell())


def problems_of(known: Known) -> list[str]:
    """Return what in it does not go together, in English; empty: all of it does."""
    return list(_WholeTeller(known, known.zone.name, "en").problems())


class _WholeTeller(DayTeller):
    def __init__(self, known: Known, zone: str, language: str) -> None:
        super().__init__(known, zone, language)
        self._how = known, zone, language

    def tell(self) -> Iterator[str]:
        yield from self._heading()
        for fact in self._known.receptions:
            lines = list(ReceptionTeller(*self._how).tell(fact))
            yield from self._section("reception", lines, agent=fact.agent_id)
        yield from self._section("day_orders", list(self._orders()))
        yield from self._section("adds", list(FiguresTeller(*self._how).tell()))
        yield from self._section("change", list(self._change()))

    def problems(self) -> Iterator[str]:
        for agent_id in self._known.astray:
            yield self._say("day_astray", agent=agent_id)
        for order in self._known.orders:
            for problem in self._records.unsupported[order["order_id"]]:
                yield self._say("day_unsupported", order=order["order_id"], problem=problem)

    def _heading(self) -> Iterator[str]:
        records, facts, orders = self._records, self._known.receptions, self._known.orders
        yield self._say(
            "day", buyer=records.buyer_id, shop=records.shop_id, day=records.day, zone=self._zone.key
        )
        if self._known.shop is not None and self._settings is not None:
            yield self._say("day_judged_by", preset=self._settings.preset, settings=self._in_force())
        yield ""
        pending = any(self._pending())
        yield self._say(
            "day_in_short",
            receptions=self._count("receptions", len(facts)),
            filtered=sum(fact.filtered is not None for fact in facts),
            orders=self._count("orders", len(orders)),
            status=self._words[PENDING if pending else FINAL],
        )
        problems = list(self.problems())
        if problems:
            yield self._words["day_fails"]
            yield from (self._say("check_problem", problem=problem) for problem in problems)
        elif self._known.heard:
            yield self._words["day_holds_heard"]
        elif orders:
            yield self._words["day_holds"]

    def _in_force(self) -> str:
        shop = self._known.shop
        record = None if shop is None else shop.record_on(day_number(self._records.day))
        if record is None:
            return self._words["settings_none"]
        return self._say("settings_from", day=day_name(record.effective_from))

    # Orders

    def _orders(self) -> Iterator[str]:
        for order in self._known.orders:
            yield from self._order(order)
        if self._known.orders:
            yield self._say("day_order_why", shop=self._records.shop_id)

    def _order(self, order: Decision) -> Iterator[str]:
        currency = order["currency"]
        happened = sorted((order[f"{name}_ts"], name) for name in EVENTS if order[f"{name}_ts"] is not None)
        events = [
            self._say("day_order_event", event=self._words[name], when=self._when(ts))
            for ts, name in happened
        ]
        yield self._say(
            "day_order",
            order=order["order_id"],
            amount=money(order["amount"], currency),
            quantity=order["quantity"],
            events=self._list(events),
        )
        agents = {
            name: self._words["no_agent"] if order[name] is None else order[name]["agent_id"]
            for name in ("placing", "payment", "credit")
        }
        outcome, status = self._words[f"outcome_{order['outcome']}"], self._words[order["status"]]
        yield self._say("day_order_agents", **agents, outcome=outcome, status=status)
        if self._known.refunds is not None:
            for refund in self._known.refunds.get(order["order_id"], ()):
                yield self._say(
                    "refund_completed" if refund.completed else "refund_requested",
                    amount=money(refund.amount, currency),
                    when=self._when(refund.ts),
                )
        elif order["refund_requested"] or order["refund_completed"]:
            names = ("refund_requested", "refund_completed", "net_amount")
            requested, completed, net = (money(order[name], currency) for name in names)
            yield "  " + self._say("refunds", requested=requested, completed=completed, net=net)

    # What can still change

    def _change(self) -> Iterator[str]:
        pending = list(self._pending())
        yield from pending or [self._words["can_nothing"]]
        yield self._words["can_late"]

    def _pending(self) -> Iterator[str]:
        for fact in self._known.receptions:
            when = self._when(fact.final_at)
            if fact.status == PENDING:
                waits = "can_wait" if self._may_be_offline(fact) else "can_reception"
                yield self._say(waits, agent=fact.agent_id, when=when)
            told = self._records.inquiries.get((fact.day, fact.agent_id))
            if told is not None and told.status == PENDING:
                yield self._say("can_inquiry", agent=fact.agent_id, when=self._when(told.final_at))
        for agent_id in self._known.untold:
            yield self._say("day_untold", agent=agent_id)
        for order in self._known.orders:
            if order["status"] == PENDING:
                yield self._say("can_order", order=order["order_id"], when=self._when(order["final_at"]))
