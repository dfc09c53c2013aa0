"""The one table of figures: of the record, and what derives from it."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.contract.records import agent_daily
from stream_attr.errors import UnusableError
from stream_attr.ledger import figures
from stream_attr.ledger.asked import Way, asked, measures_of
from stream_attr.ledger.figures import FIGURES, MEASURES, UNTIL, Range, add, has_range, range_of, until
from stream_attr.ledger.formulas import Kind, Mean, Most, Ratio, Total, value


def test_every_figure_of_the_record_is_there_by_its_names() -> None:
    for group, of_group in agent_daily.FIGURES.items():
        for name, meta in of_group.items():
            figure = FIGURES[f"{group}.{name}"]
            assert figure.name.chinese == meta.title
            assert figure.group == group
    sums = [
        f"{group}.{name}"
        for group, of_group in agent_daily.FIGURES.items()
        for name in of_group
        if isinstance(agent_daily.made(group, name), agent_daily.Sum)
    ]
    assert list(MEASURES) == sums


def test_every_formula_is_over_measures() -> None:
    for figure in FIGURES.values():
        assert {key for key in figure.formula if key is not None} <= set(MEASURES), figure.key


def test_whether_more_is_better_is_said_of_figures_that_exist() -> None:
    assert FIGURES.keys() >= figures._LESS_IS_BETTER
    assert FIGURES.keys() >= figures._NEITHER
    assert not figures._LESS_IS_BETTER & figures._NEITHER
    assert FIGURES["inquiries.lost"].more_is_better is False
    assert FIGURES["sales.amount"].more_is_better is True
    assert FIGURES["workload.consults"].more_is_better is None


@pytest.mark.parametrize("language", [0, 1])
def test_a_name_is_of_one_figure(language: int) -> None:
    names = Counter(figure.name[language] for figure in FIGURES.values())
    assert [name for name, times in names.items() if times > 1] == []


def test_there_are_more_than_200_with_their_ways() -> None:
    found = 0
    for key in FIGURES:
        for way in Way:
            try:
                (one,) = asked([f"{key}:{way}" if way else key])
            except UnusableError:
                assert way in (Way.SHARE, Way.LOW, Way.HIGH)
                continue
            assert one.name.english
            assert one.name.chinese
            found += 1
    assert found > 200


numbers = st.integers(0, 10**12)
days = st.lists(st.fixed_dictionaries(dict.fromkeys(MEASURES, numbers)), min_size=1, max_size=4)


@settings(deadline=None, max_examples=30)
@given(days)
def test_of_several_days_sums_are_divided_by_sums(some: list[dict[str, Any]]) -> None:
    sums: dict[str, int | None] = {}
    for one in some:
        add(sums, one)
    total = {key: sum(one[key] for one in some) for key in MEASURES}
    for figure in FIGURES.values():
        found = value(figure.formula, sums)
        match figure.formula:
            case Most(of):
                assert found == max(one[of] for one in some)
            case Total(of, less):
                assert found == total[of] - (total[less] if less else 0)
            case Ratio(part, whole, less) | Mean(part, whole, less):
                above = total[part] - (total[less] if less else 0)
                if not total[whole]:
                    assert found is None
                elif isinstance(figure.formula, Mean):
                    exact = Fraction(above, total[whole])
                    assert found is not None
                    assert -Fraction(1, 2) < Fraction(found) - exact <= Fraction(1, 2)
                else:
                    assert found == round(above / total[whole], 4)


def test_a_mean_of_two_days_is_no_mean_of_means() -> None:
    sums: dict[str, int | None] = {}
    add(sums, {"workload.first_response_ms_sum": 1_000, "workload.first_responses": 1})
    add(sums, {"workload.first_response_ms_sum": 9_000, "workload.first_responses": 3})
    assert value(FIGURES["workload.first_response_ms"].formula, sums) == 2_500


def test_what_is_missing_is_not_zero() -> None:
    sums: dict[str, int | None] = {}
    add(sums, {"silent.amount": None})
    assert value(FIGURES["silent.amount"].formula, sums) is None
    add(sums, {"silent.amount": 5})
    add(sums, {"silent.amount": None})
    assert value(FIGURES["silent.amount"].formula, sums) == 5


@pytest.mark.parametrize(
    ("now", "then", "points"), [((30, 40), (20, 40), 0.25), ((1, 40), (0, 40), 0.025), ((1, 3), (0, 0), None)]
)
def test_a_rate_changes_by_percentage_points(
    now: tuple[int, int], then: tuple[int, int], points: float | None
) -> None:
    [change] = asked(["workload.unreplied_rate:change"])
    own, before = ({"workload.unreplied": part, "workload.receptions": whole} for part, whole in (now, then))
    assert change.value(own, {}, before) == points
    assert change.kind is Kind.POINTS
    [ratio] = asked(["workload.answer_question_ratio:change"])
    assert ratio.kind is Kind.RATE


MEASURED = {
    "inquiries.inquiries": 20,
    "inquiries.ordered": 8,
    "inquiries.open": 3,
    "inquiries.lost": 9,
    "payments.paid": 4,
    "payments.payment_lost": 1,
    "sales.amount": 900,
    "sales.buyers": 5,
    "refunds.completed": 100,
    "pending.paid": 200,
    "pending.open": 50,
}
LATER = {UNTIL["inquiries"]: 30, UNTIL["payments"]: 31, UNTIL["sales"]: 40}


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("inquiries.inquiries", Range(20, 20)),
        ("inquiries.lost", Range(9, 12)),
        ("inquiries.open", Range(0, 3)),
        ("inquiries.decided", Range(17, 20)),
        ("inquiries.inquiry_to_order", Range(0.4, 0.55)),
        ("payments.paid", Range(4, 10)),
        ("payments.payment_lost", Range(1, 7)),
        ("payments.inquiry_to_payment", Range(0.2, 0.5)),
        ("payments.order_to_payment", None),
        ("sales.amount", Range(700, 950)),
        ("sales.net_amount", Range(600, 850)),
        ("sales.amount_per_buyer", None),
        ("refunds.completed", None),
    ],
)
def test_between_what_a_figure_can_still_come_to_lie(key: str, found: Range | None) -> None:
    assert range_of(FIGURES[key].formula, {**MEASURED, **LATER}) == found
    assert range_of(FIGURES[key].formula, MEASURED) is None, "all of it is final"
    if found is not None:
        assert has_range(FIGURES[key].formula)


def test_of_a_number_that_moves_in_an_unknown_way_there_is_no_range() -> None:
    moving = {**MEASURED, **LATER, UNTIL["refunds"]: 41}
    assert range_of(FIGURES["sales.net_amount"].formula, moving) is None
    assert until(FIGURES["sales.net_amount"].formula, moving) == 41
    assert until(FIGURES["payments.inquiry_to_payment"].formula, moving) == 31
    assert until(FIGURES["workload.receptions"].formula, moving) is None


def test_figures_are_asked_for_by_key_and_by_either_name() -> None:
    by_key, by_english, by_chinese = asked(["sales.amount", "sales amount", "销售额"])
    assert by_key == by_english == by_chinese
    share, before, change = asked(["销售额:share", "sales.amount:before", "sales.amount:change"])
    own, shop, then = {"sales.amount": 150}, {"sales.amount": 600}, {"sales.amount": 200}
    assert share.value(own, shop, then) == 0.25
    assert before.value(own, shop, then) == 200
    assert change.value(own, shop, then) == -0.25
    assert change.value(own, shop, {"sales.amount": 0}) is None
    assert change.value(own, shop, None) is None
    assert change.kind is Kind.RATE
    assert measures_of(asked(["refunds.rate", "sales.amount"])) == ("sales.amount", "refunds.completed")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sales.amout", "'sales.amout' is no figure; like it are sales.amount"),
        ("§§§", "'§§§' is no figure; there are workload.consults, "),
        (
            "sales.amount:half",
            "'sales.amount:half': a figure can be asked for with one of these behind a colon: ",
        ),
        ("satisfaction:share", "workload.satisfaction does not add up"),
    ],
)
def test_what_is_no_figure_is_refused(name: str, message: str) -> None:
    with pytest.raises(UnusableError, match=message.replace(".", r"\.")):
        asked([name])
