"""Every report of worlds drawn at random, against a count of the raw records, and against the others.

The records are judged in memory, written to files, and the ledger is filled from those as a user would.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres
from stream_attr.ledger.figures import MEASURES
from stream_attr.ledger.formats.cells import is_end
from stream_attr.ledger.goals import Goal, Goals
from stream_attr.ledger.periods import Period, period
from stream_attr.ledger.reports import (
    agents,
    compare,
    goals,
    losses,
    orders,
    pending,
    pressure,
    receptions,
    review,
    sales,
    signals,
)
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.testing import Driver, in_time_order
from tests.ledger.conftest import address_of
from tests.ledger.reports import brute_force
from tests.ledger.reports.brute_force import SHOP, SILENT, four_digits, half_up
from tests.ledger.reports.conftest import rows_as_dicts
from tests.ledger.reports.judged import fill_with
from tests.properties.strategies import CROWD, World, worlds
from tests.properties.test_invariants import examples
from tests.reference.days import ShopDays, day_of, first_instant, local_time

Json = dict[str, Any]
GROUPS = {"A": "presale", "B": "presale", "b": "night"}
PERSONS = {"B": "bo", "b": "bo"}
WHO: dict[str, Callable[[str], str]] = {
    "agent": lambda agent: agent,
    "group": lambda agent: GROUPS.get(agent, "(none)"),
    "person": lambda agent: PERSONS.get(agent, agent),
}
TIMES = ("month", "week", "day", "hour")
SUMS = {
    "sales.orders": "orders",
    "sales.quantity": "quantity",
    "sales.amount": "amount",
    "refunds.requested": "requested",
    "refunds.completed": "completed",
}
"""What adds up over agents, as the report and as the brute force has it."""


@dataclass(frozen=True)
class Shop:
    """What came out of one shop, and the days that are asked for."""

    shop_id: str
    days: ShopDays
    asked: Period
    last: dict[str, list[Json]]
    """The last record per key, by topic."""

    def day(self, ts: int) -> str:
        return day_of(ts, self.days).isoformat()

    def label(self, times: tuple[str, ...], ts: int) -> tuple[str, ...]:
        """The month, week, day and hour of an instant; weeks begin on Mondays, and end with the period."""
        own = day_of(ts, self.days)
        monday = own - timedelta(days=own.weekday())
        first, last = (one.isoformat() for one in (monday, monday + timedelta(days=6)))
        first, last = max(first, min(self.named)), min(last, max(self.named))
        week = first if first == last else f"{first} – {last}"
        hour = f"{local_time(ts, self.days.zone):%H}:00"
        names = {"month": own.isoformat()[:7], "week": week, "day": own.isoformat(), "hour": hour}
        return tuple(names[one] for one in times)

    @cached_property
    def named(self) -> set[str]:
        """The days that are asked for."""
        first = date(1970, 1, 1) + timedelta(days=self.asked.first)
        return {(first + timedelta(days=n)).isoformat() for n in range(self.asked.days)}

    def records(self, topic: str) -> list[Json]:
        return [one for one in self.last[topic] if one["shop_id"] == self.shop_id]

    @property
    def decisions(self) -> list[Json]:
        return self.records("attribution-decisions")

    def of_days(self, topic: str) -> list[Json]:
        return [one for one in self.records(topic) if one["day"] in self.named]

    def options(self, **asked: Any) -> Options:
        return Options(**{"shops": (self.shop_id,), "period": self.asked, **asked})

    def by_currency(self) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = defaultdict(list)
        for one in self.decisions:
            found[one["currency"]].append(one)
        return found


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres, ledger_template: str) -> Iterator[Database]:
    with psycopg.connect(address_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE any_world TEMPLATE {ledger_template}")
    with Database(address_of(postgres, "any_world"), Path()) as one:
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any-world")


def judged(world: World, roster: list[Json], *, to_the_end: bool) -> Driver:
    driver = Driver(settings=world.settings, roster=roster)
    chat, order_events, rulings = (
        sorted(events, key=lambda one: one["ts"]) for events in (world.chat, world.orders, world.rulings)
    )
    driver.send_all(in_time_order(chat, order_events, rulings=rulings))
    if to_the_end:
        driver.finish()
    return driver


def days_of(world: World, shop_id: str) -> ShopDays:
    """Where a shop's days begin: as its first settings record has it."""
    first = next((one for one in world.settings if one["shop_id"] == shop_id), {})
    cut = first.get("day_cut", "00:00")
    return ShopDays(ZoneInfo(first.get("timezone", "Asia/Shanghai")), time.fromisoformat(cut))


@settings(examples(12), phases=(Phase.explicit, Phase.generate))  # no shrinking: a ledger takes long
@given(worlds(CROWD), st.booleans(), st.data())
def test_every_report_is_what_the_raw_records_say(
    database: Database, folder: Path, world: World, to_the_end: bool, data: st.DataObject
) -> None:
    roster = [
        {**one, **({"group": GROUPS[one["agent_id"]]} if one["agent_id"] in GROUPS else {}),
         **({"person_id": PERSONS[one["agent_id"]]} if one["agent_id"] in PERSONS else {})}
        for one in world.roster
    ]  # fmt: skip
    driver = judged(world, roster, to_the_end=to_the_end)
    fill_with(database, folder, driver, settings=world.settings, roster=roster, rulings=world.rulings)
    topics = ("attribution-decisions", "attribution-comparisons", "inquiry-outcomes", "reception-facts")
    last = {topic: list(driver.last(topic).values()) for topic in (*topics, "agent-daily")}
    for shop_id in sorted({one["shop_id"] for one in last["attribution-decisions"]}):
        days = days_of(world, shop_id)
        seen = sorted(
            day_of(event["ts"], days) for event in (*world.chat, *world.orders) if event["shop_id"] == shop_id
        )
        first = data.draw(st.sampled_from(seen))
        end = data.draw(st.sampled_from([one for one in seen if one >= first]))
        for begin, finish in {(seen[0], seen[-1]), (first, end)}:
            asked = period(begin.isoformat(), finish.isoformat())
            known = {one["agent_id"] for one in roster if one["shop_id"] == shop_id}
            check(database, Shop(shop_id, days, asked, last), known, data, to_the_end=to_the_end)


def check(database: Database, shop: Shop, known: set[str], data: st.DataObject, *, to_the_end: bool) -> None:
    """``known``: agents of the roster, whose groups and persons the ledger knows."""
    with database.connection() as connection:
        with snapshot(connection):
            sales_are_right(connection, shop, known, data)
            orders_add_up(connection, shop, to_the_end=to_the_end)
            pending_is_right(connection, shop)
            figures_are_right(connection, shop)
            losses_and_signals_are_right(connection, shop)
            receptions_are_right(connection, shop, data)
            pressure_is_right(connection, shop)
            review_is_right(connection, shop)
            comparison_adds_up(connection, shop)
        goals_are_right(connection, shop)


def sales_are_right(connection: Connection, shop: Shop, known: set[str], data: st.DataObject) -> None:
    times = tuple(one for one in TIMES if data.draw(st.booleans()))
    who = data.draw(st.sampled_from(sorted(WHO)))
    whole = {}
    of_agents: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    of_silent: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    of_shop: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for currency, decisions in shop.by_currency().items():
        sums = brute_force.sales(decisions, shop.named, day=shop.day).get((SHOP, None))
        if sums is not None:
            whole[currency] = sums
        found = brute_force.sales(decisions, shop.named, lambda ts: shop.label(times, ts), shop.day)
        for (whose, label), sums in found.items():
            part = (*label, currency)  # type: ignore[misc]
            if whose == SHOP:
                of_shop[part] += Counter(sums)
            elif whose == SILENT:
                of_silent[part] += Counter(sums)
            else:
                of_agents[(holder(who, whose, known), *part)] += Counter(sums)
    several = len(whole) > 1

    def currency_of(row: Json) -> str:
        return row["currency"] if several else next(iter(whole), "CNY")

    made = sales.report(connection, shop.options(by=(who, *times)))
    seen: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for row in rows_as_dicts(made, made.rows):
        part = (*(row[one] for one in times), currency_of(row))
        sums = of_agents.pop((row[who], *part))
        for name, raw in {**SUMS, "sales.buyers": "buyers"}.items():
            assert row[name] == sums[raw]
            seen[part][name] += row[name]
        assert row["sales.amount_per_buyer"] == half_up(sums["amount"], sums["buyers"])
        assert row["sales.amount:share"] == four_digits(sums["amount"], of_shop[part]["amount"])
    assert of_agents == {}
    totals = {(row[who], currency_of(row)): row for row in rows_as_dicts(made, made.totals)}
    for currency, sums in whole.items():
        for name, raw in SUMS.items():
            parts = [totals.get((one, currency), {}).get(name) or 0 for one in ("agents", "silent")]
            assert sum(parts) == totals["shop", currency][name] == sums[raw]
    assert [one.text.english for one in made.notes if " NOT " in one.text.english] == []

    made = sales.report(connection, shop.options(by=("shop", *times)))
    for row in rows_as_dicts(made, made.rows):
        part = (*(row[one] for one in times), currency_of(row))
        sums, silent = of_shop.pop(part, Counter()), of_silent.pop(part, Counter())
        for name, raw in {**SUMS, "sales.buyers": "buyers"}.items():
            assert row[name] == sums[raw]
        assert row["silent.amount"] == silent["amount"]
        for name in ("orders", "amount"):
            assert seen[part][f"sales.{name}"] + row[f"silent.{name}"] == row[f"sales.{name}"]
    assert not any(sums.total() for sums in (*of_shop.values(), *of_silent.values()))


def holder(who: str, agent: str, known: set[str]) -> str:
    """In whose row an agent's numbers are: without the roster nobody's group or person is known."""
    if agent in known:
        return WHO[who](agent)
    return "(none)" if who == "group" else agent


def orders_add_up(connection: Connection, shop: Shop, *, to_the_end: bool) -> None:
    """Behind each group of figures, of the shop and of each agent."""
    groups = {"sales": "agent", "placed": "placing_agent", "paid": "payment_agent", "silent": "agent"}
    for group, column in groups.items():
        made = orders.report(connection, shop.options(behind=group))
        rows, sums = rows_as_dicts(made, made.rows), rows_as_dicts(made, made.totals)
        for name in ("amount", "quantity", "refund_completed", "net_amount"):
            assert sum(row[name] for row in rows) == sum(one[name] for one in sums)
        found: Counter[tuple[str, str]] = Counter()
        for row in rows:
            for whose in filter(None, ("*", row[column])):
                found[whose, "orders"] += 1
                found[whose, "amount"] += row["amount"]
        expected: Counter[tuple[str, str]] = Counter()
        for one in shop.of_days("agent-daily") if to_the_end else ():
            for name in ("orders", "amount"):
                expected[one["agent_id"], name] += (one[group] or {name: 0})[name]
        if to_the_end:
            assert +found == +expected


def pending_is_right(connection: Connection, shop: Shop) -> None:
    expected = {}
    for currency, decisions in shop.by_currency().items():
        for whose, sums in brute_force.pending(decisions, shop.named, shop.day).items():
            expected[whose, currency] = Counter(sums)
    currencies = {currency for _, currency in expected}
    made = pending.report(connection, shop.options(by=("agent",)))
    for row in [*rows_as_dicts(made, made.rows), *rows_as_dicts(made, made.totals)]:
        currency = row.get("currency") or next(iter(currencies))
        whose = {"silent": SILENT, "shop": SHOP}.get(row["agent"], row["agent"])
        if whose == "agents":
            continue
        sums = expected.pop((whose, currency))
        for name in ("sure", "with_pending", "sure_orders", "paid_orders", "paid", "open_orders", "open"):
            assert row[f"pending.{name}"] == sums[name], name
    assert expected == {}


def figures_are_right(connection: Connection, shop: Shop) -> None:
    """Of agents and of the shop: the sums of the records of their days, of the most at one time the most."""
    expected: dict[str, dict[str, int]] = {}
    for one in shop.of_days("agent-daily"):
        sums = expected.setdefault(one["agent_id"], {})
        for key in MEASURES:
            group, name = key.split(".")
            if one[group] is not None:
                add = max if name == "max_simultaneous" else int.__add__
                sums[key] = add(sums.get(key, 0), one[group][name])
    for by in ("agent", "shop"):
        made = agents.report(connection, shop.options(by=(by,), figures=MEASURES))
        for row in rows_as_dicts(made, made.rows):
            sums = expected.pop("*", {}) if by == "shop" else expected.pop(row["agent"])
            for key in MEASURES:
                assert (row[key] or 0) == sums.get(key, 0), key
    assert expected == {}


def losses_and_signals_are_right(connection: Connection, shop: Shop) -> None:
    facts = shop.of_days("reception-facts")
    kinds = ("lost", "payment_lost", "unreplied", "slow", "open")
    made = losses.report(connection, shop.options(kinds=kinds))
    found = [(row["kind"], row["day"], row["buyer"], row["agent"]) for row in rows_as_dicts(made, made.rows)]
    assert sorted(found) == brute_force.losses(facts, shop.of_days("inquiry-outcomes"))
    made = signals.report(connection, shop.options(kinds=("late_words",)))
    paid = [one for one in shop.decisions if one["paid_ts"] and shop.day(one["paid_ts"]) in shop.named]
    rows = rows_as_dicts(made, made.rows)
    assert sorted((row["agent"], row["order"]) for row in rows) == brute_force.late_words(paid)
    made = signals.report(connection, shop.options(kinds=("to_and_fro",)))
    rows = rows_as_dicts(made, made.rows)
    assert [(row["agent"], row["day"], row["buyer"]) for row in rows] == brute_force.to_and_fro(facts)


def receptions_are_right(connection: Connection, shop: Shop, data: st.DataObject) -> None:
    """All of them, a page, and those of some kinds, agents, weekdays and hours."""
    expected = brute_force.receptions(shop.of_days("reception-facts"), shop.of_days("inquiry-outcomes"))

    def listed(**asked: Any) -> list[tuple[Any, ...]]:
        made = receptions.report(connection, shop.options(**asked))
        return [
            (
                *(row["day"], row["began"], row["buyer"], row["agent"]),
                row["counts"].removeprefix("yes").removeprefix("no: ").replace(" ", "_"),
                row["orders"] or "",
            )
            for row in rows_as_dicts(made, made.rows)
        ]

    assert listed() == expected
    first = data.draw(st.integers(0, len(expected)))
    assert listed(rows=range(first, first + 2)) == expected[first : first + 2]
    if not expected:
        return
    by_kind = {"counted": lambda why: not why, "frozen": lambda why: why == "role_frozen"}
    by_kind["filtered"] = lambda why: why not in ("", "role_frozen")
    kinds = data.draw(st.sets(st.sampled_from(sorted(by_kind)), min_size=1))
    chosen = data.draw(st.sets(st.sampled_from(sorted({one[3] for one in expected})), min_size=1))
    begun = {one[1]: local_time(one[1], shop.days.zone) for one in expected}
    hours = data.draw(st.sets(st.sampled_from(sorted({f"{at:%H}:00" for at in begun.values()}))))
    weekdays = data.draw(st.sets(st.sampled_from(sorted({f"{at:%A}".lower() for at in begun.values()}))))
    asked = {"kinds": tuple(kinds), "hours": tuple(hours), "weekdays": tuple(weekdays)}
    found = [
        one
        for one in expected
        if any(by_kind[kind](one[4]) for kind in kinds)
        and (not hours or f"{begun[one[1]]:%H}:00" in hours)
        and (not weekdays or f"{begun[one[1]]:%A}".lower() in weekdays)
    ]
    assert listed(**asked) == found
    assert listed(**asked, ids=tuple(chosen)) == [one for one in found if one[3] in chosen]
    half = range(len(found) // 2, len(found) + 1)
    assert listed(**asked, rows=half) == found[half.start :]


def pressure_is_right(connection: Connection, shop: Shop) -> None:
    made = pressure.report(connection, shop.options())
    rows = rows_as_dicts(made, made.rows)
    first, last = (date(1970, 1, 1) + timedelta(days=day) for day in (shop.asked.first, shop.asked.last + 1))
    start, end = first_instant(first, shop.days), first_instant(last, shop.days)
    facts = shop.records("reception-facts")
    begun = [one for one in facts if brute_force.counts(one) and start <= one["first_ts"] < end]
    assert sum(row["receptions"] for row in rows) == len(begun)
    for row in rows:
        asked = {"weekdays": (row["weekday"].lower(),), "hours": (row["hour"],)}
        behind = receptions.report(connection, shop.options(kinds=("counted",), **asked))
        assert len(list(behind.rows)) == row["receptions"]
    if not facts:
        assert not rows
        return
    days = [date.fromisoformat(one["day"]) for one in facts]
    now = made.as_of.latest
    if now is not None and not is_end(now):
        days.append(day_of(now - 1, shop.days))
    known = [first_instant(one, shop.days) for one in (min(days), max(days) + timedelta(days=1))]
    start, end = max(start, known[0]), min(end, known[1])
    assert bool(rows) == (start < end)
    if rows:
        assert max(row["most"] for row in rows) == brute_force.most_at_once(facts, start, end)


def review_is_right(connection: Connection, shop: Shop) -> None:
    made = review.report(connection, shop.options())
    rows = rows_as_dicts(made, made.rows)
    parts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["by"] == "shop":
            continue
        for side in ("now", "then"):
            parts[row["figure"], row["by"]][side] += row[side]
    for figure in {figure for figure, _ in parts}:
        assert parts[figure, "agent"] == parts[figure, "hour"]
        if figure in ("sales amount", "sales orders", "sales quantity"):
            assert parts[figure, "agent"] == parts[figure, "product"]
    sold = [
        one["amount"]
        for one in shop.decisions
        if one["outcome"] in ("credited", "silent") and shop.day(one["paid_ts"]) in shop.named
    ]
    if ("sales amount", "agent") in parts:
        assert parts["sales amount", "agent"]["now"] == sum(sold)
    if ("lost", "agent") in parts:
        lost = [one for one in shop.of_days("inquiry-outcomes") if one["outcome"] == "lost"]
        assert parts["lost", "agent"]["now"] == len(lost)


def comparison_adds_up(connection: Connection, shop: Shop) -> None:
    others: dict[str, dict[str, Json]] = defaultdict(dict)
    for one in shop.records("attribution-comparisons"):
        others[one["profile"]][one["order_id"]] = one
    for profile, decisions in others.items():
        made = compare.report(connection, shop.options(profile=profile))
        found = {row["order"]: (row["from"], row["to"]) for row in rows_as_dicts(made, made.rows)}
        expected = {}
        for one in shop.decisions:
            both = [own and own["credit"] for own in (one, decisions.get(one["order_id"]))]
            is_sold = one["outcome"] in ("credited", "silent") and shop.day(one["paid_ts"]) in shop.named
            winners = tuple(credit["agent_id"] if credit else "(silent)" for credit in both)
            if is_sold and one["order_id"] in decisions and winners[0] != winners[1]:
                expected[one["order_id"]] = winners
        assert found == expected
        made = compare.report(connection, shop.options(profile=profile, by=("agent",)))
        totals = [row for row in rows_as_dicts(made, made.totals) if row["agent"] == "shop"]
        assert [row["compare.difference"] for row in totals] == [0] * len(totals)


def goals_are_right(connection: Connection, shop: Shop) -> None:
    """What was reached of a goal is what the records of its days add up to."""
    amounts: Counter[str] = Counter()
    for one in shop.of_days("agent-daily"):
        amounts[one["agent_id"]] += one["workload"]["receptions"]
    entered = [Goal(shop.shop_id, agent, "workload.receptions", shop.asked, 7, None) for agent in amounts]
    Goals(connection).store(entered)
    connection.commit()
    with snapshot(connection):
        made = goals.report(connection, shop.options())
        rows = rows_as_dicts(made, made.rows)
    connection.execute("DELETE FROM goal")
    connection.commit()
    names = [("*" if row["agent"] == "shop" else row["agent"], row) for row in rows]
    assert {agent: row["actual"] for agent, row in names} == amounts
    assert all(row["gap"] == row["actual"] - 7 for row in rows)
