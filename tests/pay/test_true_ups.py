"""True-ups: now + still owed + already paid = due, whatever changes after a month was closed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.pay.true_ups import Account, Change, ClosedRun, TrueUp, changes, paid_for, settle
from tests.pay.schemes import paid, person_of, scheme_of

FIFTH = Fraction(1, 5)


def test_what_is_owed_is_paid_at_once():
    assert settle([Account("2026-10", 105_000, 100_000)], 0, Fraction()) == (
        TrueUp("2026-10", 105_000, 100_000, 5_000, 0),
    )


def test_what_did_not_change_is_no_line():
    assert settle([Account("2026-10", 100_000, 100_000)], 300_000, FIFTH) == ()


@pytest.mark.parametrize(
    ("pay", "now", "owed"),
    [
        (500_000, -80_000, 0),  # a fifth of 5,000.00 is more
        (400_000, -80_000, 0),
        (399_999, -79_999, -1),  # 79,999.8: never more than the share
        (100_000, -20_000, -60_000),
        (0, 0, -80_000),
        (-100_000, 0, -80_000),
    ],
)
def test_what_is_taken_back_is_at_most_a_share_of_the_months_pay(pay, now, owed):
    assert settle([Account("2026-10", 20_000, 100_000)], pay, FIFTH) == (
        TrueUp("2026-10", 20_000, 100_000, now, owed),
    )


def test_the_oldest_month_is_taken_back_first():
    accounts = [Account("2026-10", 0, 15_000), Account("2026-09", 0, 10_000), Account("2026-08", 5, 5)]
    assert settle(accounts, 100_000, FIFTH) == (
        TrueUp("2026-09", 0, 10_000, -10_000, 0),
        TrueUp("2026-10", 0, 15_000, -10_000, -5_000),
    )


def test_what_one_month_pays_another_may_take():
    accounts = [Account("2026-09", 0, 50_000), Account("2026-10", 30_000, 0)]
    assert settle(accounts, 100_000, FIFTH) == (
        TrueUp("2026-09", 0, 50_000, -50_000, 0),
        TrueUp("2026-10", 30_000, 0, 30_000, 0),
    )
    assert [one.now for one in settle(accounts, 0, FIFTH)] == [-30_000, 30_000]


def test_what_was_paid_for_a_month_is_its_run_and_true_ups_since():
    runs = [
        ClosedRun("2026-09", 100_000),
        ClosedRun("2026-10", 90_000, (TrueUp("2026-09", 80_000, 100_000, -18_000, -2_000),)),
        ClosedRun("2026-11", 70_000, (TrueUp("2026-09", 80_000, 82_000, -2_000, 0),)),
    ]
    assert [paid_for(month, runs) for month in ("2026-09", "2026-10", "2026-08")] == [80_000, 90_000, 0]


def test_a_true_up_names_the_components_that_changed():
    scheme = scheme_of(
        {"kind": "fixed", "amount": 400_000},
        {
            "kind": "commission",
            "of": "sales.net_amount",
            "mode": "whole",
            "tiers": [{"from": 0, "rate": "1%"}],
        },
        {"kind": "floor", "amount": 405_000},
    )
    [before], [after] = (
        paid(scheme, person_of(sales__net_amount=money)).statements for money in (1_000_000, 200_000)
    )
    assert changes(before, after) == [Change("commission", 10_000, 2_000), Change("floor", 0, 3_000)]
    assert changes(before, before) == []


# Histories

_amount = st.integers(-300, 1_000)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, dict[int, int], Fraction]]:
    """Per run: what its month pays, what earlier months have become due since, and the bound."""
    runs = []
    for number in range(draw(st.integers(1, 8))):
        months = st.dictionaries(st.integers(0, max(number - 1, 0)), _amount, max_size=3)
        changed = draw(months) if number else {}
        runs.append((draw(_amount), changed, draw(st.sampled_from((Fraction(), FIFTH, Fraction(1, 3))))))
    return runs


@settings(max_examples=400, deadline=None)
@given(histories())
def test_now_and_owed_and_paid_are_due_after_any_history(history):
    due: dict[str, int] = {}
    purse: dict[str, int] = {}  # by month, all that was handed over, counted by hand
    closed: list[ClosedRun] = []
    for number, (pay, changed, bound) in enumerate(history):
        month = f"2026-{number + 1:02}"
        due |= {f"2026-{earlier + 1:02}": amount for earlier, amount in changed.items()}
        accounts = [Account(one, amount, paid_for(one, closed)) for one, amount in due.items()]
        found = settle(accounts, pay, bound)
        assert {one.month: one.paid for one in found}.items() <= purse.items()
        for one in found:
            assert one.now + one.owed + one.paid == one.due == due[one.month]
            assert one.owed <= 0  # what is owed to the person is never put off
            assert one.now != 0 or one.owed != 0
            assert (one.now > 0) is (one.due > one.paid)
            purse[one.month] += one.now
        settled = {one.month for one in found}
        assert all(purse[one] == amount for one, amount in due.items() if one not in settled)
        assert sum(one.now for one in found) >= -max(pay, 0) * bound
        if any(one.owed for one in found):  # no more could have been taken
            assert sum(one.now for one in found) - 1 < -max(pay, 0) * bound
        due[month] = purse[month] = pay
        closed.append(ClosedRun(month, pay, found))
    last = settle(
        [Account(one, amount, paid_for(one, closed)) for one, amount in due.items()], 10**9, Fraction(1)
    )
    for one in last:
        purse[one.month] += one.now
    assert purse == due
