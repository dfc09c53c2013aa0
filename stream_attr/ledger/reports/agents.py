"""自定义报表: any figures of agents' days, by agent, person, group, shop and time (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Composed, Literal

from stream_attr.contract.topics import AGENT_DAILY
from stream_attr.errors import UnusableError
from stream_attr.ledger.asked import Asked, Way, asked, measures_of
from stream_attr.ledger.figures import FIGURES, add
from stream_attr.ledger.formulas import Kind, Measures, Most
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.decisions import source
from stream_attr.ledger.reports.distinct import distinct
from stream_attr.ledger.reports.measured import (
    Measured,
    ShopMeasures,
    columns_of,
    rows_of,
    totals_of,
)
from stream_attr.ledger.reports.ranges import add_ranges
from stream_attr.ledger.reports.report import Note, Report
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import day_name

__all__ = ["BEFORE", "DEFAULT", "MIXED", "currencies_of", "report", "sum_columns"]

DEFAULT: Final = (
    "sales.amount",
    "sales.amount:share",
    "sales.orders",
    "sales.amount_per_buyer",
    "workload.receptions",
    "workload.first_response_ms",
    "workload.reply_rate",
    "inquiries.inquiries",
    "inquiries.inquiry_to_order",
    "payments.inquiry_to_payment",
    "inquiries.lost",
)
_QUERY: Final = SQL(
    "SELECT agent_id, (%(labels)s::int[])[width_bucket(day - date '1970-01-01', %(first_days)s::int[])],"
    " {measures} FROM agent_day WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date"
    " AND (%(only)s::text[] IS NULL OR agent_id = ANY(%(only)s)) GROUP BY 1, 2"
)
_IN_DAYS: Final = (
    "SELECT DISTINCT currency FROM decision WHERE shop_id = %(shop)s AND profile = 'official'"
    " AND (counted_ts >= %(start)s AND counted_ts < %(end)s"
    " OR created_ts >= %(start)s AND created_ts < %(end)s)"
    " UNION SELECT currency FROM refund WHERE shop_id = %(shop)s AND ts >= %(start)s AND ts < %(end)s"
    " ORDER BY 1 LIMIT 2"
)
_EVER: Final = distinct("decision", "currency", SQL("shop_id = %(shop)s AND profile = 'official'"))
_PENDING: Final = (
    "SELECT count(*) FILTER (WHERE status = 'pending'), count(*) FROM agent_day WHERE shop_id = %(shop)s"
    " AND agent_id <> %(total)s AND day BETWEEN %(first)s::date AND %(last)s::date"
)

_TITLE: Final = Text("Figures of agents' days", "自定义报表")
_SUMS: Final = Text(
    "A buyer counts once a day for each agent, and once a day for the shop, so buyers of agents do not "
    "add up to the shop's. Rates and means are of sums.",
    "同一买家每天对每位客服计一次，对店铺计一次，因此各客服人数之和不等于店铺人数。"
    "比率和平均值由总和相除得出。",
)
_OPEN: Final = Text(
    "Shop {shop}: {pending} of {days} agents' days are pending and can still change.",
    "店铺 {shop}：{days} 个客服日报中有 {pending} 个待定，仍可能变化。",
)
MIXED: Final = Text(
    "Shop {shop} has several currencies, and agents' days add them up: read amounts in the report sales.",
    "店铺 {shop} 有多种币种，客服日报把它们相加：金额请看 sales 报表。",
)
BEFORE: Final = Text("The period before is {days}.", "上期为 {days}。")


def report(connection: Connection[Any], options: Options) -> Report:
    """Return figures of a period, by agent unless ``options.by`` says otherwise.

    Raises UnusableError for a shop, agent, group, person or figure that does not exist, and for hours.
    """
    figures = asked(options.figures or DEFAULT)
    if "hour" in options.times:
        raise UnusableError("--by hour: agents' days have no hours; take the report sales or pressure")
    compares = any(one.way in (Way.BEFORE, Way.CHANGE) for one in figures)
    if compares and options.times:
        names = " ".join(options.times)
        raise UnusableError(f"--by {names}: what compares with the period before is of the whole period")
    if options.as_known_on is not None:
        raise UnusableError("--as-known-on: of agents' days the last revision alone is kept; see sales")
    who = options.who("agent")
    shops = scope(connection, options, options.times)
    is_chosen = any(one.chosen is not None for one in shops)
    of_shop = who in (None, "shop") and not is_chosen
    notes = [Note(_SUMS)]
    measured = _measured(connection, options, shops, figures, notes, of_shop=of_shop)
    before = None
    if compares:
        earlier = replace(options, period=options.period.before)
        shops_before = scope(connection, earlier)
        before = _measured(connection, earlier, shops_before, figures, [], of_shop=of_shop)
        notes.append(Note(BEFORE.filled(days=earlier.period.name)))
    return Report(
        "agents",
        _TITLE,
        columns_of(who, options.times, measured, figures, len(shops)),
        list(rows_of(who, measured, figures, shops, before)),
        as_of(connection, shops[0].zone, (AGENT_DAILY,)),
        totals_of(who, options.times, measured, figures, shops, before, chosen=is_chosen),
        notes,
        asked_for(options, shops),
    )


def _measured(
    connection: Connection[Any],
    options: Options,
    shops: Sequence[ShopScope],
    figures: Sequence[Asked],
    notes: list[Note],
    *,
    of_shop: bool,
) -> Measured:
    """Return the measures of agents and shops; remarks on them are added to ``notes``."""
    keys = measures_of(figures)
    has_money = any(one.figure.kind is Kind.MONEY for one in figures)
    measured = Measured()
    who = options.who("agent")
    for shop in shops:
        bound = {
            **shop.bounds(options.period),
            "first": day_name(options.period.first),
            "last": day_name(options.period.last),
            "first_days": [part.day for part in shop.slices],
            "total": TOTAL,
            "only": _only(shop, of_shop=of_shop),
        }
        currencies = currencies_of(connection, shop, options.period) if has_money else []
        currency = currencies[0] if len(currencies) == 1 else None
        if len(currencies) > 1:
            notes.append(Note(MIXED.filled(shop=shop.shop_id), is_warning=True))
        found = ShopMeasures(dict.fromkeys(keys, 0), {}, {}, {})
        labels = shop.labels
        for agent_id, label, *numbers in connection.execute(_QUERY.format(measures=sum_columns(keys)), bound):
            measures: Measures = dict(zip(keys, numbers, strict=True))
            part = (labels[label], currency)
            if agent_id == TOTAL:
                add(found.shop.setdefault(part, {}), measures)
            else:
                add(found.agents.setdefault((agent_id, part), {}), measures)
        add_ranges(connection, shop, options.period, figures, source(options, shop), found, by_currency=False)
        measured.add_shop(who, shop, found, of_shop=of_shop)
        pending, days = connection.execute(_PENDING, bound).fetchone() or (0, 0)
        if pending:
            text = _OPEN.filled(shop=shop.shop_id, pending=f"{pending:,}", days=f"{days:,}")
            notes.append(Note(text))
    return measured


def _only(shop: ShopScope, *, of_shop: bool) -> list[str] | None:
    """Return whose days are read; None: everybody's. The shop's own are always among them."""
    if of_shop:
        return [TOTAL]
    return None if shop.chosen is None else sorted({*shop.chosen, TOTAL})


def currencies_of(connection: Connection[Any], shop: ShopScope, days: Period) -> list[str]:
    """Return the currencies of a shop's orders and refunds in a period; two where there are more than one.

    Of a shop that has had one currency alone this one, whatever the period.
    """
    start, end = days.instants(shop.zone)
    bound = {"shop": shop.shop_id, "start": start, "end": end}
    known = [one for (one,) in connection.execute(_EVER, bound)]
    return known if len(known) < 2 else [one for (one,) in connection.execute(_IN_DAYS, bound)]


def sum_columns(keys: Sequence[str]) -> Composed:
    """Return the columns that add up measures of the records of agents' days."""
    columns = []
    for key in keys:
        group, name = key.split(".")
        how = SQL("max" if isinstance(FIGURES[key].formula, Most) else "sum")
        columns.append(
            SQL("{}((record->{}->>{})::bigint)::bigint").format(how, Literal(group), Literal(name))
        )
    return SQL(", ").join(columns)
