"""Explains what a buyer adds to the figures of a day, and what their totals are."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import get_type_hints

from stream_attr.codec.money import format_money
from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.records.agent_daily import FIGURES, AgentDaily, FigureGroup, Mean, Sum, made
from stream_attr.explain.view import BuyerDayView, refunds_of
from stream_attr.explain.writer import BuyerDayWriter
from stream_attr.rules.reports.buyer_contribution import shop_total
from stream_attr.rules.reports.contribution import TOTAL, Contribution
from stream_attr.rules.reports.day_totals import GROUPS
from stream_attr.rules.reports.deals import NOBODY
from stream_attr.rules.vocabulary import PENDING

__all__ = ["FiguresExplanation"]

FIGURES_PER_LINE = 4
_CONTRIBUTED = ("workload.", "inquiries.", "deals.")
"""What of a `Contribution` adds up."""
_IN_MEANS = {
    part
    for group in GROUPS
    for name, meta in FIGURES[group].items()
    if isinstance(how := made(group, name), Mean) and (meta.extra or {})["unit"][0] == "ms"
    for part in how
}
"""The sums and counts of the average times: the average says enough."""
_HINTS = get_type_hints(AgentDaily, include_extras=True)
_TITLES: dict[str, str] = {group: _HINTS[group].__metadata__[-1].title for group in GROUPS}
"""The groups of figures in Chinese."""


class FiguresExplanation(BuyerDayWriter):
    """Explains the figures to which a buyer contributes."""

    def __init__(self, view: BuyerDayView, zone: str, language: str) -> None:
        super().__init__(view, zone, language)
        currencies = {order["currency"] for order in view.records.decisions.values()}
        self._currency = currencies.pop() if len(currencies) == 1 else None

    def lines(self) -> Iterator[str]:
        """Yield the lines by agent, then for the shop."""
        contributions = self._view.contributions
        agents = sorted(
            {fact.agent_id for fact in self._view.receptions} | contributions.keys() - {TOTAL, NOBODY}
        )
        pending = False
        for agent_id in (*agents, TOTAL):
            if agent_id == TOTAL:
                yield self._sentence("figures_of_shop")
                contribution = shop_total(contributions)
            else:
                yield self._agent(agent_id)
                contribution = contributions.get(agent_id, Contribution())
            daily = self._records.figures.get(agent_id)
            pending = pending or (daily is not None and daily.status == PENDING)
            added = contribution.with_zeros()
            lines = [line for group in GROUPS for line in self._group(group, added, daily)]
            yield from lines or ["  " + self._sentence("figures_none")]
        if len(agents) > 1:
            yield self._sentence("figures_once")
        if pending:
            yield self._sentence("figures_delay")
        if any(
            refunds_of(order) is None and (order["refund_requested"] or order["refund_completed"])
            for order in self._records.decisions.values()
        ):
            yield self._sentence("figures_without_refunds")

    def _group(self, group: str, contribution: Contribution, daily: AgentDaily | None) -> Iterator[str]:
        """Yield what the buyer adds to a group of figures: nothing if that is nothing."""
        totals = None if daily is None else getattr(daily, group)
        figures = list(self._figures(group, contribution, totals))
        for index in range(0, len(figures), FIGURES_PER_LINE):
            line = self._list(figures[index : index + FIGURES_PER_LINE])
            if index:
                yield f"    {line}"
            else:
                status = ""
                if totals is not None:
                    status = self._sentence(f"figures_{totals.status}", day=totals.final_from)
                title = self._named(group, _TITLES[group])
                yield "  " + self._sentence("figures_group", group=title, status=status, figures=line)

    def _figures(self, group: str, contribution: Contribution, totals: FigureGroup | None) -> Iterator[str]:
        """Yield the sums and average times of a group to which the buyer adds something."""
        for name, meta in FIGURES[group].items():
            how, unit = made(group, name), (meta.extra or {})["unit"][0]
            own: int | None = None
            if isinstance(how, Sum) and how.of.startswith(_CONTRIBUTED) and how.of not in _IN_MEANS:
                own, key = attrgetter(how.of)(contribution) or None, "figures_sum"
            elif isinstance(how, Mean) and unit == "ms":
                own = mean(attrgetter(how.total)(contribution), attrgetter(how.number)(contribution))
                key = "figures_mean"
            if own is None:
                continue
            write = {"minor units": self._money, "ms": self._seconds}.get(unit, _number)
            figure = self._named(name.removesuffix("_ms"), str(meta.title))
            total = None if totals is None else getattr(totals, name)
            if total is None:
                yield f"{figure} {write(own)}"
            else:
                yield self._sentence(key, figure=figure, own=write(own), total=write(total))

    def _money(self, amount: int) -> str:
        return f"{amount:,}" if self._currency is None else format_money(amount, self._currency)


def _number(count: int) -> str:
    return f"{count:,}"
