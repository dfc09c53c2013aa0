"""The agent: how do I stand?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from stream_attr.console.links import link_of, to
from stream_attr.console.pay.scope import LOOKING, PayScope, paying
from stream_attr.console.periods import Today, chosen, month_of, named, today
from stream_attr.console.rates import compared, with_ranges
from stream_attr.console.rendering import shown
from stream_attr.console.roles import Role
from stream_attr.console.screens.made import made
from stream_attr.console.screens.rows import shown_rows
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.screens.tiles import Tile, row_of, tiles
from stream_attr.console.screens.trends import trend
from stream_attr.console.visit import Visit, not_found
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.persons import Persons
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

_TREND: Final = ("sales.amount", "inquiries.inquiry_to_order", "workload.first_response_ms")


class Rank(NamedTuple):
    """Where an agent stands by credited sales; the others are not named."""

    place: int
    of: int
    ahead: str | None
    """How much less than the one before; None: there is nobody."""
    behind: str | None
    """How much more than the next one; None: there is nobody."""


class _Asked(NamedTuple):
    """Whose page is asked for, and of which days."""

    shop_id: str
    agent_id: str
    now: Today
    period: Period
    members: Mapping[str, Member]
    own: tuple[str, ...] | None
    """The reader's agents; None: the reader may see all."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the days as a query string has them."""
        return [("from", day_name(self.period.first)), ("to", day_name(self.period.last))]


def show(visit: Visit) -> Response:
    """Show an agent's own figures by day, goals, and rank with the distance to the next ones."""
    with paying(visit) as pay:
        asked = _asked(visit)
        if asked is None:
            return shop_page(visit, "no_shop.html", TITLE, shop_id=visit.shop())
        return _page(visit, asked, pay)


def _asked(visit: Visit) -> _Asked | None:
    """Return what is asked for; None: nothing is known of it. Raises HTTPException, 404."""
    shop_id = visit.shop()
    if shop_id is None:
        return None
    now = today(visit.connection, shop_id)
    period = chosen(visit.asked, month_of(now.day))
    [shop] = scope(visit.connection, Options((shop_id,), period))
    members = agents_of(visit.connection, shop)
    own = visit.agents(shop_id)
    agent_id = visit.asked.one("agent") or (own[0] if own else min(members, default=None))
    if agent_id is None:
        return None
    if (own is not None and agent_id not in own) or (own is None and agent_id not in members):
        raise not_found()
    if agent_id not in members:  # named by an account, and nothing has come of them yet
        return None
    return _Asked(shop_id, agent_id, now, period, members, own)


def _page(visit: Visit, asked: _Asked, pay: PayScope) -> Response:
    shop_id, agent_id, period, pairs = asked.shop_id, asked.agent_id, asked.period, asked.pairs
    asking = partial(made, visit, shop_id=shop_id, period=period, agents=(agent_id,))
    days = asking("agents", by=("day",), figures=with_ranges(FIGURES))
    whole = asking("agents", by=("agent",), figures=with_ranges(compared(FIGURES)))
    goals = asking("goals")
    hidden = frozenset(set(with_ranges(FIGURES)) - set(FIGURES))
    day_rows = list(days.rows)
    return shop_page(
        visit,
        "agent.html",
        TITLE,
        shop_id=shop_id,
        now=asked.now,
        agent_id=agent_id,
        member=asked.members[agent_id],
        agents=_choosable(asked.own, asked.members),
        period=period,
        first=pairs[0][1],
        last=pairs[1][1],
        periods=named(asked.now.day),
        before=period.before.name,
        tiles=_tiles(whole, visit, shop_id, pairs),
        days=replace(days, columns=[one for one in days.columns if one.key not in hidden]),
        day_rows=shown_rows(days, day_rows, visit, shop_id, [*pairs, ("agent", agent_id)], hidden),
        trend=trend(visit, shop_id, period, _TREND, (agent_id,)),
        goals=goals,
        goal_rows=shown_rows(goals, list(goals.rows), visit, shop_id, pairs),
        rank=_rank(visit, shop_id, period, agent_id),
        pay=_pay(visit, pay, asked.members[agent_id], min(period.last, asked.now.day)),
        as_of=whole.as_of,
    )


def _choosable(own: Sequence[str] | None, members: Mapping[str, Member]) -> list[Member]:
    """Return whose pages the reader can go to: everybody's, or one's own where there are several."""
    if own is None:
        return sorted(members.values())
    return [members.get(one, Member(one)) for one in own] if len(own) > 1 else []


def _tiles(report: Report, visit: Visit, shop_id: str, pairs: Sequence[tuple[str, str]]) -> list[Tile]:
    """Return the agent's figures beside those of the period before."""
    row = row_of(report)
    if not row:
        return []
    columns = {column.key: column for column in report.columns}
    links = {key: link_of(columns[key], row[key], row, pairs, shop_id) for key in FIGURES}
    return list(tiles(FIGURES, report, row, links, visit.language))


def _pay(visit: Visit, pay: PayScope, member: Member, day: int) -> str | None:
    """Return where it stands what a day's month pays the agent so far; None: the account does not see it."""
    is_own = visit.account.role is Role.AGENT
    person = pay.own if is_own else member.person_id
    if person is None or not (is_own or visit.account.role in LOOKING) or not pay.sees([person]):
        return None
    if all(one.person_id != person for one in Persons(visit.connection).all()):
        return None
    return to("/pay/so-far", person=person, month=day_name(day)[:7])


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
