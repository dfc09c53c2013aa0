"""Service tasks against the reference model, over worlds drawn at random (RULEBOOK 9).

What is closed is not opened again, so a task may stay closed whose cause has come back: an order that was
excluded is included again, one that was refunded in full is paid more, or one turns out to be created later.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream_attr.contract.topics import TASKS
from tests.properties.strategies import World, worlds
from tests.properties.subject import ANY_ORDER_MS, Json, Run, run
from tests.properties.test_invariants import assert_nothing_is_left, examples, in_any_order, in_time
from tests.reference.days import DAY_MS, MINUTE_MS
from tests.reference.tasks import tasks

EMISSION = frozenset({"revision", "reason", "watermark"})
COMES_BACK = frozenset({"included", "refund_completed"})


def model_of(world: World, watermark: int) -> dict[str, Json]:
    found = tasks(world.chat, world.orders, world.settings, world.roster, watermark, world.rulings)
    return {"|".join(key): task for key, task in found.items()}


def emitted(outcome: Run) -> dict[str, Json]:
    return {
        key: {name: value for name, value in task.items() if name not in EMISSION}
        for key, task in outcome.last_reports(TASKS).items()
    }


def may_come_back(world: World, task: Json) -> bool:
    """Whether the cause of a task may have ended and come back."""
    order = (task["shop_id"], task["order_id"])
    events = [e for e in world.orders if (e["shop_id"], e["order_id"]) == order]
    return any(e["type"] in COMES_BACK or "created_ts" in e for e in events)


def assert_open_ones_are_the_models(outcome: Run, world: World, watermark: int) -> None:
    found, expected = emitted(outcome), model_of(world, watermark)
    for key, task in found.items():
        if task["status"] == "open":
            assert task == expected.get(key)
    for key, task in expected.items():
        if task["status"] == "open" and not may_come_back(world, task):
            assert found.get(key) == task


@st.composite
def instants_of(draw: st.DrawFn, world: World) -> int:
    """Draw an instant at which something may be due, or over."""
    times = sorted(
        {e["ts"] for e in world.orders} | {e["created_ts"] for e in world.orders if "created_ts" in e}
    )
    after = draw(st.sampled_from([0, MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, 14 * 60 * MINUTE_MS, DAY_MS]))
    return (draw(st.sampled_from(times)) if times else 0) + after + draw(st.sampled_from([-1, 0, 1]))


@examples(40, compiled=200)
@given(worlds(), st.data())
def test_open_tasks_are_the_models_whatever_order_events_came_in(world: World, data: st.DataObject) -> None:
    watermark = data.draw(instants_of(world))
    outcome = run(
        world.settings,
        world.roster,
        in_any_order(world, data),
        allowed_lateness_ms=ANY_ORDER_MS,
        until=watermark,
    )
    assert_open_ones_are_the_models(outcome, world, watermark)


@examples(40, compiled=200)
@given(worlds(), st.data())
def test_tasks_are_closed_when_their_causes_end(world: World, data: st.DataObject) -> None:
    watermark = data.draw(instants_of(world))
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1))
    crashes = data.draw(st.frozensets(st.integers(0, len(sizes))))
    outcome = run(
        world.settings,
        world.roster,
        in_time(world),
        until=watermark,
        batch_sizes=sizes,
        crashes=crashes,
        partitions=data.draw(st.sampled_from([1, 1, 2, 4])),
    )
    assert_open_ones_are_the_models(outcome, world, watermark)
    expected = model_of(world, watermark)
    for key, task in emitted(outcome).items():
        if task["status"] == "closed" and key in expected and not may_come_back(world, task):
            assert task["closed_ts"] == expected[key]["closed_ts"], task


@examples(20, compiled=100)
@given(worlds(), st.data())
def test_at_the_end_of_time_no_reminder_is_open(world: World, data: st.DataObject) -> None:
    outcome = run(world.settings, world.roster, in_any_order(world, data))
    open_kinds = {task["kind"] for task in emitted(outcome).values() if task["status"] == "open"}
    assert open_kinds <= {"parcel_inspection", "review_follow_up"}
    assert_nothing_is_left(outcome)
