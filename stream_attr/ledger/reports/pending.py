"""待定明细: what can still change, until when, and the range of each agent's credit (RULEBOOK 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.contract.topics import DECISIONS
from stream_attr.ledger.asked import Asked, Way
from stream_attr.ledger.figures import Figure, add
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind, Measures, Total
from stream_attr.ledger.reports.decisions import source
from stream_attr.ledger.reports.measured import Measured, ShopMeasures, columns_of, rows_of, totals_of
from stream_attr.ledger.reports.orders import ANY, COLUMNS, order_rows
from stream_attr.ledger.reports.ranges import HOLDER, PENDING_ORDERS
from stream_attr.ledger.reports.report import Column, Moment, Money, Note, Report
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import PENDING

__all__ = ["report"]


def _figure(key: str, names: tuple[str, str], kind: Kind, meaning: tuple[str, str]) -> Asked:
    figure = Figure(
        f"pending.{key}", "pending", Text(*names), kind, Text("", ""), Total(key), Text(*meaning), None
    )
    return Asked(figure, Way.ITSELF)


_FIGURES: Final = (
    _figure("sure", ("for sure", "已定金额"), Kind.MONEY, ("amount of final orders", "已定订单的金额")),
    _figure(
        "with_pending",
        ("with all pending", "含全部待定"),
        Kind.MONEY,
        (
            "with the pending ones, paid or still to be paid",
            "加上待定的订单，已付款的和待付款的",
        ),
    ),
    _figure("sure_orders", ("orders for sure", "已定订单数"), Kind.COUNT, ("final orders", "已定订单")),
    _figure(
        "paid_orders", ("pending, paid", "待定已付款订单数"), Kind.COUNT, ("can still move", "仍可能变更归属")
    ),
    _figure("paid", ("pending, paid, amount", "待定已付款金额"), Kind.MONEY, ("their amount", "其金额")),
    _figure(
        "open_orders", ("not paid yet", "待付款订单数"), Kind.COUNT, ("by placing agent", "按落实下单客服")
    ),
    _figure("open", ("not paid yet, amount", "待付款金额"), Kind.MONEY, ("their amount", "其金额")),
)
_KEYS: Final = ("sure_orders", "sure", "paid_orders", "paid", "open_orders", "open")
_NOTHING: Final[Measures] = dict.fromkeys((*_KEYS, "with_pending"), 0)

_FINAL: Final = SQL(
    "SELECT agent_id, (%(labels)s::int[])[width_bucket(counted_ts, %(starts)s::bigint[])], currency,"
    " count(*), sum(amount)::bigint, 0, 0, 0, 0, NULL::bigint FROM {decision} AS decision"
    " WHERE shop_id = %(shop)s AND profile = 'official' AND counted_ts >= %(start)s AND counted_ts < %(end)s"
    " AND status = 'final' AND outcome IN ('credited', 'silent') GROUP BY 1, 2, 3"
)
"""What is final: of it the index knows all."""
_TITLE: Final = Text("Pending orders", "待定明细")
_RANGE: Final = Text(
    "Shop {shop}: {low} are final, {high} with all pending ({paid} orders that are paid, {open} that are "
    "not); by {until} at the latest all of it is final.",
    "店铺 {shop}：已定 {low}，含全部待定 {high}（已付款 {paid} 单，待付款 {open} 单）；"
    "最迟 {until} 全部已定。",
)
_ALL_FINAL: Final = Text("Shop {shop}: {low}, all of it is final.", "店铺 {shop}：{low}，全部已定。")
_NOW: Final = Text(
    "A pending order stands where it belongs now: with its credited agent, while it is not paid with its "
    "placing agent. Chat that comes in time can still move it to another.",
    "待定订单按目前归属列出：已付款的在业绩归属客服名下，待付款的在落实下单客服名下。"
    "按时到达的聊天仍可能使其变更归属。",
)
_SHOP_COLUMN: Final = Column("shop", Text("shop", "店铺"))


def report(connection: Connection[Any], options: Options) -> Report:
    """Return the pending orders of a period, or with ``options.by`` the range of each agent, day and so on.

    Raises UnusableError for a shop, agent, group or person that the ledger does not know.
    """
    who = options.who(None)
    shops = scope(connection, options, options.times)
    is_chosen = any(one.chosen is not None for one in shops)
    of_shop = who in (None, "shop") and not is_chosen
    measured = Measured()
    notes = []
    for shop in shops:
        found, until = _measures(connection, options, shop)
        measured.add_shop(who, shop, found, of_shop=of_shop)
        notes += _ranges(shop, found, until)
    notes.append(Note(_NOW))
    at, asked = as_of(connection, shops[0].zone, (DECISIONS,)), asked_for(options, shops)
    if options.by:
        return Report(
            "pending",
            _TITLE,
            columns_of(who, options.times, measured, _FIGURES, len(shops)),
            list(rows_of(who, measured, _FIGURES, shops)),
            at,
            totals_of(who, options.times, measured, _FIGURES, shops, chosen=is_chosen),
            notes,
            asked,
        )
    several = len(shops) > 1
    rows = order_rows(
        connection, replace(options, statuses=(PENDING,)), shops, OFFICIAL, ANY._replace(agent=HOLDER)
    )
    return Report(
        "pending",
        _TITLE,
        [*([_SHOP_COLUMN] if several else []), *COLUMNS],
        ((shop.shop_id, *row) if several else row for shop, row in rows),
        at,
        (),
        notes,
        asked,
    )


def _measures(
    connection: Connection[Any], options: Options, shop: ShopScope
) -> tuple[ShopMeasures, int | None]:
    """Return what is final and what is pending, and when the last of it is final."""
    read = source(options, shop)
    bound = {**read.parameters, **shop.bounds(options.period)}
    found = ShopMeasures(_NOTHING, {}, {}, {})
    labels = shop.labels
    last: int | None = None
    final = connection.execute(_FINAL.format(decision=read.decision), bound).fetchall()
    pending = connection.execute(PENDING_ORDERS.format(decision=read.decision), bound).fetchall()
    rows = final + [(*row[:3], 0, 0, *row[3:]) for row in pending]
    for agent_id, label, currency, *numbers, until in rows:
        measures: dict[str, int | None] = dict(zip(_KEYS, numbers, strict=True))
        measures["with_pending"] = sum(
            number for key, number in zip(_KEYS, numbers, strict=True) if key in _PARTS
        )
        part = (labels[label], currency)
        if agent_id is None:
            add(found.silent.setdefault(part, {}), measures)
        else:
            add(found.agents.setdefault((agent_id, part), {}), measures)
        add(found.shop.setdefault(part, {}), measures)
        last = until if last is None else max(last, until or last)
    return found, last


_PARTS: Final = frozenset({"sure", "paid", "open"})


def _ranges(shop: ShopScope, found: ShopMeasures, until: int | None) -> list[Note]:
    """Return what the shop or the agents asked for are sure of, and with all pending, by currency."""
    notes = []
    of = found.sums("shop")
    if shop.chosen is not None:
        of = {}
        for (agent_id, (_, currency)), measures in found.agents.items():
            if agent_id in shop.chosen:
                add(of.setdefault(currency, {}), measures)
    for currency, sums in sorted(of.items(), key=str):
        low, high = (
            f"{as_text(Money(sums[key] or 0, currency), Kind.MONEY, 'en', grouped=True)} {currency}"
            for key in ("sure", "with_pending")
        )
        if until is None:
            notes.append(Note(_ALL_FINAL.filled(shop=shop.shop_id, low=low)))
            continue
        moment = Moment(until, shop.zone.name)
        at = Text(*(as_text(moment, Kind.MOMENT, language, grouped=True) for language in ("en", "zh")))
        text = _RANGE.filled(
            shop=shop.shop_id,
            low=low,
            high=high,
            paid=f"{sums['paid_orders']:,}",
            open=f"{sums['open_orders']:,}",
            until=at,
        )
        notes.append(Note(text))
    return notes
