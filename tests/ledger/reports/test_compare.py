"""The official rules against a further profile, from the raw records of both."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.database.connect import Connection
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import compare
from stream_attr.ledger.reports.scope import Options
from tests.ledger.reports.conftest import Traffic, rows_as_dicts, table

SHOP = "jd:10086"
DAYS = ("2026-10-20", "2026-11-30")
PROFILES = ("by-order", "first")


def verdicts(traffic: Traffic) -> dict[str, dict[str, dict[str, Any]]]:
    """By order and profile: the last decisions on paid orders of the shop."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for topic in ("attribution-decisions", "attribution-comparisons"):
        for one in traffic.last(topic, "shop_id", "order_id", "profile"):
            if one["shop_id"] == SHOP and one["outcome"] in ("credited", "silent"):
                found.setdefault(one["order_id"], {})[one["profile"]] = one
    return found


def winner(decision: dict[str, Any]) -> str | None:
    return None if decision["credit"] is None else str(decision["credit"]["agent_id"])


@pytest.mark.parametrize("profile", PROFILES)
def test_the_orders_that_would_move(ended: Traffic, read: Connection, profile: str) -> None:
    made = compare.report(read, Options((SHOP,), period(*DAYS), profile=profile))
    expected = {
        order_id: (winner(of["official"]) or "(silent)", winner(of[profile]) or "(silent)")
        for order_id, of in verdicts(ended).items()
        if winner(of["official"]) != winner(of[profile])
    }
    rows = rows_as_dicts(made, made.rows)
    assert {row["order"]: (row["from"], row["to"]) for row in rows} == expected
    assert expected
    amount = sum(verdicts(ended)[order_id]["official"]["amount"] for order_id in expected)
    assert (
        f"{len(expected)} orders of {amount / 100:,.2f} CNY would be another's" in made.notes[0].text.english
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_whose_money_moves(ended: Traffic, read: Connection, profile: str) -> None:
    made = compare.report(read, Options((SHOP,), period(*DAYS), profile=profile, by=("agent",)))
    expected: dict[str | None, Counter[str]] = {}
    for of in verdicts(ended).values():
        amount, before, after = of["official"]["amount"], winner(of["official"]), winner(of[profile])
        expected.setdefault(before, Counter())["official"] += amount
        expected.setdefault(after, Counter())["profile"] += amount
        if before != after:
            expected[before]["lost"] += amount
            expected[after]["gained"] += amount
    rows = table(made, made.rows, "agent")
    assert {agent for (agent,) in rows} == expected.keys() - {None}
    for (agent,), row in rows.items():
        for name in ("official", "profile", "lost", "gained"):
            assert row[f"compare.{name}"] == expected[agent][name]
        assert row["compare.difference"] == row["compare.gained"] - row["compare.lost"]
    shop = table(made, made.totals, "agent")["shop",]
    assert shop["compare.official"] == shop["compare.profile"]


def test_the_money_whose_winner_depends_on_the_rule(ended: Traffic, read: Connection) -> None:
    made = compare.report(read, Options((SHOP,), period(*DAYS), profile="first"))
    contested = total = 0
    for of in verdicts(ended).values():
        assert of.keys() == {"official", *PROFILES}
        total += of["official"]["amount"]
        contested += of["official"]["amount"] if len(set(map(winner, of.values()))) > 1 else 0
    assert 0 < contested < total
    said = (
        f"the winner of {contested / 100:,.2f} CNY of {total / 100:,.2f} CNY ({contested / total * 100:.2f}%)"
    )
    assert said in made.notes[1].text.english
    assert "of 3 judged" in made.notes[1].text.english


def test_a_profile_is_named_where_there_are_several(read: Connection) -> None:
    with pytest.raises(
        UnusableError, match="--profile is missing to compare with official: there are by-order, first"
    ):
        compare.report(read, Options((SHOP,), period(*DAYS)))
    with pytest.raises(
        UnusableError, match="there is no profile 'x' to compare with official: there are by-order"
    ):
        compare.report(read, Options((SHOP,), period(*DAYS), profile="x"))
