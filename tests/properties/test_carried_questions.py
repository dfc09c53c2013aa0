"""Transfers, talk around midnight and ratings: however they come, the same is emitted last.

The worlds are of few days, agents and buyers, so that most questions are carried.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from tests.properties.strategies import World
from tests.properties.subject import ANY_ORDER_MS, LIVE_LATENESS_MS, Json, run
from tests.properties.test_invariants import (
    assert_nothing_is_left,
    decided,
    examples,
    in_any_order,
    in_time,
    model_of,
    standing,
    verdict,
)
from tests.properties.test_reports import assert_as_the_model

MIDNIGHT = zone("Asia/Shanghai").start_of(20_758)
IDS = {"shop_id": "jd:1"}
AGENTS = ("A", "B", "R")
BUYERS = ("b-1", "b-1", "b-1", "b-2")
_NEAR = (
    *(-HOUR_MS, -10 * MINUTE_MS, -10 * MINUTE_MS, -MINUTE_MS, -MINUTE_MS, -1, -1),
    *(0, 0, 1, MINUTE_MS, MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 10 * HOUR_MS),
)
"""Milliseconds from a midnight."""
MOMENT = st.tuples(st.sampled_from((0, 0, 1, 2)), st.sampled_from(_NEAR)).map(
    lambda drawn: MIDNIGHT + drawn[0] * DAY_MS + drawn[1]
)


def pair(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {"buyer_id": st.sampled_from(BUYERS), "agent_id": st.sampled_from(AGENTS), "ts": MOMENT, **fields}
    )


MESSAGE = pair(
    sender=st.sampled_from(["buyer", "buyer", "agent"]),
    kind=st.sampled_from(["text"] * 6 + ["broadcast", "auto_reply", "system"]),
    text=st.sampled_from(["x", "x", "x", " "]),
)
TRANSFER = pair(type=st.just("transfer"), to_agent_id=st.sampled_from(AGENTS)).filter(
    lambda event: event["agent_id"] != event["to_agent_id"]
)
RATING = pair(
    type=st.just("rating"), score=st.integers(1, 5), before=st.sampled_from([0, 0, MINUTE_MS, DAY_MS])
).map(
    lambda event: {
        **{k: v for k, v in event.items() if k != "before"},
        "rated_ts": event["ts"] - event["before"],
    }
)
ORDER: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "buyer_id": st.sampled_from(BUYERS),
        "ts": MOMENT,
        "paid": st.sampled_from([None, 0, MINUTE_MS, 5 * MINUTE_MS, DAY_MS]),
    }
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "carried_questions": st.booleans(),
        "max_wait_minutes": st.sampled_from([None, 1, 60, 1440]),
        "placing_rule": st.just("most_rounds"),
        "credit_rule": st.sampled_from(["order", "order_first"]),
        "validity": st.sampled_from([{"hours": 24}, {"natural_days": 0}, {"natural_days": 2}]),
        "silent_followup": st.just({"buyer_initiated": True, "agent_initiated": True}),
        "agent_initiated_exempt": st.just({"enabled": True, "first_reply_days": 2}),
        "overnight_once": st.just(True),
        "auto_reply": st.just({"identify": True}),
        "filters": st.fixed_dictionaries(
            {},
            optional={
                "agent_offline": st.just({"enabled": False}),
                "single_sentence": st.fixed_dictionaries(
                    {"enabled": st.just(True), "min_replies": st.integers(1, 2)}
                ),
                "monologue": st.fixed_dictionaries({"max_buyer_messages": st.integers(0, 2)}),
                "forwarded": st.fixed_dictionaries({"max_replies": st.integers(0, 1)}),
            },
        ),
    },
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    first = {**IDS, "effective_from": "2026-10-01", **draw(RULES), "profiles": {"other": draw(RULES)}}
    settings = [first]
    if draw(st.booleans()):
        settings.append({**IDS, "effective_from": "2026-11-01", **draw(RULES)})
    role = draw(st.sampled_from(["presale", "presale", "aftersale", "frozen"]))
    roster = [{**IDS, "agent_id": "B", "role": role, "effective_from": "2026-10-01"}]
    events = draw(st.lists(st.one_of(MESSAGE, MESSAGE, MESSAGE, TRANSFER, RATING), min_size=1, max_size=14))
    chat = [{**IDS, "event_id": f"m{number}", **event} for number, event in enumerate(events)]
    orders: list[Json] = []
    for number, drawn in enumerate(draw(st.lists(ORDER, max_size=3))):
        paid_after: int | None = drawn["paid"]
        order: Json = {**IDS, "buyer_id": drawn["buyer_id"], "order_id": f"o-{number}", "amount": 100}
        orders.append({**order, "event_id": f"c{number}", "type": "created", "ts": drawn["ts"]})
        if paid_after is not None:
            paid_ts = int(drawn["ts"]) + paid_after
            orders.append({**order, "event_id": f"p{number}", "type": "paid", "ts": paid_ts})
    return World(settings, roster, chat, orders, [])


@examples(60, compiled=300)
@given(worlds(), st.data())
def test_in_any_order_and_divided_in_any_way_the_same_is_emitted_last(
    world: World, data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    lateness_ms = data.draw(st.sampled_from([ANY_ORDER_MS, LIVE_LATENESS_MS]))
    outcome = run(
        world.settings,
        world.roster,
        in_any_order(world, data),
        allowed_lateness_ms=lateness_ms,
        batch_sizes=sizes,
        crashes=data.draw(st.frozensets(st.integers(0, len(sizes)))),
        partitions=data.draw(st.sampled_from([1, 1, 2, 4])),
    )
    said = decided if lateness_ms == ANY_ORDER_MS else verdict  # receipts are not emitted again
    expected = {key: said(one) for key, one in model_of(world).items()}
    assert {key: said(one) for key, one in standing(outcome, expected).items()} == expected
    assert_as_the_model(outcome, world)
    assert_nothing_is_left(outcome)


@examples(20, compiled=100)
@given(worlds())
def test_in_the_order_of_time_it_is_the_models(world: World) -> None:
    outcome = run(world.settings, world.roster, in_time(world))
    expected = model_of(world)
    assert {key: decided(one) for key, one in standing(outcome, expected).items()} == expected
    assert_as_the_model(outcome, world)
    assert_nothing_is_left(outcome)
