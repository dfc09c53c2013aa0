"""绩效明细: the orders behind any number, each with what decided it (RULEBOOK 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed

from stream_attr.contract.topics import COMPARISONS, DECISIONS
from stream_attr.errors import UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.decisions import Source, source
from stream_attr.ledger.reports.report import Cell, Column, Moment, Money, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, part_of, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import (
    BASES,
    NOTICES,
    OUTCOMES,
    REASONS,
    SILENCES,
    STATUSES,
    Vocabulary,
)

__all__ = [
    "ANY",
    "BASKETS",
    "BEHIND",
    "COLUMNS",
    "Behind",
    "order_row",
    "order_rows",
    "report",
    "sums_of",
    "worded",
]


class Behind(NamedTuple):
    """The orders that a group of figures counts."""

    where: str
    at: str
    """When an order counts."""
    agent: str
    """For whom."""
    of: str = "{decision} AS decision"
    """The tables that they are read from."""
    refunds: tuple[str, str] = ("refund_requested", "refund_completed")
    """Which refunds the rows show: requested and completed."""


_ON: Final = "{at} >= %(start)s AND {at} < %(end)s"
_SOLD: Final = "outcome IN ('credited', 'silent') AND " + _ON.format(at="counted_ts")
BEHIND: Final = {
    "sales": Behind(_SOLD, "counted_ts", "agent_id"),
    "silent": Behind("outcome = 'silent' AND " + _ON.format(at="counted_ts"), "counted_ts", "agent_id"),
    "placed": Behind(
        "outcome <> 'excluded' AND placing_agent_id IS NOT NULL AND " + _ON.format(at="created_ts"),
        "created_ts",
        "placing_agent_id",
    ),
    "paid": Behind(_SOLD + " AND payment_agent_id IS NOT NULL", "counted_ts", "payment_agent_id"),
    "refunds": Behind(
        "outcome <> 'excluded'",
        "counted_ts",
        "agent_id",
        "{decision} AS decision JOIN (SELECT order_id,"
        " coalesce(sum(amount) FILTER (WHERE NOT completed), 0)::bigint AS requested,"
        " coalesce(sum(amount) FILTER (WHERE completed), 0)::bigint AS completed FROM {refund} AS refund"
        " WHERE shop_id = %(shop)s AND " + _ON.format(at="ts") + " GROUP BY 1) AS of_days USING (order_id)",
        ("of_days.requested", "of_days.completed"),
    ),
}
"""By group of figures, such as of ``sales.amount``: its orders."""
ANY: Final = Behind(_ON.format(at="counted_ts"), "counted_ts", "agent_id")
"""All orders: on the day of their payment, while they are not paid on that of their creation."""
_COLUMNS_READ: Final = (
    "order_id, buyer_id, outcome, agent_id, basis, status, amount, currency, {requested} AS refund_requested,"
    " {completed} AS refund_completed, quantity, created_ts, paid_ts, placing_agent_id, payment_agent_id,"
    " silence, notices, final_at, reason, revision, preset, product_ids"
)
_ROWS: Final = (
    f"SELECT {_COLUMNS_READ} FROM {{of}} WHERE {{where}} ORDER BY {{at}}, order_id"
    " LIMIT %(most)s OFFSET %(skipped)s"
)
_SUMS: Final = (
    "SELECT currency, count(*), sum(amount)::bigint, sum({requested})::bigint,"
    " sum({completed})::bigint, sum(quantity)::bigint FROM {of} WHERE {where}"
    " GROUP BY currency ORDER BY currency"
)
_PROFILES: Final = "SELECT DISTINCT profile FROM decision WHERE shop_id = %(shop)s ORDER BY 1"

COLUMNS: Final = (
    Column("order", Text("order", "订单")),
    Column("buyer", Text("buyer", "买家")),
    Column("outcome", Text("outcome", "订单结果")),
    Column("agent", Text("credit", "业绩归属")),
    Column("name", Text("name", "姓名")),
    Column("basis", Text("basis", "业绩依据")),
    Column("status", Text("status", "状态")),
    Column("amount", Text("amount", "金额"), Kind.MONEY),
    Column("currency", Text("currency", "币种")),
    Column("refund_completed", Text("refunded", "完成退款"), Kind.MONEY),
    Column("net_amount", Text("net", "净额"), Kind.MONEY),
    Column("quantity", Text("items", "件数"), Kind.COUNT),
    Column("paid", Text("paid", "付款时间"), Kind.MOMENT),
    Column("created", Text("created", "下单时间"), Kind.MOMENT),
    Column("final_at", Text("final at", "何时已定"), Kind.MOMENT),
    Column("placing_agent", Text("placing agent", "落实下单客服")),
    Column("payment_agent", Text("payment agent", "落实付款客服")),
    Column("silence", Text("silence", "静默")),
    Column("notices", Text("notices", "提示")),
    Column("refund_requested", Text("refunds requested", "申请退款"), Kind.MONEY),
    Column("reason", Text("changed by", "修订原因")),
    Column("revision", Text("revision", "修订"), Kind.COUNT),
    Column("preset", Text("preset", "预设")),
    Column("products", Text("products", "商品")),
)
BASKETS: Final = {
    "several": (Text("several products", "多件商品"), "cardinality(product_ids) > 1"),
    "none": (Text("none named", "未带商品"), "coalesce(cardinality(product_ids), 0) = 0"),
}
"""What orders hold that are not of one product; how people read it, and its condition."""
_OF_PRODUCTS: Final = "(cardinality(product_ids) = 1 AND product_ids[1] = ANY(%(products)s))"
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_TITLE: Final = Text("Orders", "绩效明细")
_COUNTED: Final = Text("{orders} orders.", "共 {orders} 单。")
_RECEIPT: Final = Text(
    "Why an order is whose: stream-attr explain SHOP ORDER.", "订单归属原因：stream-attr explain SHOP ORDER。"
)
_OF_DAYS: Final = Text(
    "Refunds are those of these days alone, and net is without the others.",
    "退款仅为这些日期内的退款，净额也只减这些退款。",
)
_TOTAL: Final = Text("total", "合计")


def report(connection: Connection[Any], options: Options) -> Report:
    """Return the orders of a period: those behind a group of figures, or all; rows are read when used.

    Raises UnusableError for a shop, agent, group, person, profile or group of figures that does not exist.
    """
    if options.behind is not None and options.behind not in BEHIND:
        raise UnusableError(f"there are no orders behind {options.behind!r}; name one of {', '.join(BEHIND)}")
    profile = options.profile or OFFICIAL
    shops = scope(connection, options)
    for shop in shops:
        _check_profile(connection, shop, profile)
    behind = BEHIND[options.behind] if options.behind else ANY
    several = len(shops) > 1
    rows = order_rows(connection, options, shops, profile, behind)
    totals, count = sums_of(connection, options, shops, profile, behind)
    return Report(
        "orders",
        _TITLE,
        [*([_SHOP] if several else []), *COLUMNS],
        ((shop.shop_id, *row) if several else row for shop, row in rows),
        as_of(connection, shops[0].zone, (DECISIONS if profile == OFFICIAL else COMPARISONS,)),
        [(None, *row) if several else row for row in totals],
        [
            Note(_COUNTED.filled(orders=f"{count:,}")),
            *([Note(_OF_DAYS)] if options.behind == "refunds" else []),
            Note(_RECEIPT),
        ],
        [*asked_for(options, shops), *_filters(options)],
    )


def _check_profile(connection: Connection[Any], shop: ShopScope, profile: str) -> None:
    if profile == OFFICIAL:
        return
    profiles = [one for (one,) in connection.execute(_PROFILES, {"shop": shop.shop_id})]
    if profile not in profiles:
        raise UnusableError(
            f"shop {shop.shop_id} has no decisions under a profile {profile!r}; it has {', '.join(profiles)}"
        )


def _where(
    options: Options, shop: ShopScope, read: Source, behind: Behind
) -> tuple[Composed, dict[str, Any]]:
    """Return the condition of the orders asked for, and what the query binds."""
    start, end = options.period.instants(shop.zone)
    bound: dict[str, Any] = {**read.parameters, "start": start, "end": end}
    conditions = ["shop_id = %(shop)s", "profile = %(profile)s", behind.where]
    for column, words in (
        ("status", options.statuses),
        ("outcome", options.outcomes),
        ("basis", options.bases),
        ("reason", options.reasons),
    ):
        if words:
            conditions.append(f"{column} = ANY(%({column})s)")
            bound[column] = list(words)
    if options.notices:
        conditions.append("notices && %(notices)s::text[]")
        bound["notices"] = list(options.notices)
    holding = [BASKETS[one][1] for one in options.baskets]
    if options.products:
        holding.append(_OF_PRODUCTS)
        bound["products"] = list(options.products)
    if holding:
        conditions.append(f"({' OR '.join(holding)})")
    if shop.chosen is not None:
        conditions.append(f"{behind.agent} = ANY(%(agents)s)")
        bound["agents"] = sorted(shop.chosen)
    return SQL(" AND ".join(conditions)).format(), bound


def _query(text: str, read: Source, behind: Behind, where: Composed) -> Composed:
    """Return a query of the orders behind a number."""
    requested, completed = map(SQL, behind.refunds)
    of = SQL(behind.of).format(decision=read.decision, refund=read.refund)
    return SQL(text).format(requested=requested, completed=completed, of=of, where=where, at=SQL(behind.at))


def order_rows(
    connection: Connection[Any],
    options: Options,
    shops: Sequence[ShopScope],
    profile: str = OFFICIAL,
    behind: Behind = ANY,
) -> Iterator[tuple[ShopScope, Row]]:
    """Yield the orders asked for, by when they count, each with its shop; some thousand are in memory."""
    for number, shop in enumerate(shops):
        read = source(options, shop, profile)
        where, bound = _where(options, shop, read, behind)
        query = _query(_ROWS, read, behind, where)
        bound |= part_of(options, shops)
        with connection.cursor(f"orders_{number}", row_factory=dict_row) as cursor:
            cursor.itersize = 5_000
            cursor.execute(query, bound)
            for row in cursor:
                yield shop, order_row(shop, row)


def sums_of(
    connection: Connection[Any],
    options: Options,
    shops: Sequence[ShopScope],
    profile: str = OFFICIAL,
    behind: Behind = ANY,
) -> tuple[list[Row], int]:
    """Return the sums of the orders asked for, one row for each currency, and how many orders there are."""
    sums: dict[str, list[int]] = {}
    for shop in shops:
        read = source(options, shop, profile)
        where, bound = _where(options, shop, read, behind)
        for currency, *numbers in connection.execute(_query(_SUMS, read, behind, where), bound):
            known = sums.setdefault(currency, [0] * len(numbers))
            sums[currency] = [one + more for one, more in zip(known, numbers, strict=True)]
    rows = []
    for currency, (_, amount, requested, completed, quantity) in sums.items():
        cells: dict[str, Cell] = {
            "order": _TOTAL,
            "amount": Money(amount, currency),
            "refund_requested": Money(requested, currency),
            "refund_completed": Money(completed, currency),
            "net_amount": Money(amount - completed, currency),
            "quantity": quantity,
            "currency": currency,
        }
        rows.append(tuple(cells.get(column.key) for column in COLUMNS))
    return rows, sum(numbers[0] for numbers in sums.values())


def order_row(shop: ShopScope, read: Mapping[str, Any]) -> Row:
    """Return the cells of `COLUMNS`, of a decision's columns."""
    zone, currency, agent_id = shop.zone.name, read["currency"], read["agent_id"]
    return (
        read["order_id"],
        read["buyer_id"],
        worded(OUTCOMES, read["outcome"]),
        agent_id,
        None if agent_id is None else shop.member(agent_id).name,
        worded(BASES, read["basis"]),
        worded(STATUSES, read["status"]),
        Money(read["amount"], currency),
        currency,
        Money(read["refund_completed"], currency),
        Money(read["amount"] - read["refund_completed"], currency),
        read["quantity"],
        None if read["paid_ts"] is None else Moment(read["paid_ts"], zone),
        Moment(read["created_ts"], zone),
        Moment(read["final_at"], zone),
        read["placing_agent_id"],
        read["payment_agent_id"],
        worded(SILENCES, read["silence"]),
        _listed(NOTICES, read["notices"]),
        Money(read["refund_requested"], currency),
        worded(REASONS, read["reason"]),
        read["revision"],
        read["preset"],
        ", ".join(read["product_ids"] or ()) or None,
    )


def worded(vocabulary: Vocabulary, word: str | None) -> Text | None:
    """Return a word of a record in both languages."""
    return None if word is None else Text(word, vocabulary.chinese_of(word))


def _listed(vocabulary: Vocabulary, words: Sequence[str]) -> Text | None:
    if not words:
        return None
    return Text(", ".join(words), "、".join(map(vocabulary.chinese_of, words)))


def _filters(options: Options) -> list[tuple[Text, str]]:
    found = [
        (Text("behind", "对应数字"), options.behind or ""),
        (Text("profile", "方案"), options.profile or ""),
        (Text("status", "状态"), ", ".join(options.statuses)),
        (Text("outcome", "订单结果"), ", ".join(options.outcomes)),
        (Text("basis", "业绩依据"), ", ".join(options.bases)),
        (Text("reason", "修订原因"), ", ".join(options.reasons)),
        (Text("notice", "提示"), ", ".join(options.notices)),
        (Text("product", "商品"), ", ".join(options.products)),
        (Text("basket", "商品数"), ", ".join(options.baskets)),
    ]
    return [(name, text) for name, text in found if text]
