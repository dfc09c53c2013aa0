"""销售分析: what each agent has sold, what nobody has, and that they add up to the shop's (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.contract.topics import AGENT_DAILY, DECISIONS
from stream_attr.errors import UnusableError
from stream_attr.ledger.asked import Way, asked, ranges_beside
from stream_attr.ledger.figures import add
from stream_attr.ledger.formulas import Measures
from stream_attr.ledger.reports.agents import BEFORE
from stream_attr.ledger.reports.decisions import source
from stream_attr.ledger.reports.measured import (
    Measured,
    Part,
    ShopMeasures,
    columns_of,
    rows_of,
    totals_of,
)
from stream_attr.ledger.reports.ranges import add_ranges
from stream_attr.ledger.reports.report import Note, Report
from stream_attr.ledger.reports.sales_notes import notes_on
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text

__all__ = ["report"]

_SHARE: Final = "sales.amount:share"
_FIGURES: Final = (
    "sales.amount",
    _SHARE,
    "sales.orders",
    "sales.buyers",
    "sales.quantity",
    "sales.amount_per_buyer",
    "sales.quantity_per_buyer",
    "refunds.requested",
    "refunds.completed",
    "sales.net_amount",
)
_OF_SHOP: Final = ("silent.orders", "silent.amount", "silent.amount_rate")
"""Beside these, where rows are not by agents."""
_SALES: Final = ("sales.buyers", "sales.orders", "sales.quantity", "sales.amount")
_SILENT: Final = ("silent.buyers", "silent.orders", "silent.quantity", "silent.amount")
_REFUNDS: Final = ("refunds.requested", "refunds.completed")
_NONE: Final[Measures] = dict.fromkeys((*_SALES, *_REFUNDS), 0)
_NOTHING: Final[Measures] = {**_NONE, **dict.fromkeys(_SILENT, 0)}
_NOT_OF_AGENTS: Final[Measures] = {**_NONE, **dict.fromkeys(_SILENT)}

_PAID: Final = SQL(
    "SELECT is_shop, agent_id, label, currency,"
    " sum(buyers)::bigint, sum(orders)::bigint, sum(quantity)::bigint, sum(amount)::bigint"
    " FROM (SELECT grouping(agent_id) = 1 AS is_shop, agent_id, label, currency,"
    ' count(DISTINCT buyer_id COLLATE "C") AS buyers, count(*) AS orders, sum(quantity) AS quantity,'
    " sum(amount) AS amount FROM (SELECT agent_id, currency, buyer_id, quantity, amount,"
    " (%(labels)s::int[])[width_bucket(counted_ts, %(starts)s::bigint[])] AS label,"
    " width_bucket(counted_ts, %(days)s::bigint[]) AS day"
    " FROM {decision} AS decision"
    " WHERE shop_id = %(shop)s AND profile = 'official' AND outcome IN ('credited', 'silent')"
    " AND counted_ts >= %(start)s AND counted_ts < %(end)s) AS sale"
    " GROUP BY GROUPING SETS ((label, day, currency, agent_id), (label, day, currency))) AS sold"
    " GROUP BY is_shop, agent_id, label, currency"
)
"""Sales by agent and of the shop, and their buyers, each once a day. The order of the grouping sets lets one
sort serve both, and it compares few texts."""
_REFUNDED: Final = SQL(
    "SELECT agent_id, (%(labels)s::int[])[width_bucket(ts, %(starts)s::bigint[])], currency,"
    " coalesce(sum(amount) FILTER (WHERE NOT completed), 0)::bigint,"
    " coalesce(sum(amount) FILTER (WHERE completed), 0)::bigint FROM {refund} AS refund"
    " WHERE shop_id = %(shop)s AND outcome <> 'excluded' AND ts >= %(start)s AND ts < %(end)s"
    " GROUP BY 1, 2, 3"
)
_TITLE: Final = Text("Sales by credited agent", "销售分析")
_DAYS: Final = Text(
    "An order counts on the day of its payment, a refund on its own day; net sales are the amount less the "
    "refunds completed. A buyer counts once a day for each agent, and once a day for the shop.",
    "订单计入付款当天，退款计入退款当天；净销售额 = 销售额 − 完成退款。"
    "同一买家每天对每位客服计一次，对店铺计一次。",
)
_SEVERAL: Final = Text(
    "Amounts of several currencies are not added up: each has rows of its own.", "多种币种不相加，各自成行。"
)


def report(connection: Connection[Any], options: Options) -> Report:
    """Return what was sold and refunded in a period, by agent unless ``options.by`` says otherwise.

    Raises UnusableError for a shop, agent, group or person that the ledger does not know, and for rows by
    time beside the period before.
    """
    if options.beside_before and options.times:
        raise UnusableError("rows by time cannot stand beside the period before: choose one of the two")
    who = options.who("agent")
    shops = scope(connection, options, options.times)
    is_chosen = any(one.chosen is not None for one in shops)
    of_shop = who in (None, "shop") and not is_chosen
    names = [one for one in _FIGURES if one != _SHARE or not of_shop or who]
    names += _OF_SHOP if of_shop else ()
    if options.beside_before:
        names = [way for one in names for way in _ways(one)]
    if options.beside_ranges and "hour" not in options.times and options.as_known_on is None:
        names += ranges_beside(names)
    figures = asked(names)
    measured = Measured()
    notes = [Note(_DAYS)]
    for shop in shops:
        found = _measures(connection, options, shop)
        add_ranges(connection, shop, options.period, figures, source(options, shop), found, by_currency=True)
        measured.add_shop(who, shop, found, of_shop=of_shop)
        notes += notes_on(connection, options, shop, found)
    whole = measured
    if "hour" in options.times:  # a buyer of several hours is one of the day
        whole = _measured(connection, options, scope(connection, options), of_shop=of_shop)
    before = None
    if options.beside_before:
        earlier = replace(options, period=options.period.before)
        before = _measured(connection, earlier, scope(connection, earlier), of_shop=of_shop)
        notes.append(Note(BEFORE.filled(days=earlier.period.name)))
    if len(measured.currencies) > 1:
        notes.append(Note(_SEVERAL))
    return Report(
        "sales",
        _TITLE,
        columns_of(who, options.times, measured, figures, len(shops)),
        list(rows_of(who, measured, figures, shops, before)),
        as_of(connection, shops[0].zone, (DECISIONS, AGENT_DAILY)),
        totals_of(who, options.times, whole, figures, shops, before, chosen=is_chosen),
        notes,
        asked_for(options, shops),
    )


def _ways(figure: str) -> list[str]:
    """Return a figure as it is, in the period before, and its change."""
    return [figure] if figure == _SHARE else [figure, f"{figure}:{Way.BEFORE}", f"{figure}:{Way.CHANGE}"]


def _measured(
    connection: Connection[Any], options: Options, shops: Sequence[ShopScope], *, of_shop: bool
) -> Measured:
    """Return the measures of all shops together."""
    found = Measured()
    for shop in shops:
        measures = _measures(connection, options, shop)
        found.add_shop(options.who("agent"), shop, measures, of_shop=of_shop)
    return found


def _measures(connection: Connection[Any], options: Options, shop: ShopScope) -> ShopMeasures:
    """Return sales and refunds of agents, of nobody, and of the shop."""
    read = source(options, shop)
    bound = {**read.parameters, **shop.bounds(options.period)}
    found = ShopMeasures(_NOTHING, {}, {}, {})
    labels = shop.labels
    for is_shop, agent_id, label, currency, *numbers in connection.execute(
        _PAID.format(decision=read.decision), bound
    ):
        part = (labels[label], currency)
        sold = {**_NONE, **dict(zip(_SALES, numbers, strict=True))}
        if is_shop:
            add(found.shop.setdefault(part, dict(_NOTHING)), sold)
        else:
            _add(found, agent_id, part, sold)
    for agent_id, label, currency, *numbers in connection.execute(
        _REFUNDED.format(refund=read.refund), bound
    ):
        part = (labels[label], currency)
        refunded = {**_NONE, **dict(zip(_REFUNDS, numbers, strict=True))}
        add(found.shop.setdefault(part, dict(_NOTHING)), refunded)
        _add(found, agent_id, part, refunded)
    return found


def _add(found: ShopMeasures, agent_id: str | None, part: Part, measures: Measures) -> None:
    """Add what was sold or refunded to an agent's, or to the silent ones and their part of the shop's."""
    if agent_id is not None:
        add(found.agents.setdefault((agent_id, part), dict(_NOT_OF_AGENTS)), measures)
        return
    add(found.silent.setdefault(part, dict(_NOT_OF_AGENTS)), measures)
    silent = {silent: measures[sold] for silent, sold in zip(_SILENT, _SALES, strict=True)}
    add(found.shop.setdefault(part, dict(_NOTHING)), silent)
