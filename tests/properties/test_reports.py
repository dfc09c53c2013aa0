"""Facts, inquiries and agents' days against the reference model, over worlds drawn at random.

However the events come, in however many partitions, through crashes: what is told last is the model's.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_attr.contract.topics import AGENT_DAILY, FACTS, INQUIRIES
from tests.properties.strategies import CROWD, World, worlds
from tests.properties.subject import ANY_ORDER_MS, Arrival, Json, Run, run
from tests.properties.test_invariants import assert_nothing_is_left, examples, in_any_order, in_time
from tests.reference.agent_days import agent_days
from tests.reference.facts import facts
from tests.reference.inquiries import inquiries

MODELS: dict[str, Callable[..., dict[Any, Json]]] = {
    FACTS: facts,
    INQUIRIES: inquiries,
    AGENT_DAILY: agent_days,
}
EMISSION = frozenset({"revision", "reason", "watermark"})


def model_of(world: World, topic: str, watermark: int | None = None) -> dict[str, Json]:
    records = (world.chat, world.orders, world.settings, world.roster)
    known = MODELS[topic](*records, watermark, world.rulings)
    return {"|".join(key): record for key, record in known.items() if not _is_empty(record)}


def emitted(outcome: Run, topic: str) -> dict[str, Json]:
    """Return what was emitted last, without what tells its emission; what is no longer so is left out."""
    return {
        key: {name: value for name, value in record.items() if name not in EMISSION}
        for key, record in outcome.last_reports(topic).items()
        if record.get("kind") != "none" and not _is_empty(record)
    }


def _is_empty(record: Json) -> bool:
    """Whether all figures of an agent's day are 0 again."""
    groups = [group for group in record.values() if isinstance(group, dict)]
    figures = [value for group in groups for value in group.values() if not isinstance(value, str)]
    return bool(groups) and not any(figures)


def judged(world: World, arriving: list[Arrival], **how: Any) -> Run:
    return run(world.settings, world.roster, arriving, **how)


def assert_as_the_model(outcome: Run, world: World, watermark: int | None = None) -> None:
    for topic in MODELS:
        assert emitted(outcome, topic) == model_of(world, topic, watermark), topic


@examples(40, compiled=200)
@given(worlds(CROWD))
def test_what_is_told_last_is_the_models(world: World) -> None:
    outcome = judged(world, in_time(world))
    assert_as_the_model(outcome, world)
    assert_nothing_is_left(outcome)


@examples(20, compiled=100)
@given(worlds(CROWD), st.data())
def test_in_any_order_the_same_is_told_last(world: World, data: st.DataObject) -> None:
    outcome = judged(world, in_any_order(world, data), allowed_lateness_ms=ANY_ORDER_MS)
    assert_as_the_model(outcome, world)
    assert_nothing_is_left(outcome)


@examples(20, compiled=100)
@given(worlds(CROWD), st.data())
def test_late_events_correct_what_was_final(world: World, data: st.DataObject) -> None:
    outcome = judged(world, in_any_order(world, data))
    assert_as_the_model(outcome, world)
    assert_nothing_is_left(outcome)


@pytest.mark.parametrize("partitions", [2, 4])
@examples(15, compiled=60)
@given(worlds(CROWD), st.data())
def test_any_number_of_partitions_tells_the_same(partitions: int, world: World, data: st.DataObject) -> None:
    arriving = data.draw(st.one_of(st.just(in_time(world)), st.permutations(in_time(world))))
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1))
    crashes = data.draw(st.frozensets(st.integers(0, len(sizes))))
    outcome = judged(world, arriving, partitions=partitions, batch_sizes=sizes, crashes=crashes)
    assert_as_the_model(outcome, world)
    assert_nothing_is_left(outcome)


@examples(20, compiled=100)
@given(worlds(CROWD), st.data())
def test_a_crash_changes_nothing_of_what_is_told(world: World, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1))
    crashes = data.draw(st.frozensets(st.integers(0, len(sizes)), min_size=1))
    whole = judged(world, in_time(world), batch_sizes=sizes)
    outcome = judged(world, in_time(world), batch_sizes=sizes, crashes=crashes)
    for topic in (FACTS, INQUIRIES):
        assert outcome.reports[topic] == whole.reports[topic]
    assert emitted(outcome, AGENT_DAILY) == emitted(
        whole, AGENT_DAILY
    )  # it may be told sooner than it would have been


@pytest.mark.parametrize("partitions", [1, 3])
@examples(15, compiled=60)
@given(worlds(CROWD), st.data())
def test_a_partition_that_has_caught_up_tells_more_and_the_same_last(
    partitions: int, world: World, data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1))
    behind = judged(world, in_time(world), batch_sizes=sizes, partitions=partitions)
    caught_up = judged(world, in_time(world), batch_sizes=sizes, partitions=partitions, caught_up=True)
    for topic in MODELS:
        assert emitted(caught_up, topic) == emitted(behind, topic)
    assert_nothing_is_left(caught_up)


@examples(15, compiled=60)
@given(worlds(CROWD), st.data())
def test_repeated_events_change_nothing_of_what_is_told(world: World, data: st.DataObject) -> None:
    once = in_time(world)
    outcome = judged(world, [arrival for arrival in once for _ in range(data.draw(st.integers(1, 3)))])
    assert_as_the_model(outcome, world)


@examples(20, compiled=100)
@given(worlds(CROWD), st.data())
def test_once_all_has_happened_each_midnight_makes_final_what_it_should(
    world: World, data: st.DataObject
) -> None:
    """At a midnight all changes have been told, and what is final is what the model says."""
    records = [record for topic in (FACTS, INQUIRIES) for record in model_of(world, topic).values()]
    last_ts = max([event["ts"] for event in (*world.chat, *world.orders, *world.rulings)], default=0)
    turns = sorted({record["final_at"] for record in records if record["final_at"] > last_ts})
    if not turns:
        return
    watermark = data.draw(st.sampled_from(turns))
    outcome = judged(world, in_any_order(world, data), allowed_lateness_ms=ANY_ORDER_MS, until=watermark)
    assert_as_the_model(outcome, world, watermark)


@examples(20, compiled=100)
@given(worlds(CROWD), st.data())
def test_revisions_count_without_gaps_and_each_says_something_new(world: World, data: st.DataObject) -> None:
    outcome = judged(world, in_any_order(world, data))
    for topic in MODELS:
        by_key: dict[str, list[Json]] = {}
        for key, record in outcome.reports[topic]:
            by_key.setdefault(key, []).append(record)
        for revisions in by_key.values():
            assert [one["revision"] for one in revisions] == list(range(1, len(revisions) + 1))
            said = [{name: value for name, value in one.items() if name not in EMISSION} for one in revisions]
            assert all(one != other for one, other in pairwise(said))


@examples(20, compiled=100)
@given(worlds(CROWD))
def test_the_identities_hold(world: World) -> None:
    days: dict[tuple[str, str], dict[str, Json]] = {}
    for record in judged(world, in_time(world)).last_reports(AGENT_DAILY).values():
        days.setdefault((record["shop_id"], record["day"]), {})[record["agent_id"]] = record
    for agents in days.values():
        shop = agents.pop("*")
        sold = sum(record["sales"]["amount"] for record in agents.values())
        assert sold + shop["silent"]["amount"] == shop["sales"]["amount"]
        for record in (*agents.values(), shop):
            inquiries, payments = record["inquiries"], record["payments"]
            assert inquiries["inquiries"] == inquiries["ordered"] + inquiries["lost"] + inquiries["open"]
            assert inquiries["ordered"] == payments["paid"] + payments["payment_lost"]
            rates = (
                record["workload"]["reply_rate"],
                inquiries["inquiry_to_order"],
                *(payments[name] for name in ("inquiry_to_payment", "order_to_payment")),
            )
            assert all(rate is None or 0 <= rate <= 1 for rate in rates)
