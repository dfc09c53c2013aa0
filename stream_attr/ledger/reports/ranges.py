"""What of figures can still change, and until when, beside what they are made of (RULEBOOK 6 and 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from stream_attr.ledger.asked import RANGES, Asked
from stream_attr.ledger.figures import UNTIL, add, made_of
from stream_attr.ledger.formulas import Measures
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.decisions import Source
from stream_attr.ledger.reports.measured import Part, ShopMeasures
from stream_attr.ledger.reports.scope import ShopScope
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import day_name, day_number

__all__ = ["HOLDER", "PENDING_KEYS", "PENDING_ORDERS", "add_ranges"]

PENDING_KEYS: Final = ("pending.paid_orders", "pending.paid", "pending.open_orders", "pending.open")
"""Of pending orders: those that are paid, with their amount, and those that are not."""
HOLDER: Final = "CASE WHEN paid_ts IS NULL THEN placing_agent_id ELSE agent_id END"
"""Where an order stands now."""
PENDING_ORDERS: Final = SQL(
    f"SELECT {HOLDER},"
    " (%(labels)s::int[])[width_bucket(counted_ts, %(starts)s::bigint[])], currency,"
    " count(*) FILTER (WHERE paid_ts IS NOT NULL),"
    " coalesce(sum(amount) FILTER (WHERE paid_ts IS NOT NULL), 0)::bigint,"
    " count(*) FILTER (WHERE paid_ts IS NULL),"
    " coalesce(sum(amount) FILTER (WHERE paid_ts IS NULL), 0)::bigint, max(final_at)"
    " FROM {decision} AS decision WHERE shop_id = %(shop)s AND profile = 'official' AND status = 'pending'"
    " AND outcome IN ('credited', 'silent', 'awaiting_payment')"
    " AND counted_ts >= %(start)s AND counted_ts < %(end)s GROUP BY 1, 2, 3"
)
"""By whose they are now (of one that is not paid its placing agent), part of time and currency:
`PENDING_KEYS`, and when the last of them is final."""
_DAYS: Final = SQL(
    "SELECT agent_id, (%(labels)s::int[])[width_bucket(day - date '1970-01-01', %(first_days)s::int[])],"
    " {untils}, min(day) FILTER (WHERE of.sales->>'status' = 'pending')"
    " FROM agent_day, jsonb_to_record(record) AS of ({groups}) WHERE shop_id = %(shop)s"
    " AND day BETWEEN %(first)s::date AND %(last)s::date AND agent_day.status = 'pending' GROUP BY 1, 2"
)
"""By whose they are and part of time the day with which the last of pending days is final, of each group of
figures, and the first day with pending sales. Each record is read once, whatever the number of groups."""
_UNTIL: Final = SQL("max(of.{group}->>'final_from') FILTER (WHERE of.{group}->>'status' = 'pending')")
_SOLD: Final = SQL(
    "SELECT agent_id, (%(labels)s::int[])[width_bucket(counted_ts, %(starts)s::bigint[])], count(*),"
    " sum(amount)::bigint FROM {decision} AS decision WHERE shop_id = %(shop)s AND profile = 'official'"
    " AND outcome IN ('credited', 'silent') AND counted_ts >= %(pending_from)s AND counted_ts < %(end)s"
    " GROUP BY 1, 2"
)
"""By whose they are and part of time the orders that are paid, and their amount, since the first day that is
pending."""
_OF_DAYS: Final = SQL(
    "SELECT agent_id, (%(labels)s::int[])[width_bucket(day - date '1970-01-01', %(first_days)s::int[])],"
    " sum((of.sales->>'orders')::bigint)::bigint, sum((of.sales->>'amount')::bigint)::bigint"
    " FROM agent_day, jsonb_to_record(record) AS of (sales jsonb)"
    " WHERE shop_id = %(shop)s AND day BETWEEN %(pending_day)s::date AND %(last)s::date GROUP BY 1, 2"
)
"""Likewise what agents' days and the shop's say of them."""
_MISSING_KEYS: Final = ("pending.missing_orders", "pending.missing")
"""What of orders that are known has not come into agents' days, which follow somewhat later."""
_ORDERS: Final = frozenset({"sales"})
"""Groups whose figures move with pending orders."""

_Whose = dict[tuple[str | None, tuple[str, ...]], list[dict[str, int | None]]]
"""By whose they are and part of time measures, in each currency."""


def add_ranges(
    connection: Connection[Any],
    shop: ShopScope,
    period: Period,
    figures: Sequence[Asked],
    read: Source,
    found: ShopMeasures,
    *,
    by_currency: bool,
) -> None:
    """Add to a shop's measures until when they can change, and the pending orders that their ranges rest on.

    Only of what ``figures`` ask ranges of, and of agents and parts of time that have measures.
    ``by_currency``: whether measures are kept by currency, as those of orders are, not of days.
    """
    asked = [one for one in figures if one.way in RANGES]
    groups = sorted({key.partition(".")[0] for one in asked for key in made_of(one.figure.formula)})
    if not groups:
        return
    bound = {
        **read.parameters,
        **shop.bounds(period),
        "first": day_name(period.first),
        "last": day_name(period.last),
        "first_days": [part.day for part in shop.slices],
    }
    of_days = _DAYS.format(
        untils=SQL(", ").join(_UNTIL.format(group=Identifier(group)) for group in groups),
        groups=SQL(", ").join(SQL("{} jsonb").format(Identifier(one)) for one in {"sales", *groups}),
    )
    whose = _by_whose(found)
    pending_day: date | None = None
    for agent_id, label, *days, first in connection.execute(of_days, bound):
        pending_day = min((one for one in (pending_day, first) if one is not None), default=None)
        more = {
            UNTIL[group]: None if day is None else day_number(day)
            for group, day in zip(groups, days, strict=True)
        }
        for own in whose.get((agent_id, shop.labels[label]), ()):
            add(own, more)
        if agent_id == TOTAL:  # the silent ones are a part of the shop's
            for own in (own for part, own in found.silent.items() if part[0] == shop.labels[label]):
                add(own, more)
    if not _ORDERS & set(groups):
        return
    currencies = {currency for _, currency in found.shop}
    for agent_id, label, currency, *numbers, final_at in connection.execute(
        PENDING_ORDERS.format(decision=read.decision), bound
    ):
        known = currency if by_currency else next(iter(currencies), None)
        part: Part = (shop.labels[label], known)
        pending: Measures = {
            **dict(zip(PENDING_KEYS, numbers, strict=True)),
            UNTIL["sales"]: shop.zone.day_of(final_at),
        }
        holders = (
            found.silent.get(part) if agent_id is None else found.agents.get((agent_id, part)),
            found.shop.get(part),
        )
        for holder in holders:
            if holder is not None:
                add(holder, pending)

    if not by_currency and pending_day is not None:
        _add_missing(connection, shop, read, {**bound, "pending_day": pending_day.isoformat()}, whose)


def _add_missing(
    connection: Connection[Any], shop: ShopScope, read: Source, bound: Mapping[str, Any], whose: _Whose
) -> None:
    """Add what of orders is not in agents' days yet, of the days since the first that is pending."""
    start = shop.zone.start_of(day_number(bound["pending_day"]))
    bound = {**bound, "pending_from": max(start, bound["start"])}
    for agent_id, label, *numbers in connection.execute(_SOLD.format(decision=read.decision), bound):
        more: Measures = dict(zip(_MISSING_KEYS, numbers, strict=True))
        for one in (TOTAL, agent_id):
            for own in whose.get((one, shop.labels[label]), ()):
                add(own, more)
    for agent_id, label, *numbers in connection.execute(_OF_DAYS, bound):
        less: Measures = dict(zip(_MISSING_KEYS, (-number for number in numbers), strict=True))
        for own in whose.get((agent_id, shop.labels[label]), ()):
            add(own, less)


def _by_whose(found: ShopMeasures) -> _Whose:
    """Return the measures of agents, and of the shop as `TOTAL`, by whose they are and part of time."""
    whose: _Whose = {}
    for (agent_id, (labels, _)), own in found.agents.items():
        whose.setdefault((agent_id, labels), []).append(own)
    for (labels, _), own in found.shop.items():
        whose.setdefault((TOTAL, labels), []).append(own)
    return whose
