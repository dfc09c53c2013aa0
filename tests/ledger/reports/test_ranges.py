"""What can still change of figures, and until when: against the raw records, and against what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.asked import asked, ranges_beside
from stream_attr.ledger.database.connect import Connection
from stream_attr.ledger.figures import FIGURES, made_of
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import agents, pending, sales
from stream_attr.ledger.reports.scope import Options
from stream_attr.rules.reports.day_totals import GROUPS
from tests.ledger.reports.conftest import Traffic, rows_as_dicts

SHOP = "jd:10086"
DAYS = ("2026-10-20", "2026-11-30")
INQUIRIES = (
    "inquiries.open",
    "inquiries.ordered",
    "inquiries.lost",
    "payments.paid",
    "payments.payment_lost",
    "inquiries.inquiry_to_order",
    "inquiries.loss_rate",
    "payments.inquiry_to_payment",
)
SALES = ("sales.orders", "sales.amount")


def made(read: Connection, figures: tuple[str, ...], *by: str) -> list[dict[str, Any]]:
    names = (*figures, *ranges_beside(figures))
    report = agents.report(read, Options((SHOP,), period(*DAYS), by=by, figures=names))
    return rows_as_dicts(report, report.rows)


@pytest.mark.parametrize("by", [("agent",), ("agent", "day"), ("shop",), ("shop", "day")])
def test_a_figure_is_final_with_the_last_of_its_days(
    middle: Traffic, read_middle: Connection, by: tuple[str, ...]
) -> None:
    last: dict[tuple[str, ...], dict[str, str]] = {}
    for one in middle.agent_days:
        if one["shop_id"] == SHOP and (one["agent_id"] == "*") == ("shop" in by):
            whose = SHOP if "shop" in by else one["agent_id"]
            groups = last.setdefault((whose, one["day"]) if "day" in by else (whose,), {})
            for group in GROUPS:
                if one[group] is not None and one[group]["status"] == "pending":
                    groups[group] = max(groups.get(group, ""), one[group]["final_from"])
    seen: Counter[bool] = Counter()
    for row in made(read_middle, tuple(FIGURES), *by):
        groups = last.get(tuple(row[name] for name in by), {})
        for key, figure in FIGURES.items():
            days = [day for one in made_of(figure.formula) if (day := groups.get(one.partition(".")[0]))]
            if any(one.startswith("sales.") for one in made_of(figure.formula)):
                # An order that is not paid is no sale of a day yet, and can become one of its agent.
                assert (row[f"{key}:until"] or "") >= max(days, default=""), key
                continue
            assert row[f"{key}:until"] == max(days, default=None), key
            seen[bool(days)] += 1
            if not days:
                assert row.get(f"{key}:low") is None
                assert row.get(f"{key}:high") is None
    assert min(seen.values()) > 30


def test_inquiries_move_by_those_that_are_open_or_not_paid_yet(
    middle: Traffic, read_middle: Connection
) -> None:
    moved = 0
    for row in made(read_middle, INQUIRIES, "agent"):
        own: Counter[str] = Counter()
        for one in middle.agent_days:
            if (one["shop_id"], one["agent_id"]) == (SHOP, row["agent"]):
                own.update(
                    {name: one["inquiries"][name] for name in ("inquiries", "open", "ordered", "lost")}
                )
                own.update({name: one["payments"][name] for name in ("paid", "payment_lost")})
        undecided = own["open"] + own["ordered"] - own["paid"] - own["payment_lost"]
        if row["inquiries.lost:until"] is not None:
            assert (row["inquiries.lost:low"], row["inquiries.lost:high"]) == (
                own["lost"],
                own["lost"] + own["open"],
            )
            assert (row["inquiries.open:low"], row["inquiries.open:high"]) == (0, own["open"])
            moved += own["open"]
        if row["payments.paid:until"] is not None:
            assert row["payments.paid:high"] == own["paid"] + undecided
        if row["payments.inquiry_to_payment:low"] is not None:
            assert row["payments.inquiry_to_payment:high"] == pytest.approx(
                (own["paid"] + undecided) / own["inquiries"], abs=0.00005
            )
    assert moved > 5


def sold_between(read: Connection) -> Mapping[str, tuple[int, int, int, int]]:
    """By agent the orders and amounts that are sure, and those with all pending."""
    report = pending.report(read, Options((SHOP,), period(*DAYS), by=("agent",)))
    return {
        row["agent"]: (
            row["pending.sure_orders"],
            row["pending.sure_orders"] + row["pending.paid_orders"] + row["pending.open_orders"],
            row["pending.sure"],
            row["pending.with_pending"],
        )
        for row in rows_as_dicts(report, report.rows)
    }


@pytest.mark.parametrize("name", ["agents", "sales"])
def test_sales_lie_between_what_is_sure_and_all_that_is_pending(read_middle: Connection, name: str) -> None:
    if name == "agents":
        rows = made(read_middle, SALES, "agent")
    else:
        report = sales.report(read_middle, Options((SHOP,), period(*DAYS), by=("agent",), beside_ranges=True))
        rows = rows_as_dicts(report, report.rows)
    expected, seen = sold_between(read_middle), 0
    for row in rows:
        if row["sales.amount:low"] is not None:
            found = tuple(row[f"{key}:{end}"] for key in SALES for end in ("low", "high"))
            assert found == expected.get(row["agent"], (0, 0, 0, 0))
            if name == "sales":  # agents' days follow later than decisions
                assert row["sales.amount:low"] <= row["sales.amount"] <= row["sales.amount:high"]
            seen += row["sales.amount:low"] < row["sales.amount:high"]
    assert seen > 2


def test_what_came_of_it_lies_between(read_middle: Connection, read: Connection) -> None:
    """Of the shop, on days that were over: nobody knew what the day in progress would bring."""
    figures = (*INQUIRIES, *SALES)
    then = {row["day"]: row for row in made(read_middle, figures, "shop", "day")}
    now = {row["day"]: row for row in made(read, figures, "shop", "day")}
    seen = 0
    for day, row in then.items():
        is_over = row["inquiries.lost"] is not None and day < max(then_days(then))
        for key in figures:
            low, high = row[f"{key}:low"], row[f"{key}:high"]
            if is_over and low is not None:
                assert low <= now[day][key] <= high, (day, key)
                seen += low < high
    assert seen > 2


def then_days(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Days on which anything was known."""
    return [day for day, row in rows.items() if row["sales.orders"]]


def test_when_all_is_final_nothing_is_said(read: Connection) -> None:
    figures = ("sales.amount", "sales.amount_per_buyer", "inquiries.inquiry_to_order")
    for row in made(read, figures, "agent"):
        assert [row[one] for one in ranges_beside(figures)] == [None] * 7


def test_how_far_means_of_two_moving_numbers_move_is_not_known() -> None:
    assert ranges_beside(["sales.amount_per_buyer", "workload.receptions"]) == [
        "sales.amount_per_buyer:until",
        "workload.receptions:until",
    ]
    with pytest.raises(UnusableError, match=r"how far sales\.amount_per_buyer can still move is not"):
        asked(["客单价:low"])
