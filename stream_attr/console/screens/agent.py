"""The agent: how do I stand?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from stream_attr.console.links import link_of
from stream_attr.console.periods import chosen, month_of, named, today
from stream_attr.console.rendering import shown, unit_of
from stream_attr.console.screens.reports import made, shown_rows
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit, not_found
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports import agents
from stream_attr.ledger.reports.report import Money, Report
from stream_attr.ledger.reports.scope import Member, Options, agents_of, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["SCREEN"]

TITLE: Final = Text("Agent", "客服")
FIGURES: Final = (
    "sales.amount",
    "sales.orders",
    "sales.buyers",
    "sales.net_amount",
    "workload.receptions",
    "workload.first_response_ms",
    "workload.reply_rate",
    "inquiries.inquiries",
    "inquiries.inquiry_to_order",
    "payments.inquiry_to_payment",
    "inquiries.lost",
)


class Rank(NamedTuple):
    """Where an agent stands by credited sales; the others are not named."""

    place: int
    of: int
    ahead: str | None
    """How much less than the one before; None: there is nobody."""
    behind: str | None
    """How much more than the next one; None: there is nobody."""


def show(visit: Visit) -> Response:
    """Show an agent's own figures by day, goals, and rank with the distance to the next ones."""
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        now = today(connection, shop_id)
        period = chosen(visit.asked, month_of(now.day))
        [shop] = scope(connection, Options((shop_id,), period))
        members = agents_of(connection, shop)
        own = visit.agents(shop_id)
        agent_id = visit.asked.one("agent") or (own[0] if own else min(members, default=None))
        if agent_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        if (own is not None and agent_id not in own) or (own is None and agent_id not in members):
            raise not_found()
        if agent_id not in members:  # named by an account, and nothing has come of them yet
            return shop_page(visit, "no_shop.html", TITLE)
        days = made(visit, "agents", shop_id, period, agents=(agent_id,), by=("day",), figures=FIGURES)
        whole = made(visit, "agents", shop_id, period, agents=(agent_id,), by=("agent",), figures=FIGURES)
        goals = made(visit, "goals", shop_id, period, agents=(agent_id,))
        pairs = [
            ("from", day_name(period.first)),
            ("to", day_name(period.last)),
        ]
        return shop_page(
            visit,
            "agent.html",
            TITLE,
            shop_id=shop_id,
            now=now,
            agent_id=agent_id,
            member=members[agent_id],
            agents=_choosable(own, members),
            period=period,
            first=pairs[0][1],
            last=pairs[1][1],
            periods=named(now.day),
            tiles=_tiles(whole, visit, shop_id, pairs),
            days=days,
            day_rows=shown_rows(days, list(days.rows), visit, shop_id, pairs),
            goals=goals,
            goal_rows=shown_rows(goals, list(goals.rows), visit, shop_id, pairs),
            rank=_rank(visit, shop_id, period, agent_id),
            as_of=whole.as_of,
        )


def _choosable(own: Sequence[str] | None, members: Mapping[str, Member]) -> list[Member]:
    """Return whose pages the reader can go to: everybody's, or one's own where there are several."""
    if own is None:
        return sorted(members.values())
    return [members.get(one, Member(one)) for one in own] if len(own) > 1 else []


class Tile(NamedTuple):
    """One figure of the agent."""

    key: str
    name: Text
    value: str
    unit: str
    link: str | None


def _tiles(report: Report, visit: Visit, shop_id: str, pairs: Sequence[tuple[str, str]]) -> list[Tile]:
    rows = list(report.rows)
    if not rows:
        return []
    row = {column.key: value for column, value in zip(report.columns, rows[0], strict=True)}
    return [
        Tile(
            column.key,
            column.name,
            shown(value, column.kind, visit.language),
            unit_of(column, visit.language),
            link_of(column, value, row, pairs, shop_id),
        )
        for column, value in zip(report.columns, rows[0], strict=True)
        if column.kind is not Kind.TEXT
    ]


def _rank(visit: Visit, shop_id: str, period: Period, agent_id: str) -> Rank | None:
    """Return an agent's place by credited sales; None: it has none, or there are several currencies."""
    report = agents.report(
        visit.connection, Options((shop_id,), period, by=("agent",), figures=("sales.amount",))
    )
    keys = [column.key for column in report.columns]
    amounts: dict[str, Any] = {}
    for row in report.rows:
        cells = dict(zip(keys, row, strict=True))
        if isinstance(cells["sales.amount"], Money) and isinstance(cells["agent"], str):
            amounts[cells["agent"]] = cells["sales.amount"]
    if agent_id not in amounts or amounts[agent_id].currency is None:
        return None
    mine = amounts[agent_id]
    more = [one.amount for one in amounts.values() if one.amount > mine.amount]
    less = [one.amount for one in amounts.values() if one.amount < mine.amount]

    def money(amount: int) -> str:
        return shown(Money(amount, mine.currency), Kind.MONEY, visit.language)

    return Rank(
        1 + len(more),
        len(amounts),
        money(min(more) - mine.amount) if more else None,
        money(mine.amount - max(less)) if less else None,
    )


SCREEN: Final = Screen("/agent", TITLE, show)
