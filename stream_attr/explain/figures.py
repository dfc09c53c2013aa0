"""Explains what a buyer adds to the figures of a day, and what their totals are."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.records.agent_daily import AgentDaily
from stream_attr.explain.money import format_money
from stream_attr.explain.view import BuyerDayView
from stream_attr.explain.writer import BuyerDayWriter
from stream_attr.rules.reports.buyer_contribution import shop_total
from stream_attr.rules.reports.contribution import NOBODY, TOTAL, Contribution
from stream_attr.rules.reports.day_totals import GROUPS
from stream_attr.rules.vocabulary import PENDING

__all__ = ["FiguresExplanation"]

_COUNT, _AMOUNT = "count", "amount"
_SUMS: dict[str, dict[str, tuple[str, str]]] = {
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
"""By group, the figures of an agent's day that are sums: attribute of `Contribution`, and unit."""
FIGURES_PER_LINE = 4
_MEANS = {
    "first_response_ms": ("workload.first_response_ms", "workload.first_responses"),
    "response_ms": ("workload.response_ms", "workload.responses"),
}
"""The averages of the workload: attributes of their sum and of their count."""


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
                yield agent_id
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
        if self._view.refunds is None and any(
            order["refund_requested"] or order["refund_completed"]
            for order in self._records.decisions.values()
        ):
            yield self._sentence("figures_without_refunds")

    def _group(self, group: str, contribution: Contribution, daily: AgentDaily | None) -> Iterator[str]:
        """Yield what the buyer adds to a group of figures: nothing if that is nothing."""
        totals = None if daily is None else getattr(daily, group)
        figures = []
        for name, (path, unit) in _SUMS[group].items():
            own: int = attrgetter(path)(contribution)
            if own:
                write = self._money if unit == _AMOUNT else _number
                total = None if totals is None else write(getattr(totals, name))
                figures.append(self._figure("figures_sum", f"{group}_{name}", write(own), total))
        if group == "workload":
            figures += self._means(contribution, daily)
        for index in range(0, len(figures), FIGURES_PER_LINE):
            line = self._list(figures[index : index + FIGURES_PER_LINE])
            if index:
                yield f"    {line}"
            else:
                status = ""
                if totals is not None:
                    status = self._sentence(f"figures_{totals.status}", day=totals.final_from)
                title = self._sentence(f"group_{group}")
                yield "  " + self._sentence("figures_group", group=title, status=status, figures=line)

    def _means(self, contribution: Contribution, daily: AgentDaily | None) -> Iterator[str]:
        for name, (sum_path, count_path) in _MEANS.items():
            own = mean(attrgetter(sum_path)(contribution), attrgetter(count_path)(contribution))
            if own is not None:
                of_day = None if daily is None else getattr(daily.workload, name)
                total = None if of_day is None else self._seconds(of_day)
                yield self._figure("figures_mean", f"workload_{name}", self._seconds(own), total)

    def _figure(self, key: str, name: str, own: str, total: str | None) -> str:
        figure = self._sentence(f"figure_{name}")
        return (
            f"{figure} {own}" if total is None else self._sentence(key, figure=figure, own=own, total=total)
        )

    def _money(self, amount: int) -> str:
        return f"{amount:,}" if self._currency is None else format_money(amount, self._currency)


def _number(count: int) -> str:
    return f"{count:,}"
