"""目标完成: targets against what was reached, what the rest must bring, and a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.codec.money import format_money
from stream_attr.contract.topics import AGENT_DAILY, DECISIONS, FACTS
from stream_attr.ledger.asked import Asked, Way, measures_of
from stream_attr.ledger.figures import FIGURES, Figure, add
from stream_attr.ledger.formats.cells import as_text, is_end
from stream_attr.ledger.formulas import Formula, Kind, Mean, Most, Ratio, Total, value
from stream_attr.ledger.goals import Goal, Goals, difference, quantity
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.agents import currencies_of, sum_columns
from stream_attr.ledger.reports.report import Cell, Column, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import day_name

__all__ = ["report"]

_WEEK: Final = 7
_WEEKS: Final = 4
"""A weekday is expected to be as on average of so many before."""
_SCALE: Final = 10_000
"""Targets of rates and ratios are ten-thousandths."""

_QUERY: Final = SQL(
    "SELECT agent_id, day - date '1970-01-01', {measures} FROM agent_day WHERE shop_id = %(shop)s"
    " AND agent_id = ANY(%(agents)s) AND day BETWEEN %(first)s::date AND %(last)s::date GROUP BY 1, 2"
)
_FIRST: Final = "SELECT min(day) - date '1970-01-01' FROM agent_day WHERE shop_id = %(shop)s"
_NOW: Final = "SELECT max(watermark) FROM sink_offset WHERE topic = ANY(%s)"
_TOPICS: Final = (AGENT_DAILY, DECISIONS, FACTS)

_STATES: Final = {
    "reached": Text("reached", "已达成"),
    "on track": Text("on track", "可达成"),
    "behind": Text("behind", "落后"),
    "missed": Text("missed", "未达成"),
    "held": Text("held so far", "目前达标"),
}
_WHOLE: Final = Text("shop", "店铺合计")
_COLUMNS: Final = (
    Column("agent", Text("agent", "客服")),
    Column("name", Text("name", "姓名")),
    Column("figure", Text("figure", "指标")),
    Column("unit", Text("unit", "单位")),
    Column("from", Text("from", "开始"), Kind.DAY),
    Column("to", Text("to", "结束"), Kind.DAY),
    Column("target", Text("target", "目标"), Kind.FIGURE),
    Column("actual", Text("actual", "实际"), Kind.FIGURE),
    Column("attained", Text("attained", "完成率"), Kind.RATE),
    Column("gap", Text("gap", "差距"), Kind.FIGURE),
    Column("days_left", Text("days left", "剩余天数"), Kind.COUNT),
    Column("needed", Text("needed of the rest", "剩余每天需"), Kind.FIGURE),
    Column("forecast", Text("forecast", "预测"), Kind.FIGURE),
    Column("forecast_attained", Text("forecast attained", "预测完成率"), Kind.RATE),
    Column("state", Text("state", "状态")),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_TITLE: Final = Text("Goals", "目标完成")
_NOW_IS: Final = Text(
    "Shop {shop}: the ledger has come to {day}, which counts among the days left.",
    "店铺 {shop}：账本已到 {day}，当天计入剩余天数。",
)
_HOW: Final = Text(
    "Gap: actual less target. Needed of the rest: what adds up per day, of a rate or mean its level in the "
    "days left as they are forecast. Forecast: a day that is left is as the same weekday on average of the "
    "four weeks before, the day in progress at least what it has; empty where the shop has no such weekday "
    "yet.",
    "差距 = 实际 − 目标。剩余每天需：可累加的指标为每天的量，比率和平均值为剩余日期（按预测）应达到的水平。"
    "预测：剩余的每一天按前四周相同星期的平均值，当天不少于已有的数；店铺尚无相同星期的数据时为空。",
)
_NONE: Final = Text(
    "Shop {shop} has no goals in these days: set them with stream-attr goal set or goal import.",
    "店铺 {shop} 在这些日期没有目标：请用 stream-attr goal set 或 goal import 设置。",
)
_AGENTS_DO_NOT: Final = Text(
    "Shop {shop}, {figure}, {days}: the targets of agents add up to {agents}, that of the shop is {whole}.",
    "店铺 {shop}，{figure}，{days}：客服目标之和为 {agents}，店铺目标为 {whole}。",
)
_CURRENCIES: Final = Text(
    "Shop {shop}, {figure}: the goal is in {goal}, what was reached in {found}: they are not compared.",
    "店铺 {shop}，{figure}：目标币种为 {goal}，实际为 {found}，不作比较。",
)


@dataclass(frozen=True, slots=True)
class _Days:
    """What a shop's agents and the shop itself have of each day."""

    measures: dict[tuple[str, int], dict[str, int | None]]
    first: int | None
    """The first day of the shop."""
    now: int | None
    """The day in progress; None: unknown."""

    def sums(self, agent_id: str, first: int, last: int) -> dict[str, int | None]:
        """Return the sums of some days, 0 where there are none."""
        sums: dict[str, int | None] = {}
        for day in range(first, last + 1):
            add(sums, self.measures.get((agent_id, day), {}))
        return sums

    def expected(self, agent_id: str, key: str, day: int) -> Fraction | None:
        """Return the measure that a day which is left is expected to have; None: the weekday is not known."""
        assert self.now is not None
        last = day - ((day - self.now) // _WEEK + 1) * _WEEK
        begin = last + 1 if self.first is None else self.first
        same = [one for one in range(last, last - _WEEKS * _WEEK, -_WEEK) if one >= begin]
        if not same:
            return None
        mean = Fraction(sum(self._of(agent_id, key, one) for one in same), len(same))
        return max(mean, Fraction(self._of(agent_id, key, day))) if day == self.now else mean

    def _of(self, agent_id: str, key: str, day: int) -> int:
        return self.measures.get((agent_id, day), {}).get(key) or 0


def report(connection: Connection[Any], options: Options) -> Report:
    """Return a row for each goal that has a day of a period.

    Raises UnusableError for a shop, agent, group or person that the ledger does not know.
    """
    shops = scope(connection, options)
    several = len(shops) > 1
    rows: list[Row] = []
    notes = [Note(_HOW)]
    for shop in shops:
        goals = [
            one
            for one in Goals(connection).of(shop.shop_id, options.period)
            if shop.chosen is None or one.agent_id in shop.chosen
        ]
        if not goals:
            notes.append(Note(_NONE.filled(shop=shop.shop_id)))
            continue
        days = _read(connection, shop, goals)
        if days.now is not None:
            notes.append(Note(_NOW_IS.filled(shop=shop.shop_id, day=day_name(days.now))))
        rows += [
            (shop.shop_id, *row) if several else row for row in _rows(connection, shop, goals, days, notes)
        ]
        notes += _sums(shop, goals)
    return Report(
        "goals",
        _TITLE,
        [*([_SHOP] if several else []), *_COLUMNS],
        rows,
        as_of(connection, shops[0].zone, _TOPICS),
        (),
        notes,
        asked_for(options, shops),
    )


def _read(connection: Connection[Any], shop: ShopScope, goals: Sequence[Goal]) -> _Days:
    ((watermark,),) = connection.execute(_NOW, (list(_TOPICS),))
    ((first_day,),) = connection.execute(_FIRST, {"shop": shop.shop_id})
    first, last = min(one.period.first for one in goals), max(one.period.last for one in goals)
    now = None
    if watermark is not None:
        now = last + 1 if is_end(watermark) else shop.zone.day_of(watermark)
        first = min(first, now - _WEEKS * _WEEK)
    keys = measures_of(Asked(FIGURES[one.figure], Way.ITSELF) for one in goals)
    found = {}
    bound = {
        "shop": shop.shop_id,
        "agents": sorted({one.agent_id for one in goals}),
        "first": day_name(first),
        "last": day_name(last),
    }
    for agent_id, day, *numbers in connection.execute(_QUERY.format(measures=sum_columns(keys)), bound):
        found[agent_id, day] = dict(zip(keys, numbers, strict=True))
    return _Days(found, first_day, now)


def _rows(
    connection: Connection[Any], shop: ShopScope, goals: Sequence[Goal], days: _Days, notes: list[Note]
) -> Iterator[Row]:
    for goal in goals:
        figure = FIGURES[goal.figure]
        if figure.kind is Kind.MONEY:
            found = currencies_of(connection, shop, goal.period)
            if found and found != [goal.currency]:
                text = _CURRENCIES.filled(
                    shop=shop.shop_id, figure=figure.name, goal=goal.currency, found=", ".join(found)
                )
                notes.append(Note(text, is_warning=True))
                continue
        yield _row(shop, goal, figure, days)


def _row(shop: ShopScope, goal: Goal, figure: Figure, days: _Days) -> Row:
    """Return one goal with what was reached of it, what the rest must bring, and the forecast."""
    period, agent_id = goal.period, goal.agent_id
    zeros: dict[str, int | None] = dict.fromkeys((key for key in figure.formula if key is not None), 0)
    sums = {**zeros, **days.sums(agent_id, period.first, period.last)}
    actual = value(figure.formula, sums)
    is_ratio = figure.kind in (Kind.RATE, Kind.RATIO)
    target: int | float = goal.target / _SCALE if is_ratio else goal.target
    left = _left(period, days.now)
    forecast, needed = _outlook(goal, figure.formula, sums, days, left)
    gap = None if actual is None else round(actual - target, 4) if is_ratio else actual - target
    whole = agent_id == TOTAL
    numbers: list[Cell] = [
        quantity(figure, target, goal.currency),
        quantity(figure, actual, goal.currency),
        _attained(actual, target),
        difference(figure, gap, goal.currency),
        None if left is None else len(left),
        quantity(figure, needed, goal.currency),
        quantity(figure, forecast, goal.currency),
        _attained(forecast, target),
        _state(figure, actual, target, forecast, left),
    ]
    return (
        _WHOLE if whole else agent_id,
        None if whole else shop.member(agent_id).name,
        figure.name,
        Text(goal.currency, goal.currency) if goal.currency else figure.unit,
        day_name(period.first),
        day_name(period.last),
        *numbers,
    )


def _left(period: Period, now: int | None) -> range | None:
    """Return the days of a period that are not over."""
    return None if now is None else range(max(period.first, now), period.last + 1)


def _attained(number: int | float | None, target: int | float) -> float | None:
    return None if number is None or not target else round(number / target, 4)


def _state(
    figure: Figure,
    actual: int | float | None,
    target: int | float,
    forecast: int | float | None,
    left: range | None,
) -> Text | None:
    """Say whether a goal is reached, or will be if it goes on as the forecast has it."""
    if actual is None or left is None:
        return None
    less = figure.more_is_better is False
    holds = actual <= target if less else actual >= target
    adds_up = isinstance(figure.formula, Total)
    if not left:
        return _STATES["reached" if holds else "missed"]
    if adds_up and holds and not less:
        return _STATES["reached"]
    if adds_up and less and not holds:
        return _STATES["missed"]
    if forecast is None:
        return _STATES["held"] if holds else None
    will = forecast <= target if less else forecast >= target
    return _STATES["on track" if will else "behind"]


def _outlook(
    goal: Goal, formula: Formula, sums: dict[str, int | None], days: _Days, left: range | None
) -> tuple[int | float | None, int | float | None]:
    """Return the forecast of a period, and what its rest must bring: per day, or as a level."""
    if not left:
        return None, None
    rest = {key: _expected(goal, key, days, left) for key in formula if key is not None}
    begun = days.sums(goal.agent_id, goal.period.first, left[0] - 1)
    ends = {key: None if one is None else (begun.get(key) or 0) + one for key, one in rest.items()}
    match formula:
        case Total(of, less):
            gap = goal.target - (sums[of] or 0) + ((sums[less] or 0) if less else 0)
            per_day = max(gap, 0) / Fraction(len(left))
            adds = FIGURES[goal.figure].more_is_better is not False
            return _half_up(_less(ends, of, less)), -(-per_day // 1) if adds else per_day // 1
        case Ratio(part, whole, less) | Mean(part, whole, less):
            above, below = _less(ends, part, less), ends[whole]
            if above is None or not below:
                return None, None
            ahead = rest[whole]
            unit = Fraction(1, _SCALE) if isinstance(formula, Ratio) else Fraction(1)
            needed = None
            if ahead:
                had = Fraction((begun.get(part) or 0) - ((begun.get(less) or 0) if less else 0))
                needed = max((goal.target * unit * below - had) / ahead, Fraction(0))
            if isinstance(formula, Ratio):
                return round(float(above / below), 4), None if needed is None else round(float(needed), 4)
            return _half_up(above / below), _half_up(needed)
        case Most():
            return None, None
    raise AssertionError(formula)  # pragma: no cover -- all formulas are named above


def _expected(goal: Goal, key: str, days: _Days, left: range) -> Fraction | None:
    found = [days.expected(goal.agent_id, key, day) for day in left]
    known = [one for one in found if one is not None]
    return sum(known, Fraction(0)) if len(known) == len(found) else None


def _less(ends: dict[str, Fraction | None], of: str, less: str | None) -> Fraction | None:
    whole, taken = ends[of], ends[less] if less else Fraction(0)
    return None if whole is None or taken is None else whole - taken


def _half_up(number: Fraction | None) -> int | None:
    """Round half up, away from zero."""
    if number is None:
        return None
    rounded = int(abs(number) + Fraction(1, 2))
    return rounded if number >= 0 else -rounded


def _sums(shop: ShopScope, goals: Sequence[Goal]) -> Iterator[Note]:
    """Say where the targets of agents do not add up to the shop's."""
    for whole in goals:
        figure = FIGURES[whole.figure]
        if whole.agent_id != TOTAL or not isinstance(figure.formula, Total):
            continue
        same = [one for one in goals if one[2:4] == whole[2:4] and one.agent_id != TOTAL]
        total = sum(one.target for one in same)
        if same and (total != whole.target):
            agents, shops = (
                format_money(one, whole.currency)
                if whole.currency
                else as_text(one, figure.kind, "en", grouped=True)
                for one in (total, whole.target)
            )
            yield Note(
                _AGENTS_DO_NOT.filled(
                    shop=shop.shop_id,
                    figure=figure.name,
                    days=whole.period.name,
                    agents=agents,
                    whole=shops,
                )
            )
