"""What pay would have been, by hand: by orders, by figures of days, for persons of several agents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.files.inputs import Inputs
from stream_attr.lab.judge import judge
from stream_attr.lab.pay import Payroll, payroll_of_roster
from stream_attr.lab.rule_sets import RuleSet
from stream_attr.ledger.pay.schemes import read
from stream_attr.ledger.periods import period
from tests.lab.files import written
from tests.reference.days import MINUTE_MS
from tests.reference.shorthand import DAY_MS, NOON, chat_of, order, outreach_of

SHOP = "jd:1"
NOVEMBER = period("2026-11", None)
PAYMENT = RuleSet("payment", {"credit_rule": "payment"})
PLACING = RuleSet("placing", {"credit_rule": "order"})


def scheme(*components: dict[str, Any], **more: Any) -> Any:
    head = {
        "scheme_id": "s",
        "version": 1,
        "effective_from": "2026-01-01",
        "currency": "CNY",
        "refund_basis": "sale_month",
        "take_at_most": "50%",
    }
    return read(json.dumps({**head, **more, "components": components}).encode())


def member(agent_id: str, since: str = "2026-01-01", **more: Any) -> dict[str, Any]:
    return {"shop_id": SHOP, "agent_id": agent_id, "effective_from": since, "role": "presale", **more}


def tiers(of: str, *rates: tuple[int, str]) -> dict[str, Any]:
    steps = [{"from": start, "rate": rate} for start, rate in rates]
    return {"kind": "commission", "id": "c", "of": of, "mode": "whole", "tiers": steps}


@pytest.fixture
def files(tmp_path: Path) -> Inputs:
    """o-1 is A's by placing and B's by payment, 40.00 refunded; o-2 is A's; o-3 B's or nobody's."""
    chat = [*chat_of("A", NOON - 10 * MINUTE_MS), *chat_of("B", NOON + 2 * MINUTE_MS)]
    chat += [*chat_of("A", NOON - 10 * MINUTE_MS, "b-2"), *chat_of("B", NOON + 2 * MINUTE_MS, "b-3")]
    chat += outreach_of("A", NOON, "b-4")[:1]
    orders = []
    for number, amount in enumerate((10_000, 20_000, 40_000), 1):
        ids = (f"o-{number}", f"b-{number}")
        orders.append(order("created", NOON, *ids, amount=amount))
        orders.append(order("paid", NOON + 10 * MINUTE_MS, *ids, amount=amount))
    orders.append(order("refund_completed", NOON + DAY_MS, "o-1", "b-1", amount=4_000, refund_id="r"))
    roster = [member("A", name="小明"), member("B", person_id="bea"), member("C", person_id="bea")]
    return written(tmp_path, chat=chat, orders=orders, roster=roster)


def payroll(files: Inputs, *components: dict[str, Any], **more: Any) -> Payroll:
    return payroll_of_roster(scheme(*components, **more), "2026-11", SHOP, files.roster)


def totals(files: Inputs, by: Payroll, *rule_sets: RuleSet, processes: int = 1) -> dict[str, tuple[int, ...]]:
    found = judge(files, SHOP, rule_sets, NOVEMBER, payroll=by, processes=processes).pay
    assert found is not None
    return {one.person_id: one.totals for one in found.persons}


def test_commission_goes_by_the_orders_of_each_rule_set(files: Inputs) -> None:
    by = payroll(files, tiers("sales.net_amount", (0, "1%"), (30_000, "10%")))
    # payment: A 200.00 at 1 %, B 100.00 - 40.00 + 400.00 at 10 %; placing: A 60.00 + 200.00 at 1 %, B nothing
    assert totals(files, by, PAYMENT, PLACING) == {"A": (200, 260), "bea": (4_600, 0)}


def test_figures_of_agents_days_are_those_of_each_rule_set(files: Inputs) -> None:
    """A wrote to b-4, who never answered: a monologue is no reception, unless the rules let it be one."""
    no_monologue = RuleSet("no_monologue", {"filters": {"monologue": {"enabled": False}}})
    by = payroll(files, {"kind": "per_unit", "id": "u", "of": "workload.receptions", "amount": 7})
    expected = {"A": (2 * 7, 3 * 7), "bea": (2 * 7, 2 * 7)}
    assert totals(files, by, PAYMENT, no_monologue) == expected
    assert totals(files, by, PAYMENT, no_monologue, processes=2) == expected


def test_a_split_goes_by_placing_and_payment_agents(files: Inputs) -> None:
    split = {"kind": "split", "id": "s", "placing": "30%", "payment": "70%"}
    by = payroll(files, split, tiers("sales.amount", (0, "10%")))
    # o-1: A 30.00, B 70.00; o-2: A is both; o-3: B has its payment, and its placing as the credited one
    assert totals(files, by, PAYMENT) == {"A": (300 + 2_000,), "bea": (700 + 4_000,)}
    # under `order` o-3 is nobody's: 30 % of it are lost
    assert totals(files, by, PLACING) == {"A": (300 + 2_000,), "bea": (700 + 2_800,)}


def test_an_agent_who_becomes_another_person_is_each_in_turn(tmp_path: Path) -> None:
    roster = [member("A", person_id="old"), member("A", "2026-11-02", person_id="new")]
    chat, orders = [], []
    for day in range(3):
        at = NOON + day * DAY_MS
        chat += chat_of("A", at - 10 * MINUTE_MS)
        orders += [order("created", at, f"o-{day}"), order("paid", at + 1, f"o-{day}")]
    files = written(tmp_path, chat=chat, orders=orders, roster=roster)
    by = payroll(files, {"kind": "per_unit", "id": "u", "of": "sales.orders", "amount": 5})
    assert totals(files, by, PAYMENT) == {"old": (5,), "new": (10,)}


def test_it_tells_how_far_it_is_over_all_replays(files: Inputs) -> None:
    told: list[tuple[int, int]] = []
    by = payroll(files, {"kind": "per_unit", "id": "u", "of": "workload.receptions", "amount": 7})
    judge(
        files,
        SHOP,
        (PAYMENT, PLACING),
        NOVEMBER,
        payroll=by,
        processes=1,
        progress=lambda read, of: told.append((read, of)),
    )
    assert told == sorted(told)
    assert (told[0], told[-1]) == ((0, 3 * 16), (3 * 16, 3 * 16))


def test_what_cannot_be_paid_is_named(files: Inputs) -> None:
    by = payroll(files, tiers("sales.amount", (0, "1%")))
    with pytest.raises(UnusableError, match="pay is for all of 2026-11: judge that month"):
        judge(files, SHOP, (PAYMENT,), period("2026-11-01", "2026-11-29"), payroll=by)
    with pytest.raises(UnusableError, match="pay is for a month like 2026-11, not for '2026-11-01'"):
        payroll_of_roster(by.scheme, "2026-11-01", SHOP, files.roster)
    other = payroll(files, tiers("sales.amount", (0, "1%")), currency="USD")
    with pytest.raises(UnusableError, match="order o-1 is in CNY, and scheme s pays USD"):
        judge(files, SHOP, (PAYMENT,), NOVEMBER, payroll=other)
