"""What the lab found, as reports: the same formats, languages and digits as those of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from stream_attr.codec.money import format_money
from stream_attr.errors import UnusableError
from stream_attr.lab.result import AgentMoney, JudgedOrder, LabResult, Move, Pair, Sum, Verdict
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.compare import CONTESTED, MOVED, NOBODY
from stream_attr.ledger.reports.orders import worded
from stream_attr.ledger.reports.report import AsOf, Column, Moment, Money, Note, Report, Row, TopicAsOf
from stream_attr.ledger.texts import Text
from stream_attr.rules.vocabulary import BASES

__all__ = ["VIEWS", "report"]

_STORED: Final = "stored events"
_TITLE: Final = Text("Rules side by side: {sets}", "规则实验室：{sets}")
_PAIR_TITLE: Final = Text("{before} against {after}", "{before} 与 {after} 对比")
_PERIOD: Final = Text("period", "期间")
_SHOP: Final = Text("shop", "店铺")
_BEFORE: Final = Text("from rules", "原规则")
_AFTER: Final = Text("to rules", "新规则")
_AGENT: Final = Text("agent", "客服")
_NAME: Final = Text("name", "姓名")
_PERSON: Final = Text("person", "人员")
_CURRENCY: Final = Text("currency", "币种")
_ORDERS: Final = Text("orders", "订单数")
_ORDERS_OF: Final = Text("{rules}, orders", "{rules} 订单数")
_AMOUNT: Final = Text("amount", "金额")
_MOVED_ORDERS: Final = Text("orders that move", "变动订单数")
_MOVED_AMOUNT: Final = Text("amount that moves", "变动金额")
_SHARE_OF: Final = Text("share", "占比")
_DIFFERENCE: Final = Text("difference", "差额")
_GAINED: Final = Text("gained", "增加金额")
_GAINED_ORDERS: Final = Text("orders gained", "增加订单数")
_LOST: Final = Text("lost", "减少金额")
_LOST_ORDERS: Final = Text("orders lost", "减少订单数")
_NUMBER: Final = Text("{orders} orders", "{orders} 单")
_TOTAL: Final = Text("total", "合计")
_RULED: Final = Text(
    "Ruled on by a person, and so the same agent's under all rules: {orders} orders.",
    "经业绩裁定、各套规则下归属相同的订单：{orders} 单。",
)
_REFUSED: Final = Text(
    "{records} records were refused, and no verdict rests on them: stream-attr check says why.",
    "{records} 条记录被拒收，未参与判定：原因请用 stream-attr check 查看。",
)
_SHORT: Final = Text(
    "Chat is stored from {first} on, and verdicts of this period may rest on chat from {needed} on: orders "
    "may lack agents.",
    "聊天自 {first} 起有存档，而本期判定可能用到 {needed} 起的聊天：部分订单可能缺少客服。",
)
_PAID: Final = Text(
    "Pay of {month} by scheme {scheme}, version {version}, of the orders and days of {shop} alone; refunds "
    "of orders of earlier months are left out.",
    "{month} 薪酬按方案 {scheme} 第 {version} 版计算，仅含店铺 {shop} 的数据；不含更早月份订单的退款。",
)
_TO_THE_END: Final = Text(
    "Orders are judged as if nothing more came: what is pending today may still change.",
    "按现有事件判定到底：目前待定的订单今后仍可能变化。",
)


def report(
    result: LabResult,
    view: str,
    pair: tuple[str, str] | None = None,
    wanted: Callable[[Move], bool] | None = None,
) -> Report:
    """Return a view of what the lab found: one of `VIEWS`; ``pair``: of two rule sets, else of each two.

    ``wanted``: which orders that move are listed; None: all.

    Raises UnusableError for a rule set that was not judged.
    """
    for name in pair or ():
        if name not in result.rule_sets:
            raise UnusableError(f"rule set {name} was not judged: there are {', '.join(result.rule_sets)}")
    pairs = list(result.pairs) if pair is None else [result.pair(*pair)]
    if wanted is not None:
        pairs = [replace(one, moves=tuple(filter(wanted, one.moves))) for one in pairs]
    columns, rows, totals = VIEWS[view](result, pairs)
    title = _TITLE.filled(sets=", ".join(result.rule_sets))
    if pair is not None:
        title = _PAIR_TITLE.filled(before=pair[0], after=pair[1])
    return Report(
        f"lab.{view}",
        title,
        columns,
        rows,
        AsOf((TopicAsOf(_STORED, result.events, None, None),), result.zone),
        totals,
        list(_notes(result)),
        [(_SHOP, result.shop_id), (_PERIOD, f"{result.first_day} – {result.last_day}")],
    )


def _notes(result: LabResult) -> Iterator[Note]:
    for one in result.contested:
        yield Note(
            CONTESTED.filled(
                shop=result.shop_id,
                contested=format_money(one.contested.amount, one.currency),
                total=format_money(one.total.amount, one.currency),
                share=as_text(one.share or 0, Kind.RATE, "en", grouped=True),
                rules=len(result.rule_sets),
            )
        )
    if result.ruled:
        yield Note(_RULED.filled(orders=f"{result.ruled:,}"))
    if result.refused:
        yield Note(_REFUSED.filled(records=f"{result.refused:,}"))
    first, needed = result.chats_from, result.needed_from
    if first is not None and needed is not None and first > needed:
        yield Note(_SHORT.filled(first=first, needed=needed), is_warning=True)
    if result.pay is not None:
        pay = result.pay
        yield Note(
            _PAID.filled(scheme=pay.scheme_id, version=pay.version, month=pay.month, shop=result.shop_id)
        )
    yield Note(_TO_THE_END)


_View = tuple[Sequence[Column], Sequence[Row], Sequence[Row]]
"""Columns, rows, totals."""


def _pairs(result: LabResult, pairs: Sequence[Pair]) -> _View:
    """Return a row for each two rule sets and currency: how much moves between them."""
    totals = {one.currency: one.total for one in result.contested}
    rows: list[Row] = []
    for pair in pairs:
        for currency, total in totals.items():
            moved = _sum(move.order for move in pair.moves if move.order.currency == currency)
            share = moved.amount / total.amount if total.amount else None
            rows.append(
                (
                    pair.before,
                    pair.after,
                    moved.orders,
                    Money(moved.amount, currency),
                    currency,
                    share,
                    total.orders,
                    Money(total.amount, currency),
                )
            )
    columns = [
        Column("before", _BEFORE),
        Column("after", _AFTER),
        Column("moved_orders", _MOVED_ORDERS, Kind.COUNT),
        Column("moved", _MOVED_AMOUNT, Kind.MONEY),
        Column("currency", _CURRENCY),
        Column("share", _SHARE_OF, Kind.RATE),
        Column("orders", _ORDERS, Kind.COUNT),
        Column("amount", _AMOUNT, Kind.MONEY),
    ]
    return columns, rows, ()


def _agents(result: LabResult, pairs: Sequence[Pair]) -> _View:
    """Return a row for each agent: the money under each rule set; of one pair what is gained and lost."""
    if len(pairs) == 1:
        return _agents_of(result, pairs[0])
    columns = [Column("agent", _AGENT), Column("name", _NAME), Column("currency", _CURRENCY)]
    for number, name in enumerate(result.rule_sets):
        columns.append(Column(f"amount_{number}", Text(name, name), Kind.MONEY))
        columns.append(Column(f"orders_{number}", _ORDERS_OF.filled(rules=name), Kind.COUNT))
    rows: list[Row] = []
    for one in result.money:
        cells = [cell for found in one.sums for cell in (Money(found.amount, one.currency), found.orders)]
        rows.append((*_who(result, one.agent_id), one.currency, *cells))
    totals: list[Row] = []
    for of_currency in result.contested:
        total = of_currency.total
        cells = [Money(total.amount, of_currency.currency), total.orders] * len(result.rule_sets)
        totals.append((_TOTAL, None, of_currency.currency, *cells))
    return columns, rows, totals


def _agents_of(result: LabResult, pair: Pair) -> _View:
    columns = [
        Column("agent", _AGENT),
        Column("name", _NAME),
        Column("currency", _CURRENCY),
        Column("before", Text(pair.before, pair.before), Kind.MONEY),
        Column("after", Text(pair.after, pair.after), Kind.MONEY),
        Column("difference", _DIFFERENCE, Kind.MONEY),
        Column("gained", _GAINED, Kind.MONEY),
        Column("gained_orders", _GAINED_ORDERS, Kind.COUNT),
        Column("lost", _LOST, Kind.MONEY),
        Column("lost_orders", _LOST_ORDERS, Kind.COUNT),
    ]
    rows = [
        (*_who(result, one.agent_id), one.currency, *_changed(one, gained, lost))
        for one, gained, lost in pair.agents
    ]
    totals: list[Row] = []
    for of_currency in result.contested:
        currency = of_currency.currency
        moved = _sum(move.order for move in pair.moves if move.order.currency == currency)
        total = AgentMoney(None, currency, (of_currency.total, of_currency.total))
        totals.append((_TOTAL, None, currency, *_changed(total, moved, moved)))
    return columns, rows, totals


def _changed(money: AgentMoney, gained: Sum, lost: Sum) -> Row:
    before, after = money.sums
    amounts = (before.amount, after.amount, after.amount - before.amount)
    return (
        *(Money(amount, money.currency) for amount in amounts),
        Money(gained.amount, money.currency),
        gained.orders,
        Money(lost.amount, money.currency),
        lost.orders,
    )


def _flows(result: LabResult, pairs: Sequence[Pair]) -> _View:
    """Return a row for each two agents between whom orders move."""
    columns = [
        Column("before", _BEFORE),
        Column("after", _AFTER),
        Column("from", MOVED[5].name),
        Column("from_name", _NAME),
        Column("to", MOVED[8].name),
        Column("to_name", _NAME),
        Column("orders", _ORDERS, Kind.COUNT),
        Column("amount", _AMOUNT, Kind.MONEY),
        Column("currency", _CURRENCY),
    ]
    rows = [
        (
            pair.before,
            pair.after,
            *_who(result, flow.before),
            *_who(result, flow.after),
            flow.moved.orders,
            Money(flow.moved.amount, flow.currency),
            flow.currency,
        )
        for pair in pairs
        for flow in pair.flows
    ]
    return columns, rows, ()


def _orders(result: LabResult, pairs: Sequence[Pair]) -> _View:
    """Return a row for each order that moves."""
    columns = [Column("before", _BEFORE), Column("after", _AFTER), *MOVED]
    rows = [
        (
            pair.before,
            pair.after,
            move.order.order_id,
            move.order.buyer_id,
            Money(move.order.amount, move.order.currency),
            move.order.currency,
            Moment(move.order.paid_ts, result.zone),
            *_whose(result, move.before),
            *_whose(result, move.after),
        )
        for pair in pairs
        for move in pair.moves
    ]
    if len(pairs) > 1:
        return columns, rows, ()
    totals: list[Row] = []
    for of_currency in result.contested:
        currency = of_currency.currency
        moved = _sum(move.order for move in pairs[0].moves if move.order.currency == currency)
        if moved.orders:
            totals.append(
                (
                    None,
                    None,
                    _TOTAL,
                    _NUMBER.filled(orders=f"{moved.orders:,}"),
                    Money(moved.amount, currency),
                    currency,
                    *[None] * 7,
                )
            )
    return columns, rows, totals


def _pay(result: LabResult, pairs: Sequence[Pair]) -> _View:
    """Return a row for each person: the pay under each rule set; of one pair the difference too."""
    pay = result.pay
    if pay is None:
        raise UnusableError("no pay was calculated: judge with a pay scheme (--scheme FILE)")
    names = list(result.rule_sets) if len(pairs) != 1 else [pairs[0].before, pairs[0].after]
    numbers = [result.rule_sets.index(name) for name in names]
    columns = [Column("person", _PERSON), Column("name", _NAME), Column("currency", _CURRENCY)]
    columns += [Column(f"pay_{number}", Text(name, name), Kind.MONEY) for number, name in enumerate(names)]
    differs = len(numbers) == 2
    if differs:
        columns.append(Column("difference", _DIFFERENCE, Kind.MONEY))

    def row(head: Row, totals: Sequence[int]) -> Row:
        amounts = [totals[number] for number in numbers]
        if differs:
            amounts.append(amounts[1] - amounts[0])
        return (*head, pay.currency, *(Money(amount, pay.currency) for amount in amounts))

    rows = [row((one.person_id, one.name), one.totals) for one in pay.persons]
    sums = [sum(one.totals[number] for one in pay.persons) for number in range(len(result.rule_sets))]
    return columns, rows, [row((_TOTAL, None), sums)]


def _who(result: LabResult, agent_id: str | None) -> Row:
    return (NOBODY, None) if agent_id is None else (agent_id, result.names.get(agent_id))


def _whose(result: LabResult, verdict: Verdict) -> Row:
    return (*_who(result, verdict.agent_id), worded(BASES, verdict.basis))


def _sum(orders: Iterator[JudgedOrder]) -> Sum:
    found = list(orders)
    amount = sum(one.amount for one in found)
    return Sum(len(found), amount, amount - sum(one.refunded for one in found))


VIEWS: Final[Mapping[str, Callable[[LabResult, Sequence[Pair]], _View]]] = {
    "pairs": _pairs,
    "agents": _agents,
    "flows": _flows,
    "orders": _orders,
    "pay": _pay,
}
"""By name: what makes it."""
