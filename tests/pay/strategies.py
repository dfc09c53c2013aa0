"""Small schemes and teams in which ties, boundaries and halves of a fen are the rule."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from stream_attr.pay.team import Order, Person, Team
from tests.pay.schemes import HEAD

Json = dict[str, Any]
NAMES = ("B", "b", "p-10", "p-2", "乙")
MONEY = (0, 1, 99, 100, 101, 3_333, 9_999, 10_000, 10_001, 123_457)
PERCENTS = ("0%", "0.5%", "0.8%", "1.25%", "33.333333%", "50%", "100%")
_COUNTS = (0, 1, 2, 3, 7)
_RATES = (None, Fraction(0), Fraction(1, 3), Fraction(35, 100), Fraction(1))


def rows(
    value: str, values: st.SearchStrategy[Any], starts: tuple[Any, ...]
) -> st.SearchStrategy[list[Json]]:
    """Ascending rows with a value each."""
    return st.lists(st.sampled_from(range(len(starts))), min_size=1, max_size=3, unique=True).flatmap(
        lambda found: st.tuples(*(values for _ in found)).map(
            lambda drawn: [
                {"from": starts[place], value: one} for place, one in zip(sorted(found), drawn, strict=True)
            ]
        )
    )


_money = st.sampled_from(MONEY)
_percent = st.sampled_from(PERCENTS)
_factor = st.sampled_from(("0%", "50%", "100%", "120%", "333.333333%"))
_starts = {"money": (0, 100, 3_333, 10_000), "rate": ("0%", "33%", "35%", "100%"), "count": (0, 1, 2, 3)}
_least = st.fixed_dictionaries(
    {"figure": st.just("workload.receptions"), "at": st.sampled_from((0, 1, 2, 3))}
)
_probation = {"probation": _percent}
_of_money = st.sampled_from(("sales.net_amount", "sales.amount", "placed.amount"))


def _kind(kind: str, required: Json, optional: Json | None = None) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"kind": st.just(kind), **required}, optional=optional or {})


def _score(weight: int) -> st.SearchStrategy[Json]:
    points = st.integers(1, 100)
    bands = st.tuples(points, points, st.booleans()).map(
        lambda drawn: (
            [
                {"from": start, "points": point}
                for start, point in zip(
                    (3, 1) if drawn[2] else (1, 3), (drawn[0], drawn[0] + drawn[1]), strict=True
                )
            ]
            + [{"less_is_better": drawn[2]}]
        )
    )
    first = bands.map(
        lambda found: {
            "figure": "workload.receptions",
            "weight": f"{weight}%",
            "bands": found[:2],
            **found[2],
        }
    )
    second = rows("points", st.just(1), _starts["rate"]).map(
        lambda found: {
            "figure": "workload.satisfaction",
            "weight": f"{100 - weight}%",
            "bands": [{**band, "points": 10 * (number + 1)} for number, band in enumerate(found)],
        }
    )
    items = st.tuples(first, second).map(list)
    return _kind("score", {"id": st.just("kpi"), "amount": _money, "items": items}, _probation)


PAYING = {
    "fixed": _kind("fixed", {"amount": _money}, {"prorate": st.just("days"), **_probation}),
    "marginal": _kind(
        "commission",
        {
            "of": _of_money,
            "mode": st.just("marginal"),
            "tiers": rows("rate", _percent, _starts["money"]),
        },
        {"least": _least, **_probation},
    ),
    "whole": _kind(
        "commission",
        {"of": _of_money, "mode": st.just("whole"), "tiers": rows("rate", _percent, _starts["money"])},
        {"least": _least, **_probation},
    ),
    "by": _kind(
        "commission",
        {
            "of": _of_money,
            "mode": st.just("whole"),
            "by": st.just("workload.satisfaction"),
            "tiers": rows("rate", _percent, _starts["rate"]),
        },
    ),
    "per_unit": _kind(
        "per_unit",
        {"of": st.sampled_from(("sales.orders", "workload.receptions")), "amount": _money},
        _probation,
    ),
    "steps": _kind(
        "steps",
        {"of": st.just("sales.net_amount"), "steps": rows("amount", _money, _starts["money"])},
        _probation,
    ),
    "score": st.integers(1, 99).flatmap(_score),
    "ranking": _kind(
        "ranking",
        {
            "by": st.sampled_from(("sales.net_amount", "workload.receptions", "workload.satisfaction")),
            "prizes": st.lists(_money, min_size=1, max_size=4).map(lambda found: sorted(found, reverse=True)),
        },
        {"least": _least, "less_is_better": st.booleans()},
    ),
    "pool": _kind(
        "pool",
        {
            "of": st.sampled_from(("sales.net_amount", "placed.amount", "silent.amount")),
            "rate": _percent,
            "by": st.sampled_from(("workload.receptions", "sales.net_amount", "sales.orders")),
        },
    ),
}


@st.composite
def _modifier(draw: st.DrawFn, before: list[str], earlier: list[Json], has_score: bool) -> Json:
    """A factor, cap or floor, on all or on what goes with what earlier ones are on."""
    kind = draw(st.sampled_from(("factor", "factor", "cap", "floor")))
    one: Json = {"kind": kind}
    if draw(st.booleans()):
        on = {draw(st.sampled_from(before))}
        for other in (*reversed(earlier), *earlier):  # closed under what is changed together
            others = set(other.get("on", other["all"]))
            on |= others if on & others else set()
        one["on"] = sorted(on)
    if kind != "factor":
        one["amount"] = draw(_money)
        if kind == "floor" and draw(st.booleans()):
            one["prorate"] = "days"
    elif draw(st.booleans()):
        one["rate"] = draw(_factor)
    else:
        one["by"] = "score.kpi" if has_score else "workload.receptions"
        one["tiers"] = draw(rows("rate", _factor, _starts["count"]))
    return one


@st.composite
def schemes(draw: st.DrawFn) -> Json:
    """A scheme's document."""
    components: list[Json] = []
    earlier: list[Json] = []
    for kind in draw(st.lists(st.sampled_from(sorted(PAYING)), min_size=1, max_size=6)):
        if kind != "score" or not any(one["kind"] == "score" for one in components):
            one = draw(PAYING[kind])
            components.append({"id": f"c{len(components)}", **one})
        if draw(st.integers(0, 2)) == 0:
            before = [one["id"] for one in components if one["kind"] not in ("factor", "cap", "floor")]
            has_score = any(one["kind"] == "score" for one in components)
            made = draw(_modifier(before, earlier, has_score))
            components.append({"id": f"m{len(components)}", **made})
            earlier.append({**made, "all": before})
    if draw(st.booleans()) and any(
        one["kind"] == "commission" and one["of"].startswith("sales.") for one in components
    ):
        placing = draw(st.integers(0, 100))
        components.insert(
            draw(st.integers(0, len(components))),
            {"kind": "split", "id": "split", "placing": f"{placing}%", "payment": f"{100 - placing}%"},
        )
    return {
        **HEAD,
        "refund_basis": draw(st.sampled_from(("sale_month", "refund_month"))),
        "components": components,
    }


_maybe = st.sampled_from((None, *NAMES[:3], "elsewhere"))


@st.composite
def orders(draw: st.DrawFn, order_id: str) -> Order:
    """An order of this month or the one before, perhaps refunded."""
    days = st.sampled_from(("2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01"))
    refunds = draw(st.lists(st.tuples(days, _money), max_size=2))
    return Order(
        draw(st.sampled_from(("jd:1", "tb:2"))),
        order_id,
        draw(st.sampled_from(("2026-10-31", "2026-11-01", "2026-11-30", "2026-11-15"))),
        draw(_money),
        draw(_maybe),
        draw(_maybe),
        draw(_maybe),
        draw(st.integers(0, 5)) == 0,
        tuple(refunds),
    )


@st.composite
def teams(draw: st.DrawFn) -> Team:
    """A team of up to five, with orders or without."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    has_orders = draw(st.booleans())
    persons = []
    for name in names:
        employed = draw(st.sampled_from((0, 1, 7, 30, 30, 30)))
        money = st.sampled_from((*MONEY, -1, -10_001))
        figures: dict[str, Any] = {
            "placed.amount": draw(money),
            "workload.receptions": draw(st.sampled_from((None, *_COUNTS))),
            "workload.satisfaction": draw(st.sampled_from(_RATES)),
            "silent.amount": None,
        }
        if not has_orders:
            figures |= {
                "sales.amount": draw(money),
                "sales.net_amount": draw(money),
                "sales.orders": draw(st.sampled_from(_COUNTS)),
            }
        persons.append(Person(name, figures, employed, draw(st.integers(0, employed))))
    found = None
    if has_orders:
        found = tuple(draw(orders(f"o-{number}")) for number in range(draw(st.integers(0, 5))))
    silent = draw(st.sampled_from((*MONEY, None)))
    return Team("2026-11", tuple(persons), found, {"silent.amount": silent})
