"""Sheets of agents: figures beside ours, and causes by hand."""

from __future__ import annotations

from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.reports.reconcile.our_agents import OtherDefinitions
from stream_attr.ledger.reports.reconcile.words import Cause, Finding
from stream_attr.ledger.reports.report import Money
from stream_attr.ledger.texts import Text
from tests.ledger.reports.reconcile.conftest import Reconciled, Record

# Of 10 and 11 November, days from 02:00, by credit: kf-a has orders 01 (100.00), 02 (200.00), 12 (12.00), 13
# (13.00, by follow-up); kf-b 04 (80.00), 05 (50.00), 14 (14.00, by ruling), 0012345 (15.00). Order 03
# (300.00, of kf-a) lies on the 9th, and by midnight on the 10th; order 02 by midnight on the 12th.
HEAD = "旺旺昵称,询单最终付款金额,成功退款金额"


def causes(rows: list[Record]) -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
    """By agent and figure: result, cause, detail."""
    return {
        (row["agent"] or row["ours_agent"], row["figure"]): (row["result"], row["cause"], row["detail"])
        for row in rows
    }


def test_figures_that_are_the_same_match_and_totals_say_so(reconciled: Reconciled) -> None:
    made, rows = reconciled(HEAD, "旗舰店:阿莲,325.00,--", "旗舰店:小北,159.00,30.00", "汇总值,484.00,30.00")
    assert {row["result"] for row in rows} == {"matched"}
    assert [(row["ours_agent"], row["behind"]) for row in rows] == [
        ("kf-a", 4), ("kf-a", 0), ("kf-b", 4), ("kf-b", 2),
    ]  # fmt: skip
    notes = [note.text.english for note in made.notes]
    assert "Totals agree: sales amount, refunds completed." in notes
    assert "Not data, left out: 1 of totals and averages." in notes
    assert any(
        "--from 2026-11-10 --to 2026-11-11 --agent AGENT --behind refunds|sales" in note for note in notes
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("阿莲,425.00,--", ("differs", "day cut", "theirs is ours by days that begin at midnight")),
        ("阿莲,312.00,--", ("differs", "silent", "theirs is ours without follow-up of silent orders")),
        ("小北,145.00,30.00", ("differs", "rule", "theirs is ours without orders that were ruled on")),
        ("小北,326.00,30.00", ("differs", "unknown", "some of these days are pending")),
        ("某人,5.00,--", ("only there", "not sent to us", "the ledger knows no agent 某人")),
        ("木子,11.00,--", ("differs", "role", "in pre-sales on none of these days")),
        ("可可,9.00,--", ("differs", "window", "theirs is ours under profile wide")),
    ],
)
def test_each_cause_of_an_amount(
    reconciled: Reconciled, row: str, expected: tuple[str, str, str | None]
) -> None:
    _, rows = reconciled(HEAD, row)
    assert causes(rows)[row.partition(",")[0], "sales amount"] == expected


def test_refunds_taken_from_an_amount_in_two_ways_are_one_cause(reconciled: Reconciled) -> None:
    """Less the refunds of these orders and less those of these days come to the same here."""
    _, rows = reconciled(HEAD, "小北,129.00,30.00", "阿莲,325.00,--")
    assert causes(rows)["小北", "sales amount"] == (
        "differs",
        "refund basis",
        "theirs is ours less the refunds of these orders",
    )


def test_refunds_by_request(reconciled: Reconciled) -> None:
    _, rows = reconciled(HEAD, "小北,159.00,20.00")
    assert causes(rows)["小北", "refunds completed"] == (
        "differs",
        "refund basis",
        "theirs are the refunds requested",
    )


def test_what_definitions_of_several_causes_explain_is_unknown(
    reconciled: Reconciled, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = (Finding(Cause.RULE, Text("one", "一")), Finding(Cause.WINDOW, Text("two", "二")))
    monkeypatch.setattr(OtherDefinitions, "why", lambda *_: both)
    _, rows = reconciled(HEAD, "阿莲,1.00,0")
    assert causes(rows)["阿莲", "sales amount"] == (
        "differs",
        "unknown",
        "several would explain it: one; two",
    )


def test_receptions_with_filtered_ones_and_agents_that_are_only_here(reconciled: Reconciled) -> None:
    """kf-b has four receptions in these days, one of them filtered: he spoke alone."""
    maps = ("客服=agent", "接待=workload.receptions")
    _, rows = reconciled("客服,接待", "小北,5", maps=maps)
    told = causes(rows)
    assert told["小北", "receptions"] == ("differs", "filter", "theirs is ours with filtered receptions")
    assert told["kf-a", "receptions"] == ("only here", "unknown", None)
    assert {row["ours_agent"] for row in rows if row["result"] == "only here"} == {"kf-a", "kf-c"}
    _, rows = reconciled("客服,接待", "小北,5", maps=maps, agents=("kf-b",))
    assert [row["ours_agent"] for row in rows] == ["kf-b"]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1分0秒", "matched"),
        ("60.9", "differs"),
        ("59", "differs"),
        ("60.0", "matched"),
        ("00:01:00", "matched"),
    ],
)
def test_durations_are_as_precise_as_the_sheet(reconciled: Reconciled, text: str, result: str) -> None:
    """Every answer came after a minute."""
    _, rows = reconciled(
        "客服,平响", f"阿莲,{text}", maps=("客服=agent", "平响=workload.response_ms"), agents=("kf-a",)
    )
    assert [row["result"] for row in rows] == [result]


def test_a_figure_that_is_no_figure_or_wrong_fields_are_refused(reconciled: Reconciled) -> None:
    for maps, message in (
        (("客服=agent", "接待=profit"), "--map '接待=profit': a field of orders is one of order, line"),
        (("客服=agent",), "beside the agent no column is compared"),
        (("客服=agent", "接待=paid"), "it is a sheet of agents, which has no paid"),
        (("客服=order", "接待=sales.amount"), "it is a sheet of orders, which has no sales.amount"),
        (("客服", "接待=sales.amount"), "write it as 'their column=our field'"),
        (("客服=agent", "x=agent"), "agent is already '客服'"),
        (("客服=agent", "接待=silent.amount"), "can be compared with figures of agents only"),
    ):
        with pytest.raises(UnusableError) as refused:
            reconciled("客服,接待", "阿莲,5", maps=maps)
        assert message in str(refused.value)


def test_an_agent_in_two_rows_is_refused(reconciled: Reconciled) -> None:
    with pytest.raises(UnusableError, match=r"row 3, column '旺旺昵称': agent '阿莲' is in row 2 too"):
        reconciled(HEAD, "阿莲,1,1", "阿莲,1,1")


def test_kinds(reconciled: Reconciled) -> None:
    """Cells are typed where their kind is exact."""
    made, _ = reconciled(HEAD, "阿莲,300.00,--")
    row: tuple[Any, ...] = next(iter(made.rows))
    assert [cell.amount for cell in row if isinstance(cell, Money)] == [30_000, 32_500, -2_500]
