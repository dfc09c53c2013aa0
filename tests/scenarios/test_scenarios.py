"""Every scenario, asked of the reference model and of the processor."""

from __future__ import annotations

import pytest

from tests.properties.subject import arrivals, run
from tests.reference.model import judge
from tests.scenarios.scenario import SHOP, Scenario, lacking, read_all

SCENARIOS = read_all()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_reference_model_decides_as_told(scenario: Scenario) -> None:
    decisions = judge(scenario.chat, scenario.orders, scenario.settings, scenario.roster, scenario.until)
    for expected in scenario.expect:
        actual = decisions[SHOP, expected["order_id"], expected["profile"]]
        assert lacking(expected, actual) == []
    for order_id in scenario.no_decision:
        assert not any(judged == order_id for _, judged, _ in decisions)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_processor_decides_as_told(scenario: Scenario) -> None:
    arriving = arrivals(scenario.chat, scenario.orders, scenario.ticks)
    outcome = run(scenario.settings, scenario.roster, arriving, until=scenario.until)
    last = outcome.last()
    for expected in scenario.expect:
        assert lacking(expected, last[SHOP, expected["order_id"], expected["profile"]]) == []
    for order_id in scenario.no_decision:
        assert not any(judged == order_id for _, judged, _ in last)
    if scenario.emitted:
        assert lacking(scenario.emitted, outcome.emitted) == []
    if scenario.until is None:
        assert (outcome.state, outcome.buyers) == ({}, 0)
