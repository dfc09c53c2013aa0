"""Of what a report is: shops, days, agents, and what its rows are by; names from the roster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL

from stream_attr.errors import UnusableError
from stream_attr.ledger.by import TIMES, WHO
from stream_attr.ledger.periods import Period, Slice, shop_zone, slices
from stream_attr.ledger.reports.distinct import distinct
from stream_attr.ledger.reports.report import AsOf, Column, InputAsOf, Note, Row, TopicAsOf
from stream_attr.ledger.roll_up.days import Day, Part, days_of
from stream_attr.ledger.roll_up.kept import kept_days
from stream_attr.ledger.texts import Text
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import Zone, day_name

__all__ = [
    "Connection",
    "Member",
    "Options",
    "ShopScope",
    "Who",
    "agents_of",
    "as_of",
    "asked_for",
    "other_days",
    "part_of",
    "require_shop",
    "scope",
    "snapshot",
    "unknown",
    "who_cells",
    "who_columns",
    "who_of",
]

_MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Options:
    """What a report is asked for."""

    shops: tuple[str, ...]
    period: Period
    by: tuple[str, ...] = ()
    """Of `BY`; none: as the report thinks best."""
    agents: tuple[str, ...] = ()
    """By id, or by name in the roster."""
    groups: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    ids: tuple[str, ...] | None = None
    """Of these agents alone, by id, whether the ledger knows them or not; None: of all. For whoever may see
    no others: a name in the roster can be changed."""
    buyer: str | None = None
    """Whose days are asked for."""
    figures: tuple[str, ...] = ()
    profile: str | None = None
    statuses: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    """Only orders of one of these products and no other."""
    baskets: tuple[str, ...] = ()
    """Only, or as well, orders of ``several`` products, or of ``none`` that is named."""
    weekdays: tuple[str, ...] = ()
    """Only receptions that began on these weekdays by the clock, such as ``monday``."""
    hours: tuple[str, ...] = ()
    """Only those that began in these hours of the clock, such as ``09:00``."""
    behind: str | None = None
    """The group of figures whose orders are asked for."""
    capacity: int | None = None
    """How many buyers an agent can serve at one time."""
    file: Path | None = None
    """A platform's exported sheet."""
    maps: tuple[str, ...] = ()
    """What columns of it say: ``their column=our field``."""
    sheet: str | None = None
    """Its name, where the file has several; None: the one that is known."""
    days_of: str = "paid"
    """By what an order of it is of a day: ``paid`` or ``created``."""
    results: tuple[str, ...] = ()
    """Which results of the comparison are shown; none: all but what matches."""
    against: Period | None = None
    """The period that is compared with; None: the one before."""
    beside_before: bool = False
    """Whether each figure stands beside that of the period before, and by how much it changed."""
    beside_ranges: bool = False
    """Whether beside each figure stands between what it can still come to lie, and until when."""
    rows: range | None = None
    """Of the list of one shop these rows alone, such as a page's; None: all."""
    as_known_on: int | None = None
    """Decisions as they stood at the end of this day, a day number; None: now."""

    @property
    def times(self) -> tuple[str, ...]:
        """What kinds of time rows are by, the coarsest first."""
        return tuple(one for one in TIMES if one in self.by)

    def who(self, default: str | None) -> str | None:
        """Return by whom rows are, if by anybody. Raises UnusableError where several are asked for."""
        found = [one for one in WHO if one in self.by]
        if len(found) > 1:
            raise UnusableError(
                f"--by {' '.join(found)}: rows are by one of {', '.join(WHO)}; name one of them"
            )
        return found[0] if found else None if self.times else default


class Member(NamedTuple):
    """An agent by the roster."""

    agent_id: str
    name: str | None = None
    group: str | None = None
    person_id: str | None = None

    @property
    def person(self) -> str:
        """Return whose account it is; one without a person is its own."""
        return self.person_id or self.agent_id


class ShopScope(NamedTuple):
    """One shop's part of a report."""

    shop_id: str
    zone: Zone
    slices: list[Slice]
    members: dict[str, Member]
    chosen: frozenset[str] | None
    """Ids of the agents that are asked for; None: all."""

    @property
    def labels(self) -> list[tuple[str, ...]]:
        """Return the labels of its parts of time, each once, in their order."""
        return list(dict.fromkeys(part.labels for part in self.slices))

    def bounds(self, period: Period) -> dict[str, Any]:
        """Return what a query binds to find the part of time and the day of an instant.

        The part, an index into ``labels``: ``(%(labels)s::int[])[width_bucket(ts, %(starts)s::bigint[])]``.
        """
        index = {labels: number for number, labels in enumerate(self.labels)}
        start, end = period.instants(self.zone)
        return {
            "shop": self.shop_id,
            "start": start,
            "end": end,
            "starts": [part.start for part in self.slices],
            "labels": [index[part.labels] for part in self.slices],
            "days": [self.zone.start_of(day) for day in range(period.first, period.last + 1)],
        }

    def days(self, connection: Connection[Any], period: Period, *parts: Part) -> dict[int, Day]:
        """Return by its number what the chat of each day of a period comes to, of the agents asked for."""
        if self.chosen is None:
            return kept_days(connection, self.shop_id, self.zone, period, *parts)
        return days_of(connection, self.shop_id, self.zone, period, self.chosen, frozenset(parts))

    def hour_of(self, ts: int) -> str:
        """Return which hour the shop's clocks show, as rows by the hour are labelled."""
        return f"{self.zone.clock(ts)[1] // 60:02}:00"

    def weekday_of(self, ts: int) -> int:
        """Return which weekday the shop's clocks show, 0 on Mondays, whichever day of the shop it is."""
        return (self.zone.clock(ts)[0] + 3) % 7  # 1970-01-01 was a Thursday

    def member(self, agent_id: str) -> Member:
        """Return an agent, also one that is not in the roster."""
        return self.members.get(agent_id) or Member(agent_id)


@contextmanager
def snapshot(connection: Connection[Any]) -> Iterator[None]:
    """Let all queries of the block see one state of the ledger, and change nothing."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def part_of(options: Options, shops: Sequence[ShopScope]) -> dict[str, int | None]:
    """Return what a query of rows binds to its ``LIMIT`` and ``OFFSET``.

    Raises ValueError for a part of the lists of several shops.
    """
    if options.rows is None:
        return {"most": None, "skipped": 0}
    if len(shops) > 1:
        raise ValueError("a part of a list is of one shop")
    return {"most": len(options.rows), "skipped": options.rows.start}


def scope(connection: Connection[Any], options: Options, times: Sequence[str] = ()) -> list[ShopScope]:
    """Return what each shop contributes to a report: one that is named twice, once.

    Raises UnusableError for a shop, agent, group or person that the ledger does not know.
    """
    found = []
    for shop_id in dict.fromkeys(options.shops):
        require_shop(connection, shop_id)
        zone = shop_zone(connection, shop_id)
        members = _members(connection, shop_id, options.period.last)
        found.append(ShopScope(shop_id, zone, slices(zone, options.period, times), members, None))
    only = None if options.ids is None else frozenset(options.ids)
    if not (options.agents or options.groups or options.persons):
        return [one._replace(chosen=only) for one in found]
    known = [agents_of(connection, one) for one in found]
    chosen = [_chosen(options, members) for members in known]
    for option, asked, matches in (
        ("agent", options.agents, lambda name, one: name in (one.agent_id, one.name)),
        ("group", options.groups, lambda name, one: name == one.group),
        ("person", options.persons, lambda name, one: name == one.person),
    ):
        for name in asked:
            if not any(matches(name, one) for members in known for one in members.values()):
                raise UnusableError(unknown(option, name, [one for some in known for one in some.values()]))
    return [
        one._replace(chosen=ids if only is None else ids & only)
        for one, ids in zip(found, chosen, strict=True)
    ]


def agents_of(connection: Connection[Any], shop: ShopScope) -> dict[str, Member]:
    """Return by id the agents of a shop: of its roster, and whom the ledger has seen without."""
    return {**_agents_seen(connection, shop.shop_id), **shop.members}


def _chosen(options: Options, members: dict[str, Member]) -> frozenset[str]:
    return frozenset(
        one.agent_id
        for one in members.values()
        if one.agent_id in options.agents
        or (one.name is not None and one.name in options.agents and one.name not in members)
        or one.group in options.groups
        or one.person in options.persons
    )


def unknown(option: str, name: str, members: Sequence[Member]) -> str:
    """Return a sentence that there is no such agent, group or person, and which there are."""
    if option == "agent":
        there = [one.agent_id if one.name is None else f"{one.agent_id} {one.name}" for one in members]
    else:
        there = [text for one in members if (text := one.group if option == "group" else one.person_id)]
    return f"there is no {option} {name!r}; {_named(f'{option}s', sorted(set(there)))}"


def _named(kind: str, names: list[str]) -> str:
    if not names:
        return f"the ledger knows no {kind}"
    more = len(names) - _MOST_NAMED
    return f"there are {', '.join(names[:_MOST_NAMED])}{f' and {more} more' if more > 0 else ''}"


def require_shop(connection: Connection[Any], shop_id: str) -> None:
    """Raise UnusableError for a shop of which the ledger knows nothing."""
    tables = ("decision", "agent_day", "reception", "shop_settings", "roster")
    anywhere = " OR ".join(f"EXISTS (SELECT FROM {table} WHERE shop_id = %(shop)s)" for table in tables)
    row = connection.execute(f"SELECT {anywhere}", {"shop": shop_id}).fetchone()
    if row is not None and row[0]:
        return
    shops = {one for table in tables for (one,) in connection.execute(distinct(table, "shop_id"))}
    raise UnusableError(f"there is no shop {shop_id!r}; {_named('shops', sorted(shops))}")


_OTHER_DAYS: Final = Text(
    "Shop {shop}: the ledger has none of these days; it has days of {days}.",
    "店铺 {shop}：账本中没有所选日期的数据，现有 {days} 的数据。",
)
_DAYS_KNOWN: Final = (
    "SELECT min(day) - date '1970-01-01', max(day) - date '1970-01-01',"
    " bool_or(day BETWEEN %(first)s::date AND %(last)s::date) OR EXISTS (SELECT FROM decision"
    " WHERE shop_id = %(shop)s AND profile = 'official' AND created_ts >= %(start)s AND created_ts < %(end)s)"
    " FROM agent_day WHERE shop_id = %(shop)s AND agent_id = %(total)s"
)


def other_days(connection: Connection[Any], options: Options) -> Iterator[Note]:
    """Yield of each shop of whose days the ledger has none that is asked for, which it has."""
    days = {"first": day_name(options.period.first), "last": day_name(options.period.last)}
    for shop_id in dict.fromkeys(options.shops):
        start, end = options.period.instants(shop_zone(connection, shop_id))
        bound = {**days, "shop": shop_id, "total": TOTAL, "start": start, "end": end}
        ((first, last, has_some),) = connection.execute(_DAYS_KNOWN, bound)
        if first is not None and not has_some:
            yield Note(_OTHER_DAYS.filled(shop=shop_id, days=Period(first, last).name))


def _members(connection: Connection[Any], shop_id: str, last_day: int) -> dict[str, Member]:
    """Return the agents of a shop by its roster, as on a day; one that begins later by its first record."""
    rows = connection.execute(
        "SELECT agent_id, name, agent_group, person_id FROM roster WHERE shop_id = %(shop)s"
        " ORDER BY agent_id, (effective_from > %(day)s::date) DESC,"
        " CASE WHEN effective_from > %(day)s::date THEN -(effective_from - date '1970-01-01')"
        " ELSE effective_from - date '1970-01-01' END, source_partition, source_offset",
        {"shop": shop_id, "day": day_name(last_day)},
    )
    members: dict[str, Member] = {}
    for agent_id, name, group, person_id in rows:
        known = members.get(agent_id, Member(agent_id))
        members[agent_id] = Member(
            agent_id, name or known.name, group or known.group, person_id or known.person_id
        )
    return members


_AGENTS_SEEN: Final = SQL("({}) UNION ({})").format(
    distinct("agent_day", "agent_id", SQL("shop_id = %(shop)s AND agent_id <> %(total)s")),
    distinct("decision", "agent_id", SQL("shop_id = %(shop)s AND profile = 'official'")),
)


def _agents_seen(connection: Connection[Any], shop_id: str) -> dict[str, Member]:
    """Return the agents of whom the ledger has days or credit, whether in the roster or not."""
    rows = connection.execute(_AGENTS_SEEN, {"shop": shop_id, "total": TOTAL})
    return {agent_id: Member(agent_id) for (agent_id,) in rows}


_SHOP: Final = Column("shop", Text("shop", "店铺"))
_WHO_COLUMNS: Final = {
    "agent": (
        Column("agent", Text("agent", "客服")),
        Column("name", Text("name", "姓名")),
        Column("group", Text("group", "分组")),
    ),
    "person": (Column("person", Text("person", "人员")), Column("name", Text("name", "姓名"))),
    "group": (Column("group", Text("group", "分组")),),
    "shop": (_SHOP,),
}


def who_columns(who: str | None, shops: int) -> list[Column]:
    """Return the columns that say whose a row is."""
    if who is None:
        return []
    return [*([_SHOP] if shops > 1 and who == "agent" else []), *_WHO_COLUMNS[who]]


Who = tuple[str, ...]
"""Whose a row is: shop and agent, a person (an account without one: with its shop), a group or a shop."""
_NO_GROUP: Final = Text("(none)", "（未分组）")


def who_of(who: str | None, shop: ShopScope, agent_id: str) -> Who:
    """Return whose row an agent's numbers are in; an account without a person is its own, in its shop."""
    if who is None:
        return ()
    if who == "shop":
        return (shop.shop_id,)
    member = shop.member(agent_id)
    if who == "group":
        return (member.group or "",)
    if who == "person":
        return (agent_id, shop.shop_id) if member.person_id is None else (member.person_id,)
    return (shop.shop_id, agent_id)


def who_cells(who: str | None, key: Who, shops: Sequence[ShopScope]) -> Row:
    """Return the cells of `who_columns`."""
    if who == "agent":
        shop_id, agent_id = key
        shop = next(one for one in shops if one.shop_id == shop_id)
        member = shop.member(agent_id)
        own = (agent_id, member.name, member.group)
        return (shop_id, *own) if len(shops) > 1 else own
    if who == "person" and len(key) > 1:
        agent_id, shop_id = key
        member = next(one for one in shops if one.shop_id == shop_id).member(agent_id)
        return (f"{agent_id} ({shop_id})" if len(shops) > 1 else agent_id, member.name)
    if who == "person":
        accounts = [one for shop in shops for one in shop.members.values() if one.person_id == key[0]]
        names = dict.fromkeys(one.name for one in accounts if one.name)
        return (key[0], " / ".join(names) or None)
    if who == "group":
        return (key[0] or _NO_GROUP,)
    return key


_FILTER_NAMES: Final = {
    "shop": Text("shop", "店铺"),
    "period": Text("days", "日期"),
    "agent": Text("agent", "客服"),
    "group": Text("group", "分组"),
    "person": Text("person", "人员"),
    "known": Text("as known on", "按当日所知"),
    "days": Text("day begins", "日切"),
}


def asked_for(options: Options, shops: Sequence[ShopScope]) -> list[tuple[Text, str]]:
    """Return what a report was asked for, to stand above it."""
    found = [
        ("shop", ", ".join(one.shop_id for one in shops)),
        ("period", options.period.name),
        ("days", ", ".join(dict.fromkeys(f"{one.zone.day_cut} {one.zone.name}" for one in shops))),
        ("agent", ", ".join(options.agents)),
        ("group", ", ".join(options.groups)),
        ("person", ", ".join(options.persons)),
        ("known", "" if options.as_known_on is None else day_name(options.as_known_on)),
    ]
    return [(_FILTER_NAMES[name], text) for name, text in found if text]


def as_of(connection: Connection[Any], zone: Zone, topics: Sequence[str]) -> AsOf:
    """Return how far the ledger had read the topics that a report rests on; see `snapshot`."""
    rows = connection.execute(
        "SELECT topic, sum(next)::bigint, min(watermark), max(known_ts) FROM sink_offset"
        " WHERE topic = ANY(%s) GROUP BY topic ORDER BY topic",
        (list(topics),),
    )
    inputs = connection.execute(
        "SELECT topic, source_partition, next, seen_ts, watermark FROM input_partition"
        " ORDER BY source_partition, topic"
    )
    return AsOf(tuple(TopicAsOf(*row) for row in rows), zone.name, tuple(InputAsOf(*row) for row in inputs))
