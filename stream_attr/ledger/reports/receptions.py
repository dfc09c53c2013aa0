"""接待明细: the receptions behind any number of them, those that do not count with why (RULEBOOK 4, 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.topics import FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import Period, slices
from stream_attr.ledger.reports.buyer import why_not_counted
from stream_attr.ledger.reports.orders import worded
from stream_attr.ledger.reports.paging import days_of_rows
from stream_attr.ledger.reports.pressure import WEEKDAYS as _WEEKDAY_NAMES
from stream_attr.ledger.reports.report import Column, Moment, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, part_of, scope
from stream_attr.ledger.roll_up.days import COUNTING, Day, Part
from stream_attr.ledger.roll_up.kept import kept_days
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.vocabulary import PENDING, ROLES, STATUSES, Role

__all__ = ["HOURS", "KINDS", "WEEKDAYS", "report"]


class _Kind(NamedTuple):
    name: Text
    condition: str
    counts: str
    """Which of `Counts` says how many there are."""


_KINDS: Final = {
    "counted": _Kind(Text("counted", "计入"), COUNTING, "receptions"),
    "filtered": _Kind(Text("filtered", "被过滤"), "filtered IS NOT NULL AND role <> 'frozen'", "filtered"),
    "frozen": _Kind(Text("of frozen agents", "客服已冻结"), "role = 'frozen'", "frozen"),
}
KINDS: Final = {key: one.name for key, one in _KINDS.items()}
"""What can be asked for; each reception is one of them."""
WEEKDAYS: Final = {one.english.lower(): one for one in _WEEKDAY_NAMES}
HOURS: Final = tuple(f"{hour:02}:00" for hour in range(24))
_WEEKDAY_OF: Final = {name.lower(): key for key, one in WEEKDAYS.items() for name in one}
"""By its name in either language."""

_QUERY: Final = SQL(
    "SELECT listed.*, inquiry.order_ids FROM ("
    " SELECT buyer_id, agent_id, day, first_ts, last_ts, buyer_messages, agent_messages, first_response_ms,"
    " response_ms_sum, response_count, filtered, role, status, final_at FROM reception WHERE {where}"
    " ORDER BY day, first_ts, buyer_id, agent_id LIMIT %(most)s OFFSET %(skipped)s"
    ") AS listed LEFT JOIN inquiry ON inquiry.shop_id = %(shop)s AND inquiry.buyer_id = listed.buyer_id"
    " AND inquiry.agent_id = listed.agent_id AND inquiry.day = listed.day"
    " AND inquiry.day BETWEEN %(first)s::date AND %(last)s::date"
    " ORDER BY listed.day, listed.first_ts, listed.buyer_id, listed.agent_id"
)
_IN_DAYS: Final = "shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date"
_OF_AGENTS: Final = "agent_id = ANY(%(chosen)s)"
_AT_HOURS: Final = "greatest(width_bucket(first_ts, %(starts)s::bigint[]), 1) = ANY(%(numbers)s)"

_COLUMNS: Final = (
    Column("day", Text("day", "日期"), Kind.DAY),
    Column("buyer", Text("buyer", "买家")),
    Column("agent", Text("agent", "客服")),
    Column("name", Text("name", "姓名")),
    Column("role", Text("role", "岗位")),
    Column("began", Text("first message", "首条消息"), Kind.MOMENT),
    Column("ended", Text("last message", "末条消息"), Kind.MOMENT),
    Column("buyer_messages", Text("buyer's messages", "买家消息数"), Kind.COUNT),
    Column("agent_messages", Text("agent's messages", "客服消息数"), Kind.COUNT),
    Column("first_response", Text("first response", "首次响应"), Kind.SECONDS, Text("s", "秒")),
    Column("response", Text("average response", "平均响应"), Kind.SECONDS, Text("s", "秒")),
    Column("counts", Text("counts", "是否计入")),
    Column("orders", Text("orders of the inquiry", "询单下单")),
    Column("status", Text("status", "状态")),
    Column("until", Text("pending until", "待定至"), Kind.MOMENT),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_TITLE: Final = Text("Receptions", "接待明细")
_YES: Final = Text("yes", "是")
_NO: Final = Text("no: {reason}", "否：{reason}")
_COUNTED: Final = Text("{kind}: {rows}", "{kind}：{rows}")
_EACH_ONCE: Final = Text(
    "Those that count are of {buyers} buyers, each counted once a day: that is the shop's figure, while the "
    "figures of its agents add up to the receptions.",
    "计入的接待共有 {buyers} 位买家（同一买家每天只计一次），即店铺的接待人数；"
    "各客服的接待人数之和等于计入的接待数。",
)


def report(connection: Connection[Any], options: Options) -> Report:
    """Return a row for each reception of a period, by day and first message; rows are read when used.

    Raises UnusableError for a shop, agent, group, person, kind, weekday or hour that does not exist.
    """
    for one in options.kinds:
        if one not in KINDS:
            raise UnusableError(f"there is no kind {one!r} of receptions; there are {', '.join(KINDS)}")
    for one in options.hours:
        if one not in HOURS:
            raise UnusableError(f"--hour {one!r}: a full hour such as 09:00")
    options = replace(options, weekdays=tuple(map(_weekday, options.weekdays)))
    shops = scope(connection, options)
    several = len(shops) > 1
    part_of(options, shops)
    days = [_days(connection, options, shop) for shop in shops]
    counted = [
        {number: _counted(options, shop, day) for number, day in some.items()}
        for shop, some in zip(shops, days, strict=True)
    ]
    kinds = options.kinds or tuple(KINDS)
    sums = sum((one for some in counted for one in some.values()), Counter[str]())
    notes = [
        Note(_COUNTED.filled(kind=KINDS[kind], rows=f"{sums[kind]:,}")) for kind in KINDS if kind in kinds
    ]
    if "counted" in kinds and not _is_part(options) and all(one.chosen is None for one in shops):
        buyers = sum(day.buyers for some in days for day in some.values())
        notes.append(Note(_EACH_ONCE.filled(buyers=f"{buyers:,}")))
    return Report(
        "receptions",
        _TITLE,
        [*([_SHOP] if several else []), *_COLUMNS],
        (
            (shop.shop_id, *row) if several else row
            for number, (shop, some) in enumerate(zip(shops, counted, strict=True))
            for row in _rows(connection, options, (number, shop), some)
        ),
        as_of(connection, shops[0].zone, (FACTS, INQUIRIES)),
        (),
        notes,
        [*asked_for(options, shops), *_filters(options)],
    )


def _weekday(name: str) -> str:
    found = _WEEKDAY_OF.get(name.lower())
    if found is None:
        raise UnusableError(f"--weekday {name!r}: a weekday such as Wednesday or 周三")
    return found


def _is_part(options: Options) -> bool:
    """Whether only some hours of the days are asked for."""
    return bool(options.weekdays or options.hours)


def _is_asked(options: Options, shop: ShopScope, ts: int) -> bool:
    """Whether what begins in the hour of an instant is asked for."""
    weekday = tuple(WEEKDAYS)[shop.weekday_of(ts)]
    return (not options.weekdays or weekday in options.weekdays) and (
        not options.hours or shop.hour_of(ts) in options.hours
    )


def _days(connection: Connection[Any], options: Options, shop: ShopScope) -> dict[int, Day]:
    if _is_part(options):  # what is kept of an hour is of all agents
        return shop.days(connection, options.period, Part.COUNTS)
    return kept_days(connection, shop.shop_id, shop.zone, options.period, Part.COUNTS)


def _counted(options: Options, shop: ShopScope, day: Day) -> Counter[str]:
    """Return how many rows of each kind that is asked for a day has."""
    if _is_part(options):
        counts = [hour.counts for hour in day.hours if _is_asked(options, shop, hour.start)]
    else:
        counts = [
            one for agent_id, one in day.agents.items() if shop.chosen is None or agent_id in shop.chosen
        ]
    return Counter(
        {kind: sum(getattr(one, _KINDS[kind].counts) for one in counts) for kind in options.kinds or KINDS}
    )


def _rows(
    connection: Connection[Any],
    options: Options,
    numbered: tuple[int, ShopScope],
    counted: Mapping[int, Counter[str]],
) -> Iterator[Row]:
    """Yield the rows of a shop; some thousand are in memory."""
    number, shop = numbered
    by_day = {day: counts.total() for day, counts in counted.items()}
    rows = options.rows if options.rows is not None else range(sum(by_day.values()))
    days, skipped = days_of_rows(by_day, rows)
    if days is None:
        return
    where, bound = _where(options, shop, days)
    query = _QUERY.format(where=where)
    with connection.cursor(f"receptions_{number}", row_factory=dict_row) as cursor:
        cursor.itersize = 5_000
        cursor.execute(query, {**bound, "most": len(rows), "skipped": skipped})
        for row in cursor:
            yield _row(shop, row)


def _where(options: Options, shop: ShopScope, days: Period) -> tuple[Composed, dict[str, Any]]:
    """Return the condition of the receptions of some days that are asked for, and what the query binds."""
    bound: dict[str, Any] = {
        "shop": shop.shop_id,
        "first": day_name(days.first),
        "last": day_name(days.last),
    }
    conditions = [_IN_DAYS]
    if options.kinds:
        conditions.append(f"({' OR '.join(f'({_KINDS[kind].condition})' for kind in options.kinds)})")
    if shop.chosen is not None:
        conditions.append(_OF_AGENTS)
        bound["chosen"] = sorted(shop.chosen)
    if _is_part(options):
        hours = slices(shop.zone, days, ("day", "hour"))
        conditions.append(_AT_HOURS)
        bound["starts"] = [one.start for one in hours]
        bound["numbers"] = [
            number for number, one in enumerate(hours, 1) if _is_asked(options, shop, one.start)
        ]
    return SQL(" AND ".join(conditions)).format(), bound


def _row(shop: ShopScope, read: Mapping[str, Any]) -> Row:
    zone, agent_id, is_pending = shop.zone.name, read["agent_id"], read["status"] == PENDING
    reason = "role_frozen" if read["role"] == Role.FROZEN else read["filtered"]
    return (
        read["day"].isoformat(),
        read["buyer_id"],
        agent_id,
        shop.member(agent_id).name,
        worded(ROLES, read["role"]),
        Moment(read["first_ts"], zone),
        Moment(read["last_ts"], zone),
        read["buyer_messages"],
        read["agent_messages"],
        read["first_response_ms"],
        mean(read["response_ms_sum"], read["response_count"]),
        _YES if reason is None else _NO.filled(reason=why_not_counted(reason)),
        ", ".join(read["order_ids"] or ()) or None,
        worded(STATUSES, read["status"]),
        Moment(read["final_at"], zone) if is_pending else None,
    )


def _filters(options: Options) -> list[tuple[Text, Text]]:
    found = [
        (Text("kind", "类型"), [KINDS[one] for one in options.kinds]),
        (Text("weekday", "星期"), [WEEKDAYS[one] for one in options.weekdays]),
        (Text("hour", "时段"), [Text(one, one) for one in options.hours]),
    ]
    return [
        (name, Text(", ".join(one.english for one in asked), "、".join(one.chinese for one in asked)))
        for name, asked in found
        if asked
    ]
