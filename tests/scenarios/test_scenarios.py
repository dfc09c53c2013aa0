"""Every scenario, asked of the reference model (the processor is asked in ``tests/properties``)."""

from __future__ import annotations

import pytest

from tests.reference.model import judge
from tests.scenarios.scenario import SHOP, Scenario, lacking, read_all

SCENARIOS = read_all()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_reference_model_decides_as_told(scenario: Scenario) -> None:
    decisions = judge(scenario.chat, scenario.orders, scenario.settings, scenario.roster, scenario.until)
    for expected in scenario.expect:
        actual = decisions[SHOP, expected["order_id"], expected["profile"]]
        assert not lacking(expected, actual)
    for order_id in scenario.no_decision:
        assert not any(judged == order_id for _, judged, _ in decisions)
