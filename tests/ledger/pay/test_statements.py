"""A person's statement: what each line is made of, of which orders, in both languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from stream_attr.ledger.database.connect import Database
from tests.ledger.pay.world import (
    BASE,
    COMMISSION,
    agent,
    agent_day,
    close,
    done,
    order,
    person,
    put,
    refused,
    scheme,
)

NOVEMBER = ("--month", "2026-11")


@pytest.fixture
def shop(ledger: Database, tmp_path: Path) -> Database:
    """Anna's November is closed; then 5,000.50 of o-3 are refunded, and December is closed."""
    put(ledger, tmp_path, scheme(BASE, {**COMMISSION, "name": "提成"}))
    with ledger.connection() as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        order(connection, "o-1", "anna", 1_234_567)
        order(connection, "o-2", "anna", 999_999)
        order(connection, "o-3", "anna", 6_265_484, revision=2)
        order(connection, "x-1", "ben", 777)
    person(ledger, "p-1", "--name", "安娜")
    person(ledger, "p-2")
    close(ledger)
    with ledger.connection() as connection:
        order(connection, "o-3", "anna", 6_265_484, refunds=[("2026-12-05", 500_050)], revision=3)
    close(ledger, "2026-12")
    return ledger


def rows_of(database: Database, person_id: str, month: str, *more: str) -> list[dict[str, Any]]:
    text = done(database, "statement", person_id, "--month", month, "--format", "json", *more)
    found: list[dict[str, Any]] = json.loads(text)["rows"]
    return found


def test_a_line_says_its_formula_and_its_orders_with_their_revisions(shop: Database):
    base, commission, *orders = rows_of(shop, "p-1", "2026-11")
    assert (base["line"], base["how"], base["amount"]) == ("底薪", "4,000.00", 400_000)
    assert commission["how"] == ("net sales 85,000.50: 30,000.00 × 0.5% + 50,000.00 × 0.8% + 5,000.50 × 1.2%")
    assert commission["amount"] == 61_001
    assert [(one["order"], one["revision"], one["brings"], one["share"]) for one in orders] == [
        ("o-1", 1, 1_234_567, 8_860),
        ("o-2", 1, 999_999, 7_177),
        ("o-3", 2, 6_265_484, 44_964),
    ]


def test_a_correction_says_what_was_due_and_paid_and_by_which_order(shop: Database):
    _, _, correction, change, moved = rows_of(shop, "p-1", "2026-12")
    assert correction["line"] == "correction of 2026-11"
    assert correction["how"] == "due 4,550.00, paid 4,610.01: now -60.01, still owed 0.00"
    assert correction["amount"] == -6_001
    assert change["how"] == "提成: 610.01 → 550.00"
    assert (moved["order"], moved["how"]) == ("o-3", "62,654.84 → 57,654.34")


def test_the_amounts_add_up_to_the_total(shop: Database):
    text = done(shop, "statement", "p-1", "--month", "2026-12", "--format", "json")
    found = json.loads(text)
    assert sum(row["amount"] or 0 for row in found["rows"]) == found["totals"][0]["amount"] == 393_999


def test_nobody_else_is_on_it(shop: Database):
    text = done(shop, "statement", "p-1", *NOVEMBER)
    assert "x-1" not in text
    assert "p-2" not in text


def test_it_is_in_chinese_too(shop: Database):
    text = done(shop, "statement", "p-1", "--month", "2026-12", "--lang", "zh")
    assert "应付 4,550.00，已付 4,610.01：本次 -60.01，尚欠 0.00" in text
    assert "Wang 于" in text


def test_the_workbook_holds_the_same_rows(shop: Database, tmp_path: Path):
    out = tmp_path / "p-1.xlsx"
    done(shop, "statement", "p-1", *NOVEMBER, "--format", "xlsx", "--out", str(out))
    sheet = CalamineWorkbook.from_filelike(BytesIO(out.read_bytes())).get_sheet_by_name("Rows")
    head, *rows = sheet.to_python()
    assert head[-1] == "amount (CNY)"
    assert [row[-1] for row in rows] == [4_000.0, 610.01, "", "", ""]
    assert [row[-2] for row in rows[2:]] == [88.6, 71.77, 449.64]


class Page(HTMLParser):
    """The cells of a page, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, _attributes: Any) -> None:
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_the_page_to_print_loads_and_runs_nothing_and_shows_text_as_text(shop: Database, tmp_path: Path):
    put(shop, tmp_path, scheme({**BASE, "name": "<script>x</script>"}, scheme_id="odd"))
    person(shop, "p-3", scheme_id="odd")
    with shop.connection() as connection:
        agent(connection, "cleo", "p-3")
    close(shop, scheme_id="odd")
    page = Page()
    page.feed(done(shop, "statement", "p-3", *NOVEMBER, "--format", "html"))
    assert "<script>x</script>" in page.cells
    assert not page.tags & {"script", "link", "img", "a", "iframe"}
    assert "4,000.00" in page.cells


@pytest.mark.parametrize(
    ("component", "how", "amount"),
    [
        (
            {"kind": "per_unit", "id": "c", "of": "workload.receptions", "amount": 150},
            "receptions 40 × 1.50",
            6_000,
        ),
        (
            {
                "kind": "steps",
                "id": "c",
                "of": "workload.reply_rate",
                "steps": [{"from": "70%", "amount": 20_000}, {"from": "90%", "amount": 50_000}],
            },
            "reply rate 75%: from 70%; the next tier from 90%",
            20_000,
        ),
        (
            {
                "kind": "score",
                "id": "c",
                "amount": 100_000,
                "items": [
                    {"figure": "workload.first_response_ms", "weight": "40%", "less_is_better": True,
                     "bands": [{"from": 60_000, "points": 60}, {"from": 30_000, "points": 100}]},
                    {"figure": "workload.reply_rate", "weight": "60%",
                     "bands": [{"from": "70%", "points": 70}]},
                ],
            },
            "1,000.00 × 66 / 100 points: 40% × 60 (first response 30.500) + 60% × 70 (reply rate 75%)",
            66_000,
        ),
        (
            {"kind": "ranking", "id": "c", "by": "workload.receptions", "prizes": [50_000, 30_000]},
            "receptions 40: place 1, 1 tied, prizes 500.00",
            50_000,
        ),
        (
            {"kind": "pool", "id": "c", "of": "sales.net_amount", "rate": "1%", "by": "workload.receptions"},
            "1,000.00 × 40 / 50 (receptions); the pot is 1% of 100,000.00",
            80_000,
        ),
        (
            {"kind": "commission", "id": "c", "of": "sales.net_amount", "mode": "whole",
             "tiers": [{"from": 0, "rate": "1%"}], "least": {"figure": "workload.receptions", "at": 41}},
            "nothing: receptions 40 is less than 41",
            0,
        ),
    ],
)  # fmt: skip
def test_each_kind_says_what_it_is_made_of(
    ledger: Database, tmp_path: Path, component: Mapping[str, Any], how: str, amount: int
):
    put(ledger, tmp_path, scheme(component))
    with ledger.connection() as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        order(connection, "o-1", "anna", 10_000_000)
        agent_day(
            connection, "anna", "2026-11-05", workload__receptions=40, workload__unreplied=10,
            workload__first_response_ms_sum=61_000, workload__first_responses=2,
        )  # fmt: skip
        agent_day(connection, "ben", "2026-11-05", workload__receptions=10)
    person(ledger, "p-1")
    person(ledger, "p-2")
    close(ledger)
    row, *_ = rows_of(ledger, "p-1", "2026-11")
    assert (row["how"], row["amount"]) == (how, amount)


def test_modifiers_say_what_they_change(ledger: Database, tmp_path: Path):
    factor = {"kind": "factor", "id": "season", "on": ["base"], "rate": "150%"}
    cap = {"kind": "cap", "id": "cap", "on": ["base"], "amount": 250_000}
    floor = {"kind": "floor", "id": "floor", "amount": 360_000, "prorate": "days"}
    put(ledger, tmp_path, scheme({**BASE, "probation": "80%"}, factor, cap, floor))
    with ledger.connection() as connection:
        agent(connection, "anna", "p-1")
    person(ledger, "p-1", "--from", "2026-11-16", "--probation-until", "2026-11-20")
    close(ledger)
    # 15 of 30 days; 5 of these on probation: 2,000.00 × (5 × 80 % + 10) / 15 = 1,866.67.
    assert [(row["how"], row["amount"]) for row in rows_of(ledger, "p-1", "2026-11")] == [
        ("4,000.00 × 15 / 30 days; 80% on 5 of 15 days", 186_667),
        ("1,866.67 × (150% − 100%)", 93_334),
        ("2,800.01, at most 2,500.00", -30_001),
        ("2,500.00, at least 3,600.00 × 15 / 30 days", 0),
    ]


def test_a_statement_that_is_not_there_says_where_to_look(shop: Database):
    said = refused(shop, "statement", "p-9", *NOVEMBER)
    assert "there is no statement of p-9 for 2026-11: see stream-attr pay run list" in said
