"""The worked figures that must come out, and every kind of component by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stream_attr.errors import StreamAttrError
from stream_attr.pay.lines import (
    CommissionWhy,
    FactorWhy,
    FloorWhy,
    PoolWhy,
    ProbationWhy,
    RankingWhy,
    ScoreWhy,
    Statement,
    TierPart,
    decode,
    encode,
)
from stream_attr.pay.sharing import rounded, shared
from stream_attr.pay.team import Order
from tests.pay.schemes import amounts_of, lines_of, paid, person_of, scheme_of

TIERS = [
    {"from": 0, "rate": "0.5%"},
    {"from": 3_000_000, "rate": "0.8%"},
    {"from": 8_000_000, "rate": "1.2%"},
]
BASE = {"kind": "fixed", "id": "base", "amount": 400_000}


def commission(**fields):
    return {"kind": "commission", "of": "sales.net_amount", "mode": "marginal", "tiers": TIERS, **fields}


def one_line(component, *, orders=None, **person):
    result = paid(scheme_of(component), person_of(**person), orders=orders)
    return lines_of(result)[component.get("id", component["kind"])]


def order(order_id, amount, credited="p-1", **more):
    return Order("jd:1", order_id, more.pop("day", "2026-11-05"), amount, credited, **more)


# Rounding and sharing


@pytest.mark.parametrize(
    ("exact", "amount"),
    [("1/2", 1), ("-1/2", -1), ("49/100", 0), ("-49/100", 0), ("3/2", 2), ("-5/2", -3), ("7", 7), ("0", 0)],
)
def test_a_half_is_rounded_away_from_zero(exact, amount):
    assert rounded(Fraction(exact)) == amount


def test_the_largest_remainders_get_what_is_left():
    assert shared(100, {"a": 1, "b": 1, "c": 1}) == {"a": 34, "b": 33, "c": 33}
    assert shared(10, {"a": 14, "b": 16, "c": 70}) == {"a": 1, "b": 2, "c": 7}  # 1.4, 1.6, 7.0


def test_ties_go_to_the_smaller_id_by_code_point_whatever_the_order():
    assert shared(1, {"b": 1, "B": 1}) == {"b": 0, "B": 1}
    assert shared(1, {"乙": 1, "z": 1}) == {"乙": 0, "z": 1}
    assert shared(1, {"p-2": 1, "p-10": 1}) == {"p-2": 0, "p-10": 1}


def test_shares_of_a_negative_amount_are_the_negated_ones():
    weights = {"a": 1, "b": 1, "c": 5}
    assert shared(-11, weights) == {one: -share for one, share in shared(11, weights).items()}


def test_weights_below_zero_take_and_the_sum_stays():
    assert shared(100, {"sale": 300, "refund": -100}) == {"sale": 150, "refund": -50}
    assert shared(1, {"sale": 3, "refund": -1}) == {
        "sale": 1,
        "refund": 0,
    }  # 1.5 and -0.5: a tie of remainders
    assert shared(100, {"a": 1, "b": -1}) == {"a": 0, "b": 0}


# Commission


def test_marginal_85_000_50():
    line = one_line(commission(), sales__net_amount=8_500_050)
    assert line.amount == 61_001
    assert line.exact == Fraction(610_006, 10)
    why = line.why
    assert isinstance(why, CommissionWhy)
    assert why.parts == (
        TierPart(Fraction(0), Fraction(3_000_000), Fraction(5, 1000), Fraction(15_000)),
        TierPart(Fraction(3_000_000), Fraction(5_000_000), Fraction(8, 1000), Fraction(40_000)),
        TierPart(Fraction(8_000_000), Fraction(500_050), Fraction(12, 1000), Fraction(60_006, 10)),
    )
    assert why.next_from is None


def test_whole_85_000_50():
    assert one_line(commission(mode="whole"), sales__net_amount=8_500_050).amount == 102_001


@pytest.mark.parametrize(
    ("money", "marginal", "whole"),
    [
        (2_999_999, 15_000, 15_000),
        (3_000_000, 15_000, 24_000),
        (3_000_001, 15_000, 24_000),
        (8_000_000, 55_000, 96_000),
        (0, 0, 0),
        (99, 0, 0),  # 0.495 fen
        (100, 1, 1),  # half a fen
        (-100, -1, -1),
        (-99, 0, 0),
    ],
)
def test_a_tier_holds_from_its_first_fen_on(money, marginal, whole):
    assert one_line(commission(), sales__net_amount=money).amount == marginal
    assert one_line(commission(mode="whole"), sales__net_amount=money).amount == whole


@pytest.mark.parametrize("mode", ["marginal", "whole"])
@pytest.mark.parametrize("money", [999_999, -5])
def test_below_the_first_tier_nothing_is_paid_or_taken(mode, money):
    line = one_line(commission(mode=mode, tiers=[{"from": 1_000_000, "rate": "1%"}]), sales__net_amount=money)
    assert line.amount == 0
    assert line.why.next_from == 1_000_000


def test_another_figure_may_pick_the_tier():
    by = commission(
        mode="whole",
        by="attainment.sales.net_amount",
        tiers=[{"from": "0%", "rate": "0.5%"}, {"from": "100%", "rate": "1%"}],
    )
    reached = {"sales__net_amount": 1_000_000, "attainment__sales__net_amount": Fraction(1)}
    assert one_line(by, **reached).amount == 10_000
    missed = one_line(by, **{**reached, "attainment__sales__net_amount": Fraction(9999, 10000)})
    assert (missed.amount, missed.why.next_from) == (5_000, 1)
    assert one_line(by, **{**reached, "attainment__sales__net_amount": None}).amount == 0


@pytest.mark.parametrize(("receptions", "amount"), [(99, 0), (100, 5_000), (101, 5_000), (None, 0)])
def test_nothing_is_paid_before_the_least_is_reached(receptions, amount):
    least = commission(least={"figure": "workload.receptions", "at": 100})
    line = one_line(least, sales__net_amount=1_000_000, workload__receptions=receptions)
    assert line.amount == amount
    assert line.why.least.is_reached is (amount > 0)
    assert bool(line.why.parts) is (amount > 0)


# The other kinds


def test_base_pay_by_days():
    prorated = {**BASE, "prorate": "days"}
    assert one_line(prorated, employed=30).amount == 400_000
    assert one_line(prorated, employed=7).amount == 93_333  # 933.333
    assert one_line(prorated, employed=8).amount == 106_667  # 1,066.666
    assert one_line(prorated, employed=0).amount == 0
    assert one_line(BASE, employed=1).amount == 400_000
    assert one_line(BASE, employed=0).amount == 0


def test_days_are_those_of_the_month():
    february = paid(scheme_of({**BASE, "prorate": "days"}), person_of(employed=7), month="2028-02")
    assert amounts_of(february, "base") == {"p-1": 96_552}  # 7 / 29 of 4,000.00 is 965.517…


def test_probation_is_paid_by_its_days():
    half = {**BASE, "prorate": "days", "probation": "80%"}
    line = one_line(half, employed=20, probation=5)
    assert line.amount == 253_333  # 4,000.00 × (5 × 0.8 + 15) / 30
    assert line.why.probation == ProbationWhy(Fraction(8, 10), 5, 20)
    assert one_line(commission(probation="80%"), probation=30, sales__net_amount=1_000_000).amount == 4_000
    assert one_line(commission(probation="80%"), probation=15, sales__net_amount=1_000_000).amount == 4_500
    assert (
        one_line(commission(probation="80%"), probation=0, sales__net_amount=1_000_000).why.probation is None
    )


def test_so_much_for_each_order():
    each = {"kind": "per_unit", "of": "sales.orders", "amount": 150}
    assert one_line(each, sales__orders=37).amount == 5_550
    assert one_line(each, sales__orders=None).amount == 0


@pytest.mark.parametrize(
    ("rate", "amount", "above"),
    [("2999/10000", 0, "3/10"), ("3/10", 20_000, "2/5"), ("2/5", 50_000, None), (None, 0, "3/10")],
)
def test_the_last_step_that_is_reached_is_paid(rate, amount, above):
    steps = {
        "kind": "steps",
        "of": "inquiries.inquiry_to_order",
        "steps": [{"from": "30%", "amount": 20_000}, {"from": "40%", "amount": 50_000}],
    }
    line = one_line(steps, inquiries__inquiry_to_order=None if rate is None else Fraction(rate))
    assert line.amount == amount
    assert line.why.next_from == (None if above is None else Fraction(above))


SCORE = {
    "kind": "score",
    "id": "kpi",
    "amount": 100_000,
    "items": [
        {
            "figure": "workload.first_response_ms",
            "weight": "40%",
            "less_is_better": True,
            "bands": [{"from": 60_000, "points": 60}, {"from": 30_000, "points": 100}],
        },
        {
            "figure": "workload.satisfaction",
            "weight": "60%",
            "bands": [{"from": "80%", "points": 70}, {"from": "95%", "points": 100}],
        },
    ],
}


@pytest.mark.parametrize(
    ("response", "satisfaction", "points", "amount"),
    [
        (30_000, "95/100", 100, 100_000),
        (30_001, "95/100", 84, 84_000),  # 0.4 × 60 + 0.6 × 100
        (60_000, "94/100", 66, 66_000),  # 0.4 × 60 + 0.6 × 70
        (60_001, "94/100", 42, 42_000),
        (60_001, "79/100", 0, 0),
        (30_000, None, 100, 100_000),  # no ratings: the other item alone
        (None, "94/100", 70, 70_000),
        (None, None, None, 0),
    ],
)
def test_points_pay_in_proportion(response, satisfaction, points, amount):
    figures = {
        "workload__first_response_ms": response,
        "workload__satisfaction": None if satisfaction is None else Fraction(satisfaction),
    }
    line = one_line(SCORE, **figures)
    assert isinstance(line.why, ScoreWhy)
    assert (line.why.score, line.amount) == (points, amount)


def test_a_score_can_pick_a_factor():
    scheme = scheme_of(
        SCORE,
        commission(),
        {
            "kind": "factor",
            "on": ["commission"],
            "by": "score.kpi",
            "tiers": [
                {"from": 0, "rate": "80%"},
                {"from": 70, "rate": "100%"},
                {"from": 100, "rate": "120%"},
            ],
        },
    )
    lines = lines_of(
        paid(
            scheme,
            person_of(
                sales__net_amount=8_500_050,
                workload__first_response_ms=1,
                workload__satisfaction=Fraction(1),
            ),
        )
    )
    assert lines["factor"].amount == 12_200  # a fifth of 610.01 is 122.002
    why = lines["factor"].why
    assert isinstance(why, FactorWhy)
    assert (why.on, why.before, why.rate) == (("commission",), 61_001, Fraction(12, 10))


PRIZES = {"kind": "ranking", "by": "sales.net_amount", "prizes": [50_000, 30_000, 10_001]}


def ranked(component=PRIZES, **money):
    persons = [person_of(name, sales__net_amount=value) for name, value in money.items()]
    return amounts_of(paid(scheme_of(component), *persons), "ranking")


def test_two_tied_for_second_share_the_prizes_of_both_places():
    assert ranked(a=900, b=500, c=500, d=100) == {"a": 50_000, "b": 20_001, "c": 20_000, "d": 0}


def test_ties_share_whatever_places_they_have():
    assert ranked(a=5, b=5) == {"a": 40_000, "b": 40_000}
    assert ranked(a=5, b=5, c=5, d=5) == {"a": 22_501, "b": 22_500, "c": 22_500, "d": 22_500}  # 90,001
    assert ranked(a=9, b=8, c=5, d=5) == {"a": 50_000, "b": 30_000, "c": 5_001, "d": 5_000}
    assert ranked(a=9) == {"a": 50_000}


def test_who_has_no_value_or_is_not_employed_is_not_ranked():
    persons = [
        person_of("a", sales__net_amount=None),
        person_of("b", sales__net_amount=7, employed=0),
        person_of("c", sales__net_amount=-7),
    ]
    result = paid(scheme_of(PRIZES), *persons)
    assert amounts_of(result, "ranking") == {"a": 0, "b": 0, "c": 50_000}
    why = lines_of(result, "a")["ranking"].why
    assert isinstance(why, RankingWhy)
    assert (why.place, why.prizes) == (None, ())


def test_the_least_value_may_be_the_first_and_something_has_to_be_reached():
    fastest = {
        "kind": "ranking",
        "by": "workload.first_response_ms",
        "prizes": [100],
        "less_is_better": True,
        "least": {"figure": "workload.receptions", "at": 10},
    }
    persons = [
        person_of("a", workload__first_response_ms=1_000, workload__receptions=9),
        person_of("b", workload__first_response_ms=2_000, workload__receptions=10),
        person_of("c", workload__first_response_ms=3_000, workload__receptions=99),
    ]
    assert amounts_of(paid(scheme_of(fastest), *persons), "ranking") == {"a": 0, "b": 100, "c": 0}


POOL = {"kind": "pool", "of": "sales.net_amount", "rate": "0.3%", "by": "workload.receptions"}


def test_a_pot_is_shared_to_the_last_fen():
    persons = [
        person_of(name, sales__net_amount=money, workload__receptions=number)
        for name, money, number in (("a", 100_000, 1), ("b", 33_333, 1), ("c", 0, 1), ("d", 0, None))
    ]
    result = paid(scheme_of(POOL), *persons)
    assert amounts_of(result, "pool") == {"a": 134, "b": 133, "c": 133, "d": 0}  # 0.3% of 1,333.33 is 4.00
    assert result.unshared == {}
    why = lines_of(result, "b")["pool"].why
    assert isinstance(why, PoolWhy)
    assert (why.money.value, why.pot, why.of_all) == (Fraction(133_333), 400, Fraction(3))


def test_a_pot_can_be_of_what_the_shop_alone_has():
    silent = {**POOL, "of": "silent.amount", "rate": "1%"}
    persons = [person_of("a", workload__receptions=2), person_of("b", workload__receptions=1)]
    result = paid(scheme_of(silent), *persons, team={"silent.amount": 10_000})
    assert amounts_of(result, "pool") == {"a": 67, "b": 33}


def test_a_pot_of_what_nobody_has_is_not_taken_as_empty():
    silent = {**POOL, "of": "silent.amount"}
    with pytest.raises(StreamAttrError, match=r"no person has the figure silent\.amount"):
        paid(scheme_of(silent), person_of(workload__receptions=2, silent__amount=None))
    found = paid(scheme_of(silent), person_of(workload__receptions=2), team={"silent.amount": None})
    assert amounts_of(found, "pool") == {"p-1": 0}


def test_a_pot_in_which_nobody_has_a_share_is_named():
    result = paid(scheme_of(POOL), person_of(sales__net_amount=100_000, workload__receptions=0))
    assert amounts_of(result, "pool") == {"p-1": 0}
    assert result.unshared == {"pool": 300}


def test_the_pot_of_money_below_zero_is_empty():
    result = paid(scheme_of(POOL), person_of(sales__net_amount=-100_000, workload__receptions=1))
    assert (amounts_of(result, "pool"), result.unshared) == ({"p-1": 0}, {})


# Factor, cap, floor: in the order given


def changed(*components, money=8_500_050, **person):
    result = paid(scheme_of(BASE, commission(), *components), person_of(sales__net_amount=money, **person))
    return {name: line.amount for name, line in lines_of(result).items()}


FACTOR = {"kind": "factor", "on": ["commission"], "rate": "120%"}
CAP = {"kind": "cap", "on": ["commission"], "amount": 70_000}
FLOOR = {"kind": "floor", "amount": 480_000}


def test_a_factor_before_a_cap_is_capped_and_one_after_it_is_not():
    assert changed(FACTOR, CAP) == {"base": 400_000, "commission": 61_001, "factor": 12_200, "cap": -3_201}
    assert changed(CAP, FACTOR) == {"base": 400_000, "commission": 61_001, "cap": 0, "factor": 12_200}


def test_a_floor_fills_up_all_that_stands_before_it():
    assert changed(CAP, FACTOR, FLOOR)["floor"] == 480_000 - 400_000 - 61_001 - 12_200
    assert changed({**FLOOR, "amount": 461_001})["floor"] == 0
    assert changed({**FLOOR, "amount": 461_002})["floor"] == 1


def test_a_floor_may_be_by_days_and_needs_one():
    prorated = {**FLOOR, "prorate": "days", "on": ["commission"], "amount": 300_000}
    result = paid(scheme_of(commission(), prorated), person_of(sales__net_amount=0, employed=10))
    line = lines_of(result)["floor"]
    assert line.amount == 100_000
    assert isinstance(line.why, FloorWhy)
    gone = paid(scheme_of(commission(), FLOOR), person_of(sales__net_amount=0, employed=0))
    assert amounts_of(gone, "floor") == {"p-1": 0}


def test_a_cap_leaves_what_is_below_it():
    assert changed({**CAP, "amount": 61_001})["cap"] == 0
    assert changed({**CAP, "amount": 61_000})["cap"] == -1
    assert changed(CAP, money=-8_500_050)["cap"] == 0


# Orders


THREE = (order("o-1", 1_234_567), order("o-2", 999_999), order("o-3", 6_265_484))


def test_a_commission_is_shared_over_its_orders():
    line = one_line(commission(), orders=THREE)
    assert line.amount == 61_001
    assert [(one.order_id, one.portion, one.share) for one in line.orders] == [
        ("o-1", 1_234_567, 8_860),
        ("o-2", 999_999, 7_177),
        ("o-3", 6_265_484, 44_964),
    ]


def test_pay_per_order_is_shared_over_them():
    each = {"kind": "per_unit", "of": "sales.orders", "amount": 150}
    assert [one.share for one in one_line(each, orders=THREE).orders] == [150, 150, 150]


def test_figures_have_to_be_those_of_the_orders():
    with pytest.raises(
        StreamAttrError, match=r"^2026-11, p-1: sales.amount is 8500049, and the orders add up"
    ):
        one_line(commission(), orders=THREE, sales__amount=8_500_049)
    assert one_line(commission(), orders=THREE, sales__amount=8_500_050, sales__orders=3).amount == 61_001


def test_a_missing_figure_and_what_is_there_twice_are_named():
    with pytest.raises(StreamAttrError, match=r"p-1: figure sales\.net_amount is missing"):
        one_line(commission())
    with pytest.raises(StreamAttrError, match=r"order o-1 of jd:1 is there twice"):
        one_line(commission(), orders=(*THREE, THREE[0]))
    with pytest.raises(StreamAttrError, match="p-1 is there twice"):
        paid(scheme_of(BASE), person_of(), person_of())


@pytest.mark.parametrize(("employed", "probation"), [(31, 0), (-1, 0), (5, 6), (5, -1)])
def test_days_have_to_be_days_of_the_month(employed, probation):
    with pytest.raises(
        StreamAttrError, match=r"p-1: -?\d days of probation and -?\d+ of employment do not go"
    ):
        paid(scheme_of(BASE), person_of(employed=employed, probation=probation))


REFUNDED = (
    order("o-1", 1_000_000, refunds=(("2026-11-20", 200_000), ("2026-12-02", 50_000))),
    order("o-2", 500_000, day="2026-10-31", refunds=(("2026-11-01", 100_000),)),
)


@pytest.mark.parametrize(
    ("basis", "money", "orders"),
    [
        ("sale_month", 750_000, ["o-1"]),  # all of the November sale's refunds, none of October's
        ("refund_month", 700_000, ["o-1", "o-2"]),  # November's refunds, of whichever sale
    ],
)
def test_refunds_count_in_the_month_of_the_sale_or_in_their_own(basis, money, orders):
    scheme = scheme_of(commission(tiers=[{"from": 0, "rate": "1%"}]), refund_basis=basis)
    line = lines_of(paid(scheme, person_of(), orders=REFUNDED))["commission"]
    assert (line.why.figure.value, line.amount) == (money, money // 100)
    assert [one.order_id for one in line.orders] == orders
    assert sum(one.share for one in line.orders) == line.amount


def test_under_the_refund_basis_the_report_s_figure_has_to_agree():
    scheme = scheme_of(commission(), refund_basis="refund_month")
    with pytest.raises(StreamAttrError, match=r"sales\.net_amount is 1, and the orders add up to 700000"):
        paid(scheme, person_of(sales__net_amount=1), orders=REFUNDED)


# Split


SPLIT = {"kind": "split", "placing": "30%", "payment": "70%"}


def halves(*orders, **head):
    """What each of a, b and c has of the orders' money."""
    scheme = scheme_of(SPLIT, commission(tiers=[{"from": 0, "rate": "100%"}]), **head)
    return amounts_of(paid(scheme, *(person_of(name) for name in "abc"), orders=orders), "commission")


@pytest.mark.parametrize(
    ("placing", "payment", "credited", "a", "b", "c"),
    [
        ("a", "b", "b", 3_000, 6_999, 0),  # 29.997 and 69.993: the larger remainder gets the fen
        ("a", "a", "a", 9_999, 0, 0),
        (None, "b", "b", 0, 9_999, 0),  # silent, brought to payment
        ("a", None, "a", 9_999, 0, 0),
        (None, None, "c", 0, 0, 9_999),  # followed up
        (None, "b", None, 0, 6_999, 0),  # nobody's credit: the part without agent is nobody's
        (None, None, None, 0, 0, 0),
        ("a", "x", "x", 3_000, 0, 0),  # somebody who is paid by another scheme
    ],
)
def test_an_order_s_money_is_split(placing, payment, credited, a, b, c):
    found = halves(order("o-1", 9_999, credited, placing=placing, payment=payment))
    assert found == {"a": a, "b": b, "c": c}


def test_half_a_fen_goes_to_the_smaller_id():
    scheme = scheme_of(
        {"kind": "split", "placing": "50%", "payment": "50%"},
        commission(tiers=[{"from": 0, "rate": "100%"}]),
    )
    found = paid(
        scheme, person_of("a"), person_of("b"), orders=(order("o", 1, "a", placing="b", payment="a"),)
    )
    assert amounts_of(found, "commission") == {"a": 1, "b": 0}


@pytest.mark.parametrize(("credited", "a", "c"), [("c", 0, 9_999), (None, 0, 0)])
def test_what_a_person_ruled_is_not_split(credited, a, c):
    found = halves(order("o-1", 9_999, credited, placing="a", payment="b", is_ruled=True))
    assert found == {"a": a, "b": 0, "c": c}


def test_refunds_are_split_as_their_sale():
    whole = order("o-1", 9_999, "b", placing="a", payment="b")
    assert halves(whole._replace(refunds=(("2026-11-09", 9_999),))) == {"a": 0, "b": 0, "c": 0}
    later = whole._replace(paid_day="2026-10-09", refunds=(("2026-11-09", 9_999),))
    assert halves(later, refund_basis="refund_month") == {"a": -3_000, "b": -6_999, "c": 0}


def test_other_kinds_go_by_credit():
    scheme = scheme_of(SPLIT, commission(), {"kind": "per_unit", "of": "sales.orders", "amount": 100})
    found = paid(
        scheme, person_of("a"), person_of("b"), orders=(order("o", 100, "b", placing="a", payment="b"),)
    )
    assert amounts_of(found, "per_unit") == {"a": 0, "b": 100}
    assert lines_of(found, "a")["commission"].why.split == (Fraction(3, 10), Fraction(7, 10))


# Statements


def test_statements_are_the_same_bytes_and_come_back():
    scheme = scheme_of(BASE, SPLIT, commission(probation="80%"), SCORE, PRIZES, POOL, FACTOR, CAP, FLOOR)
    persons = [
        person_of(
            name,
            probation=5,
            workload__first_response_ms=None,
            workload__satisfaction=Fraction(1, 3),
            workload__receptions=7,
        )
        for name in "ab"
    ]
    found = paid(scheme, *persons, orders=(order("o", 99_999, "b", placing="a", payment="b"),)).statements
    assert decode(encode(found), tuple[Statement, ...]) == found
    assert encode(found) == encode(decode(encode(found), tuple[Statement, ...]))
    assert [line.component for line in found[0].lines] == [
        *("base", "commission", "kpi", "ranking", "pool", "factor", "cap", "floor"),
    ]
