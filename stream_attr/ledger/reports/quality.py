"""数据体检: what each day's input looks like beside the days before, and what a person should look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.contract.topics import DEAD_LETTERS, DECISIONS, FACTS
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.quality_inputs import counted, input_notes
from stream_attr.ledger.reports.refused import refused, refused_elsewhere
from stream_attr.ledger.reports.report import Column, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.vocabulary import NOTICES

__all__ = ["report"]

_DAYS_BEFORE: Final = 7
"""A day is set beside so many before it."""
_CHAT_BEFORE: Final = 15
"""A buyer's chat counts from so many days before the order."""
_MOST_NAMED: Final = 10

_OF_SHOP: Final = """
    shop_id = %(shop)s AND profile = 'official' AND created_ts >= %(start)s AND created_ts < %(end)s
"""
_ORDERS: Final = f"""
    SELECT width_bucket(created_ts, %(days)s::bigint[]) - 1, count(*),
        count(*) FILTER (WHERE notices <> '{{}}')
    FROM decision WHERE {_OF_SHOP} GROUP BY 1
"""
_RECEPTIONS: Final = """
    SELECT day - %(first)s::date, agent_id, count(*) FROM reception
    WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date GROUP BY 1, 2 ORDER BY 1, 2
"""
_ORDER_BUYERS: Final = f"""
    WITH ordered AS MATERIALIZED (
        SELECT DISTINCT buyer_id, width_bucket(created_ts, %(days)s::bigint[]) - 1 AS number
        FROM decision WHERE {_OF_SHOP}
    ), with_chat AS (
        SELECT number, count(*) AS buyers FROM ordered WHERE EXISTS (
            SELECT FROM reception
            WHERE shop_id = %(shop)s AND buyer_id = ordered.buyer_id
                AND day BETWEEN %(first)s::date - %(chat_before)s AND %(last)s::date + 1
                AND day BETWEEN %(first)s::date + number - %(chat_before)s AND %(first)s::date + number + 1)
        GROUP BY number)
    SELECT number, count(*), coalesce(max(buyers), 0) FROM ordered LEFT JOIN with_chat USING (number)
    GROUP BY number
"""
"""The bounds of the whole period let the database join all of it at once."""
_CHAT_BUYERS: Final = """
    SELECT number, count(*) FROM (
        SELECT DISTINCT buyer_id, day - %(first)s::date AS number FROM reception
        WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date) AS chat
    GROUP BY number
"""
_ROSTER: Final = "SELECT DISTINCT agent_id FROM roster WHERE shop_id = %(shop)s"
_ALIKE: Final = r"""
    SELECT string_agg(agent_id, ' = ' ORDER BY agent_id) FROM unnest(%(agents)s::text[]) AS agent_id
    GROUP BY lower(regexp_replace(agent_id, '\s', '', 'g')) HAVING count(*) > 1 ORDER BY 1
"""
_TWO_BUYERS: Final = f"""
    SELECT order_id FROM (
        SELECT DISTINCT order_id, buyer_id FROM decision_revision WHERE {_OF_SHOP}) AS ordered
    GROUP BY order_id HAVING count(*) > 1 ORDER BY 1
"""
_NOTICES: Final = f"""
    SELECT one, count(*) FROM decision CROSS JOIN LATERAL unnest(notices) AS one
    WHERE {_OF_SHOP} AND notices <> '{{}}' GROUP BY 1 ORDER BY 1
"""
_UNSTORED: Final = "SELECT count(*) FROM unstored"

_COLUMNS: Final = (
    Column("day", Text("day", "日期"), Kind.DAY),
    Column("orders", Text("orders", "订单数"), Kind.COUNT),
    Column("orders_usual", Text("usual", "平时"), Kind.COUNT),
    Column("order_buyers", Text("order buyers", "下单买家"), Kind.COUNT),
    Column("with_chat", Text("with chat", "其中有聊天"), Kind.COUNT),
    Column("chat_share", Text("share with chat", "有聊天占比"), Kind.RATE),
    Column("receptions", Text("receptions", "接待数"), Kind.COUNT),
    Column("receptions_usual", Text("usual", "平时"), Kind.COUNT),
    Column("chat_buyers", Text("chat buyers", "咨询买家"), Kind.COUNT),
    Column("agents", Text("agents", "客服数"), Kind.COUNT),
    Column("unlisted", Text("not in roster", "不在名册"), Kind.COUNT),
    Column("noted", Text("orders with notices", "有提示的订单"), Kind.COUNT),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_TITLE: Final = Text("What came in, day by day", "数据体检")
_USUAL: Final = Text(
    "Usual: the median of the 7 days before. Receptions are those of any agent, filtered ones too; a buyer's "
    "chat counts from 15 days before the order to the day after.",
    "平时：前 7 天的中位数。接待数含被过滤的接待；买家下单前 15 天至次日的聊天都算有聊天。",
)
_FEW: Final = Text(
    "Shop {shop}: {day} has {number} {what}, usual are {usual}: has all of it been sent?",
    "店铺 {shop}：{day} 只有 {number} 个{what}，平时 {usual} 个，数据是否齐全？",
)
_NO_CHAT: Final = Text(
    "Shop {shop}: of {buyers} buyers with orders {share} have any chat: do chat and orders name buyers "
    "alike?",
    "店铺 {shop}：{buyers} 位下单买家中只有 {share} 有聊天，聊天与订单的买家编号是否一致？",
)
_NOT_LISTED: Final = Text(
    "Shop {shop}: agents not in the roster: {names}.", "店铺 {shop}：不在名册的客服：{names}。"
)
_SAME: Final = Text(
    "Shop {shop}: agents whose ids differ by case or space alone: {names}.",
    "店铺 {shop}：编号仅大小写或空格不同的客服：{names}。",
)
_TWICE: Final = Text(
    "Shop {shop}: orders under two buyers: {names}.", "店铺 {shop}：出现在两个买家名下的订单：{names}。"
)
_NOTED: Final = Text("Shop {shop}: {notices}.", "店铺 {shop}：{notices}。")
_LETTERS: Final = Text(
    "Shop {shop}: records refused, of any day: {codes} (stream-attr dead-letters list).",
    "店铺 {shop}：被拒收的记录（不限日期）：{codes}（stream-attr dead-letters list）。",
)
_ELSEWHERE: Final = Text(
    "No known shop: records refused, of any day: {codes} (stream-attr dead-letters list).",
    "不属于任何已知店铺：被拒收的记录（不限日期）：{codes}（stream-attr dead-letters list）。",
)
_LOST: Final = Text(
    "All shops: {records} records could not be stored in the ledger: the table unstored says why.",
    "全部店铺：{records} 条记录未能写入账本，原因见表 unstored。",
)


class _Day(NamedTuple):
    """What came in on one day."""

    orders: int = 0
    noted: int = 0
    receptions: int = 0
    agents: frozenset[str] = frozenset()
    """Those with receptions."""
    order_buyers: int = 0
    """Buyers are counted on the days that are asked for alone, not on those before."""
    with_chat: int = 0
    chat_buyers: int = 0


def report(connection: Connection[Any], options: Options) -> Report:
    """Return a row for each day of a period, and what a person should look at.

    Raises UnusableError for a shop that the ledger does not know.
    """
    shops = scope(connection, options)
    several = len(shops) > 1
    rows: list[Row] = []
    notes = [Note(_USUAL)]
    at = as_of(connection, shops[0].zone, (DECISIONS, FACTS, DEAD_LETTERS))
    for shop in shops:
        days = _days(connection, options.period, shop)
        roster = {one for (one,) in connection.execute(_ROSTER, {"shop": shop.shop_id})}
        rows += [(shop.shop_id, *row) if several else row for row in _rows(options.period, days, roster)]
        notes += _findings(shop, options.period, days, at.latest)
        notes += _to_look_at(connection, shop, options.period, days, roster)
        if found := refused(connection, shop.shop_id):
            notes.append(Note(_LETTERS.filled(shop=shop.shop_id, codes=counted(found))))
    if found := refused_elsewhere(connection):
        notes.append(Note(_ELSEWHERE.filled(codes=counted(found))))
    ((unstored,),) = connection.execute(_UNSTORED)
    if unstored:
        notes.append(Note(_LOST.filled(records=f"{unstored:,}"), is_warning=True))
    columns = [*([_SHOP] if several else []), *_COLUMNS]
    notes += input_notes(connection, at)
    return Report("quality", _TITLE, columns, rows, at, (), notes, asked_for(options, shops))


def _bound(shop: ShopScope, period: Period) -> dict[str, Any]:
    return {
        **shop.bounds(period),
        "first": day_name(period.first),
        "last": day_name(period.last),
        "chat_before": _CHAT_BEFORE,
    }


def _days(connection: Connection[Any], period: Period, shop: ShopScope) -> list[_Day]:
    """Return the days of a period, with those before it that it is set beside."""
    whole = Period(period.first - _DAYS_BEFORE, period.last)
    found = [_Day()] * whole.days
    bound = _bound(shop, whole)
    for index, orders, noted in connection.execute(_ORDERS, bound):
        found[index] = _Day(orders, noted)
    for index, of_day in groupby(connection.execute(_RECEPTIONS, bound), key=itemgetter(0)):
        agents = {agent_id: receptions for _, agent_id, receptions in of_day}
        found[index] = found[index]._replace(receptions=sum(agents.values()), agents=frozenset(agents))
    bound = _bound(shop, period)
    for number, buyers, with_chat in connection.execute(_ORDER_BUYERS, bound):
        index = _DAYS_BEFORE + number
        found[index] = found[index]._replace(order_buyers=buyers, with_chat=with_chat)
    for number, buyers in connection.execute(_CHAT_BUYERS, bound):
        index = _DAYS_BEFORE + number
        found[index] = found[index]._replace(chat_buyers=buyers)
    return found


def _usual(days: Sequence[_Day], index: int, name: str) -> int:
    """Return the median of the days before, rounded half up."""
    return int(median(getattr(day, name) for day in days[index - _DAYS_BEFORE : index]) + 0.5)


def _rows(period: Period, days: Sequence[_Day], roster: Set[str]) -> Iterator[Row]:
    for index, day in enumerate(days[_DAYS_BEFORE:], _DAYS_BEFORE):
        yield (
            day_name(period.first + index - _DAYS_BEFORE),
            day.orders,
            _usual(days, index, "orders"),
            day.order_buyers,
            day.with_chat,
            round(day.with_chat / day.order_buyers, 4) if day.order_buyers else None,
            day.receptions,
            _usual(days, index, "receptions"),
            day.chat_buyers,
            len(day.agents),
            len(day.agents - roster),
            day.noted,
        )


def _findings(shop: ShopScope, period: Period, days: Sequence[_Day], now: int | None) -> Iterator[Note]:
    """Yield what is unlike the days before, and buyers whose orders and chat do not meet.

    ``now``: the watermark; days that are not over by it are not asked about.
    """
    for index, day in enumerate(days[_DAYS_BEFORE:], _DAYS_BEFORE):
        if now is None or shop.zone.start_of(period.first + index - _DAYS_BEFORE + 1) > now:
            break
        for name, what in (("orders", Text("orders", "订单")), ("receptions", Text("receptions", "接待"))):
            number, usual = getattr(day, name), _usual(days, index, name)
            if number * 2 < usual:
                text = _FEW.filled(
                    shop=shop.shop_id,
                    day=day_name(period.first + index - _DAYS_BEFORE),
                    number=f"{number:,}",
                    usual=f"{usual:,}",
                    what=what,
                )
                yield Note(text)
    own = days[_DAYS_BEFORE:]
    buyers, with_chat = sum(day.order_buyers for day in own), sum(day.with_chat for day in own)
    if with_chat * 10 < buyers:
        share = as_text(with_chat / buyers, Kind.RATE, "en", grouped=True)
        yield Note(_NO_CHAT.filled(shop=shop.shop_id, buyers=f"{buyers:,}", share=share))


def _to_look_at(
    connection: Connection[Any], shop: ShopScope, period: Period, days: Sequence[_Day], roster: Set[str]
) -> Iterator[Note]:
    """Yield agents, orders and notices that a person should look at."""
    bound = _bound(shop, period)
    agents = frozenset[str]().union(*(day.agents for day in days[_DAYS_BEFORE:]))
    alike = connection.execute(_ALIKE, {"agents": list(agents | roster)}).fetchall()
    twice = connection.execute(_TWO_BUYERS, bound).fetchall()
    for names, text in (
        (sorted(agents - roster), _NOT_LISTED),
        ([name for (name,) in alike], _SAME),
        ([name for (name,) in twice], _TWICE),
    ):
        if names:
            more = f", … ({len(names):,})" if len(names) > _MOST_NAMED else ""
            yield Note(text.filled(shop=shop.shop_id, names=", ".join(names[:_MOST_NAMED]) + more))
    notices = connection.execute(_NOTICES, bound).fetchall()
    if notices:
        named = [(Text(one, NOTICES.chinese_of(one)), count) for one, count in notices]
        yield Note(_NOTED.filled(shop=shop.shop_id, notices=counted(named)))
