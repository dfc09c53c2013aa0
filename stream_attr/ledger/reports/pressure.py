"""接待压力: how many buyers are there at one time, by weekday and hour, for how many agents (RULEBOOK 8)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.topics import FACTS
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Slice, slices
from stream_attr.ledger.reports.report import Column, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import MINUTE_MS, day_name

__all__ = ["WEEKDAYS", "report"]

_QUERY: Final = """
    SELECT buyer_id, agent_id, presence, first_ts, first_response_ms, agent_messages FROM reception
    WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date
        AND filtered IS NULL AND role <> 'frozen'
        AND (%(chosen)s::text[] IS NULL OR agent_id = ANY(%(chosen)s))
    ORDER BY buyer_id
"""
_MARGIN_MS: Final = 2 * MINUTE_MS
"""Of a presence, before its first message and after its last."""
WEEKDAYS: Final = (
    Text("Monday", "周一"),
    Text("Tuesday", "周二"),
    Text("Wednesday", "周三"),
    Text("Thursday", "周四"),
    Text("Friday", "周五"),
    Text("Saturday", "周六"),
    Text("Sunday", "周日"),
)
_COLUMNS: Final = (
    Column("weekday", Text("weekday", "星期")),
    Column("hour", Text("hour", "时段")),
    Column("days", Text("days", "天数"), Kind.COUNT),
    Column("most", Text("most buyers at once", "最大同时接待"), Kind.COUNT),
    Column("usual", Text("90 % of the time at most", "90% 时间内不超过"), Kind.COUNT),
    Column("receptions", Text("receptions begun", "新接待数"), Kind.COUNT),
    Column("first_response", Text("first response", "首次响应"), Kind.SECONDS, Text("s", "秒")),
    Column("agents", Text("agents on duty", "在岗客服"), Kind.RATIO),
)
_NEEDED: Final = (
    Column("needed", Text("agents needed", "所需客服"), Kind.COUNT),
    Column("short", Text("days short", "人手不足天数"), Kind.COUNT),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_TITLE: Final = Text("Buyers at one time, by weekday and hour", "接待压力")
_HOW: Final = Text(
    "A buyer is there from 2 minutes before to 2 minutes after each message of either side; unfiltered "
    "receptions alone. Agents on duty: those with a reception in that hour in which they said something, on "
    "average of its days.",
    "每条消息（不论哪一方）前后 2 分钟内买家都算在场；只计未被过滤的接待。"
    "在岗客服：该时段内有接待且说过话的客服，按天平均。",
)
_CAPACITY: Final = Text(
    "Agents needed: to serve {capacity} buyers each, 90 % of the time. Days short: on so many of them fewer "
    "were on duty.",
    "所需客服：每人同时接待 {capacity} 位买家时，可覆盖 90% 的时间。人手不足天数：在岗客服少于所需的天数。",
)


class _Reception(NamedTuple):
    buyer_id: str
    agent_id: str
    presence: list[tuple[int, int]]
    """Half-open."""
    first_ts: int
    first_response_ms: int | None
    agent_messages: int


@dataclass(slots=True)
class _Cell:
    """A weekday and hour: of all its days together."""

    lasted: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """How long so many buyers were there, milliseconds."""
    days: set[int] = field(default_factory=set)
    """Of the clock: an hour in which the shop's day begins is one hour of one day."""
    agents: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By day."""
    receptions: int = 0
    response_sum: int = 0
    responses: int = 0

    @property
    def usual(self) -> int:
        """Return the least number that is not exceeded for 90 % of the time."""
        total, passed = sum(self.lasted.values()), 0
        for number, ms in sorted(self.lasted.items()):
            passed += ms
            if passed * 10 >= total * 9:
                return number
        return 0


def report(connection: Connection[Any], options: Options) -> Report:
    """Return a row for each weekday and hour of a period.

    Raises UnusableError for a shop, agent, group or person that the ledger does not know.
    """
    shops = scope(connection, options)
    several = len(shops) > 1
    capacity = options.capacity
    rows: list[Row] = []
    for shop in shops:
        cells = _cells(shop, options, _read(connection, options, shop))
        rows += [(shop.shop_id, *row) if several else row for row in _rows(cells, capacity)]
    notes = [Note(_HOW)]
    if capacity is not None:
        notes.append(Note(_CAPACITY.filled(capacity=capacity)))
    columns = [*([_SHOP] if several else []), *_COLUMNS, *(_NEEDED if capacity is not None else ())]
    at = as_of(connection, shops[0].zone, (FACTS,))
    return Report("pressure", _TITLE, columns, rows, at, (), notes, asked_for(options, shops))


def _rows(cells: dict[tuple[int, str], _Cell], capacity: int | None) -> Iterator[Row]:
    for (weekday, hour), cell in sorted(cells.items()):
        usual, days = cell.usual, len(cell.days)
        row: Row = (
            WEEKDAYS[weekday],
            hour,
            days,
            max(cell.lasted, default=0),
            usual,
            cell.receptions,
            mean(cell.response_sum, cell.responses),
            round(sum(map(len, cell.agents.values())) / days, 4),
        )
        if capacity is not None:
            needed = -(-usual // capacity)
            short = sum(len(cell.agents.get(day, ())) < needed for day in cell.days)
            row = (*row, needed, short)
        yield row


def _read(connection: Connection[Any], options: Options, shop: ShopScope) -> list[_Reception]:
    """Return the receptions whose buyers may be there in the period: also those of the days beside it."""
    bound = {
        "shop": shop.shop_id,
        "first": day_name(options.period.first - 1),
        "last": day_name(options.period.last + 1),
        "chosen": None if shop.chosen is None else sorted(shop.chosen),
    }
    return [
        _Reception(buyer, agent, [(begin, end + 1) for begin, end in presence], *others)
        for buyer, agent, presence, *others in connection.execute(_QUERY, bound)
    ]


def _cells(
    shop: ShopScope, options: Options, receptions: Sequence[_Reception]
) -> dict[tuple[int, str], _Cell]:
    """Return the weekdays and hours of a period."""
    parts = slices(shop.zone, options.period, ("day", "hour"))
    cells: dict[tuple[int, str], _Cell] = {}
    of_part = [cells.setdefault(_key(shop, part), _Cell()) for part in parts]
    day_of_part = [_day(shop, part) for part in parts]
    for cell, day in zip(of_part, day_of_part, strict=True):
        cell.days.add(day)
    for part, number, ms in _numbers(parts, _present(receptions)):
        of_part[part].lasted[number] += ms
    starts = [part.start for part in parts]
    end = parts[-1].end
    for one in receptions:
        if one.agent_messages:
            for begin, until in one.presence:
                part = max(bisect_right(starts, begin + _MARGIN_MS) - 1, 0)
                while part < len(parts) and starts[part] < until - _MARGIN_MS:
                    of_part[part].agents[day_of_part[part]].add(one.agent_id)
                    part += 1
        if starts[0] <= one.first_ts < end:
            cell = of_part[bisect_right(starts, one.first_ts) - 1]
            cell.receptions += 1
            if one.first_response_ms is not None:
                cell.response_sum += one.first_response_ms
                cell.responses += 1
    return cells


def _day(shop: ShopScope, part: Slice) -> int:
    return shop.zone.clock(part.start)[0]


def _key(shop: ShopScope, part: Slice) -> tuple[int, str]:
    return (_day(shop, part) + 3) % 7, part.labels[1]  # 1970-01-01 was a Thursday


def _present(receptions: Iterable[_Reception]) -> list[tuple[int, int]]:
    """Return when buyers come (+1) and go (-1), each buyer once however many agents, in their order."""
    steps: dict[int, int] = defaultdict(int)
    of_buyer: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in receptions:
        of_buyer[one.buyer_id] += one.presence
    for presence in of_buyer.values():
        until = 0
        for begin, end in sorted(presence):
            if end > until:
                steps[max(begin, until)] += 1
                steps[end] -= 1
                until = end
    return sorted(steps.items())


def _numbers(parts: Sequence[Slice], steps: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield for each part, by its place, how many buyers were there, and how long."""
    number, index = 0, 0
    for place, part in enumerate(parts):
        at = part.start
        while index < len(steps) and steps[index][0] <= at:
            number += steps[index][1]
            index += 1
        while index < len(steps) and steps[index][0] < part.end:
            ts, change = steps[index]
            yield place, number, ts - at
            at, number, index = ts, number + change, index + 1
        yield place, number, part.end - at
