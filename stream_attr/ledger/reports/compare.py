"""规则对比: official rules against a further profile: which orders and whose money move (RULEBOOK 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import dict_row

from stream_attr.codec.money import format_money
from stream_attr.contract.topics import COMPARISONS, DECISIONS
from stream_attr.errors import UnusableError
from stream_attr.ledger.asked import Asked, Way
from stream_attr.ledger.figures import Figure, add
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind, Measures, Total
from stream_attr.ledger.reports.measured import Measured, ShopMeasures, columns_of, rows_of, totals_of
from stream_attr.ledger.reports.orders import worded
from stream_attr.ledger.reports.report import Column, Moment, Money, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import BASES

__all__ = ["CONTESTED", "MOVED", "NOBODY", "report"]


def _figure(key: str, names: tuple[str, str], kind: Kind, formula: Total | None = None) -> Asked:
    figure = Figure(
        f"compare.{key}",
        "compare",
        Text(*names),
        kind,
        Text("", ""),
        formula or Total(key),
        Text(*names),
        None,
    )
    return Asked(figure, Way.ITSELF)


_FIGURES: Final = (
    _figure("difference", ("difference", "差额"), Kind.MONEY, Total("profile", "official")),
    _figure("official", ("official", "现行规则"), Kind.MONEY),
    _figure("profile", ("under the profile", "对比规则"), Kind.MONEY),
    _figure("gained", ("gained", "增加金额"), Kind.MONEY),
    _figure("gained_orders", ("orders gained", "增加订单数"), Kind.COUNT),
    _figure("lost", ("lost", "减少金额"), Kind.MONEY),
    _figure("lost_orders", ("orders lost", "减少订单数"), Kind.COUNT),
)
_KEYS: Final = ("official", "profile", "gained", "gained_orders", "lost", "lost_orders")
_NOTHING: Final[Measures] = dict.fromkeys(_KEYS, 0)

_FROM: Final = """
    FROM decision AS official JOIN decision AS profile
        ON profile.shop_id = official.shop_id AND profile.order_id = official.order_id
        AND profile.profile = %(profile)s
    WHERE official.shop_id = %(shop)s AND official.profile = 'official'
        AND official.outcome IN ('credited', 'silent')
        AND official.counted_ts >= %(start)s AND official.counted_ts < %(end)s
"""
_MOVED: Final = f"""
    SELECT official.order_id, official.buyer_id, official.amount, official.currency, official.paid_ts,
        official.agent_id, official.basis, profile.agent_id AS other_id, profile.basis AS other_basis
    {_FROM} AND official.agent_id IS DISTINCT FROM profile.agent_id
    ORDER BY official.counted_ts, official.order_id
"""
_PAIRS: Final = f"""
    SELECT official.agent_id, profile.agent_id,
        (%(labels)s::int[])[width_bucket(official.counted_ts, %(starts)s::bigint[])], official.currency,
        count(*), sum(official.amount)::bigint
    {_FROM} GROUP BY 1, 2, 3, 4
"""
_CONTESTED: Final = """
    WITH verdict AS (
        SELECT official.order_id, official.currency, official.amount,
            count(DISTINCT coalesce(one.agent_id, '')) AS winners, count(*) AS rules
        FROM decision AS official JOIN decision AS one USING (shop_id, order_id)
        WHERE official.shop_id = %(shop)s AND official.profile = 'official'
            AND official.outcome IN ('credited', 'silent')
            AND official.counted_ts >= %(start)s AND official.counted_ts < %(end)s
        GROUP BY 1, 2, 3)
    SELECT currency, max(rules), coalesce(sum(amount) FILTER (WHERE winners > 1), 0)::bigint,
        sum(amount)::bigint
    FROM verdict GROUP BY currency ORDER BY currency
"""
_PROFILES: Final = (
    "SELECT DISTINCT profile FROM decision WHERE shop_id = ANY(%s) AND profile <> 'official' ORDER BY 1"
)

MOVED: Final = (
    Column("order", Text("order", "订单")),
    Column("buyer", Text("buyer", "买家")),
    Column("amount", Text("amount", "金额"), Kind.MONEY),
    Column("currency", Text("currency", "币种")),
    Column("paid", Text("paid", "付款时间"), Kind.MOMENT),
    Column("from", Text("from", "现归属")),
    Column("from_name", Text("name", "姓名")),
    Column("from_basis", Text("basis", "现依据")),
    Column("to", Text("to", "对比归属")),
    Column("to_name", Text("name", "姓名")),
    Column("to_basis", Text("basis", "对比依据")),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
NOBODY: Final = Text("(silent)", "（静默）")
_TITLE: Final = Text("Official rules against profile {profile}", "规则对比：现行规则与 {profile}")
_MOVE: Final = Text(
    "Shop {shop}: {orders} orders of {amount} would be another's, of {of_orders} orders that both judge.",
    "店铺 {shop}：两种规则都已判定的 {of_orders} 单中，有 {orders} 单（{amount}）归属不同。",
)
CONTESTED: Final = Text(
    "Shop {shop}: the winner of {contested} of {total} ({share}) depends on the rule, of {rules} judged.",
    "店铺 {shop}：在 {rules} 套规则下，{total} 中有 {contested}（{share}）的归属取决于规则。",
)
_RULED: Final = Text(
    "A profile is judged without rulings and never gives credit.", "对比规则不考虑业绩裁定，也不产生业绩。"
)


def report(connection: Connection[Any], options: Options) -> Report:
    """Return the orders that a profile would give to another agent, or with ``options.by`` whose money moves.

    Raises UnusableError for a shop, agent, group, person or profile that does not exist.
    """
    who = options.who(None)
    shops = scope(connection, options, options.times)
    profile = _profile(connection, options)
    is_chosen = any(one.chosen is not None for one in shops)
    of_shop = who in (None, "shop") and not is_chosen
    measured = Measured()
    notes: list[Note] = []
    for shop in shops:
        bound = {**shop.bounds(options.period), "profile": profile}
        measured.add_shop(who, shop, _measures(connection, shop, bound, notes), of_shop=of_shop)
        for currency, rules, contested, total in connection.execute(_CONTESTED, bound):
            text = CONTESTED.filled(
                shop=shop.shop_id,
                contested=format_money(contested, currency),
                total=format_money(total, currency),
                share=as_text(contested / total if total else 0, Kind.RATE, "en", grouped=True),
                rules=rules,
            )
            notes.append(Note(text))
    notes.append(Note(_RULED))
    title = _TITLE.filled(profile=profile)
    at, asked = as_of(connection, shops[0].zone, (DECISIONS, COMPARISONS)), asked_for(options, shops)
    if options.by:
        return Report(
            "compare",
            title,
            columns_of(who, options.times, measured, _FIGURES, len(shops)),
            list(rows_of(who, measured, _FIGURES, shops)),
            at,
            totals_of(who, options.times, measured, _FIGURES, shops, chosen=is_chosen),
            notes,
            asked,
        )
    several = len(shops) > 1
    rows: list[Row] = []
    for shop in shops:
        moved = _moved(connection, options, shop, profile)
        rows += [(shop.shop_id, *row) if several else row for row in moved]
    columns = [*([_SHOP] if several else []), *MOVED]
    return Report("compare", title, columns, rows, at, (), notes, asked)


def _profile(connection: Connection[Any], options: Options) -> str:
    """Return the profile asked for, or the only one there is."""
    profiles = [one for (one,) in connection.execute(_PROFILES, (list(options.shops),))]
    if options.profile is None and len(profiles) == 1:
        return str(profiles[0])
    if options.profile is None or options.profile not in profiles:
        there = f"there are {', '.join(profiles)}" if profiles else "the settings of these shops name none"
        asked = (
            "--profile is missing" if options.profile is None else f"there is no profile {options.profile!r}"
        )
        raise UnusableError(f"{asked} to compare with {OFFICIAL}: {there}")
    return options.profile


def _measures(
    connection: Connection[Any], shop: ShopScope, bound: dict[str, Any], notes: list[Note]
) -> ShopMeasures:
    """Return what agents and nobody have under both rules, and say in ``notes`` what moves."""
    found = ShopMeasures(_NOTHING, {}, {}, {})
    labels = shop.labels
    moved: dict[str, list[int]] = {}
    for official, other, label, currency, orders, amount in connection.execute(_PAIRS, bound):
        part = (labels[label], currency)
        differs = official != other
        sums = moved.setdefault(currency, [0, 0, 0])
        sums[0] += orders if differs else 0
        sums[1] += amount if differs else 0
        sums[2] += orders
        lost = {"lost": amount, "lost_orders": orders} if differs else {}
        gained = {"gained": amount, "gained_orders": orders} if differs else {}
        for agent_id, measures in (
            (official, {**_NOTHING, "official": amount, **lost}),
            (other, {**_NOTHING, "profile": amount, **gained}),
        ):
            if agent_id is None:
                add(found.silent.setdefault(part, {}), measures)
            else:
                add(found.agents.setdefault((agent_id, part), {}), measures)
            add(found.shop.setdefault(part, {}), measures)
    for currency, (orders, amount, of_orders) in sorted(moved.items()):
        text = _MOVE.filled(
            shop=shop.shop_id,
            orders=f"{orders:,}",
            amount=format_money(amount, currency),
            of_orders=f"{of_orders:,}",
        )
        notes.append(Note(text))
    return found


def _moved(connection: Connection[Any], options: Options, shop: ShopScope, profile: str) -> Iterator[Row]:
    """Yield the orders that would be another's, of the agents asked for on either side."""
    bound = {**shop.bounds(options.period), "profile": profile}
    with connection.cursor(row_factory=dict_row) as cursor:
        for read in cursor.execute(_MOVED, bound):
            both = {read["agent_id"], read["other_id"]}
            if shop.chosen is None or both & shop.chosen:
                yield (
                    read["order_id"],
                    read["buyer_id"],
                    Money(read["amount"], read["currency"]),
                    read["currency"],
                    Moment(read["paid_ts"], shop.zone.name),
                    *_whose(shop, read["agent_id"], read["basis"]),
                    *_whose(shop, read["other_id"], read["other_basis"]),
                )


def _whose(shop: ShopScope, agent_id: str | None, basis: str | None) -> Row:
    if agent_id is None:
        return (NOBODY, None, None)
    return (agent_id, shop.member(agent_id).name, worded(BASES, basis))
