"""Schemes in words: every kind of component says what it pays, in both languages."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from stream_attr.contract.records.pay_scheme import AnyComponent
from stream_attr.ledger.pay.described import KINDS, described, warnings_of
from stream_attr.ledger.pay.presets import PRESETS
from stream_attr.ledger.pay.schemes import read
from tests.docs.blocks import ROOT
from tests.ledger.pay.world import BASE, COMMISSION, scheme

SCORE = {
    "kind": "score", "id": "kpi", "amount": 100_000, "probation": "80%", "items": [
        {"figure": "workload.first_response_ms", "weight": "40%", "less_is_better": True,
         "bands": [{"from": 60_000, "points": 60}, {"from": 30_000, "points": 100}]},
        {"figure": "workload.satisfaction", "weight": "60%", "bands": [{"from": "95%", "points": 100}]},
    ],
}  # fmt: skip
MARGINAL = "A share of net sales: each rate is of the part between its tier and the next."
WHOLE = "A share of net sales: the rate of the tier that is reached is of all of it."
POINTS = "1,000.00 for 100 points; the points are the mean by weight of:"
RANKED = "By net sales, the greatest first; who are tied share their places' prizes."
SPLIT = (
    "In commissions each order counts 30% for its placing agent and 70% for its payment agent; a part "
    "without agent is the credited agent's, and what a person ruled is not split."
)
LEAST = {"figure": "workload.receptions", "at": 100}


def words(*components: dict[str, Any], **head: Any) -> Any:
    return read(json.dumps(scheme(*components, **head)).encode())


@pytest.mark.parametrize(
    ("before", "component", "says", "rows"),
    [
        ((), BASE, "4,000.00 a month, by the days of employment.", []),
        (
            (),
            {**COMMISSION, "least": LEAST},
            f"{MARGINAL} Nothing unless receptions is at least 100.",
            [("from 0.00", "0.5%"), ("from 30,000.00", "0.8%"), ("from 80,000.00", "1.2%")],
        ),
        (
            (),
            {
                **COMMISSION, "mode": "whole", "by": "attainment.sales.net_amount",
                "tiers": [{"from": "80%", "rate": "0.5%"}],
            },
            f"{WHOLE} The tier is picked by net sales attained.",
            [("from 80%", "0.5%")],
        ),
        (
            (),
            {"kind": "per_unit", "id": "a", "of": "sales.orders", "amount": 150},
            "1.50 for each of sales orders.",
            [],
        ),
        (
            (),
            {"kind": "steps", "id": "a", "of": "sales.orders", "steps": [{"from": 30, "amount": 20_000}]},
            "By sales orders, the last step that is reached.",
            [("from 30", "200.00")],
        ),
        (
            (),
            SCORE,
            f"Of days on probation 80% of it is paid. {POINTS}",
            [
                ("40% first response", "at most 60.000 s: 60 points; at most 30.000 s: 100 points"),
                ("60% satisfaction", "from 95%: 100 points"),
            ],
        ),
        (
            (),
            {"kind": "ranking", "id": "a", "by": "sales.net_amount", "prizes": [50_000], "least": LEAST},
            f"{RANKED} Who has less than 100 of receptions is not ranked.",
            [("place 1", "500.00")],
        ),
        (
            (),
            {"kind": "pool", "id": "a", "of": "sales.net_amount", "rate": "0.3%", "by": "sales.orders"},
            "0.3% of the team's net sales, shared by sales orders.",
            [],
        ),
        (
            (),
            {"kind": "split", "id": "a", "placing": "30%", "payment": "70%"},
            SPLIT,
            [],
        ),
        ((BASE,), {"kind": "factor", "id": "a", "rate": "150%"}, "底薪 × 150%.", []),
        (
            (SCORE,),
            {"kind": "factor", "id": "a", "by": "score.kpi", "tiers": [{"from": 70, "rate": "120%"}]},
            "kpi × a factor by kpi, points; 100% below the first.",
            [("from 70", "120%")],
        ),
        (
            (BASE, COMMISSION),
            {"kind": "cap", "id": "a", "amount": 700_000},
            "(底薪 + commission) together at most 7,000.00.",
            [],
        ),
        (
            (BASE,),
            {"kind": "floor", "id": "a", "amount": 450_000, "prorate": "days"},
            "底薪 together at least 4,500.00, by the days of employment.",
            [],
        ),
    ],
)  # fmt: skip
def test_a_component_says_what_it_pays(
    before: tuple[dict[str, Any], ...], component: dict[str, Any], says: str, rows: list[tuple[str, str]]
):
    more = () if component["kind"] != "split" else (COMMISSION,)
    found = described(words(*before, component, *more))[len(before)]
    assert " ".join(one.english for one in found.says) == says
    assert [(one.english, other.english) for one, other in found.rows] == rows


def test_every_kind_has_a_name_and_every_sentence_is_in_both_languages():
    assert set(KINDS) == set(get_args(AnyComponent))
    everything = read((ROOT / "schemas/examples/pay-scheme/everything.pass.json").read_bytes())
    parts = described(everything)
    assert {part.kind for part in parts} == set(KINDS.values())
    for part in parts:
        for text in part.says:
            assert any("\u4e00" <= one <= "\u9fff" for one in text.chinese)


def test_warnings_say_who_is_told_to_the_manager():
    rules = [
        {"kind": "last", "by": "sales.net_amount", "share": "15%"},
        {"kind": "below", "score": "kpi", "points": 70, "times": 2, "months": 2},
    ]
    assert [one.english for one in warnings_of(words(SCORE, warnings=rules))] == [
        "The last 15% by net sales are named to the manager.",
        "Who has fewer than 70 points of kpi in 2 of the last 2 months is named to the manager.",
    ]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda one: one.name)
def test_a_preset_can_be_paid_by(preset: Any):
    assert described(read(preset.document.encode()))
