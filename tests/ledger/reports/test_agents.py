"""Any figures of agents' days, against the raw records; and lost buyers."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.database.connect import Connection
from stream_attr.ledger.figures import FIGURES, MEASURES
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import agents, losses
from stream_attr.ledger.reports.scope import Options
from tests.ledger.reports.brute_force import four_digits, half_up
from tests.ledger.reports.conftest import Traffic, rows_as_dicts, table

SHOP = "jd:10086"
DAYS = ("2026-10-20", "2026-11-30")


def sums_of(records: list[dict[str, Any]]) -> dict[str, int | None]:
    """The sums of the records of some days; of ``max_simultaneous`` the most."""
    found: dict[str, int | None] = {}
    for key in MEASURES:
        group, name = key.split(".")
        numbers = [record[group][name] for record in records if record[group] is not None]
        found[key] = (max if name == "max_simultaneous" else sum)(numbers) if numbers else None
    return found


@pytest.mark.parametrize("by", ["agent", "shop"])
def test_every_figure_is_made_of_the_sums_of_the_records(ended: Traffic, read: Connection, by: str) -> None:
    made = agents.report(read, Options((SHOP,), period(*DAYS), by=(by,), figures=tuple(FIGURES)))
    rows = table(made, made.rows, by)
    records = defaultdict(list)
    for one in ended.agent_days:
        if one["shop_id"] == SHOP and (one["agent_id"] == "*") == (by == "shop"):
            records[SHOP if by == "shop" else one["agent_id"]].append(one)
    assert {key for (key,) in rows} == records.keys()
    for (key,), row in rows.items():
        sums = sums_of(records[key])
        for measure, number in sums.items():
            assert row[measure] == number, measure
        known = {name: number or 0 for name, number in sums.items()}
        assert row["workload.reply_rate"] == four_digits(
            known["workload.receptions"] - known["workload.unreplied"], known["workload.receptions"]
        )
        assert row["workload.first_response_ms"] == half_up(
            known["workload.first_response_ms_sum"], known["workload.first_responses"]
        )
        assert row["payments.inquiry_to_payment"] == four_digits(
            known["payments.paid"], known["inquiries.inquiries"]
        )
        assert row["sales.net_amount"] == known["sales.amount"] - known["refunds.completed"]


def test_figures_by_day_are_the_records(ended: Traffic, read: Connection) -> None:
    names = ("workload.first_response_ms", "sales.amount_per_buyer", "inquiries.inquiry_to_order")
    made = agents.report(read, Options((SHOP,), period(*DAYS), by=("agent", "day"), figures=names))
    rows = table(made, made.rows, "agent", "day")
    records = [one for one in ended.agent_days if one["shop_id"] == SHOP and one["agent_id"] != "*"]
    assert len(rows) == len(records)
    for record in records:
        row = rows[record["agent_id"], record["day"]]
        for name in names:
            group, figure = name.split(".")
            assert row[name] == record[group][figure]


def test_change_against_the_period_before(ended: Traffic, read: Connection) -> None:
    figures = ("sales.amount", "sales.amount:before", "sales.amount:change", "sales.amount:share")
    made = agents.report(read, Options((SHOP,), period("2026-11-09", "2026-11-10"), figures=figures))
    rows = table(made, made.rows, "agent")
    amounts: Counter[tuple[str, str]] = Counter()
    for one in ended.agent_days:
        if one["shop_id"] == SHOP:
            amounts[one["agent_id"], one["day"]] += one["sales"]["amount"]
    assert rows
    for (agent,), row in rows.items():
        now = amounts[agent, "2026-11-09"] + amounts[agent, "2026-11-10"]
        before = amounts[agent, "2026-11-07"] + amounts[agent, "2026-11-08"]
        assert row["sales.amount"] == now
        assert (row["sales.amount:before"] or 0) == before
        assert row["sales.amount:change"] == (round((now - before) / before, 4) if before else None)
        assert row["sales.amount:share"] == four_digits(
            now, amounts["*", "2026-11-09"] + amounts["*", "2026-11-10"]
        )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"by": ("hour",)}, "--by hour: agents' days have no hours"),
        ({"by": ("day",), "figures": ("sales.amount:change",)}, "--by day: what compares"),
        ({"by": ("agent", "group")}, "--by agent group: rows are by one of agent, person, group, shop"),
        ({"figures": ("profit",)}, "'profit' is no figure; "),
    ],
)
def test_what_cannot_be_asked_is_refused(read: Connection, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UnusableError) as refused:
        agents.report(read, Options(**{"shops": (SHOP,), "period": period(*DAYS), **asked}))
    assert str(refused.value).startswith(message)


def test_lost_buyers_are_as_many_as_the_figures_say(ended: Traffic, read: Connection) -> None:
    made = losses.report(read, Options((SHOP,), period(*DAYS)))
    found: Counter[tuple[str, str]] = Counter()
    for row in rows_as_dicts(made, made.rows):
        found[row["agent"], row["kind"]] += 1
        assert row["last_words"] is not None
    expected: Counter[tuple[str, str]] = Counter()
    for one in ended.agent_days:
        if one["shop_id"] == SHOP and one["agent_id"] != "*":
            agent = one["agent_id"]
            expected[agent, "lost"] += one["inquiries"]["lost"]
            expected[agent, "payment lost"] += one["payments"]["payment_lost"]
            expected[agent, "unreplied"] += one["workload"]["unreplied"]
            expected[agent, "slow"] += one["workload"]["slow_receptions"]
    assert found == +expected
    assert {kind for _, kind in found} >= {"lost", "payment lost"}


def test_a_kind_that_is_named_twice_counts_once(read: Connection) -> None:
    once, twice = (
        losses.report(read, Options((SHOP,), period(*DAYS), kinds=("lost",) * number)) for number in (1, 2)
    )
    assert twice.notes == once.notes
    assert list(twice.rows) == list(once.rows) != []


def test_buyers_who_can_be_called_back_have_an_order_that_is_not_paid(
    middle: Traffic, read_middle: Connection
) -> None:
    kinds = ("lost", "payment_lost", "unreplied", "slow", "open")
    made = losses.report(read_middle, Options((SHOP,), period(*DAYS), kinds=kinds))
    waiting = defaultdict(set)
    for one in middle.decisions:
        if one["shop_id"] == SHOP and one["outcome"] == "awaiting_payment":
            waiting[one["buyer_id"]].add(one["order_id"])
    rows = rows_as_dicts(made, made.rows)
    assert "open" in {row["kind"] for row in rows}
    for row in rows:
        assert (row["open_orders"] or "") == ", ".join(sorted(waiting[row["buyer"]]))
    with pytest.raises(UnusableError, match="there is no kind 'gone' of losses; there are lost, "):
        losses.report(read_middle, Options((SHOP,), period(*DAYS), kinds=("gone",)))
