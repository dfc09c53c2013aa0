"""A receipt lets a third person check the verdict from it alone: so it must also betray a wrong one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import reduce
from pathlib import Path

import orjson
import pytest

from stream_attr.explain.verify import ranked, verify
from stream_attr.generate import Plan, write
from stream_attr.replay.run import Inputs, replay
from tests.explain.decisions import (
    MIDNIGHT,
    MINUTE,
    NOON,
    Json,
    candidate,
    decision,
    figures,
    picked,
    silent,
    unpaid,
)

MAKERS = {"paid": decision, "silent": silent, "unpaid": unpaid}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_right_decision_is_supported(make: Callable[[], Json]) -> None:
    assert verify(make()) == []


@pytest.mark.parametrize(
    ("make", "where", "wrong", "says"),
    [
        (decision, "placing.agent_id", "A", "placing: the rule last_chat picks C, not A"),
        (decision, "placing.rounds", 2, "placing: the figures of C are not those of the candidate"),
        (decision, "placing.last_ts", NOON - 1, "placing: the figures of C are not those of the candidate"),
        (decision, "placing.rule", "most_rounds", "placing: the rule most_rounds picks A, not C"),
        (decision, "placing", None, "placing: nobody was picked, though A is a candidate"),
        (decision, "payment.agent_id", "C", "payment: the rule last_chat picks B, not C"),
        (
            decision,
            "candidates.0.placing.last_ts",
            NOON - MINUTE,
            "placing: the rule last_chat picks A, not C",
        ),
        (
            decision,
            "candidates.1.payment.last_ts",
            NOON + 10 * MINUTE,
            "not all messages of B are before the pay",
        ),
        (decision, "candidates.0.placing.rounds", 10, "placing: 9 messages of A cannot make 10 rounds"),
        (decision, "candidates", [], "placing: C was picked, but nobody is a candidate"),
        (decision, "credit.rule", "order", "credit: by the rule order it is C's (basis placing), not B's"),
        (decision, "credit.rule", "order_first", "credit: by the rule order_first it is C's (basis placing)"),
        (decision, "credit.agent_id", "A", "credit: by the rule payment it is B's"),
        (decision, "credit.basis", "placing", "credit: by the rule payment it is B's (basis payment)"),
        (decision, "credit", None, "credit: nobody has it, though there are a placing and a payment agent"),
        (decision, "outcome", "silent", "outcome: silent, but the order is paid and credited"),
        (decision, "outcome", "unpaid", "outcome: unpaid, but the order is paid and credited"),
        (decision, "silence", "semi", "silence: semi, but by the placing and payment agents it is none"),
        (decision, "silence", None, "silence: None, but"),
        (decision, "status", "pending", "status: pending, though the watermark has"),
        (decision, "final_at", NOON, "final_at: before the order's own events"),
        (decision, "assists", [], "assists: ['A'] assisted with the order, not []"),
        (decision, "assists.0.agent_id", "B", "assists: B has the credit and assists nobody"),
        (
            decision,
            "assists.0.kind",
            "followup",
            "assists: an order that is credited cannot have the kind followup",
        ),
        (decision, "discarded.0.reason", "other_product", "product priority: D was left out"),
        (decision, "net_amount", 129_000, "money: the net amount"),
        (decision, "revision", 4, "decision_id: not that of revision 4"),
        (decision, "supersedes", None, "supersedes: not the decision before revision 3"),
        (silent, "credit.agent_id", "B", "credit: by the rule order_first it is E's (basis followup)"),
        (silent, "credit", None, "credit: E qualifies for the follow-up, but nobody has the credit"),
        (
            silent,
            "candidates.1.followup.first_ts",
            NOON + 10 * MINUTE,
            "follow-up: E spoke before the payment",
        ),
        (silent, "candidates.1.followup.messages", 1, "follow-up: E qualifies, though only one side"),
        (silent, "candidates", [], "credit: by the rule order_first nobody has it, not E"),
        (silent, "silence", "semi", "silence: semi, but by the placing and payment agents it is full"),
        (
            unpaid,
            "credit",
            {"agent_id": "C", "basis": "placing", "rule": "order"},
            "credit: the order is not paid",
        ),
        (unpaid, "outcome", "credited", "outcome: credited, but the order is not paid"),
        (unpaid, "outcome", "cancelled", "outcome: cancelled, but the order has no cancellation"),
        (
            unpaid,
            "assists.0.kind",
            "payment",
            "assists: an order that is awaiting_payment cannot have",
        ),
        (
            unpaid,
            "watermark",
            MIDNIGHT + 24 * 60 * MINUTE,
            "status: pending, though the watermark has",
        ),
        (unpaid, "supersedes", "jd:10086|o-1|official|0", "supersedes: not the decision before revision 1"),
    ],
)
def test_a_wrong_decision_is_betrayed(make: Callable[[], Json], where: str, wrong: object, says: str) -> None:
    tampered = copy.deepcopy(make())
    *path, last = [int(step) if step.isdigit() else step for step in where.split(".")]
    reduce(lambda part, step: part[step], path, tampered)[last] = wrong  # type: ignore[index]
    assert any(says in problem for problem in verify(tampered)), verify(tampered)


def test_candidates_that_are_not_sorted_are_found() -> None:
    tampered = decision()
    assert verify({**tampered, "candidates": tampered["candidates"][::-1]}) == [
        "candidates: not sorted, or one of them twice"
    ]
    doubled = [*tampered["discarded"], *tampered["discarded"]]
    assert verify({**tampered, "discarded": doubled}) == ["discarded: not sorted, or one of them twice"]


def test_a_silent_verdict_under_the_rule_order_may_have_a_payment_agent() -> None:
    b = figures(2, 1, NOON + MINUTE, NOON + 2 * MINUTE)
    changes = {
        "placing": None,
        "payment": picked("B", "last_chat", b),
        "candidates": [candidate("B", payment=b)],
    }
    tampered = silent(**changes, credit=None, outcome="silent", silence="semi")
    assert verify(tampered) == []


def test_product_priority_is_supported_where_all_candidates_have_the_product() -> None:
    tampered = decision()
    for one in tampered["candidates"]:
        for interval in ("placing", "payment"):
            if one[interval]:
                one[interval]["ordered_product"] = True
    tampered["discarded"][0]["reason"] = "other_product"
    assert verify(tampered) == []


@pytest.mark.parametrize(("rule", "order"), [("last_chat", ["C", "A"]), ("most_rounds", ["A", "C"])])
def test_the_ranking_follows_the_rule(rule: str, order: list[str]) -> None:
    assert [agent for agent, _ in ranked(decision(), "placing", rule)] == order


@pytest.mark.parametrize("rule", ["last_chat", "most_rounds"])
def test_of_equals_the_smaller_id_stands_first(rule: str) -> None:
    same = figures(2, 1, NOON - 2, NOON - 1)
    tampered = decision(candidates=[candidate("b", placing=same), candidate("B", placing=same)])
    assert [agent for agent, _ in ranked(tampered, "placing", rule)] == ["B", "b"]


def test_every_receipt_of_a_replay_supports_its_verdict(tmp_path: Path) -> None:
    write(Plan(seed=11, events=6_000, days=6, end_ts=1_794_412_800_000, shops=9), tmp_path)
    names = {
        kind: [str(tmp_path / f"{kind}.jsonl")]
        for kind in ("chat", "orders", "rulings", "roster", "settings")
    }
    decisions = [
        orjson.loads(output.value)
        for output in replay(Inputs(**names))
        if output.topic.startswith("attribution-")
    ]
    assert len(decisions) > 500
    assert [problem for tampered in decisions for problem in verify(tampered)] == []
