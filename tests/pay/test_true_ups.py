"""True-ups: now + still owed + already paid = due, whatever changes after a month was closed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.pay.lines import Statement, encode
from stream_attr.pay.team import Order
from stream_attr.pay.true_ups import (
    Account,
    Change,
    ClosedRun,
    OrderChange,
    TrueUp,
    changes,
    paid_for,
    settle,
)
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
    later = [Account("2026-09", 30_000, 0), Account("2026-10", 0, 80_000)]
    assert [one.now for one in settle(later, 100_000, FIFTH)] == [30_000, -50_000]


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


def test_a_true_up_names_the_orders_that_changed():
    scheme = scheme_of(
        {
            "kind": "commission",
            "of": "sales.net_amount",
            "mode": "whole",
            "tiers": [{"from": 0, "rate": "1%"}],
        }
    )
    kept, refunded, ruled, gone = (
        Order("jd:1", f"o-{number}", "2026-11-05", 10_000 * number, "p-1") for number in range(1, 5)
    )
    [before] = paid(scheme, person_of(), orders=(kept, refunded, gone)).statements
    later = (
        kept,
        refunded._replace(refunds=(("2026-12-24", 5_000),)),
        ruled,
        gone._replace(credited="p-2"),
    )
    [after] = paid(scheme, person_of(), orders=later).statements
    assert changes(before, after) == [
        Change(
            "commission",
            700,
            550,
            (
                OrderChange("jd:1", "o-2", 20_000, 15_000),
                OrderChange("jd:1", "o-3", 0, 30_000),
                OrderChange("jd:1", "o-4", 40_000, 0),
            ),
        )
    ]


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


_BONUS = {
    "kind": "ranking",
    "by": "sales.net_amount",
    "prizes": [500, 201],
    "least": {"figure": "sales.net_amount", "at": 1},
}
_TIERS = [{"from": 0, "rate": "0.5%"}, {"from": 20_000, "rate": "1.25%"}]
_COMMISSION = {"kind": "commission", "of": "sales.net_amount", "mode": "marginal", "tiers": _TIERS}
_PEOPLE = ("a", "b", "c")
_facts = st.tuples(
    st.integers(0, 5),  # which order
    st.sampled_from((*_PEOPLE, None)),  # a ruling: whose it is
    st.none() | st.tuples(st.integers(1, 5), st.integers(1, 9_999)),  # a refund: in which month, how much
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 30_000), st.sampled_from(_PEOPLE)), min_size=1, max_size=6
    ),
    st.lists(st.lists(_facts, max_size=3), min_size=5, max_size=5),
    st.sampled_from(("sale_month", "refund_month")),
)
def test_orders_that_change_after_closing_are_made_good_and_closed_statements_stay(sold, facts, basis):
    scheme = {**scheme_of(_COMMISSION, _BONUS, {"kind": "floor", "amount": 90}), "refund_basis": basis}
    orders = [
        Order("jd:1", f"o-{number}", f"2026-{month:02}-05", amount, person)
        for number, (month, amount, person) in enumerate(sold)
    ]
    closed: dict[str, list[ClosedRun]] = {name: [] for name in _PEOPLE}
    kept: list[tuple[bytes, tuple[Statement, ...]]] = []
    handed_over = dict.fromkeys(_PEOPLE, 0)

    def statements(month: str) -> dict[str, Statement]:
        known = tuple(one for one in orders if one.paid_day[:7] <= month)
        persons = [person_of(name, employed=28) for name in _PEOPLE]
        found = paid(scheme, *persons, orders=known, month=month).statements
        return {one.person_id: one for one in found}

    for number, news in enumerate(facts, 1):
        month = f"2026-{number:02}"
        for place, ruled, refund in news:
            one = orders[place % len(orders)]
            if refund is None:
                orders[place % len(orders)] = one._replace(credited=ruled, is_ruled=True)
            else:
                day = f"2026-{max(refund[0], int(one.paid_day[5:7])):02}-20"
                orders[place % len(orders)] = one._replace(refunds=(*one.refunds, (day, refund[1])))
        own = statements(month)
        kept.append((encode(tuple(own.values())), tuple(own.values())))
        due_now = {earlier: statements(f"2026-{earlier:02}") for earlier in range(1, number)}
        for name in _PEOPLE:
            accounts = [
                Account(
                    f"2026-{earlier:02}",
                    found[name].total,
                    paid_for(f"2026-{earlier:02}", closed[name]),
                )
                for earlier, found in due_now.items()
            ]
            true_ups = settle(accounts, own[name].total, Fraction(1, 5) if number < 5 else Fraction(10**6))
            assert all(one.now + one.owed + one.paid == one.due for one in true_ups)
            assert sum(one.now for one in true_ups) >= -own[name].total or number == 5
            handed_over[name] += own[name].total + sum(one.now for one in true_ups)
            closed[name].append(ClosedRun(month, own[name].total, true_ups))
    assert all(encode(found) == as_closed for as_closed, found in kept)
    for name in _PEOPLE:  # the last run took whatever there was
        assert handed_over[name] == sum(statements(f"2026-{number:02}")[name].total for number in range(1, 6))
