"""The orders behind numbers: their sums are those numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.database.connect import Connection
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import losses, orders, pending, receptions
from stream_attr.ledger.reports.orders import BEHIND
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options
from tests.ledger.reports.conftest import Traffic, rows_as_dicts

SHOPS = ("jd:10086", "pdd:20417")
DAYS = ("2026-10-20", "2026-11-30")


def rows_of(connection: Connection, **asked: Any) -> list[dict[str, Any]]:
    """The rows of the report as dicts, whose totals are checked."""
    options = Options(**{"shops": SHOPS[:1], "period": period(*DAYS), **asked})
    made = orders.report(connection, options)
    rows, totals = rows_as_dicts(made, made.rows), rows_as_dicts(made, made.totals)
    for name in ("amount", "refund_requested", "refund_completed", "net_amount", "quantity"):
        assert sum(row[name] for row in rows) == sum(total[name] for total in totals)
    assert f"{len(rows):,} orders." in [note.text.english for note in made.notes]
    return rows


def test_all_orders_are_there_once_each_as_its_last_decision(ended: Traffic, read: Connection) -> None:
    rows = rows_of(read, shops=SHOPS)
    decisions = {(one["shop_id"], one["order_id"]): one for one in ended.decisions}
    assert len(rows) == len(decisions) > 100
    for row in rows:
        decision = decisions[row["shop"], row["order"]]
        credit = decision["credit"] or {"agent_id": None, "basis": None}
        assert (row["agent"], row["basis"]) == (credit["agent_id"], credit["basis"])
        for column, name in (
            ("buyer", "buyer_id"),
            ("outcome", "outcome"),
            ("status", "status"),
            ("amount", "amount"),
            ("refund_requested", "refund_requested"),
            ("refund_completed", "refund_completed"),
            ("net_amount", "net_amount"),
            ("created", "created_ts"),
            ("paid", "paid_ts"),
            ("final_at", "final_at"),
            ("revision", "revision"),
            ("reason", "reason"),
        ):
            assert row[column] == decision[name], column
        assert row["notices"] == (", ".join(decision["notices"]) or None)
        assert row["placing_agent"] == (decision["placing"] or {"agent_id": None})["agent_id"]
    at = [row["paid"] or row["created"] for row in rows if row["shop"] == SHOPS[0]]
    assert at == sorted(at)


@pytest.mark.parametrize("group", ["sales", "silent", "placed", "paid"])
def test_orders_behind_a_number_add_up_to_it(ended: Traffic, read: Connection, group: str) -> None:
    """For the shop and for each agent, of all days and of a single one."""
    for days in (DAYS, ("2026-11-10", "2026-11-10")):
        expected: Counter[tuple[str, str]] = Counter()
        asked = period(*days)
        for record in ended.agent_days:
            name = record["day"]
            if record["shop_id"] == SHOPS[0] and period(name, None).first in range(
                asked.first, asked.last + 1
            ):
                of = record[group] or {"orders": 0, "amount": 0}
                expected[record["agent_id"], "orders"] += of["orders"]
                expected[record["agent_id"], "amount"] += of["amount"]
        rows = rows_of(read, behind=group, period=asked)
        assert (len(rows), sum(row["amount"] for row in rows)) == (
            expected["*", "orders"],
            expected["*", "amount"],
        )
        agents = sorted({agent for agent, _ in expected if agent != "*"})
        for agent in agents[:4] if group != "silent" else ():
            own = rows_of(read, behind=group, period=asked, agents=(agent,))
            assert (len(own), sum(row["amount"] for row in own)) == (
                expected[agent, "orders"],
                expected[agent, "amount"],
            )


def test_orders_behind_refunds_are_those_with_one_in_the_period(ended: Traffic, read: Connection) -> None:
    asked = period("2026-11-10", "2026-11-11")
    rows = rows_of(read, behind="refunds", period=asked)
    start, end = 1_794_240_000_000, 1_794_412_800_000  # both days in Shanghai
    expected = {
        one["order_id"]
        for one in ended.decisions
        if one["shop_id"] == SHOPS[0] and any(start <= refund["ts"] < end for refund in one["refunds"])
    }
    assert {row["order"] for row in rows} == expected
    assert len(expected) > 2


@pytest.mark.parametrize("known", [None, "2026-11-12"])
def test_orders_behind_refunds_add_up_to_those_of_the_period(
    ended: Traffic, read: Connection, known: str | None
) -> None:
    """Refunds of an order on other days are not among them, of the shop and of each agent."""
    asked = period("2026-11-10", "2026-11-11")
    start, end = 1_794_240_000_000, 1_794_412_800_000  # both days in Shanghai
    expected: Counter[tuple[str | None, bool]] = Counter()
    whole = 0
    if known is None:
        last = ended.decisions
    else:  # revisions up to the end of the 12th in Shanghai, by the watermark that replay had
        revisions = ended.last("attribution-decisions", "decision_id")
        known_then = [one for one in revisions if one["watermark"] < 1_794_499_200_000]
        last = list({(one["shop_id"], one["order_id"]): one for one in known_then}.values())
    for one in last:
        if one["shop_id"] != SHOPS[0]:
            continue
        own = [refund for refund in one["refunds"] if start <= refund["ts"] < end]
        for refund in own:
            for agent in {"*", one["credit"] and one["credit"]["agent_id"]}:
                expected[agent, refund["completed"]] += refund["amount"]
        whole += one["refund_completed"] if own else 0
    day = None if known is None else period(known, None).first
    for agent in {agent for agent, _ in expected} - {None}:
        of_agent = {} if agent == "*" else {"agents": (agent,)}
        rows = rows_of(read, behind="refunds", period=asked, as_known_on=day, **of_agent)
        assert sum(row["refund_completed"] for row in rows) == expected[agent, True]
        assert sum(row["refund_requested"] for row in rows) == expected[agent, False]
    assert 0 < expected["*", True] < whole


@pytest.mark.parametrize(
    ("option", "field", "words"),
    [
        ("outcomes", "outcome", ("unpaid", "silent")),
        ("reasons", "reason", ("refund",)),
        ("bases", "basis", ("payment",)),
        ("statuses", "status", ("final",)),
    ],
)
def test_orders_are_filtered_by_words(
    read: Connection, option: str, field: str, words: tuple[str, ...]
) -> None:
    everything = rows_of(read)
    expected = [row for row in everything if row[field] in words]
    assert rows_of(read, **{option: words}) == expected
    assert expected


def test_orders_are_filtered_by_notice(read: Connection) -> None:
    everything = rows_of(read)
    noted = {notice for row in everything for notice in (row["notices"] or "").split(", ")} - {""}
    assert noted
    for notice in noted:
        expected = [row for row in everything if notice in (row["notices"] or "")]
        assert rows_of(read, notices=(notice,)) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"behind": "sails"},
            "there are no orders behind 'sails'; name one of sales, silent, placed, paid, refunds",
        ),
        (
            {"profile": "strict"},
            "shop jd:10086 has no decisions under a profile 'strict'; it has by-order, first, official",
        ),
        ({"shops": ("jd:1",)}, "there is no shop 'jd:1'; there are jd:10086, pdd:20417"),
        ({"agents": ("nobody",)}, "there is no agent 'nobody'; there are "),
        ({"groups": ("night",)}, "there is no group 'night'; there are "),
        ({"persons": ("emp-x",)}, "there is no person 'emp-x'; there are emp-01, "),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    read: Connection, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnusableError) as refused:
        rows_of(read, **asked)
    assert str(refused.value).startswith(message)


def test_every_group_of_orders_can_be_asked_for(read: Connection) -> None:
    for group in BEHIND:
        assert rows_of(read, behind=group)


def test_pending_is_what_can_still_change_and_its_range(middle: Traffic, read_middle: Connection) -> None:
    made = pending.report(read_middle, Options(SHOPS[:1], period(*DAYS)))
    rows = rows_as_dicts(made, made.rows)
    own = [one for one in middle.decisions if one["shop_id"] == SHOPS[0]]
    assert {row["order"] for row in rows} == {one["order_id"] for one in own if one["status"] == "pending"}
    sold = [one for one in own if one["outcome"] in ("credited", "silent")]
    low = sum(one["amount"] for one in sold if one["status"] == "final")
    high = sum(
        one["amount"] for one in (*sold, *(one for one in own if one["outcome"] == "awaiting_payment"))
    )
    assert 0 < low < high
    said = made.notes[0].text.english
    assert f"{low / 100:,.2f} CNY are final, {high / 100:,.2f} CNY with all pending" in said


def test_pending_orders_of_an_agent_are_those_that_its_range_counts(read_middle: Connection) -> None:
    made = pending.report(read_middle, Options(SHOPS[:1], period(*DAYS), by=("agent",)))
    ranges = rows_as_dicts(made, made.rows)
    assert sum(one["pending.open_orders"] for one in ranges) > 2
    for one in ranges:
        asked = Options(SHOPS[:1], period(*DAYS), agents=(one["agent"],))
        own = pending.report(read_middle, asked)
        found: Counter[str] = Counter()
        for row in rows_as_dicts(own, own.rows):
            kind = "open" if row["outcome"] == "awaiting_payment" else "paid" if row["paid"] else "other"
            found[kind] += row["amount"]
        assert (found["paid"], found["open"]) == (one["pending.paid"], one["pending.open"])


def test_the_range_of_each_agent(middle: Traffic, read_middle: Connection) -> None:
    made = pending.report(read_middle, Options(SHOPS[:1], period(*DAYS), by=("agent",)))
    expected: dict[str | None, Counter[str]] = {}
    for one in middle.decisions:
        if one["shop_id"] != SHOPS[0]:
            continue
        if one["outcome"] in ("credited", "silent"):
            whose = one["credit"]["agent_id"] if one["credit"] else None
            part = "sure" if one["status"] == "final" else "paid"
        elif one["outcome"] == "awaiting_payment":
            whose = one["placing"]["agent_id"] if one["placing"] else None
            part = "open"
        else:
            continue
        sums = expected.setdefault(whose, Counter())
        sums[part] += one["amount"]
        sums[f"{part}_orders"] += 1
        sums["with_pending"] += one["amount"]
    found = {row["agent"]: row for row in rows_as_dicts(made, made.rows)}
    assert found.keys() == expected.keys() - {None}
    for agent, row in found.items():
        for name in ("sure", "paid", "open", "with_pending", "sure_orders", "paid_orders", "open_orders"):
            assert row[f"pending.{name}"] == expected[agent][name]


@pytest.mark.parametrize(
    "report",
    [orders.report, pending.report, losses.report, receptions.report],
    ids=["orders", "pending", "losses", "receptions"],
)
def test_a_part_of_a_list_is_these_rows_of_the_whole_with_the_same_sums(
    read_middle: Connection, report: Callable[[Connection, Options], Report]
) -> None:
    options = Options(SHOPS[:1], period(*DAYS))
    whole = report(read_middle, options)
    rows = list(whole.rows)
    assert len(rows) > 12
    for part in (
        range(5),
        range(5, 12),
        range(len(rows) - 2, len(rows) + 9),
        range(len(rows), len(rows) + 9),
    ):
        found = report(read_middle, replace(options, rows=part))
        assert list(found.rows) == rows[part.start : part.stop]
        assert (found.totals, found.notes) == (whole.totals, whole.notes)
    with pytest.raises(ValueError, match="one shop"):
        list(report(read_middle, replace(options, shops=SHOPS, rows=range(5))).rows)
