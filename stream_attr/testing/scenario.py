"""Scenarios: files of given / when / then, with readable times, and what the processor makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stream_attr.contract.records.decision import EVENT_TIMES
from stream_attr.contract.topics import COMPARISONS, DECISIONS
from stream_attr.errors import UnusableError
from stream_attr.processor import Options
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.testing.driver import Driver, in_time_order

__all__ = ["Scenario", "ScenarioError", "differences", "failures", "not_as_expected", "read_scenarios"]

Json = dict[str, Any]

SHOP = "jd:1"

_TIMES = frozenset({"ts", "balance_until", "final_at", "first_ts", "last_ts", *EVENT_TIMES.values()})
_FIELDS = frozenset(
    {"name", "rule", "settings", "roster", "chat", "orders", "rulings", "ticks", "until"}
    | {"expect", "no_decision", "emitted"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scenario:
    """One scenario: its records are complete, its times epoch milliseconds."""

    name: str
    rule: str
    settings: list[Json]
    roster: list[Json]
    chat: list[Json]
    orders: list[Json]
    rulings: list[Json]
    ticks: list[int]
    until: int | None
    """Where the watermark stops, epoch milliseconds; None: the end of time."""
    expect: list[Json]
    no_decision: list[str]
    emitted: list[Json]

    def __str__(self) -> str:
        return self.name


class ScenarioError(UnusableError):
    """A scenario file cannot be used; the message names it and the scenario."""


def read_scenarios(*paths: Path) -> list[Scenario]:
    """Read scenarios from files, and from all ``*.json`` of folders.

    Raises:
        ScenarioError: a file is not a list of scenarios, a field is unknown, or two scenarios have one name.
    """
    files = [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    scenarios = [scenario for file in files for scenario in _read(file)]
    names = [scenario.name for scenario in scenarios]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ScenarioError(f"several scenarios have one name: {', '.join(map(repr, repeated))}")
    return scenarios


def failures(scenario: Scenario) -> list[str]:
    """Run a scenario through the processor; return what is not as it expects, a line each.

    With pytest:

        @pytest.mark.parametrize("scenario", read_scenarios(Path("scenarios")), ids=str)
        def test_scenario(scenario):
            assert failures(scenario) == []
    """
    end = END_OF_TIME if scenario.until is None else scenario.until
    try:
        driver = Driver(
            settings=scenario.settings, roster=scenario.roster, options=Options(latest_watermark=end)
        )
    except ValueError as error:
        return [str(error)]
    driver.send_all(in_time_order(scenario.chat, scenario.orders, scenario.ticks, scenario.rulings))
    driver.finish()
    emitted = [one.value for one in driver.emitted if one.topic in (DECISIONS, COMPARISONS)]
    found = not_as_expected(scenario, emitted)
    if scenario.emitted:
        found += differences(scenario.emitted, emitted, "emitted")
    if scenario.until is None and driver.state:
        found.append(f"state is left at the end of time: {sorted(driver.state)}")
    return found


def not_as_expected(scenario: Scenario, decisions: Iterable[Json]) -> list[str]:
    """Return how the last of these decisions differ from the expected ones; ``emitted`` is not looked at."""
    last = {(one["shop_id"], one["order_id"], one["profile"]): one for one in decisions}
    found = []
    for expected in scenario.expect:
        shop_id, order_id, profile = (expected[name] for name in ("shop_id", "order_id", "profile"))
        found += differences(expected, last.get((shop_id, order_id, profile)), order_id)
    for order_id in scenario.no_decision:
        found += [f"{order_id}: has a decision" for _, judged, _ in last if judged == order_id]
    return found


def differences(expected: Any, actual: Any, where: str = "") -> list[str]:
    """Return how a value differs from what is expected of it, a line each; no lines: it does not.

    Of objects the expected fields alone are compared; lists must have equal length.

    >>> differences({"credit": {"agent_id": "A"}}, {"credit": {"agent_id": "B"}, "amount": 1}, "o-1")
    ["o-1.credit.agent_id: 'B', expected 'A'"]
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            line
            for name, value in expected.items()
            for line in differences(value, actual.get(name, "<absent>"), f"{where}.{name}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [line for i, (one, other) in pairs for line in differences(one, other, f"{where}[{i}]")]
    return [] if expected == actual else [f"{where}: {actual!r}, expected {expected!r}"]


def _read(path: Path) -> Iterator[Scenario]:
    """Yield the scenarios of one file."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ScenarioError(f"{path}: is not a list of JSON objects")
    for one in given:
        where = f"{path}: {one.get('name', 'a scenario without `name`')}"
        if unknown := one.keys() - _FIELDS:
            raise ScenarioError(f"{where}: unknown fields {', '.join(sorted(unknown))}")
        if missing := {"name", "rule", "orders"} - one.keys():
            raise ScenarioError(f"{where}: missing fields {', '.join(sorted(missing))}")
        try:
            yield _complete(one)
        except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError) as error:
            raise ScenarioError(f"{where}: {type(error).__name__}: {error}") from error


def _complete(given: Json) -> Scenario:
    settings = [
        {"shop_id": SHOP, "effective_from": "2026-01-01", "preset": "jd_cloud", **record}
        for record in given.get("settings", [])
    ]
    zone = ZoneInfo(settings[0].get("timezone", "Asia/Shanghai") if settings else "Asia/Shanghai")
    owner = {"shop_id": SHOP, "buyer_id": "b-1"}
    orders = []
    for i, record in enumerate(_timed(given["orders"], zone), 1):
        amount = {"amount": 10000} if record["type"] in {"created", "paid"} else {}
        orders.append({"event_id": f"e{i:02}", **owner, "order_id": "o-1", **amount, **record})
    until = given.get("until")
    return Scenario(
        name=given["name"],
        rule=given["rule"],
        settings=settings,
        roster=[{"shop_id": SHOP, **record} for record in given.get("roster", [])],
        chat=[
            {"event_id": f"m{i:02}", **owner, **record}
            for i, record in enumerate(_timed(given.get("chat", []), zone), 1)
        ],
        orders=orders,
        rulings=[
            {"event_id": f"r{i:02}", **owner, "order_id": "o-1", "ruled_by": "manager", **record}
            for i, record in enumerate(_timed(given.get("rulings", []), zone), 1)
        ],
        ticks=[_instant(text, zone) for text in given.get("ticks", [])],
        until=None if until is None else _instant(until, zone),
        expect=[
            {"shop_id": SHOP, "order_id": "o-1", "profile": "official", **e}
            for e in _timed(given.get("expect", []), zone)
        ],
        no_decision=given.get("no_decision", []),
        emitted=_timed(given.get("emitted", []), zone),
    )


def _timed(value: Any, zone: ZoneInfo) -> Any:
    """Convert every readable time inside a value to epoch milliseconds."""
    if isinstance(value, list):
        return [_timed(element, zone) for element in value]
    if isinstance(value, dict):
        return {
            name: _instant(element, zone)
            if name in _TIMES and isinstance(element, str)
            else _timed(element, zone)
            for name, element in value.items()
        }
    return value


def _instant(text: str, zone: ZoneInfo) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=zone) - _EPOCH) // timedelta(milliseconds=1)
