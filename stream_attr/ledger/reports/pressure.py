"""接待压力: how many buyers are there at one time, by weekday and hour, for how many agents (RULEBOOK 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Connection

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.topics import FACTS
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Column, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.roll_up.days import Part
from stream_attr.ledger.texts import Text

__all__ = ["WEEKDAYS", "report"]

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
    "receptions alone. Agents on duty: those with a reception in that hour in which they wrote something, on "
    "average of its days.",
    "每条消息（不论哪一方）前后 2 分钟内买家都算在场；只计未被过滤的接待。"
    "在岗客服：该时段内有接待且说过话的客服，按天平均。",
)
_CAPACITY: Final = Text(
    "Agents needed: to serve {capacity} buyers each, 90 % of the time. Days short: on so many of them fewer "
    "were on duty.",
    "所需客服：每人同时接待 {capacity} 位买家时，可覆盖 90% 的时间。人手不足天数：在岗客服少于所需的天数。",
)


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
        cells = _cells(connection, options, shop)
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


def _cells(connection: Connection[Any], options: Options, shop: ShopScope) -> dict[tuple[int, str], _Cell]:
    """Return the weekdays and hours of a period."""
    cells: dict[tuple[int, str], _Cell] = {}
    for day in shop.days(connection, options.period, Part.PRESENCE).values():
        for hour in day.hours:
            date, _ = shop.zone.clock(hour.start)
            cell = cells.setdefault((shop.weekday_of(hour.start), shop.hour_of(hour.start)), _Cell())
            cell.days.add(date)
            for number, ms in hour.lasted.items():
                cell.lasted[number] += ms
            cell.agents[date].update(hour.on_duty)
            cell.receptions += hour.begun
            cell.response_sum += hour.response_sum
            cell.responses += hour.responses
    return cells
