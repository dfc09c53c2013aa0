"""Tells in words what a buyer adds to the figures of a day, and out of how much."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.records.agent_daily import AgentDaily
from stream_attr.explain.day_teller import DayTeller
from stream_attr.explain.teller import money
from stream_attr.explain.view import Known
from stream_attr.rules.reports.buyer_contribution import shop_total
from stream_attr.rules.reports.contribution import NOBODY, TOTAL, Contribution
from stream_attr.rules.reports.day_totals import GROUPS
from stream_attr.rules.vocabulary import PENDING

__all__ = ["FiguresTeller"]

_COUNT, _AMOUNT = "count", "amount"
_ADDED: dict[str, dict[str, tuple[str, str]]] = {
    "workload": {
        "consults": ("workload.consults", _COUNT),
        "receptions": ("workload.receptions", _COUNT),
        "unreplied": ("workload.unreplied", _COUNT),
        "buyer_messages": ("workload.buyer_messages", _COUNT),
        "agent_messages": ("workload.agent_messages", _COUNT),
        "agent_characters": ("workload.agent_characters", _COUNT),
        "slow_receptions": ("workload.slow", _COUNT),
    },
    "inquiries": {
        name: (f"inquiries.{name}", _COUNT)
        for name in (
            "inquiries",
            "open",
            "ordered",
            "lost",
            "assists",
            "follow_ups",
            "after_sales",
            "exempt",
        )
    },
    "payments": {name: (f"inquiries.{name}", _COUNT) for name in ("paid", "payment_lost")},
    **{
        group: {
            name: (f"deals.{group}_{name}", _AMOUNT if name == "amount" else _COUNT)
            for name in ("buyers", "orders", "quantity", "amount")
            if name != "quantity" or group in ("sales", "silent")
        }
        for group in ("placed", "paid", "sales", "silent")
    },
    "refunds": {name: (f"deals.{name}", _AMOUNT) for name in ("requested", "completed")},
}
"""By group, the figures of an agent's day that add up: where a `Contribution` has them, and their unit."""
ABREAST = 4
"""So many figures stand in one line."""
_MEANS = {
    "first_response_ms": ("workload.first_response_ms", "workload.first_responses"),
    "response_ms": ("workload.response_ms", "workload.responses"),
}
"""The means of the workload: of what, and of how many."""


class FiguresTeller(DayTeller):
    """Tells the figures that a buyer is part of."""

    def __init__(self, known: Known, zone: str, language: str) -> None:
        super().__init__(known, zone, language)
        currencies = {order["currency"] for order in known.records.decisions.values()}
        self._currency = currencies.pop() if len(currencies) == 1 else None

    def tell(self) -> Iterator[str]:
        """Yield the lines that tell them, by agent and for the shop."""
        contributions = self._known.contributions
        agents = sorted(
            {fact.agent_id for fact in self._known.receptions} | contributions.keys() - {TOTAL, NOBODY}
        )
        pending = False
        for agent_id in (*agents, TOTAL):
            if agent_id == TOTAL:
                yield self._words["adds_shop"]
                contribution = shop_total(contributions)
            else:
                yield self._say("adds_agent", agent=agent_id)
                contribution = contributions.get(agent_id, Contribution())
            daily = self._records.figures.get(agent_id)
            pending = pending or (daily is not None and daily.status == PENDING)
            added = contribution.with_zeros()
            lines = [line for group in GROUPS for line in self._group(group, added, daily)]
            yield from lines or [self._words["adds_nothing"]]
        if len(agents) > 1:
            yield self._words["adds_once"]
        if pending:
            yield self._words["adds_lag"]
        if self._known.refunds is None and any(
            order["refund_requested"] or order["refund_completed"]
            for order in self._records.decisions.values()
        ):
            yield self._words["adds_refunds_unknown"]

    def _group(self, group: str, contribution: Contribution, daily: AgentDaily | None) -> Iterator[str]:
        """Tell what the buyer adds to a group of figures."""
        told = None if daily is None else getattr(daily, group)
        said = []
        for name, (path, unit) in _ADDED[group].items():
            own: int = attrgetter(path)(contribution)
            if own:
                write = self._money if unit == _AMOUNT else _number
                figure = self._words[f"figure_{group}_{name}"]
                if told is None:
                    said.append(self._say("adds_own", figure=figure, own=write(own)))
                else:
                    whole_day = write(getattr(told, name))
                    said.append(self._say("adds_of", figure=figure, own=write(own), whole=whole_day))
        if group == "workload":
            said += self._means(contribution, daily)
        if said:
            status = "" if told is None else self._say(f"adds_status_{told.status}", day=told.final_from)
            figures = self._list(said[:ABREAST])
            yield self._say("adds_group", group=self._words[f"group_{group}"], status=status, figures=figures)
        for index in range(ABREAST, len(said), ABREAST):
            yield self._say("adds_more", figures=self._list(said[index : index + ABREAST]))

    def _means(self, contribution: Contribution, daily: AgentDaily | None) -> Iterator[str]:
        for name, (total, count) in _MEANS.items():
            own = mean(attrgetter(total)(contribution), attrgetter(count)(contribution))
            if own is None:
                continue
            figure = self._words[f"figure_workload_{name}"]
            of_day = None if daily is None else getattr(daily.workload, name)
            if of_day is None:
                yield self._say("adds_own", figure=figure, own=self._exact(own))
            else:
                yield self._say("adds_mean", figure=figure, own=self._exact(own), whole=self._exact(of_day))

    def _money(self, amount: int) -> str:
        return f"{amount:,}" if self._currency is None else money(amount, self._currency)


def _number(count: int) -> str:
    return f"{count:,}"
