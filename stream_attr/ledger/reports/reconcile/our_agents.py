"""The agents' figures of the ledger, the rows behind them, and what they come to by other definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson
from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.ledger.formulas import Measures
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.agents import sum_columns
from stream_attr.ledger.reports.reconcile.words import Cause, Finding
from stream_attr.ledger.reports.scope import ShopScope
from stream_attr.ledger.texts import Text
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import Zone, day_name, zone
from stream_attr.rules.shop.settings import Settings

__all__ = ["AgentDays", "OtherDefinitions", "agent_days", "rows_behind", "without_presale"]

_DAYS: Final = SQL(
    "SELECT agent_id, bool_or(status = 'pending'), {measures} FROM agent_day WHERE shop_id = %(shop)s"
    " AND agent_id <> %(total)s AND day BETWEEN %(first)s::date AND %(last)s::date GROUP BY 1"
)
_ROLES: Final = """
    SELECT agent_id FROM roster WHERE shop_id = %(shop)s AND effective_from <= %(last)s::date
        AND (effective_from > %(first)s::date
            OR (effective_from, source_partition, source_offset) = (
                SELECT one.effective_from, one.source_partition, one.source_offset FROM roster AS one
                WHERE one.shop_id = roster.shop_id AND one.agent_id = roster.agent_id
                    AND one.effective_from <= %(first)s::date
                ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT 1))
    GROUP BY agent_id
    HAVING bool_and(role <> 'presale') AND bool_or(effective_from <= %(first)s::date)
"""
_SOLD: Final = "outcome IN ('credited', 'silent') AND {at} >= %(start)s AND {at} < %(end)s"
_PLACED: Final = "outcome <> 'excluded' AND {at} >= %(start)s AND {at} < %(end)s"
_BASES: Final = {
    "sales": ("agent_id", "counted_ts", _SOLD),
    "placed": ("placing_agent_id", "created_ts", _PLACED),
    "paid": ("payment_agent_id", "counted_ts", _SOLD),
}
"""By group of figures: whose an order is, of which day, and which orders count (RULEBOOK 8)."""
_SUMS: Final = {
    "amount": "sum(amount)::bigint",
    "net_amount": "sum(amount - refund_completed)::bigint",
    "refund_completed": "sum(refund_completed)::bigint",
    "orders": "count(*)",
    "quantity": "sum(quantity)::bigint",
    "buyers": "count(DISTINCT (width_bucket({at}, %(days)s::bigint[]), buyer_id))",
}
_UNDER_PROFILE: Final = (
    "(SELECT official.shop_id, official.profile, official.outcome, official.counted_ts, official.amount,"
    " official.refund_completed, official.quantity, official.buyer_id,"
    " CASE WHEN official.basis = 'ruling' THEN official.agent_id ELSE other.agent_id END AS agent_id"
    " FROM decision AS official JOIN decision AS other USING (shop_id, order_id)"
    " WHERE other.profile = %(profile)s)"
)
"""Official decisions with the agent that a profile gives, which is judged without rulings."""
_REFUNDS: Final = (
    "SELECT agent_id, sum(amount)::bigint FROM refund WHERE shop_id = %(shop)s AND outcome <> 'excluded'"
    " AND agent_id IS NOT NULL AND completed AND ts >= %(start)s AND ts < %(end)s GROUP BY 1"
)
_BEHIND: Final = {
    "refunds": "SELECT agent_id, count(DISTINCT order_id) FROM refund WHERE shop_id = %(shop)s"
    " AND outcome <> 'excluded' AND agent_id IS NOT NULL AND ts >= %(start)s AND ts < %(end)s GROUP BY 1",
    "workload": "SELECT agent_id, count(*) FROM reception WHERE shop_id = %(shop)s"
    " AND day BETWEEN %(first)s::date AND %(last)s::date GROUP BY 1",
    "inquiries": "SELECT agent_id, count(*) FROM inquiry WHERE shop_id = %(shop)s AND kind <> 'none'"
    " AND day BETWEEN %(first)s::date AND %(last)s::date GROUP BY 1",
}
_PROFILES: Final = (
    "SELECT DISTINCT profile FROM decision WHERE shop_id = %(shop)s AND profile <> 'official' ORDER BY 1"
)
_SETTINGS: Final = (
    "SELECT record FROM shop_settings WHERE shop_id = %(shop)s AND effective_from <= %(last)s::date"
    " ORDER BY effective_from DESC, source_partition DESC, source_offset DESC"
)

_BY_MIDNIGHT: Final = Text("theirs is ours by days that begin at midnight", "等于按零点起算的本系统数字")
_FINAL: Final = Text("theirs is ours of final orders alone", "等于本系统仅已定订单的数字")
_NO_FOLLOWUP: Final = Text(
    "theirs is ours without follow-up of silent orders", "等于本系统不含静默跟进的数字"
)
_NO_RULING: Final = Text("theirs is ours without orders that were ruled on", "等于本系统不含裁定订单的数字")
_BY_PLACING: Final = Text(
    "theirs is ours by placing agent, on the day of creation", "等于本系统按落实下单客服、下单日的数字"
)
_PLACING_PAID: Final = Text(
    "theirs is ours by placing agent, on the day of payment", "等于本系统按落实下单客服、付款日的数字"
)
_BY_PAYMENT: Final = Text("theirs is ours by payment agent", "等于本系统按落实付款客服的数字")
_BY_CREDIT: Final = Text(
    "theirs is ours by credit, on the day of payment", "等于本系统按业绩归属、付款日的数字"
)
_BY_PROFILE: Final = Text("theirs is ours under profile {profile}", "等于本系统方案 {profile} 的数字")
_NET: Final = Text("theirs is ours less the refunds of these orders", "等于本系统减去这些订单的退款")
_NET_OF_DAYS: Final = Text("theirs is ours less the refunds of these days", "等于本系统减去这些日期的退款")
_GROSS: Final = Text("theirs is ours before refunds", "等于本系统未减退款的数字")
_REQUESTED: Final = Text("theirs are the refunds requested", "等于本系统申请退款")
_OF_ORDERS: Final = Text("theirs are the refunds of orders paid in these days", "等于这些日期付款订单的退款")
_UNFILTERED: Final = Text("theirs is ours with filtered receptions", "等于本系统含被过滤接待的数字")
_FILTERED: Final = Text("theirs is ours without filtered receptions", "等于本系统不含被过滤接待的数字")
_DECIDED: Final = Text("theirs is ours without inquiries that are open", "等于本系统不含待定询单的数字")

AgentDays = dict[str, tuple[bool, Measures]]
"""By agent, whether some of the days are pending, and the sums of measures."""
_Numbers = Mapping[str, int]


def _bound(shop: ShopScope, period: Period, of: Zone) -> dict[str, Any]:
    start, end = period.instants(of)
    return {
        "shop": shop.shop_id,
        "start": start,
        "end": end,
        "first": day_name(period.first),
        "last": day_name(period.last),
        "days": [of.start_of(day) for day in range(period.first, period.last + 1)],
        "total": TOTAL,
    }


def agent_days(
    connection: Connection[Any], shop: ShopScope, period: Period, keys: tuple[str, ...]
) -> AgentDays:
    """Return the sums of measures of each agent, as in the report agents."""
    query = _DAYS.format(measures=sum_columns(keys))
    return {
        agent_id: (is_pending, dict(zip(keys, numbers, strict=True)))
        for agent_id, is_pending, *numbers in connection.execute(query, _bound(shop, period, shop.zone))
    }


def rows_behind(connection: Connection[Any], shop: ShopScope, period: Period, group: str) -> _Numbers:
    """Return by agent how many records a group of figures is made of: orders, receptions or inquiries."""
    bound = _bound(shop, period, shop.zone)
    if group in _BASES:
        return _by_agent(connection, bound, *_BASES[group], "orders")
    query = _BEHIND["inquiries" if group == "payments" else group]
    return dict(connection.execute(query, bound).fetchall())


def without_presale(connection: Connection[Any], shop: ShopScope, period: Period) -> frozenset[str]:
    """Return the agents who by the roster are in pre-sales on no day of a period."""
    return frozenset(one for (one,) in connection.execute(_ROLES, _bound(shop, period, shop.zone)))


def _by_agent(
    connection: Connection[Any],
    bound: Mapping[str, Any],
    agent: str,
    at: str,
    where: str,
    how: str,
    profile: str = "official",
) -> _Numbers:
    """Return a sum over the orders of each agent; under a further profile rulings stay."""
    read = "decision" if profile == "official" else _UNDER_PROFILE
    query = SQL(
        f"SELECT {agent}, {_SUMS[how].format(at=at)} FROM {read} AS decision WHERE shop_id = %(shop)s"
        f" AND profile = 'official' AND {agent} IS NOT NULL AND {where.format(at=at)} GROUP BY 1"
    )
    return dict(connection.execute(query, {**bound, "profile": profile}).fetchall())


@dataclass
class OtherDefinitions:
    """What figures of agents come to by other definitions: one that equals theirs says why ours does not."""

    connection: Connection[Any]
    shop: ShopScope
    period: Period
    ours: AgentDays

    def __post_init__(self) -> None:
        self._known: dict[str, list[tuple[Finding, _Numbers]]] = {}

    def why(self, key: str, agent_id: str, theirs: int) -> tuple[Finding, ...]:
        """Return the definitions by which a figure of an agent is exactly theirs."""
        if key not in self._known:
            self._known[key] = list(self._of(key))
        return tuple(finding for finding, numbers in self._known[key] if numbers.get(agent_id, 0) == theirs)

    def _of(self, key: str) -> list[tuple[Finding, _Numbers]]:
        group, _, name = key.partition(".")
        if key == "sales.net_amount":
            return [
                (Finding(Cause.REFUND_BASIS, _GROSS), self._measure("sales.amount")),
                (Finding(Cause.REFUND_BASIS, _NET), self._orders("sales", "net_amount")),
            ]
        if key == "refunds.completed":
            return [
                (Finding(Cause.REFUND_BASIS, _REQUESTED), self._measure("refunds.requested")),
                (Finding(Cause.REFUND_BASIS, _OF_ORDERS), self._orders("sales", "refund_completed")),
                *self._if_cut(lambda: dict(self.connection.execute(_REFUNDS, self._natural).fetchall())),
            ]
        if key in ("workload.receptions", "workload.consults"):
            other, text = ("consults", _UNFILTERED) if name == "receptions" else ("receptions", _FILTERED)
            return [(Finding(Cause.FILTER, text), self._measure(f"workload.{other}"))]
        if key == "inquiries.inquiries":
            opened = self._measure("inquiries.open")
            decided = {agent: number - opened[agent] for agent, number in self._measure(key).items()}
            return [(Finding(Cause.PENDING, _DECIDED), decided)]
        return self._of_orders(group, name) if group in _BASES and name in _SUMS else []

    def _of_orders(self, group: str, name: str) -> list[tuple[Finding, _Numbers]]:
        """Return the other definitions of a figure that is a sum over orders."""
        agent, at, where = _BASES[group]
        found = [
            *self._if_cut(lambda: _by_agent(self.connection, self._natural, agent, at, where, name)),
            (Finding(Cause.PENDING, _FINAL), self._orders(group, name, "status = 'final'")),
        ]
        if group == "sales":
            found += [
                (Finding(Cause.SILENT, _NO_FOLLOWUP), self._orders(group, name, "basis <> 'followup'")),
                (Finding(Cause.RULE, _NO_RULING), self._orders(group, name, "basis <> 'ruling'")),
                (Finding(Cause.RULE, _BY_PLACING), self._orders("placed", name)),
                (
                    Finding(Cause.RULE, _PLACING_PAID),
                    _by_agent(self.connection, self._own, "placing_agent_id", at, where, name),
                ),
                (Finding(Cause.RULE, _BY_PAYMENT), self._orders("paid", name)),
                *self._by_profiles(name),
            ]
        else:
            found.append((Finding(Cause.RULE, _BY_CREDIT), self._orders("sales", name)))
        if (group, name) == ("sales", "amount"):
            refunds = self._measure("refunds.completed")
            of_days = {
                agent: number - refunds[agent] for agent, number in self._measure("sales.amount").items()
            }
            found += [
                (Finding(Cause.REFUND_BASIS, _NET), self._orders(group, "net_amount")),
                (Finding(Cause.REFUND_BASIS, _NET_OF_DAYS), of_days),
            ]
        return found

    @cached_property
    def _own(self) -> dict[str, Any]:
        return _bound(self.shop, self.period, self.shop.zone)

    @cached_property
    def _natural(self) -> dict[str, Any]:
        return _bound(self.shop, self.period, zone(self.shop.zone.name))

    def _measure(self, key: str) -> _Numbers:
        return {agent_id: measures[key] or 0 for agent_id, (_, measures) in self.ours.items()}

    def _orders(self, group: str, name: str, condition: str = "true") -> _Numbers:
        agent, at, where = _BASES[group]
        return _by_agent(self.connection, self._own, agent, at, f"{where} AND {condition}", name)

    def _if_cut(self, natural: Callable[[], _Numbers]) -> list[tuple[Finding, _Numbers]]:
        """Return what days that begin at midnight come to, where the shop's do not."""
        is_cut = self._own["start"] != self._natural["start"]
        return [(Finding(Cause.DAY_CUT, _BY_MIDNIGHT), natural())] if is_cut else []

    def _by_profiles(self, name: str) -> list[tuple[Finding, _Numbers]]:
        found = []
        for (profile,) in self.connection.execute(_PROFILES, self._own).fetchall():
            finding = Finding(self._cause_of(profile), _BY_PROFILE.filled(profile=profile))
            numbers = _by_agent(self.connection, self._own, *_BASES["sales"], name, profile)
            found.append((finding, numbers))
        return found

    def _cause_of(self, profile: str) -> Cause:
        """Return in what a profile differs from the official settings of the last day that have it."""
        for (record,) in self.connection.execute(_SETTINGS, self._own):
            try:
                given = decode_settings(orjson.dumps(record))
            except RefusedRecord:
                continue
            if profile in given.profiles:
                differs = {
                    one
                    for one in Settings.__dataclass_fields__
                    if one != "preset"
                    and getattr(given.settings, one) != getattr(given.profiles[profile], one)
                }
                return next((cause for cause, fields in _FIELDS.items() if differs <= fields), Cause.RULE)
        return Cause.RULE


_FIELDS: Final = {
    Cause.WINDOW: {"validity"},
    Cause.FILTER: {"filters", "auto_reply", "official_accounts", "aftersale_unfiltered"},
    Cause.SILENT: {"silent_followup"},
}
"""Settings whose difference alone is a cause of its own; all others are the rule."""
