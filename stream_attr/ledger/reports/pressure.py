"""接待压力: how many buyers are there at one time, by weekday and hour, for how many agents (RULEBOOK 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Connection

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.topics import FACTS
from stream_attr.ledger.formats.cells import is_end
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Period
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
_COUNTED: Final = Text(
    "Shop {shop}: counted are {days}, days without receptions too.",
    "店铺 {shop}：统计 {days}，没有接待的日子也计入。",
)
_SO_FAR: Final = Text(
    "Shop {shop}: counted are {days}, days without receptions too; the last one as far as it has come, with "
    "the hour of {hour}.",
    "店铺 {shop}：统计 {days}，没有接待的日子也计入；最后一天计至 {hour} 时段（含）。",
)
_OTHER_DAYS: Final = Text(
    "Shop {shop}: none of these days is counted: the ledger has its receptions of {days}.",
    "店铺 {shop}：所选日期均未统计：账本中该店铺的接待为 {days}。",
)
_NO_RECEPTIONS: Final = Text(
    "Shop {shop}: the ledger has no receptions of it.", "店铺 {shop}：账本中没有该店铺的接待。"
)
_KNOWN: Final = (
    "SELECT min(day) - date '1970-01-01', max(day) - date '1970-01-01' FROM reception WHERE shop_id = %s"
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
    """Return a row for each weekday and hour of a period, of the days that the ledger can know.

    These are the days from the shop's first one with receptions to the watermark.

    Raises UnusableError for a shop, agent, group or person that the ledger does not know.
    """
    shops = scope(connection, options)
    several = len(shops) > 1
    capacity = options.capacity
    rows: list[Row] = []
    at = as_of(connection, shops[0].zone, (FACTS,))
    counted = []
    for shop in shops:
        cells, note = _cells(connection, options.period, shop, at.latest)
        counted.append(note)
        rows += [(shop.shop_id, *row) if several else row for row in _rows(cells, capacity)]
    notes = [Note(_HOW), *counted]
    if capacity is not None:
        notes.append(Note(_CAPACITY.filled(capacity=capacity)))
    columns = [*([_SHOP] if several else []), *_COLUMNS, *(_NEEDED if capacity is not None else ())]
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


def _cells(
    connection: Connection[Any], asked: Period, shop: ShopScope, now: int | None
) -> tuple[dict[tuple[int, str], _Cell], Note]:
    """Return the weekdays and hours of a period, and which of its days they are of.

    ``now``: the watermark; of a day in progress only the hours are counted that have begun by it.
    """
    ((first, last),) = connection.execute(_KNOWN, (shop.shop_id,))
    if first is None:
        return {}, Note(_NO_RECEPTIONS.filled(shop=shop.shop_id))
    until = None if now is None or is_end(now) else now
    if until is not None:
        last = max(last, shop.zone.day_of(until - 1))
    known = Period(max(first, asked.first), min(last, asked.last))
    if known.days < 1:
        return {}, Note(_OTHER_DAYS.filled(shop=shop.shop_id, days=Period(first, last).name))
    cells: dict[tuple[int, str], _Cell] = {}
    counted, is_whole = (known.first, ""), True
    for number, day in shop.days(connection, known, Part.PRESENCE).items():
        for hour in day.hours:
            is_whole = until is None or hour.start < until or any(hour.lasted)
            if not is_whole:  # nor is the day, if this is its last hour
                continue
            date, _ = shop.zone.clock(hour.start)
            counted = (number, shop.hour_of(hour.start))
            cell = cells.setdefault((shop.weekday_of(hour.start), counted[1]), _Cell())
            cell.days.add(date)
            for buyers, ms in hour.lasted.items():
                cell.lasted[buyers] += ms
            cell.agents[date].update(hour.on_duty)
            cell.receptions += hour.begun
            cell.response_sum += hour.response_sum
            cell.responses += hour.responses
    text = _COUNTED if is_whole else _SO_FAR
    days = Period(known.first, counted[0])
    return cells, Note(text.filled(shop=shop.shop_id, days=days.name, hour=counted[1]))
