"""Every scenario, run through the reference model and through the processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_attr.testing import Scenario, differences, failures, read_scenarios
from tests.reference.model import judge

SCENARIOS = read_scenarios(Path(__file__).parent)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_the_reference_model_decides_as_expected(scenario: Scenario) -> None:
    decisions = judge(
        scenario.chat, scenario.orders, scenario.settings, scenario.roster, scenario.until, scenario.rulings
    )
    for expected in scenario.expect:
        actual = decisions[expected["shop_id"], expected["order_id"], expected["profile"]]
        assert differences(expected, actual) == []
    for order_id in scenario.no_decision:
        assert not any(judged == order_id for _, judged, _ in decisions)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_the_processor_decides_as_expected(scenario: Scenario) -> None:
    assert failures(scenario) == []
