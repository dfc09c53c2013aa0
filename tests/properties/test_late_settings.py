"""A shop's records that come among its events or after them: its days are divided again (RULEBOOK 2)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stream_attr.contract.topics import (
    AGENT_DAILY,
    COMPARISONS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ROSTER,
    SETTINGS,
)
from stream_attr.processor import Options
from stream_attr.testing import Driver
from tests.properties.strategies import CROWD, Json, World, worlds
from tests.properties.subject import ANY_ORDER_MS
from tests.properties.test_invariants import decided, examples, in_any_order, model_of
from tests.properties.test_reports import EMISSION, _is_empty
from tests.properties.test_reports import model_of as reports_of


def without_text(world: World) -> World:
    """A world whose settings need no text, which is not kept: such rules hold for later messages only."""

    def plain(rules: Json) -> Json:
        filters = {name: one for name, one in rules.get("filters", {}).items() if name != "advert"}
        stated = {
            name: one for name, one in rules.items() if name not in ("auto_reply", "filters", "profiles")
        }
        profiles = {name: plain(one) for name, one in rules.get("profiles", {}).items()}
        return {**stated, "filters": filters, **({"profiles": profiles} if profiles else {})}

    return replace(world, settings=[plain(one) for one in world.settings])


@examples(20, compiled=100)
@given(worlds(CROWD).map(without_text), st.data(), st.sampled_from([1, 3]))
def test_settings_and_roster_among_the_events_give_the_same(
    world: World, data: st.DataObject, partitions: int
) -> None:
    arriving = in_any_order(world, data)
    records = [(SETTINGS, one) for one in world.settings] + [(ROSTER, one) for one in world.roster]
    places = sorted(
        data.draw(st.lists(st.integers(0, len(arriving)), min_size=len(records), max_size=len(records)))
    )
    driver = Driver(options=Options(allowed_lateness_ms=ANY_ORDER_MS), partitions=partitions)
    for place, one in enumerate([*arriving, None]):
        for (topic, value), at in zip(records, places, strict=True):
            if at == place:
                assert not [out for out in driver.send(topic, value) if out.topic == "dead-letters"]
        if one is not None:
            driver.send(one.topic, one.value)
    driver.finish()
    expected = model_of(world)
    last = {
        (one["shop_id"], one["order_id"], one["profile"]): decided(one)
        for topic in (DECISIONS, COMPARISONS)
        for one in driver.last(topic).values()
    }
    assert {key: one for key, one in last.items() if key in expected or key[2] == "official"} == expected
    for topic in (FACTS, INQUIRIES, AGENT_DAILY):
        told = {
            key: {name: value for name, value in record.items() if name not in EMISSION}
            for key, record in driver.last(topic).items()
            if record.get("kind") != "none" and not _is_empty(record)
        }
        known = reports_of(world, topic)
        assert {key: told.get(key) for key in known} == known, topic
    assert driver.state == {}
