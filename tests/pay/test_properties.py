"""Whatever the scheme and the team: no fen is lost or made, and a calculator by other means agrees."""

from __future__ import annotations

import json
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.pay.calculator import Result, calculate
from stream_attr.pay.lines import PoolWhy, RankingWhy, Statement, decode, encode
from stream_attr.pay.reading import encode_scheme, read_scheme
from stream_attr.pay.sharing import shared
from tests.pay.brute_force import Payroll, exact, share_out
from tests.pay.schemes import FIGURES, HEAD
from tests.pay.strategies import NAMES, orders, schemes, teams

many = settings(max_examples=300, deadline=None)


def calculated(scheme, team) -> Result:
    return calculate(read_scheme(json.dumps(scheme).encode(), FIGURES), team)


def amounts_by_component(result: Result) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for statement in result.statements:
        for line in statement.lines:
            found.setdefault(line.component, {})[statement.person_id] = line.amount
    return found


@many
@given(schemes(), teams())
def test_a_calculator_by_other_means_pays_the_same(scheme, team):
    result = calculated(scheme, team)
    payroll = Payroll(scheme, team)
    assert amounts_by_component(result) == payroll.pays()
    for statement in result.statements:
        assert statement.total == sum(line.amount for line in statement.lines)
        [person] = [one for one in team.persons if one.person_id == statement.person_id]
        for line in statement.lines:
            if line.why.__struct_config__.tag == "commission" and team.orders is not None:
                [one] = [one for one in scheme["components"] if one["id"] == line.component]
                bases = payroll.bases(one["of"], person, is_split=payroll.split is not None)
                if one["of"].startswith("sales."):
                    assert {(o.shop_id, o.order_id): o.portion for o in line.orders} == bases
                    assert {(o.shop_id, o.order_id): o.share for o in line.orders} == share_out(
                        line.amount, {key: Fraction(base) for key, base in bases.items()}
                    )


@many
@given(schemes(), teams())
def test_no_fen_is_lost_or_made(scheme, team):
    result = calculated(scheme, team)
    for one in scheme["components"]:
        lines = [
            line for statement in result.statements for line in statement.lines if line.component == one["id"]
        ]
        if one["kind"] == "ranking":
            places = [line.why for line in lines if isinstance(line.why, RankingWhy) and line.why.place]
            assert sum(line.amount for line in lines) == sum(one["prizes"][: len(places)])
        if one["kind"] == "pool":
            assert isinstance(lines[0].why, PoolWhy)
            pot = lines[0].why.pot
            assert sum(line.amount for line in lines) + result.unshared.get(one["id"], 0) == pot
        if one["kind"] in ("commission", "per_unit"):
            for line in lines:
                assert sum(order.share for order in line.orders) == (line.amount if line.orders else 0)
        for line in lines:
            assert abs(line.amount - line.exact) < 1


@many
@given(orders("o"), st.integers(0, 100), st.sampled_from(("sale_month", "refund_month")))
def test_the_parts_of_a_split_order_are_its_money(order, placing, basis):
    scheme = {
        **HEAD,
        "refund_basis": basis,
        "components": [
            {"kind": "split", "id": "s", "placing": f"{placing}%", "payment": f"{100 - placing}%"},
            {
                "kind": "commission",
                "id": "c",
                "of": "sales.net_amount",
                "mode": "whole",
                "tiers": [{"from": 0, "rate": "1%"}],
            },
        ],
    }
    read = read_scheme(json.dumps(scheme).encode(), FIGURES)
    money = order.net_in("2026-11", basis)
    parts = dict(order.split(money, read.components[0]))
    if order.credited is not None or (order.placing and order.payment and not order.is_ruled):
        assert sum(parts.values()) == money
    assert set(parts) <= {order.placing, order.payment, order.credited} - {None}
    if not order.is_ruled and order.placing and order.payment and order.placing != order.payment:
        assert abs(parts[order.placing] - money * Fraction(placing, 100)) < 1


@many
@given(schemes(), teams(), st.randoms(use_true_random=False))
def test_no_order_of_persons_or_orders_matters(scheme, team, random):
    persons, sold = list(team.persons), None if team.orders is None else list(team.orders)
    random.shuffle(persons)
    if sold is not None:
        random.shuffle(sold)
    shuffled = team._replace(persons=tuple(persons), orders=None if sold is None else tuple(sold))
    assert calculated(scheme, team) == calculated(scheme, shuffled)


@settings(max_examples=100, deadline=None)
@given(schemes(), teams())
def test_schemes_and_statements_are_kept_as_bytes(scheme, team):
    read = read_scheme(json.dumps(scheme).encode(), FIGURES)
    assert read_scheme(encode_scheme(read), FIGURES) == read
    statements = calculate(read, team).statements
    kept = encode(statements)
    assert decode(kept, tuple[Statement, ...]) == statements
    assert encode(decode(kept, tuple[Statement, ...])) == kept


@many
@given(
    st.integers(-10_000, 10_000),
    st.dictionaries(st.sampled_from(NAMES), st.integers(-50, 1_000).map(Fraction), max_size=5),
)
def test_shares_are_the_whole(amount, weights):
    shares = shared(amount, weights)
    assert shares == share_out(amount, weights)
    assert sum(shares.values()) == (amount if sum(weights.values()) else 0)
    assert shared(amount, dict(reversed(weights.items()))) == shares


def test_the_other_calculator_reads_numbers_as_they_are_written():
    assert [exact(one) for one in ("0.8%", "1.75", 30)] == [Fraction(8, 1000), Fraction(7, 4), 30]
