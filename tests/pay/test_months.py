"""Which days, which version, and whom the manager is told of."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from stream_attr.errors import UnusableError
from stream_attr.pay.employment import Employment, days_of_month
from stream_attr.pay.reading import read_scheme
from stream_attr.pay.versions import scheme_of as version_of
from tests.pay.schemes import FIGURES, paid, person_of, scheme_of


@pytest.mark.parametrize(
    ("month", "days"), [("2026-02", 28), ("2028-02", 29), ("2026-11", 30), ("2026-12", 31)]
)
def test_a_month_has_its_days(month, days):
    assert days_of_month(month) == days


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "2026", "2026-11-01", "x"])
def test_what_is_no_month_is_none(month):
    with pytest.raises(ValueError, match=r"month|date"):
        days_of_month(month)


@pytest.mark.parametrize(
    ("employment", "days"),
    [
        (Employment("2020-01-01"), (30, 0)),
        (Employment("2026-11-01"), (30, 0)),
        (Employment("2026-11-02"), (29, 0)),
        (Employment("2026-11-30"), (1, 0)),
        (Employment("2026-12-01"), (0, 0)),
        (Employment("2020-01-01", "2026-10-31"), (0, 0)),
        (Employment("2020-01-01", "2026-11-01"), (1, 0)),
        (Employment("2020-01-01", "2026-11-30"), (30, 0)),
        (Employment("2026-11-10", "2026-11-19"), (10, 0)),
        (Employment("2026-11-10", None, "2026-11-19"), (21, 10)),
        (Employment("2026-10-10", None, "2026-11-01"), (30, 1)),
        (Employment("2026-10-10", None, "2026-10-31"), (30, 0)),
        (Employment("2026-10-10", None, "2027-10-31"), (30, 30)),
        (Employment("2026-11-10", "2026-11-19", "2027-01-09"), (10, 10)),
        (Employment("2026-12-10", None, "2027-01-09"), (0, 0)),
    ],
)
def test_days_of_employment_and_probation(employment, days):
    assert employment.days_in("2026-11") == days


def version(number, effective_from, scheme_id="presale"):
    document = {
        **scheme_of({"kind": "fixed", "amount": number}),
        "version": number,
        "effective_from": effective_from,
        "scheme_id": scheme_id,
    }
    return read_scheme(json.dumps(document).encode(), FIGURES)


VERSIONS = [
    version(1, "2026-10-01"),
    version(2, "2026-12-01"),
    version(3, "2026-11-01"),
    version(4, "2026-11-01"),
    version(9, "2026-11-01", "other"),
]


@pytest.mark.parametrize(
    ("month", "number"), [("2026-10", 1), ("2026-11", 4), ("2026-12", 2), ("2027-05", 2)]
)
def test_the_version_of_the_latest_day_holds_and_of_those_the_greatest(month, number):
    assert version_of(month, "presale", VERSIONS).version == number
    assert version_of(month, "presale", VERSIONS[::-1]).version == number


def test_a_month_without_scheme_is_named():
    with pytest.raises(UnusableError, match="scheme presale holds from 2026-10-01, after 2026-09"):
        version_of("2026-09", "presale", VERSIONS)
    with pytest.raises(UnusableError, match="there is no scheme 'nobody'; stream-attr pay scheme put"):
        version_of("2026-11", "nobody", VERSIONS)


# Warnings


def last(share, *values, **more):
    scheme = scheme_of(
        {"kind": "fixed", "amount": 0},
        warnings=[{"kind": "last", "by": "sales.net_amount", "share": share, **more}],
    )
    persons = [person_of(f"p-{number}", sales__net_amount=value) for number, value in enumerate(values)]
    return [(one.person_id, one.place, one.among) for one in paid(scheme, *persons).warnings]


def test_the_last_15_percent_of_20_are_3():
    assert last("15%", *range(20)) == [("p-0", 20, 20), ("p-1", 19, 20), ("p-2", 18, 20)]
    assert last("15%", *range(20), less_is_better=True) == [
        ("p-17", 18, 20),
        ("p-18", 19, 20),
        ("p-19", 20, 20),
    ]


def test_never_more_than_the_share_is_named():
    assert last("15%", *range(6)) == []  # 0.9 of a person
    assert last("15%", *range(7)) == [("p-0", 7, 7)]
    assert last("15%", 5, 5, *range(6, 14)) == []  # two tied for the last place of ten: 1.5
    assert last("20%", 5, 5, *range(6, 14)) == [("p-0", 9, 10), ("p-1", 9, 10)]


def test_who_has_no_value_or_is_not_employed_is_not_counted():
    assert last("50%", None, 1, 2) == [("p-1", 2, 2)]
    scheme = scheme_of(
        {"kind": "fixed", "amount": 0}, warnings=[{"kind": "last", "by": "sales.net_amount", "share": "50%"}]
    )
    persons = [person_of(str(number), sales__net_amount=number, employed=number) for number in range(3)]
    assert [one.person_id for one in paid(scheme, *persons).warnings] == ["1"]


@pytest.mark.parametrize(
    ("now", "past", "count"),
    [
        ("69/100", (69, 100), 2),
        ("69/100", (70, 69, 100), 0),  # not the month before
        ("69/100", (), 0),
        ("69/100", (None, 60), 0),
        ("70/100", (60, 60), 0),  # this month is none of them
        (None, (60, 60), 0),
    ],
)
def test_twice_under_70_points_in_a_row_is_told_to_the_manager_and_changes_no_pay(now, past, count):
    scheme = scheme_of(
        {
            "kind": "score",
            "id": "kpi",
            "amount": 100_000,
            "items": [
                {
                    "figure": "workload.satisfaction",
                    "weight": "100%",
                    "bands": [{"from": f"{points}%", "points": points} for points in range(60, 101)],
                }
            ],
        },
        warnings=[{"kind": "below", "score": "kpi", "points": 70, "times": 2, "months": 2}],
    )
    figure = None if now is None else Fraction(now)
    result = paid(scheme, person_of(workload__satisfaction=figure, past={"kpi": past}))
    assert [one.among for one in result.warnings] == ([count] if count else [])
    assert result.scores == {"p-1": {"kpi": None if figure is None else figure * 100}}
    assert [line.component for line in result.statements[0].lines] == ["kpi"]


def test_months_need_not_be_in_a_row():
    scheme = scheme_of(
        {
            "kind": "score",
            "id": "kpi",
            "amount": 0,
            "items": [
                {
                    "figure": "workload.receptions",
                    "weight": "100%",
                    "bands": [{"from": 1, "points": 50}, {"from": 2, "points": 100}],
                }
            ],
        },
        warnings=[{"kind": "below", "score": "kpi", "points": 70, "times": 3, "months": 4}],
    )
    for past, count in (((50, 100, 50), 3), ((50, 100, 100, 50), 0)):
        result = paid(scheme, person_of(workload__receptions=1, past={"kpi": past}))
        assert [one.among for one in result.warnings] == ([count] if count else [])
