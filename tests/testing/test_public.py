"""What integrators test with: the driver, and the runner of scenario files."""

from __future__ import annotations

import doctest
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, ORDERS, SETTINGS, TASKS
from stream_attr.testing import Driver, ManualClock, ScenarioError, failures, in_time_order, read_scenarios
from stream_attr.testing.__main__ import main

T = 1_793_498_400_000
"""2026-11-01 10:00 in Shanghai."""
MINUTE_MS = 60_000
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "testing.md"
SCENARIO = {
    "name": "who answered gets it",
    "rule": "5",
    "chat": [
        {"ts": "2026-11-01 10:00", "agent_id": "A", "sender": "buyer"},
        {"ts": "2026-11-01 10:01", "agent_id": "A", "sender": "agent"},
    ],
    "orders": [
        {"ts": "2026-11-01 10:05", "type": "created"},
        {"ts": "2026-11-01 10:06", "type": "paid"},
    ],
    "expect": [{"status": "final", "credit": {"agent_id": "A"}}],
}


def events(shop_id: str = "jd:1", buyer_id: str = "b-1") -> list[Any]:
    buyer = {"shop_id": shop_id, "buyer_id": buyer_id}
    talk = {**buyer, "agent_id": "A"}
    order = {**buyer, "order_id": f"o-{buyer_id}", "amount": 1000}
    return in_time_order(
        [
            {**talk, "event_id": "m1", "ts": T, "sender": "buyer"},
            {**talk, "event_id": "m2", "ts": T + 1, "sender": "agent"},
        ],
        [
            {**order, "event_id": "e1", "ts": T + MINUTE_MS, "type": "created"},
            {**order, "event_id": "e2", "ts": T + 2 * MINUTE_MS, "type": "paid"},
        ],
    )


def written(folder: Path, *scenarios: object) -> Path:
    path = folder / "scenarios.json"
    path.write_text(json.dumps(scenarios))
    return path


@pytest.mark.parametrize("module", ["clock", "driver", "scenario", "store"])
def test_the_examples_in_docstrings_run(module: str) -> None:
    result = doctest.testmod(import_module(f"stream_attr.testing.{module}"))
    assert result.failed == 0
    assert result.attempted > 0


@pytest.mark.parametrize("partitions", [1, 3])
def test_the_driver_ends_alike_for_any_number_of_partitions(partitions: int) -> None:
    driver = Driver(partitions=partitions)
    driver.send_all([one for number in range(5) for one in events(buyer_id=f"b-{number}")])
    driver.restart()
    driver.finish()
    assert {one["credit"]["agent_id"] for one in driver.last(DECISIONS).values()} == {"A"}
    day = driver.last(AGENT_DAILY)["jd:1|A|2026-11-01"]
    assert (day["status"], day["sales"]["orders"]) == ("final", 5)
    assert driver.state == {}


def test_the_driver_takes_settings_on_the_way() -> None:
    driver = Driver()
    driver.send_all(events())
    [emitted] = driver.send(
        SETTINGS, {"shop_id": "jd:1", "effective_from": "2026-10-01", "unlisted_agents": "frozen"}
    )[:1]
    assert (emitted.topic, emitted.value["reason"], emitted.value["credit"]) == (DECISIONS, "settings", None)


def test_the_driver_refuses_settings_that_cannot_be_used() -> None:
    with pytest.raises(ValueError, match="effective_from"):
        Driver(settings=[{"shop_id": "jd:1"}])


def test_the_clock_decides_what_lies_in_the_future_and_which_tasks_are_due() -> None:
    clock = ManualClock(T)
    driver = Driver(clock=clock)
    _, _, created, paid = events()
    [letter] = driver.send(ORDERS, {**created.value, "ts": T + 11 * MINUTE_MS})
    assert (letter.topic, letter.value["code"]) == (DEAD_LETTERS, "future_timestamp")
    clock.advance(3 * MINUTE_MS)
    for one in events()[:3]:
        driver.send(one.topic, one.value)
    assert TASKS in {one.topic for one in driver.send(paid.topic, paid.value)}


def test_the_driver_takes_bytes_as_they_stand() -> None:
    [letter] = Driver().send(CHAT, b"{", b"jd:1|b-1")
    assert letter.value["code"] == "not_json"


def test_a_scenario_says_what_is_not_as_expected(tmp_path: Path) -> None:
    wrong = {**SCENARIO, "name": "wrong", "expect": [{"credit": {"agent_id": "B"}}], "no_decision": ["o-1"]}
    right, other = read_scenarios(written(tmp_path, SCENARIO, wrong))
    assert failures(right) == []
    assert failures(other) == ["o-1.credit.agent_id: 'A', expected 'B'", "o-1: has a decision"]


def test_settings_that_are_refused_fail_the_scenario(tmp_path: Path) -> None:
    [scenario] = read_scenarios(written(tmp_path, {**SCENARIO, "settings": [{"validity": 7}]}))
    [line] = failures(scenario)
    assert "validity" in line


@pytest.mark.parametrize(
    ("scenarios", "message"),
    [
        ([{**SCENARIO, "expects": []}], "unknown fields expects"),
        ([{"name": "n", "rule": "5"}], "missing fields orders"),
        ([SCENARIO, SCENARIO], "several scenarios have one name"),
        ([7], "is not a list of JSON objects"),
        ([{**SCENARIO, "until": "tomorrow"}], "tomorrow"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, scenarios: list[Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        read_scenarios(written(tmp_path, *scenarios))


def test_scenario_files_are_run_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(written(tmp_path, SCENARIO))]) == 0
    assert capsys.readouterr().out == "ok  who answered gets it\n1 scenarios, 0 failed\n"
    assert main([str(written(tmp_path, {**SCENARIO, "expect": [{"outcome": "unpaid"}]}))]) == 1
    assert "o-1.outcome: 'credited', expected 'unpaid'" in capsys.readouterr().out
    assert main([str(tmp_path / "none.json")]) == 2
    assert main([]) == 2


def test_the_guide_shows_what_comes_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    driver, shown, scenarios, _, printed, with_pytest = (text for _, text in blocks)
    exec(compile(driver, GUIDE.name, "exec"), {})
    assert capsys.readouterr().out == shown
    path = tmp_path / "scenarios.json"
    path.write_text(scenarios, encoding="utf-8")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == printed
    names: dict[str, Any] = {}
    exec(compile(with_pytest.replace('"scenarios.json"', repr(str(path))), GUIDE.name, "exec"), names)
    names["test_scenario"](*read_scenarios(path))
