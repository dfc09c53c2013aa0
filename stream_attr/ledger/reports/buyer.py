"""A buyer's days in order: receptions, what came of inquiries, orders, service tasks (RULEBOOK 7 to 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from psycopg import Connection

from stream_attr.contract.records.decision import EVENT_TIMES
from stream_attr.contract.records.order_event import NEEDS_AMOUNT
from stream_attr.contract.topics import DECISIONS, FACTS, INQUIRIES, TASKS
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.orders import worded
from stream_attr.ledger.reports.report import Column, Moment, Money, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.vocabulary import (
    DISCARD_REASONS,
    EXEMPTIONS,
    FILTERS,
    INQUIRY_KINDS,
    INQUIRY_RESULTS,
    ORDER_EVENT_TYPES,
    OUTCOMES,
    STATUSES,
    TASK_KINDS,
    TASK_STATUSES,
    Role,
    Vocabulary,
)

__all__ = ["COLUMNS", "EVENTS", "report", "why_not_counted"]

EVENTS: Final = {
    "reception": Text("reception", "接待"),
    "inquiry": Text("inquiry", "询单结果"),
    "order": Text("order", "订单"),
    "refund": Text("refund", "退款"),
    "verdict": Text("verdict", "归属"),
    "task": Text("service task", "服务任务"),
}
"""What an entry is."""
COLUMNS: Final = (
    Column("time", Text("time", "时间"), Kind.MOMENT),
    Column("until", Text("until", "至"), Kind.MOMENT),
    Column("event", Text("what", "事项")),
    Column("agent", Text("agent", "客服")),
    Column("name", Text("name", "姓名")),
    Column("order", Text("order", "订单")),
    Column("amount", Text("amount", "金额"), Kind.MONEY),
    Column("currency", Text("currency", "币种")),
    Column("result", Text("result", "结果")),
)
_RECEPTIONS: Final = """
    SELECT agent_id, first_ts, last_ts, initiator, buyer_messages, agent_messages, replied, handed_over,
        first_response_ms, transferred, filtered, role FROM reception
    WHERE shop_id = %(shop)s AND buyer_id = %(buyer)s AND day BETWEEN %(first)s::date AND %(last)s::date
"""
_INQUIRIES: Final = """
    SELECT inquiry.agent_id, coalesce(reception.last_ts, %(start)s), kind, outcome, exempt, order_ids,
        inquiry.status, inquiry.final_at
    FROM inquiry LEFT JOIN reception USING (shop_id, buyer_id, agent_id, day)
    WHERE shop_id = %(shop)s AND buyer_id = %(buyer)s AND day BETWEEN %(first)s::date AND %(last)s::date
        AND kind <> 'none'
"""
_ORDERS: Final = """
    SELECT order_id, record, final_at FROM decision
    WHERE shop_id = %(shop)s AND buyer_id = %(buyer)s AND profile = 'official'
"""
_TASKS: Final = """
    SELECT order_id, kind, agent_id, status, due_ts, closed_ts FROM service_task
    WHERE shop_id = %(shop)s AND order_id = ANY(%(orders)s)
"""
_TITLE: Final = Text("Days of buyer {buyer}", "买家 {buyer} 的经过")
_BUYER: Final = Text("buyer", "买家")
_BEGAN: Final = {
    "buyer": Text("the buyer began", "买家先发言"),
    "agent": Text("the agent began", "客服先发言"),
}
_MESSAGES: Final = Text(
    "{buyer} messages of the buyer, {agent} of the agent", "买家 {buyer} 条消息，客服 {agent} 条"
)
_RESPONSE: Final = Text("first response after {seconds} s", "首次响应 {seconds} 秒")
_UNREPLIED: Final = Text("not replied to", "未回复")
_TRANSFERRED: Final = Text("handed over to another", "转接给他人")
_HANDED_OVER: Final = Text("taken over from another", "由他人转入")
_NOT_COUNTED: Final = Text("does not count: {reason}", "不计入：{reason}")
_LATER: Final = Text("pending until {time}", "待定至 {time}")
_EXEMPT: Final = Text("exempt: {reason}", "豁免：{reason}")
_BY_ORDERS: Final = Text("orders {orders}", "订单 {orders}")
_DUE: Final = Text("{kind}: due, {status}", "{kind}：到期，{status}")
_CLOSED: Final = Text("{kind}: closed", "{kind}：已关闭")


def report(connection: Connection[Any], options: Options) -> Report:
    """Return what happened with a buyer in a period, in order, and what became of each order of these days.

    An order is of these days if something happened to it then, or an inquiry of them led to it. Raises
    UnusableError for a shop that the ledger does not know.
    """
    assert options.buyer is not None
    [shop] = scope(connection, options)
    start, end = options.period.instants(shop.zone)
    bound = {
        "shop": shop.shop_id,
        "buyer": options.buyer,
        "first": day_name(options.period.first),
        "last": day_name(options.period.last),
        "start": start,
    }
    rows: list[Row] = list(_receptions(connection, shop, bound))
    inquired: set[str] = set()
    rows += _inquiries(connection, shop, bound, inquired)
    orders = connection.execute(_ORDERS, bound).fetchall()
    for order_id, decision, final_at in orders:
        events = list(_events(shop, order_id, decision, (start, end)))
        if events or order_id in inquired:
            rows += events
            rows.append(_verdict(shop, order_id, decision, final_at))
    rows += _tasks(connection, shop, bound, [one[0] for one in orders], (start, end))
    rows.sort(key=_turn)
    return Report(
        "buyer",
        _TITLE.filled(buyer=options.buyer),
        COLUMNS,
        rows,
        as_of(connection, shop.zone, (DECISIONS, FACTS, INQUIRIES, TASKS)),
        (),
        (),
        [*asked_for(options, (shop,)), (_BUYER, options.buyer)],
    )


def _turn(row: Row) -> tuple[int, int, str]:
    """Return by what entries are in order: of one instant as `EVENTS` are."""
    time, event, order = row[0], row[2], row[5]
    assert isinstance(time, Moment)
    assert isinstance(event, Text)
    return time.ts, list(EVENTS.values()).index(event), str(order or "")


def _row(
    shop: ShopScope,
    ts: int,
    event: str,
    texts: Sequence[Text],
    *,
    until: int | None = None,
    agent_id: str | None = None,
    order: str | None = None,
    amount: Money | None = None,
) -> Row:
    zone = shop.zone.name
    return (
        Moment(ts, zone),
        None if until is None else Moment(until, zone),
        EVENTS[event],
        agent_id,
        None if agent_id is None else shop.member(agent_id).name,
        order,
        amount,
        None if amount is None else amount.currency,
        Text("; ".join(one.english for one in texts), "；".join(one.chinese for one in texts)),
    )


def _receptions(connection: Connection[Any], shop: ShopScope, bound: dict[str, Any]) -> Iterator[Row]:
    for (
        agent_id,
        first,
        last,
        initiator,
        of_buyer,
        of_agent,
        replied,
        handed_over,
        response,
        transferred,
        filtered,
        role,
    ) in connection.execute(_RECEPTIONS, bound):
        texts = [_BEGAN[initiator], _MESSAGES.filled(buyer=of_buyer, agent=of_agent)]
        if response is not None:
            texts.append(_RESPONSE.filled(seconds=as_text(response, Kind.SECONDS, "en", grouped=True)))
        elif not replied and (of_buyer or handed_over):
            texts.append(_UNREPLIED)
        texts += [_HANDED_OVER] * handed_over + [_TRANSFERRED] * transferred
        if reason := filtered or (None if role == Role.PRESALE else f"role_{role}"):
            texts.append(_NOT_COUNTED.filled(reason=why_not_counted(reason)))
        yield _row(shop, first, "reception", texts, until=last, agent_id=agent_id)


def why_not_counted(reason: str) -> Text:
    """Return why a reception does not count: a filter, or the agent's role."""
    return _word(FILTERS if reason in FILTERS else DISCARD_REASONS, reason)


def _inquiries(
    connection: Connection[Any], shop: ShopScope, bound: dict[str, Any], inquired: set[str]
) -> Iterator[Row]:
    """Yield what came of each inquiry, after the reception; ``inquired`` gets the orders that it led to."""
    for agent_id, ts, kind, outcome, exempt, order_ids, status, final_at in connection.execute(
        _INQUIRIES, bound
    ):
        inquired.update(order_ids)
        texts = [_word(INQUIRY_KINDS, kind), _word(INQUIRY_RESULTS, outcome)]
        if order_ids:
            listed = Text(", ".join(order_ids), "、".join(order_ids))
            texts.append(_BY_ORDERS.filled(orders=listed))
        if exempt:
            texts.append(_EXEMPT.filled(reason=_word(EXEMPTIONS, exempt)))
        if status == "pending":
            texts.append(_LATER.filled(time=_time(final_at, shop)))
        order = order_ids[0] if len(order_ids) == 1 else None
        yield _row(shop, ts, "inquiry", texts, agent_id=agent_id, order=order)


def _events(
    shop: ShopScope, order_id: str, decision: dict[str, Any], instants: tuple[int, int]
) -> Iterator[Row]:
    """Yield what happened to an order in the period."""
    start, end = instants
    currency = decision["currency"]
    for word, field in EVENT_TIMES.items():
        ts = decision.get(field)
        if ts is not None and start <= ts < end:
            name = "deposit_amount" if word == "deposit_paid" else "amount"
            amount = Money(decision[name], currency) if word in NEEDS_AMOUNT else None
            yield _row(shop, ts, "order", [_word(ORDER_EVENT_TYPES, word)], order=order_id, amount=amount)
    for one in decision.get("refunds", ()):
        if start <= one["ts"] < end:
            word = "refund_completed" if one["completed"] else "refund_requested"
            texts = [_word(ORDER_EVENT_TYPES, word)]
            yield _row(
                shop, one["ts"], "refund", texts, order=order_id, amount=Money(one["amount"], currency)
            )


def _verdict(shop: ShopScope, order_id: str, decision: dict[str, Any], final_at: int) -> Row:
    """Return whose an order is, at the time from which chat no longer changes it."""
    credit = decision["credit"]
    return _row(
        shop,
        final_at,
        "verdict",
        [_word(OUTCOMES, decision["outcome"]), _word(STATUSES, decision["status"])],
        agent_id=None if credit is None else credit["agent_id"],
        order=order_id,
        amount=Money(decision["net_amount"], decision["currency"]),
    )


def _tasks(
    connection: Connection[Any],
    shop: ShopScope,
    bound: dict[str, Any],
    orders: list[str],
    instants: tuple[int, int],
) -> Iterator[Row]:
    """Yield the tasks of the buyer's orders that fell due or were closed in the period."""
    start, end = instants
    for order_id, kind, agent_id, status, due, closed in connection.execute(
        _TASKS, {**bound, "orders": orders}
    ):
        name = _word(TASK_KINDS, kind)
        if start <= due < end:
            texts = [_DUE.filled(kind=name, status=_word(TASK_STATUSES, status))]
            yield _row(shop, due, "task", texts, agent_id=agent_id, order=order_id)
        if closed is not None and start <= closed < end:
            texts = [_CLOSED.filled(kind=name)]
            yield _row(shop, closed, "task", texts, agent_id=agent_id, order=order_id)


def _word(vocabulary: Vocabulary, word: str) -> Text:
    found = worded(vocabulary, word)
    assert found is not None
    return Text(found.english.replace("_", " "), found.chinese)


def _time(ts: int, shop: ShopScope) -> Text:
    moment = Moment(ts, shop.zone.name)
    return Text(*(as_text(moment, Kind.MOMENT, language, grouped=True) for language in ("en", "zh")))
