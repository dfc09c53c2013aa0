"""Schemes and teams for the tests, in few words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from stream_attr.contract.records.agent_daily import FIGURES as OF_RECORD
from stream_attr.pay.calculator import Result, calculate
from stream_attr.pay.reading import read_scheme
from stream_attr.pay.team import Order, Person, Team

UNITS = {"minor units": "money", "ms": "seconds", "rate": "rate", "ratio": "ratio"}
FIGURES = {
    **{
        f"{group}.{name}": UNITS.get((meta.extra or {})["unit"][0], "count")
        for group, figures in OF_RECORD.items()
        for name, meta in figures.items()
    },
    "sales.net_amount": "money",
    "sales.quantity_per_order": "ratio",
    "attainment.sales.net_amount": "rate",
    "shop.day": "day",
}
"""Units by key: those of `agent-daily`, some that derive from them, and one that nobody can be paid by."""
HEAD = {
    "scheme_id": "presale",
    "version": 1,
    "effective_from": "2026-11-01",
    "refund_basis": "sale_month",
    "take_at_most": "20%",
}
MONTH = "2026-11"
"""Of 30 days."""

Json = dict[str, Any]


def scheme_of(*components: Json, **head: Any) -> Json:
    """A scheme; a component without id is called by its kind."""
    return {**HEAD, **head, "components": [{"id": one["kind"], **one} for one in components]}


def person_of(
    name: str = "p-1", *, employed: int = 30, probation: int = 0, past: Any = None, **figures: Any
) -> Person:
    """A person; ``sales__net_amount=1``: of figure ``sales.net_amount``."""
    values = {key.replace("__", "."): value for key, value in figures.items()}
    return Person(name, values, employed, probation, past or {})


def paid(
    scheme: Json,
    *persons: Person,
    orders: tuple[Order, ...] | None = None,
    team: Mapping[str, int | Fraction | None] | None = None,
    month: str = MONTH,
) -> Result:
    """What a scheme, read as a document, pays a team."""
    read = read_scheme(json.dumps(scheme).encode(), FIGURES)
    return calculate(read, Team(month, persons, orders, team or {}))


def lines_of(result: Result, person: str = "p-1") -> dict[str, Any]:
    """A person's lines by component."""
    [statement] = [one for one in result.statements if one.person_id == person]
    assert statement.total == sum(line.amount for line in statement.lines)
    return {line.component: line for line in statement.lines}


def amounts_of(result: Result, component: str) -> dict[str, int]:
    """What a component pays, by person."""
    return {one.person_id: lines_of(result, one.person_id)[component].amount for one in result.statements}
