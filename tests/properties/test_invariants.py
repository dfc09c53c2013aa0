"""What must hold of every world (RULEBOOK 6, "the invariant"), with the reference model as the oracle.

``STREAM_ATTR_EXAMPLES=5000`` searches at random, and longer; without it the same worlds are tried every time.
Compiled, a world takes a tenth of the time: ``make test-compiled`` tries twice as many.
"""

from __future__ import annotations

import os
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_attr.rules.order import attribution
from tests.properties.strategies import CROWD, Json, World, worlds
from tests.properties.subject import ANY_ORDER_MS, LIVE_LATENESS_MS, Arrival, Run, arrivals, run
from tests.reference.days import HOUR_MS
from tests.reference.model import judge

_SEARCHED = int(os.environ.get("STREAM_ATTR_EXAMPLES", "0"))
_COMPILED = not str(attribution.__file__).endswith(".py")
EMISSION = frozenset({"decision_id", "supersedes", "revision", "reason", "watermark"})
"""What tells one emission of a decision from another: the model knows nothing of it."""


def examples(number: int, *, compiled: int | None = None) -> settings:
    """Try a property on so many worlds, the same ones every time; ``compiled``: where the judging is."""
    if _COMPILED and compiled is not None:
        number = compiled
    return settings(
        max_examples=_SEARCHED or number,
        derandomize=not _SEARCHED,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def decided(decision: Json) -> Json:
    """Return what a decision says, without what tells its emission."""
    return {name: value for name, value in decision.items() if name not in EMISSION}


def verdict(decision: Json) -> Json:
    """Return the verdict of a decision: what makes a new revision when it changes (RULEBOOK 6)."""
    names = (
        *("status", "outcome", "silence", "assists", "amount", "quantity", "refund_requested"),
        *("refund_completed", "created_ts", "deposit_ts", "paid_ts", "cancelled_ts", "final_at", "notices"),
        "ruling",
    )
    agents = {name: (decision[name] or {}).get("agent_id") for name in ("placing", "payment", "credit")}
    return {
        **{name: decision[name] for name in names},
        **agents,
        "basis": (decision["credit"] or {}).get("basis"),
    }


def model_of(world: World, watermark: int | None = None) -> dict[tuple[str, str, str], Json]:
    return judge(world.chat, world.orders, world.settings, world.roster, watermark, world.rulings)


def in_time(world: World) -> list[Arrival]:
    """Return the events of a world in the order of their times."""
    chat, orders, rulings = (sorted(events, key=_ts) for events in (world.chat, world.orders, world.rulings))
    return arrivals(chat, orders, rulings=rulings)


def in_any_order(world: World, draw: st.DataObject) -> list[Arrival]:
    return draw.draw(st.permutations(in_time(world)))


def judged(world: World, arriving: list[Arrival], **how: Any) -> Run:
    return run(world.settings, world.roster, arriving, **how)


def standing(outcome: Run, expected: dict[tuple[str, str, str], Json]) -> dict[tuple[str, str, str], Json]:
    """Return the last decisions, but for profiles under which an order is judged no more.

    The rulebook does not say what becomes of a comparison when a ``created`` comes that moves its order to a
    day whose settings lack the profile; what was said of it stays on the topic.
    """
    return {key: last for key, last in outcome.last().items() if key in expected or key[2] == "official"}


def assert_nothing_is_left(outcome: Run) -> None:
    assert outcome.state == {}
    assert outcome.buyers == 0
    assert {letter["code"] for letter in outcome.dead_letters} <= {"incomplete_order"}


@examples(40, compiled=200)
@given(worlds())
def test_the_last_decisions_are_the_models_with_their_receipts(world: World) -> None:
    outcome, expected = judged(world, in_time(world)), model_of(world)
    assert {key: decided(last) for key, last in standing(outcome, expected).items()} == expected
    assert_nothing_is_left(outcome)


@examples(20, compiled=100)
@given(worlds(), st.data())
def test_shuffled_events_give_the_same_decisions_as_sorted_ones(world: World, data: st.DataObject) -> None:
    outcome = judged(world, in_any_order(world, data), allowed_lateness_ms=ANY_ORDER_MS)
    expected = model_of(world)
    assert {key: decided(last) for key, last in standing(outcome, expected).items()} == expected
    assert_nothing_is_left(outcome)


@examples(20, compiled=100)
@given(worlds(), st.data())
def test_late_events_give_the_same_verdicts_as_timely_ones(world: World, data: st.DataObject) -> None:
    outcome = judged(world, in_any_order(world, data), allowed_lateness_ms=LIVE_LATENESS_MS)
    expected = {key: verdict(decision) for key, decision in model_of(world).items()}
    assert {key: verdict(last) for key, last in standing(outcome, expected).items()} == expected
    assert_nothing_is_left(outcome)


@examples(15, compiled=60)
@given(worlds(), st.data())
def test_repeated_events_change_nothing(world: World, data: st.DataObject) -> None:
    once = in_time(world)
    twice = list(once)
    for arrival in data.draw(st.lists(st.sampled_from(once))) if once else ():
        first = twice.index(arrival)
        # After its first, and where its topic has not ended: the end of a topic moves the watermark.
        last = max(i for i, other in enumerate(twice) if other.topic == arrival.topic)
        twice.insert(data.draw(st.integers(first + 1, max(first + 1, last))), arrival)
    expected, outcome = judged(world, once), judged(world, twice)
    assert outcome.emitted == expected.emitted
    assert_nothing_is_left(outcome)


@examples(15, compiled=60)
@given(worlds(), st.lists(st.integers(1, 9)), st.sampled_from([1, -1]))
def test_batches_may_be_cut_anywhere(world: World, sizes: list[int], direction: int) -> None:
    arriving = in_time(world)[::direction]
    whole, cut = judged(world, arriving), judged(world, arriving, batch_sizes=sizes)
    assert cut.emitted == whole.emitted
    assert cut.dead_letters == whole.dead_letters
    assert_nothing_is_left(cut)


@examples(20, compiled=100)
@given(worlds(), st.data())
def test_a_crash_at_any_point_changes_nothing(world: World, data: st.DataObject) -> None:
    arriving = data.draw(st.one_of(st.just(in_time(world)), st.permutations(in_time(world))))
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1))
    crashes = data.draw(st.frozensets(st.integers(0, len(sizes)), min_size=1))
    expected = judged(world, arriving)
    outcome = judged(world, arriving, batch_sizes=sizes, crashes=crashes)
    assert outcome.emitted == expected.emitted
    assert outcome.dead_letters == expected.dead_letters
    assert_nothing_is_left(outcome)


@pytest.mark.parametrize("partitions", [2, 4])
@examples(40)
@given(worlds(CROWD), st.data())
def test_any_number_of_partitions_decides_the_same(
    partitions: int, world: World, data: st.DataObject
) -> None:
    arriving = data.draw(st.one_of(st.just(in_time(world)), st.permutations(in_time(world))))
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1))
    crashes = data.draw(st.frozensets(st.integers(0, len(sizes))))
    outcome = judged(world, arriving, partitions=partitions, batch_sizes=sizes, crashes=crashes)
    expected = {key: verdict(decision) for key, decision in model_of(world).items()}
    assert {key: verdict(last) for key, last in standing(outcome, expected).items()} == expected
    assert_nothing_is_left(outcome)


@examples(20, compiled=100)
@given(worlds(), st.data())
def test_revisions_count_without_gaps_and_each_changes_the_verdict(world: World, data: st.DataObject) -> None:
    arriving = data.draw(st.one_of(st.just(in_time(world)), st.permutations(in_time(world))))
    emitted = sorted(judged(world, arriving).emitted, key=_order_and_profile)
    for (shop_id, order_id, profile), group in groupby(emitted, key=_order_and_profile):
        revisions = list(group)
        stem = f"{shop_id}|{order_id}|{profile}|"
        assert [d["revision"] for d in revisions] == list(range(1, len(revisions) + 1))
        assert [d["decision_id"] for d in revisions] == [f"{stem}{d['revision']}" for d in revisions]
        superseded = [None, *(d["decision_id"] for d in revisions)]
        assert [d["supersedes"] for d in revisions] == superseded[: len(revisions)]
        for one, other in pairwise(revisions):
            assert verdict(one) != verdict(other)
        for decision in revisions:
            assert (decision["status"] == "final") == (decision["watermark"] >= decision["final_at"])


@examples(40, compiled=200)
@given(worlds(), st.data())
def test_at_any_watermark_the_last_verdicts_are_the_models(world: World, data: st.DataObject) -> None:
    """All is known, in any order, and time has come to a point near which something changes."""
    known = model_of(world).values()
    turns = [turn for d in known for turn in (d["final_at"], d["created_ts"] + 24 * HOUR_MS)]
    turns += [event["ts"] for event in (*world.chat, *world.orders, *world.rulings)] or [0]
    watermark = data.draw(st.sampled_from(sorted(turns))) + data.draw(st.sampled_from([-1, 0, 1]))
    arriving = in_any_order(world, data)
    outcome = judged(world, arriving, allowed_lateness_ms=ANY_ORDER_MS, until=watermark)
    expected = {key: verdict(decision) for key, decision in model_of(world, watermark).items()}
    assert {key: verdict(last) for key, last in standing(outcome, expected).items()} == expected


def test_the_watermark_that_decisions_tell_never_falls() -> None:
    ids = {"shop_id": "jd:1", "buyer_id": "b-1"}
    said = {**ids, "event_id": "m1", "agent_id": "A", "sender": "buyer", "ts": 1_793_500_000_000}
    order = {**ids, "order_id": "o-1", "type": "created", "amount": 1}
    chat = [said, {**said, "event_id": "m2", "ts": 1_793_507_200_000}]
    orders = [{**order, "event_id": "e1", "ts": 1_793_503_600_000}]
    orders.append({**orders[0], "event_id": "e2", "type": "paid"})
    told = [decision["watermark"] for decision in run([], [], arrivals(chat, orders)).emitted]
    assert told == sorted(told)


def test_a_crash_before_both_topics_were_seen_changes_nothing() -> None:
    ids = {"shop_id": "jd:1", "buyer_id": "b-1"}
    placed = {**ids, "order_id": "o-1", "type": "created", "amount": 1, "ts": 1_793_548_800_000}
    said = {**ids, "agent_id": "A", "ts": 1_793_671_199_999}
    chat = [{**said, "event_id": f"m{i}", "sender": side} for i, side in enumerate(("buyer", "agent"))]
    orders = [{**placed, "event_id": "e1"}, {**placed, "event_id": "e2", "order_id": "o-2"}]
    arriving = arrivals(chat, orders)
    crashed = run([], [], arriving, batch_sizes=[1], crashes=frozenset([1]))
    assert crashed.emitted == run([], [], arriving).emitted


def _ts(event: Json) -> int:
    return int(event["ts"])


def _order_and_profile(decision: Json) -> tuple[str, str, str]:
    return decision["shop_id"], decision["order_id"], decision["profile"]
