"""大促复盘: one period against another in four dimensions; between whom, when and of what most has moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.contract.topics import AGENT_DAILY, DECISIONS, FACTS, INQUIRIES
from stream_attr.ledger.asked import change, change_kind
from stream_attr.ledger.figures import FIGURES, Figure
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind, value
from stream_attr.ledger.goals import difference, quantity
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.agents import MIXED, currencies_of, sum_columns
from stream_attr.ledger.reports.orders import BASKETS
from stream_attr.ledger.reports.report import Cell, Column, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.roll_up.days import Counts, Part
from stream_attr.ledger.texts import LANGUAGES, Text
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import day_name

__all__ = ["report", "rows_behind"]

_MOST_SHOWN: Final = 10
"""Agents and hours of a figure, those that moved most; the others are one row."""


class _Side(NamedTuple):
    """One of the two periods of a shop."""

    shop: ShopScope
    sums: dict[str, int | None]
    bound: dict[str, Any]
    agents: list[tuple[str, Counts]]
    """By day and agent."""
    hours: list[tuple[str, Counts]]
    """By day and hour of the clock."""
    has_data: bool
    """Whether the ledger has a day of the shop in it, of whichever agents."""


_Sums: TypeAlias = tuple[Counter[object], Counter[object]]
"""By agent, None of them too, and by hour of the clock."""


class _Dimension(NamedTuple):
    name: Text
    figures: tuple[str, ...]
    parts: Mapping[str, Callable[[Connection[Any], _Side], _Sums]]
    """Figures that agents and hours make up, each with what adds up its parts."""
    products: Mapping[str, str] = MappingProxyType({})
    """Those of them that products make up, too."""


def _counted(name: str) -> Callable[[Connection[Any], _Side], _Sums]:
    """Return what adds up one of `Counts`."""

    def sums(_: Connection[Any], side: _Side) -> _Sums:
        by_agent, by_hour = Counter[object](), Counter[object]()
        for found, parts in ((by_agent, side.agents), (by_hour, side.hours)):
            for who, counts in parts:
                if number := getattr(counts, name):
                    found[who] += number
        return by_agent, by_hour

    return sums


def _sold(summed: str) -> Callable[[Connection[Any], _Side], _Sums]:
    """Return what adds up a column of sales."""
    query = _SALES.format(condition=summed).encode()

    def sums(connection: Connection[Any], side: _Side) -> _Sums:
        by_agent, by_hour = Counter[object](), Counter[object]()
        labels = side.shop.labels
        for agent_id, label, number in connection.execute(query, side.bound):
            if side.shop.chosen is None or agent_id in side.shop.chosen:
                by_agent[agent_id] += number
                by_hour[labels[label][0]] += number
        return by_agent, by_hour

    return sums


_SALES: Final = (
    "SELECT agent_id, (%(labels)s::int[])[width_bucket(counted_ts, %(starts)s::bigint[])], {condition}"
    " FROM decision WHERE shop_id = %(shop)s AND profile = 'official'"
    " AND outcome IN ('credited', 'silent') AND counted_ts >= %(start)s AND counted_ts < %(end)s"
    " GROUP BY 1, 2"
)
_OF_PRODUCTS: Final = (
    "SELECT product_id, {condition}"
    " FROM decision WHERE shop_id = %(shop)s AND profile = 'official'"
    " AND outcome IN ('credited', 'silent') AND counted_ts >= %(start)s AND counted_ts < %(end)s"
    " AND (%(chosen)s::text[] IS NULL OR agent_id = ANY(%(chosen)s)) GROUP BY 1"
)
_SEVERAL_MARK: Final = "|"
"""Stands for several products in `product_id`; no id has this character."""
_SUMMED: Final = {
    "sales.amount": "sum(amount)::bigint",
    "sales.orders": "count(*)",
    "sales.quantity": "sum(quantity)::bigint",
}

_DIMENSIONS: Final = (
    _Dimension(
        Text("reception", "接待"),
        (
            "workload.consults",
            "workload.receptions",
            "workload.max_simultaneous",
            "workload.agent_messages",
            "inquiries.inquiries",
        ),
        {"workload.receptions": _counted("receptions")},
    ),
    _Dimension(
        Text("trade", "交易"),
        (
            "sales.amount",
            "sales.orders",
            "sales.buyers",
            "sales.quantity",
            "sales.amount_per_buyer",
            "sales.net_amount",
            "refunds.completed",
            "silent.amount_rate",
            "inquiries.inquiry_to_order",
            "payments.inquiry_to_payment",
        ),
        {key: _sold(summed) for key, summed in _SUMMED.items()},
        {key: _OF_PRODUCTS.format(condition=summed) for key, summed in _SUMMED.items()},
    ),
    _Dimension(
        Text("loss", "流失"),
        ("inquiries.lost", "inquiries.loss_rate", "payments.payment_lost", "payments.loss_rate"),
        {"inquiries.lost": _counted("lost"), "payments.payment_lost": _counted("payment_lost")},
    ),
    _Dimension(
        Text("service", "服务"),
        (
            "workload.first_response_ms",
            "workload.response_ms",
            "workload.reply_rate",
            "workload.unreplied",
            "workload.slow_receptions",
            "workload.slow_rate",
            "workload.answer_question_ratio",
            "workload.satisfaction",
        ),
        {"workload.unreplied": _counted("unreplied"), "workload.slow_receptions": _counted("slow")},
    ),
)
_KEYS: Final = tuple(
    dict.fromkeys(
        key
        for dimension in _DIMENSIONS
        for figure in dimension.figures
        for key in FIGURES[figure].formula
        if key is not None
    )
)
_DAYS: Final = SQL(
    "SELECT {measures} FROM agent_day WHERE shop_id = %(shop)s AND agent_id = ANY(%(agents)s)"
    " AND day BETWEEN %(first)s::date AND %(last)s::date"
)
_HAS_DATA: Final = (
    "SELECT EXISTS (SELECT FROM agent_day WHERE shop_id = %(shop)s AND agent_id = %(total)s"
    " AND day BETWEEN %(first)s::date AND %(last)s::date)"
)

_COLUMNS: Final = (
    Column("dimension", Text("dimension", "维度")),
    Column("figure", Text("figure", "指标")),
    Column("by", Text("by", "拆分")),
    Column("who", Text("of", "对象")),
    Column("name", Text("name", "姓名")),
    Column("unit", Text("unit", "单位")),
    Column("now", Text("this period", "本期"), Kind.FIGURE),
    Column("then", Text("the other", "对比期"), Kind.FIGURE),
    Column("difference", Text("difference", "差额"), Kind.FIGURE),
    Column("change", Text("change", "变化"), Kind.RATE),
    Column("better", Text("better or worse", "好坏")),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_BY: Final = {
    "shop": Text("shop", "店铺"),
    "agent": Text("agent", "客服"),
    "hour": Text("hour", "时段"),
    "product": Text("product", "商品"),
}
_BETTER: Final = {True: Text("better", "变好"), False: Text("worse", "变差")}
_WHOLE: Final = Text("all", "合计")
_SILENT: Final = Text("silent", "静默")
_OTHERS: Final = Text("others: {number}", "其他：{number}")
_TITLE: Final = Text("Review of two periods", "大促复盘")
_AGAINST: Final = Text("against", "对比期")
_LENGTHS: Final = Text(
    "This period has {now} days and the other {then}: compare rates and means; more days have greater sums.",
    "本期 {now} 天，对比期 {then} 天：请比较比率和平均值，天数多的总和自然更大。",
)
_PARTS: Final = Text(
    "By agent and by hour: of each dimension the figure that moved most of those that agents and hours make "
    "up; the {number} that moved most, and the others together. They add up to all of that figure; the "
    "shop's receptions, losses and unreplied count a buyer once a day, so there they can come to more.",
    "按客服和时段：每个维度取可拆分指标中变化最大的一个；列出变化最大的 {number} 个，其余合为一行。"
    "各行之和等于该指标合计；店铺的接待、流失、未回复同一买家每天只计一次，因此各行之和可能更大。",
)
_PRODUCTS: Final = Text(
    "By product, sales alone: an order does not say what each of its products cost, so orders of several "
    "products are one row and not divided; those of none that is named are another, as are orders judged "
    "before decisions named products.",
    "按商品：仅限成交。订单不含单个商品的金额，因此含多件商品的订单不拆分，合为一行；"
    "未带商品的订单（包括归属结果尚不含商品时判定的订单）另为一行。",
)
_MOVED: Final = Text(
    "Shop {shop}, {dimension}: what moved most is {figure}, by {change}.",
    "店铺 {shop}，{dimension}：变化最大的是{figure}，{change}。",
)
_FROM_NOTHING: Final = Text(
    "Shop {shop}, {dimension}: what moved most is {figure}, from 0 to {now}.",
    "店铺 {shop}，{dimension}：变化最大的是{figure}，从 0 变为 {now}。",
)
_NO_DATA: Final = Text(
    "Shop {shop}: the ledger has no data of {period}: nothing is compared.",
    "店铺 {shop}：账本中没有 {period} 的数据，不作比较。",
)


class _Pair(NamedTuple):
    """A number in both periods."""

    now: int | float | None
    then: int | float | None

    @property
    def difference(self) -> int | float | None:
        """Return by how much it is more now."""
        if self.now is None or self.then is None:
            return None
        found = self.now - self.then
        return round(found, 4) if isinstance(found, float) else found

    @property
    def change(self) -> float | None:
        """Return by how much of what it was; None: that was nothing."""
        difference = self.difference
        return None if difference is None or not self.then else round(difference / abs(self.then), 4)


def report(connection: Connection[Any], options: Options) -> Report:
    """Return the figures of a period and of ``options.against``, the period before unless it is given.

    Raises UnusableError for a shop, agent, group or person that the ledger does not know.
    """
    against = options.against or options.period.before
    sides = [scope(connection, one, ("hour",)) for one in (options, replace(options, period=against))]
    several = len(sides[0]) > 1
    rows: list[Row] = []
    notes = [Note(_PARTS.filled(number=_MOST_SHOWN)), Note(_PRODUCTS)]
    if options.period.days != against.days:
        notes.insert(0, Note(_LENGTHS.filled(now=options.period.days, then=against.days)))
    for shop, other in zip(*sides, strict=True):
        both = (_side(connection, shop, options.period), _side(connection, other, against))
        notes += [
            Note(_NO_DATA.filled(shop=shop.shop_id, period=days.name))
            for days, side in zip((options.period, against), both, strict=True)
            if not side.has_data
        ]
        currencies = dict.fromkeys(
            currencies_of(connection, shop, options.period) + currencies_of(connection, shop, against)
        )
        if len(currencies) > 1:
            notes.append(Note(MIXED.filled(shop=shop.shop_id), is_warning=True))
        currency = next(iter(currencies)) if len(currencies) == 1 else None
        for dimension in _DIMENSIONS:
            made = _rows(connection, dimension, both, currency, notes)
            rows += [(shop.shop_id, *row) if several else row for row in made]
    return Report(
        "review",
        _TITLE,
        [*([_SHOP] if several else []), *_COLUMNS],
        rows,
        as_of(connection, sides[0][0].zone, (AGENT_DAILY, DECISIONS, FACTS, INQUIRIES)),
        (),
        notes,
        [*asked_for(options, sides[0]), (_AGAINST, against.name)],
    )


def _side(connection: Connection[Any], shop: ShopScope, period: Period) -> _Side:
    bound = {
        **shop.bounds(period),
        "first": day_name(period.first),
        "last": day_name(period.last),
        "total": TOTAL,
        "agents": [TOTAL] if shop.chosen is None else sorted(shop.chosen),
        "chosen": None if shop.chosen is None else sorted(shop.chosen),
    }
    numbers = connection.execute(_DAYS.format(measures=sum_columns(_KEYS)), bound).fetchone()
    assert numbers is not None
    ((has_data,),) = connection.execute(_HAS_DATA, bound)
    sums = {key: one or 0 for key, one in zip(_KEYS, numbers, strict=True)}
    days = shop.days(connection, period, Part.COUNTS).values()
    return _Side(
        shop,
        sums,
        bound,
        [one for day in days for one in day.agents.items()],
        [(shop.hour_of(hour.start), hour.counts) for day in days for hour in day.hours],
        has_data,
    )


def _rows(
    connection: Connection[Any],
    dimension: _Dimension,
    sides: tuple[_Side, _Side],
    currency: str | None,
    notes: list[Note],
) -> Iterator[Row]:
    """Yield the rows of one dimension, and say what moved most in it."""
    shop = sides[0].shop
    pairs = {
        key: _Pair(*(value(FIGURES[key].formula, side.sums) if side.has_data else None for side in sides))
        for key in dimension.figures
    }
    for key, pair in pairs.items():
        yield _row(dimension, FIGURES[key], "shop", (_WHOLE, None), pair, currency)
    moved = _most_moved(pairs, pairs)
    if moved is not None:
        named = {"shop": shop.shop_id, "dimension": dimension.name, "figure": FIGURES[moved].name}
        notes.append(Note(_by_how_much(named, FIGURES[moved], pairs[moved], currency)))
    broken_down = _most_moved(pairs, dimension.parts)
    if broken_down is None:
        return
    split = _parts(connection, dimension.parts[broken_down], sides)
    if (query := dimension.products.get(broken_down)) is not None:
        split["product"] = _products(connection, query, sides)
    for by, parts in split.items():
        for who, pair in _largest(parts):
            yield _row(dimension, FIGURES[broken_down], by, _named(shop, by, who), pair, currency)


def _by_how_much(named: Mapping[str, object], figure: Figure, pair: _Pair, currency: str | None) -> Text:
    """Return by how much a figure has moved, in percent, of a rate in points; from nothing, to what."""
    number = change(figure.kind, pair.now, pair.then)
    if number is None:
        return _FROM_NOTHING.filled(**named, now=_worded(quantity(figure, pair.now, currency), figure.kind))
    sign, shown = "+" if number >= 0 else "", _worded(number, change_kind(figure.kind))
    return _MOVED.filled(**named, change=Text(*(f"{sign}{one}" for one in shown)))


def _worded(cell: Cell, kind: Kind) -> Text:
    return Text(*(as_text(cell, kind, one, grouped=True) for one in LANGUAGES))


def _most_moved(pairs: Mapping[str, _Pair], keys: Iterable[str]) -> str | None:
    """Return the figure that changed most; of those that were nothing before, by the greatest difference."""
    found = [key for key in keys if pairs[key].difference]
    if not found:
        return None
    return max(found, key=lambda key: (abs(pairs[key].change or 0), abs(pairs[key].difference or 0)))


def _parts(
    connection: Connection[Any],
    sums: Callable[[Connection[Any], _Side], _Sums],
    sides: tuple[_Side, _Side],
) -> dict[str, dict[object, _Pair]]:
    """Return what agents and hours have of a figure in both periods."""
    both = [sums(connection, side) for side in sides]
    return {by: _paired(now, then) for by, now, then in zip(("agent", "hour"), *both, strict=True)}


def _products(connection: Connection[Any], query: str, sides: tuple[_Side, _Side]) -> dict[object, _Pair]:
    """Return what orders of one product have in both periods, of `_SEVERAL_MARK`, and of none: None."""
    now, then = (dict(connection.execute(query.encode(), side.bound).fetchall()) for side in sides)
    return _paired(now, then)


def _paired(now: Mapping[object, int], then: Mapping[object, int]) -> dict[object, _Pair]:
    return {key: _Pair(now.get(key, 0), then.get(key, 0)) for key in {**now, **then}}


def _largest(parts: Mapping[object, _Pair]) -> Iterator[tuple[object, _Pair]]:
    """Yield the parts that moved most, and the others together under their number."""
    turn = sorted(parts, key=lambda key: (-abs(parts[key].difference or 0), str(key)))
    for key in turn[:_MOST_SHOWN]:
        yield key, parts[key]
    others = [parts[key] for key in turn[_MOST_SHOWN:]]
    if others:
        yield len(others), _Pair(sum(one.now or 0 for one in others), sum(one.then or 0 for one in others))


def _named(shop: ShopScope, by: str, who: object) -> tuple[Cell, Cell]:
    if isinstance(who, int):
        return _OTHERS.filled(number=who), None
    if by == "product" and who in (None, _SEVERAL_MARK):
        return BASKETS["none" if who is None else "several"][0], None
    if who is None:
        return _SILENT, None
    text = str(who)
    return text, shop.member(text).name if by == "agent" else None


def _row(
    dimension: _Dimension,
    figure: Figure,
    by: str,
    who: tuple[Cell, Cell],
    pair: _Pair,
    currency: str | None,
) -> Row:
    money = Text(currency, currency) if currency is not None else None
    moved, better = pair.difference, None if who[0] is _SILENT else figure.more_is_better
    cells: Sequence[Cell] = [quantity(figure, one, currency) for one in (pair.now, pair.then)]
    return (
        dimension.name,
        figure.name,
        _BY[by],
        *who,
        money if figure.kind is Kind.MONEY else figure.unit,
        *cells,
        difference(figure, moved, currency),
        None if figure.kind is Kind.RATE else pair.change,
        _BETTER[(moved > 0) is better] if moved and better is not None else None,
    )


def rows_behind(row: Mapping[str, Cell]) -> tuple[str, dict[str, str]] | None:
    """Return which report, asked for what, lists the orders or receptions that a row's numbers are of.

    ``row``: its cells by column. None: they cannot be asked for, or the row is about something else.
    """
    by, who = row["by"], row["who"]
    if row["figure"] == _RECEPTIONS:
        counted = {"kind": "counted"}
        if by == _BY["shop"]:
            return "receptions", counted
        for part in ("agent", "hour"):
            if by == _BY[part] and isinstance(who, str):
                return "receptions", {**counted, part: who}
    if row["figure"] not in _SALES_NAMES:
        return None
    if by == _BY["shop"]:
        return "orders", {"behind": "sales"}
    if by == _BY["agent"] and (who == _SILENT or isinstance(who, str)):
        return "orders", {"behind": "sales", "agent": who} if isinstance(who, str) else {"behind": "silent"}
    if by == _BY["product"]:
        if isinstance(who, str):
            return "orders", {"behind": "sales", "product": who}
        for basket, (name, _) in BASKETS.items():
            if who == name:
                return "orders", {"behind": "sales", "basket": basket}
    return None


_RECEPTIONS: Final = FIGURES["workload.receptions"].name
_SALES_NAMES: Final = frozenset(FIGURES[key].name for key in _SUMMED)
