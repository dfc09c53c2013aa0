"""Reading scenario files: given / when / then, with readable times, into records of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

SHOP = "jd:1"
FOLDER = Path(__file__).parent

_TIMES = frozenset({"ts", "created_ts", "paid_ts", "cancelled_ts", "final_at", "first_ts", "last_ts"})
_FIELDS = frozenset(
    {"name", "rule", "settings", "roster", "chat", "orders", "ticks", "until"}
    | {"expect", "no_decision", "emitted"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scenario:
    """One scenario, its records complete and its times epoch milliseconds."""

    name: str
    rule: str
    settings: list[Json]
    roster: list[Json]
    chat: list[Json]
    orders: list[Json]
    ticks: list[int]
    until: int | None
    """Where the watermark stands in the end; None is the end of time."""
    expect: list[Json]
    no_decision: list[str]
    emitted: list[Json]


def read_all() -> list[Scenario]:
    """Read every scenario file of this folder.

    Raises:
        ValueError: a scenario has a field that no scenario has, or two have one name.
    """
    scenarios = [scenario for path in sorted(FOLDER.glob("*.json")) for scenario in read(path)]
    names = [scenario.name for scenario in scenarios]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"several scenarios have one name: {repeated}")
    return scenarios


def read(path: Path) -> Iterator[Scenario]:
    """Yield the scenarios of one file."""
    for given in json.loads(path.read_text(encoding="utf-8")):
        if unknown := given.keys() - _FIELDS:
            raise ValueError(f"{path.name}: {given.get('name')}: unknown fields {sorted(unknown)}")
        yield _complete(given)


def lacking(expected: Any, actual: Any, where: str = "") -> list[str]:
    """Say what of an expectation an outcome does not hold; no lines where it holds all."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            line
            for name, value in expected.items()
            for line in lacking(value, actual.get(name, "<absent>"), f"{where}.{name}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [line for i, (one, other) in pairs for line in lacking(one, other, f"{where}[{i}]")]
    return [] if expected == actual else [f"{where}: {actual!r}, expected {expected!r}"]


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
        ticks=[_instant(text, zone) for text in given.get("ticks", [])],
        until=None if until is None else _instant(until, zone),
        expect=[
            {"order_id": "o-1", "profile": "official", **e} for e in _timed(given.get("expect", []), zone)
        ],
        no_decision=given.get("no_decision", []),
        emitted=_timed(given.get("emitted", []), zone),
    )


def _timed(value: Any, zone: ZoneInfo) -> Any:
    """Turn every readable time inside a value into epoch milliseconds."""
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
