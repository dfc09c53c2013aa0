"""docs/pay: every worked example comes out, in both languages, and every kind of component has one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, get_args

import pytest

from stream_attr.contract.records.pay_scheme import AnyComponent
from stream_attr.errors import UnusableError
from stream_attr.pay.calculator import Result, calculate
from stream_attr.pay.reading import read_scheme
from stream_attr.pay.team import Order, Person, Team
from stream_attr.pay.true_ups import Account, settle
from tests.docs.blocks import ROOT, blocks_of
from tests.pay.schemes import FIGURES, HEAD, MONTH

ENGLISH, CHINESE = "docs/pay.md", "docs/pay.zh-CN.md"
KINDS = [one.__struct_config__.tag for one in get_args(AnyComponent)]
TABLE = re.compile(r"^\| `.*\n\| ---.*\n(?:\|.*\n)+", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
Row = dict[str, str]


class Example(NamedTuple):
    """A table of a section, and the scheme above it."""

    section: str
    scheme: Any
    rows: list[Row]

    @property
    def first(self) -> str:
        return next(iter(self.rows[0]))


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def rows_of(table: str) -> list[Row]:
    head, _, *lines = table.splitlines()
    names = CODE.findall(head)
    return [
        dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")), strict=True)) for line in lines
    ]


def examples() -> list[Example]:
    found = []
    for part in re.split(r"^##+ ", text_of(ENGLISH), flags=re.MULTILINE)[1:]:
        section = part.splitlines()[0]
        schemes = [
            (part.index(block.text), json.loads(block.text))
            for block in blocks_of(part)
            if block.kind == "json"
        ]
        for match in TABLE.finditer(part):
            above = [scheme for place, scheme in schemes if place < match.start()]
            found.append(Example(section, above[-1] if above else None, rows_of(match[0])))
    return found


EXAMPLES = examples()


def money(cell: str) -> int:
    return int(Decimal(cell.replace(",", "")) * 100)


def value_of(key: str, cell: str) -> int | Fraction | None:
    if cell in ("–", ""):
        return None
    if FIGURES[key] == "rate":
        return Fraction(Decimal(cell.removesuffix("%"))) / 100
    return money(cell) if FIGURES[key] == "money" else int(cell)


def calculated(scheme: Any, team: Team) -> Result:
    document = scheme if isinstance(scheme, dict) else {**HEAD, "components": scheme}
    return calculate(read_scheme(json.dumps(document).encode(), FIGURES), team)


def by_person(result: Result) -> dict[str, dict[str, int]]:
    return {
        one.person_id: {"total": one.total, **{line.component: line.amount for line in one.lines}}
        for one in result.statements
    }


def persons_of(rows: list[Row]) -> tuple[Person, ...]:
    return tuple(
        Person(
            row["person_id"],
            {key: value_of(key, cell) for key, cell in row.items() if key in FIGURES},
            int(row.get("employed_days", 30)),
            int(row.get("probation_days", 0)),
            {"kpi": (int(row["past_scores"]),)} if "past_scores" in row else {},
        )
        for row in rows
        if row["person_id"] != "*"
    )


def of(first: str, *names: str) -> list[Example]:
    found = [one for one in EXAMPLES if one.first == first and set(names) <= one.rows[0].keys()]
    assert found
    return found


@pytest.mark.parametrize("example", of("person_id"), ids=lambda one: one.section)
def test_each_person_is_paid_what_the_table_says(example):
    team: Mapping[str, Any] = {
        key: value_of(key, cell)
        for row in example.rows
        if row["person_id"] == "*"
        for key, cell in row.items()
        if key in FIGURES and cell != "–"
    }
    result = calculated(example.scheme, Team(MONTH, persons_of(example.rows), None, team))
    paid, told = by_person(result), {(one.person_id, one.rule) for one in result.warnings}
    checked = 0
    for row in example.rows:
        if row["person_id"] == "*":
            continue
        for name, cell in row.items():
            if name in paid[row["person_id"]]:
                assert paid[row["person_id"]][name] == money(cell), (row["person_id"], name)
                checked += 1
            if name in ("last", "below"):
                assert ((row["person_id"], ("last", "below").index(name)) in told) is (cell != "–"), row
                checked += 1
    assert checked >= len(example.rows) - 1


def orders_of(rows: list[Row]) -> tuple[Order, ...]:
    def name(row: Row, column: str) -> str | None:
        return None if row.get(column, "p-1") == "–" else row.get(column, "p-1")

    return tuple(
        Order(
            "jd:1",
            row["order_id"],
            row.get("paid_day", f"{MONTH}-05"),
            money(row["amount"]),
            name(row, "credited"),
            name(row, "placing"),
            name(row, "payment"),
            row.get("is_ruled", "–") != "–",
            tuple(
                (day, money(amount))
                for day, amount in re.findall(r"(\d{4}-\d\d-\d\d) ([\d,.]+)", row.get("refunds", ""))
            ),
        )
        for row in rows
    )


def commission_of(example: Example, person: str, names: tuple[str, ...]) -> Any:
    team = Team(MONTH, tuple(Person(name, {}, 30) for name in names), orders_of(example.rows))
    [statement] = [one for one in calculated(example.scheme, team).statements if one.person_id == person]
    [line] = [one for one in statement.lines if one.component == "commission"]
    return line


def test_a_commission_is_shared_over_its_orders_as_the_table_says():
    [example] = of("order_id", "share")
    line = commission_of(example, "p-1", ("p-1",))
    assert {one.order_id: one.share for one in line.orders} == {
        row["order_id"]: money(row["share"]) for row in example.rows
    }
    assert line.amount == sum(money(row["share"]) for row in example.rows) == 61_001


def test_orders_are_split_as_the_table_says():
    [example] = of("order_id", "p-1", "p-2")
    for person in ("p-1", "p-2"):
        line = commission_of(example, person, ("p-1", "p-2"))
        parts = {one.order_id: one.portion for one in line.orders}
        assert parts == {row["order_id"]: part for row in example.rows if (part := money(row[person]))}


@pytest.mark.parametrize("basis", ["sale_month", "refund_month"])
def test_refunds_count_as_the_table_says(basis):
    [example] = of("order_id", "sale_month", "refund_month")
    for row, order in zip(example.rows, orders_of(example.rows), strict=True):
        assert order.net_in(MONTH, basis) == money(row[basis])


def test_closed_months_are_corrected_as_the_table_says():
    [example] = of("pay")
    for row in example.rows:
        account = Account("2026-10", money(row["due"]), money(row["paid"]))
        [found] = settle([account], money(row["pay"]), Fraction(row["take_at_most"].rstrip("%")) / 100)
        assert (found.now, found.owed) == (money(row["now"]), money(row["owed"]))


def test_every_kind_of_component_has_a_section_with_an_example_of_it():
    shown = {
        one.section: {component["kind"] for component in one.scheme}
        for one in EXAMPLES
        if isinstance(one.scheme, list)
    }
    assert [section for section in shown if section in KINDS] == KINDS
    assert all(section in shown[section] for section in KINDS)


def test_the_first_scheme_is_one_and_the_wrong_one_is_refused_as_the_page_says():
    json_blocks, texts = (
        [block.text for block in blocks_of(text_of(ENGLISH)) if block.kind == kind]
        for kind in ("json", "text")
    )
    scheme = json.loads(json_blocks[0])
    read_scheme(json_blocks[0].encode(), FIGURES)
    scheme["components"][1]["tiers"][2]["from"] = 2_000_000
    with pytest.raises(UnusableError) as refused:
        read_scheme(json.dumps(scheme).encode(), FIGURES)
    assert f"{refused.value}\n" == texts[0]


def test_both_languages_have_the_same_blocks_and_numbers():
    ours, theirs = (blocks_of(text_of(page)) for page in (ENGLISH, CHINESE))
    assert [block[:3] for block in theirs] == [block[:3] for block in ours]
    tables, chinese = (
        [rows_of(table) for table in TABLE.findall(text_of(page))] for page in (ENGLISH, CHINESE)
    )
    assert chinese == [
        [{name: "是" if cell == "yes" else cell for name, cell in row.items()} for row in table]
        for table in tables
    ]
    for page in (ENGLISH, CHINESE):
        headings = re.findall(r"^## (\S+)", text_of(page), re.MULTILINE)
        assert [heading for heading in headings if heading in KINDS] == KINDS
