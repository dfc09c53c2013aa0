"""询单流失, 付款流失: whom the shop has lost, and who can still be called back (RULEBOOK 7, 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from psycopg import Connection

from stream_attr.contract.topics import DECISIONS, FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.paging import days_of_rows
from stream_attr.ledger.reports.report import Column, Moment, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, part_of, scope
from stream_attr.ledger.roll_up.days import COUNTING, UNREPLIED, Counts, Part
from stream_attr.ledger.roll_up.kept import kept_days
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

_FOUND: Final = f"""
    SELECT outcome AS kind, day, buyer_id, agent_id, order_ids, status FROM inquiry
    WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
        AND outcome = ANY(%(kinds)s)
        AND (%(chosen)s::text[] IS NULL OR agent_id = ANY(%(chosen)s)){{more}}
    UNION ALL
    SELECT of.kind, day, buyer_id, agent_id, '{{{{}}}}'::text[], status FROM reception
    CROSS JOIN LATERAL (VALUES
        ('unreplied', {UNREPLIED}), ('slow', slow)
    ) AS of (kind, is_so)
    WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
        AND {COUNTING} AND of.is_so AND of.kind = ANY(%(kinds)s)
        AND (%(chosen)s::text[] IS NULL OR agent_id = ANY(%(chosen)s)){{more}}
"""
_AWAITING: Final = "shop_id = %(shop)s AND profile = 'official' AND outcome = 'awaiting_payment'"
_BUYERS: Final = f"SELECT DISTINCT buyer_id FROM decision WHERE {_AWAITING}"
_WAITING: Final = f"SELECT count(*) FROM ({_FOUND.format(more=' AND buyer_id = ANY(%(buyers)s)')}) AS found"
_QUERY: Final = f"""
    WITH found AS ({_FOUND.format(more="")}), waiting AS (
        SELECT buyer_id, array_agg(order_id ORDER BY order_id) AS order_ids, max(final_at) AS until
        FROM decision WHERE {_AWAITING} GROUP BY buyer_id)
    SELECT found.kind, found.day::text, found.buyer_id, found.agent_id, reception.last_ts,
        reception.first_response_ms, found.order_ids, waiting.order_ids, waiting.until, found.status
    FROM found LEFT JOIN reception ON reception.shop_id = %(shop)s AND reception.buyer_id = found.buyer_id
        AND reception.agent_id = found.agent_id AND reception.day = found.day
        AND reception.day BETWEEN %(first)s::date AND %(last)s::date
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
    kinds = tuple(dict.fromkeys(options.kinds)) or _DEFAULT
    unknown = [one for one in kinds if one not in KINDS]
    if unknown:
        raise UnusableError(f"there is no kind {unknown[0]!r} of losses; there are {', '.join(KINDS)}")
    shops = scope(connection, options)
    several = len(shops) > 1
    part_of(options, shops)
    counted = [_counted(connection, shop, options.period, kinds) for shop in shops]
    counts = sum((one for days in counted for one in days.values()), Counter[str]())
    can_be_called = 0
    for shop in shops:
        bound = _bound(shop, options.period, kinds)
        buyers = [one for (one,) in connection.execute(_BUYERS, bound)]
        can_be_called += connection.execute(_WAITING, {**bound, "buyers": buyers}).fetchall()[0][0]
    notes = [
        Note(_COUNTS.filled(kind=KINDS[kind], rows=f"{counts[kind]:,}")) for kind in KINDS if kind in kinds
    ]
    if can_be_called:
        notes.append(Note(_BACK.filled(rows=f"{can_be_called:,}")))
    return Report(
        "losses",
        _TITLE,
        [*([_SHOP] if several else []), *_COLUMNS],
        (
            (shop.shop_id, *row) if several else row
            for number, (shop, days) in enumerate(zip(shops, counted, strict=True))
            for row in _rows(connection, options, (number, shop), kinds, days)
        ),
        as_of(connection, shops[0].zone, (INQUIRIES, FACTS, DECISIONS)),
        (),
        notes,
        asked_for(options, shops),
    )


def _counted(
    connection: Connection[Any], shop: ShopScope, period: Period, kinds: tuple[str, ...]
) -> dict[int, Counter[str]]:
    """Return by day how many rows there are of each kind, of the agents asked for."""
    found: dict[int, Counter[str]] = {}
    for number, day in kept_days(connection, shop.shop_id, shop.zone, period, Part.COUNTS).items():
        counts = found[number] = Counter[str]()
        for agent_id in day.agents.keys() | day.inquiries.keys():
            if shop.chosen is not None and agent_id not in shop.chosen:
                continue
            of_agent = day.agents.get(agent_id, Counts())
            there = {
                **day.inquiries.get(agent_id, {}),
                "unreplied": of_agent.unreplied,
                "slow": of_agent.slow,
            }
            for kind in kinds:
                counts[kind] += there.get(kind, 0)
    return found


def _bound(shop: ShopScope, period: Period, kinds: tuple[str, ...]) -> dict[str, Any]:
    return {
        "shop": shop.shop_id,
        "first": day_name(period.first),
        "last": day_name(period.last),
        "kinds": list(kinds),
        "chosen": None if shop.chosen is None else sorted(shop.chosen),
    }


def _rows(
    connection: Connection[Any],
    options: Options,
    numbered: tuple[int, ShopScope],
    kinds: tuple[str, ...],
    counted: Mapping[int, Counter[str]],
) -> Iterator[Row]:
    """Yield the rows of a shop; some thousand are in memory."""
    number, shop = numbered
    rows = options.rows if options.rows is not None else range(sum(one.total() for one in counted.values()))
    days, skipped = days_of_rows({day: counts.total() for day, counts in counted.items()}, rows)
    if days is None:
        return
    bound = {**_bound(shop, days, kinds), "most": len(rows), "skipped": skipped}
    with connection.cursor(f"losses_{number}") as cursor:
        cursor.itersize = 5_000
        cursor.execute(_QUERY, bound)
        for found in cursor:
            yield _row(shop, *found)


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
