"""询单流失, 付款流失: whom the shop has lost, and who can still be called back (RULEBOOK 7, 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from psycopg import Connection

from stream_attr.contract.topics import DECISIONS, FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Column, Moment, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, part_of, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["KINDS", "report"]

KINDS: Final = {
    "lost": Text("lost", "询单流失"),
    "payment_lost": Text("payment lost", "付款流失"),
    "unreplied": Text("unreplied", "未回复"),
    "slow": Text("slow", "慢响应"),
    "open": Text("open", "待定询单"),
}
"""What can be asked for; ``open`` is not lost yet, and comes only when it is asked for."""
_DEFAULT: Final = ("lost", "payment_lost", "unreplied", "slow")

_FOUND: Final = """
    WITH found AS (
        SELECT outcome AS kind, day, buyer_id, agent_id, order_ids, status FROM inquiry
        WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
            AND outcome = ANY(%(kinds)s)
            AND (%(chosen)s::text[] IS NULL OR agent_id = ANY(%(chosen)s))
        UNION ALL
        SELECT of.kind, day, buyer_id, agent_id, '{}'::text[], status FROM reception
        CROSS JOIN LATERAL (VALUES
            ('unreplied', NOT replied AND (buyer_messages > 0 OR handed_over)), ('slow', slow)
        ) AS of (kind, is_so)
        WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
            AND filtered IS NULL AND role <> 'frozen' AND of.is_so AND of.kind = ANY(%(kinds)s)
            AND (%(chosen)s::text[] IS NULL OR agent_id = ANY(%(chosen)s))
    ), waiting AS (
        SELECT buyer_id, array_agg(order_id ORDER BY order_id) AS order_ids, max(final_at) AS until
        FROM decision
        WHERE shop_id = %(shop)s AND profile = 'official' AND outcome = 'awaiting_payment'
        GROUP BY buyer_id
    )
"""
_COUNTED: Final = f"""{_FOUND}
    SELECT kind, count(*), count(waiting.buyer_id) FROM found LEFT JOIN waiting USING (buyer_id) GROUP BY kind
"""
_QUERY: Final = f"""{_FOUND}
    SELECT found.kind, found.day::text, found.buyer_id, found.agent_id, reception.last_ts,
        reception.first_response_ms, found.order_ids, waiting.order_ids, waiting.until, found.status
    FROM found LEFT JOIN reception ON reception.shop_id = %(shop)s AND reception.buyer_id = found.buyer_id
        AND reception.agent_id = found.agent_id AND reception.day = found.day
    LEFT JOIN waiting ON waiting.buyer_id = found.buyer_id
    ORDER BY found.day, array_position(%(kinds)s::text[], found.kind), reception.last_ts,
        found.buyer_id, found.agent_id
    LIMIT %(most)s OFFSET %(skipped)s
"""
_COLUMNS: Final = (
    Column("kind", Text("kind", "类型")),
    Column("day", Text("day", "日期"), Kind.DAY),
    Column("buyer", Text("buyer", "买家")),
    Column("agent", Text("agent", "客服")),
    Column("name", Text("name", "姓名")),
    Column("last_words", Text("last words", "最后发言"), Kind.MOMENT),
    Column("first_response", Text("first response", "首次响应"), Kind.SECONDS, Text("s", "秒")),
    Column("orders", Text("orders not paid", "未付款订单")),
    Column("open_orders", Text("open orders", "待付款订单")),
    Column("until", Text("open until", "待付款至"), Kind.MOMENT),
    Column("status", Text("status", "状态")),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_STATUS: Final = {"pending": Text("pending", "待定"), "final": Text("final", "已定")}
_TITLE: Final = Text("Lost buyers", "流失明细")
_COUNTS: Final = Text("{kind}: {rows}", "{kind}：{rows}")
_BACK: Final = Text(
    "{rows} of these rows are of buyers with an order that can still be paid: they can be called back.",
    "其中 {rows} 行的买家仍有待付款订单，可以召回。",
)


def report(connection: Connection[Any], options: Options) -> Report:
    """Return a row for each lost inquiry and payment, unreplied and slow reception of a period.

    Raises UnusableError for a shop, agent, group, person or kind that does not exist.
    """
    kinds = options.kinds or _DEFAULT
    unknown = [one for one in kinds if one not in KINDS]
    if unknown:
        raise UnusableError(f"there is no kind {unknown[0]!r} of losses; there are {', '.join(KINDS)}")
    shops = scope(connection, options)
    several = len(shops) > 1
    counts: Counter[str] = Counter()
    can_be_called = 0
    for shop in shops:
        for kind, number, waiting in connection.execute(_COUNTED, _bound(options, shop, kinds)):
            counts[kind] += number
            can_be_called += waiting
    notes = [
        Note(_COUNTS.filled(kind=KINDS[kind], rows=f"{counts[kind]:,}")) for kind in KINDS if kind in kinds
    ]
    if can_be_called:
        notes.append(Note(_BACK.filled(rows=f"{can_be_called:,}")))
    return Report(
        "losses",
        _TITLE,
        [*([_SHOP] if several else []), *_COLUMNS],
        ((shop.shop_id, *row) if several else row for shop, row in _rows(connection, options, shops, kinds)),
        as_of(connection, shops[0].zone, (INQUIRIES, FACTS, DECISIONS)),
        (),
        notes,
        asked_for(options, shops),
    )


def _bound(options: Options, shop: ShopScope, kinds: tuple[str, ...]) -> dict[str, Any]:
    return {
        "shop": shop.shop_id,
        "first": day_name(options.period.first),
        "last": day_name(options.period.last),
        "kinds": list(kinds),
        "chosen": None if shop.chosen is None else sorted(shop.chosen),
    }


def _rows(
    connection: Connection[Any], options: Options, shops: Sequence[ShopScope], kinds: tuple[str, ...]
) -> Iterator[tuple[ShopScope, Row]]:
    """Yield the rows, each with its shop; some thousand are in memory."""
    part = part_of(options, shops)
    for number, shop in enumerate(shops):
        with connection.cursor(f"losses_{number}") as cursor:
            cursor.itersize = 5_000
            cursor.execute(_QUERY, {**_bound(options, shop, kinds), **part})
            for found in cursor:
                yield shop, _row(shop, *found)


def _row(
    shop: ShopScope,
    kind: str,
    day: str,
    buyer_id: str,
    agent_id: str,
    last_ts: int | None,
    first_response: int | None,
    order_ids: Sequence[str],
    waiting: Sequence[str] | None,
    until: int | None,
    status: str,
) -> Row:
    zone = shop.zone.name
    return (
        KINDS[kind],
        day,
        buyer_id,
        agent_id,
        shop.member(agent_id).name,
        None if last_ts is None else Moment(last_ts, zone),
        first_response,
        ", ".join(order_ids) or None,
        ", ".join(waiting or ()) or None,
        None if until is None else Moment(until, zone),
        _STATUS[status],
    )
