"""What a report of sales says of itself: that it adds up, what agent-daily says, what can still change."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.codec.money import decimal_amount, format_money
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.decisions import source
from stream_attr.ledger.reports.measured import ShopMeasures
from stream_attr.ledger.reports.report import Moment, Note
from stream_attr.ledger.reports.scope import Options, ShopScope
from stream_attr.ledger.texts import Text
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import day_name

__all__ = ["notes_on"]

_ADDITIVE: Final = (
    "sales.orders",
    "sales.quantity",
    "sales.amount",
    "refunds.requested",
    "refunds.completed",
)
_PENDING: Final = SQL(
    "SELECT count(*), coalesce(sum(amount), 0)::bigint, max(final_at), min(currency), max(currency)"
    " FROM {decision} AS decision WHERE shop_id = %(shop)s AND profile = 'official' AND status = 'pending'"
    " AND outcome IN ('credited', 'silent') AND counted_ts >= %(start)s AND counted_ts < %(end)s"
)
_CUT: Final = SQL(
    "SELECT count(*) FROM {refund} AS refund JOIN {decision} AS decision USING (shop_id, order_id)"
    " WHERE shop_id = %(shop)s AND number = 100 AND ts < %(end)s AND profile = 'official'"
    " AND decision.outcome <> 'excluded' AND (record->>'refunds_cut')::boolean"
)

_AGENT_DAYS: Final = (
    "SELECT bool_or(status = 'pending'), coalesce(sum((record->'sales'->>'amount')::bigint), 0)::bigint,"
    " coalesce(sum((record->'sales'->>'orders')::bigint), 0)::bigint,"
    " coalesce(sum((record->'refunds'->>'completed')::bigint), 0)::bigint"
    " FROM agent_day WHERE shop_id = %(shop)s AND agent_id = %(total)s"
    " AND day BETWEEN %(first)s::date AND %(last)s::date"
)
_COMPARED: Final = ("sales.amount", "sales.orders", "refunds.completed")

_CHANGED: Final = (
    "SELECT count(DISTINCT order_id) FROM decision_revision WHERE shop_id = %(shop)s AND profile = 'official'"
    " AND known_ts >= %(known_before)s AND paid_ts >= %(start)s AND paid_ts < %(end)s"
)
_CHANGED_SINCE: Final = Text(
    "{orders} orders paid in these days have come or changed since then.",
    "此后有 {orders} 个在这些日期付款的订单新增或变更。",
)
_ADDS_UP: Final = Text(
    "Shop {shop}: agents {agents} + silent {silent} = shop {total}, in {orders} orders.",
    "店铺 {shop}：客服 {agents} + 静默 {silent} = 店铺 {total}，共 {orders} 单。",
)
_DOES_NOT: Final = Text(
    "Shop {shop}: agents {agents} + silent {silent} are NOT the shop's {total}. Do not pay by this report, "
    "and report it.",
    "店铺 {shop}：客服 {agents} + 静默 {silent} 与店铺 {total} 不相等。请勿据此结算，并请上报。",
)
_SAME: Final = Text(
    "The days of the shop in agent-daily say the same.", "客服日报（agent-daily）中店铺各日之和与此一致。"
)
_DIFFERS: Final = Text(
    "The days of the shop in agent-daily say {amount} in {orders} orders, and completed refunds of "
    "{refunds}: {why}.",
    "客服日报（agent-daily）中店铺各日之和为 {amount}，{orders} 单，完成退款 {refunds}：{why}。",
)
_WHY_PENDING: Final = Text("some of them are pending and follow later", "其中有待定的日期，稍后更新")
_WHY_UNKNOWN: Final = Text(
    "the ledger has not read both topics to the same point, or an order changed after its day was kept no "
    "longer",
    "账本读到的两个主题进度不同，或订单在其日期已过保留期后有变化",
)
_CAN_CHANGE: Final = Text(
    "{orders} of these orders are pending, {amount}: by {until} at the latest they are "
    "final (stream-attr report pending).",
    "其中 {orders} 单待定，金额 {amount}，最迟 {until} 已定（stream-attr report pending）。",
)
_REFUNDS_CUT: Final = Text(
    "{orders} orders have more than 100 refunds: those after the first 100 are missing here, as their days "
    "are not known.",
    "{orders} 个订单的退款超过 100 笔：第 100 笔之后的退款日期未知，不在此表内。",
)


def notes_on(
    connection: Connection[Any], options: Options, shop: ShopScope, found: ShopMeasures
) -> list[Note]:
    """Return whether the sales add up, whether agent-daily says the same, and what can still change."""
    sums = {which: found.sums(which) for which in ("agents", "silent", "shop")}
    notes = []
    for currency, total in sorted(sums["shop"].items(), key=str):
        add_up = all(
            _sum(sums["agents"], currency, key) + _sum(sums["silent"], currency, key) == total[key]
            for key in _ADDITIVE
        )
        amounts = {which: _money(_sum(sums[which], currency, "sales.amount"), currency) for which in sums}
        amounts["total"] = amounts.pop("shop")
        text = _ADDS_UP if add_up else _DOES_NOT
        notes.append(
            Note(
                text.filled(shop=shop.shop_id, orders=f"{total['sales.orders']:,}", **amounts),
                is_warning=not add_up,
            )
        )
    read = source(options, shop)
    bound = {**read.parameters, **shop.bounds(options.period)}
    if options.as_known_on is None:
        notes += _of_agent_days(connection, options, shop, sums["shop"])
    else:
        ((changed,),) = connection.execute(_CHANGED, bound)
        notes.append(Note(_CHANGED_SINCE.filled(orders=f"{changed:,}")))
    ((orders, amount, until, least, greatest),) = connection.execute(
        _PENDING.format(decision=read.decision), bound
    )
    if orders:
        shown = as_text(Moment(until, shop.zone.name), Kind.MOMENT, "en", grouped=True)
        money = _money(amount, least if least == greatest else None)
        notes.append(Note(_CAN_CHANGE.filled(orders=f"{orders:,}", amount=money, until=shown)))
    ((cut,),) = connection.execute(_CUT.format(decision=read.decision, refund=read.refund), bound)
    if cut:
        notes.append(Note(_REFUNDS_CUT.filled(orders=f"{cut:,}"), is_warning=True))
    return notes


def _of_agent_days(
    connection: Connection[Any],
    options: Options,
    shop: ShopScope,
    sums: dict[str | None, dict[str, int | None]],
) -> list[Note]:
    """Return whether the shop's days in agent-daily come to the same."""
    period = options.period
    row = connection.execute(
        _AGENT_DAYS,
        {
            "shop": shop.shop_id,
            "total": TOTAL,
            "first": day_name(period.first),
            "last": day_name(period.last),
        },
    ).fetchone()
    assert row is not None
    pending, *theirs = row
    ours = [sum(_sum(sums, currency, key) for currency in sums) for key in _COMPARED]
    if ours == theirs:
        return [Note(_SAME)] if any(ours) else []
    currency = next(iter(sums)) if len(sums) == 1 else None
    amount, orders, refunds = theirs
    why = _WHY_PENDING if pending else _WHY_UNKNOWN
    text = _DIFFERS.filled(
        amount=_money(amount, currency), orders=f"{orders:,}", refunds=_money(refunds, currency), why=why
    )
    return [Note(text, is_warning=not pending)]


def _sum(sums: dict[str | None, dict[str, int | None]], currency: str | None, key: str) -> int:
    return sums.get(currency, {}).get(key) or 0


def _money(amount: int, currency: str | None) -> str:
    return decimal_amount(amount, "", grouped=True) if currency is None else format_money(amount, currency)
