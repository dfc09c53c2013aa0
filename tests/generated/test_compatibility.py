"""Which changes of a schema break readers of an output, or writers of an input."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from stream_attr.contract.registry import record_schema
from tools.generate.__main__ import ROOT
from tools.generate.compatibility import breaking, changes_since


def changed(record: str, *path: str, **changes: Any) -> list[str]:
    """What is said of a change: keys of the schema at a path set, or with None taken out."""
    before = record_schema(record)
    after = deepcopy(before)
    place = after
    for name in path:
        place = place[name]
    for key, value in changes.items():
        if value is None:
            del place[key]
        else:
            place[key] = value
    return breaking(before, after)


def properties(record: str) -> Any:
    return record_schema(record)["properties"]


@pytest.mark.parametrize("record", ["decision", "chat-event", "settings", "agent-daily"])
def test_the_same_schema_breaks_nobody(record: str) -> None:
    assert breaking(record_schema(record), record_schema(record)) == []


def test_of_an_output() -> None:
    required = record_schema("decision")["required"]
    less = {name: one for name, one in properties("decision").items() if name != "amount"}
    more = {**properties("decision"), "tip": {"type": "integer"}}
    words = [*properties("decision")["outcome"]["enum"], "lost"]
    at = ("properties",)
    assert changed("decision", properties=less) == ["amount: the field is gone"]
    assert changed("decision", properties=more) == []
    assert changed("decision", required=[*required, "tip"]) == []
    assert changed("decision", required=[one for one in required if one != "amount"]) == [
        "amount: the field may be left out now"
    ]
    assert changed("decision", *at, "amount", type=["integer", "null"]) == ["amount: it may be null now"]
    assert changed("decision", *at, "paid_ts", type="integer") == []
    assert changed("decision", *at, "amount", minimum=-1) == ["amount: minimum is -1, it was 0"]
    assert changed("decision", *at, "amount", minimum=1) == []
    assert changed("decision", *at, "outcome", enum=words) == [
        "outcome: new `lost`; readers that switch on it need a branch"
    ]
    assert changed("decision", *at, "outcome", enum=words[:2]) == []
    assert changed("decision", *at, "assists", "items", "properties", "kind", enum=None, type="string") == [
        "assists[].kind: it may be any word now"
    ]


def test_of_an_input() -> None:
    required = record_schema("order-event")["required"]
    more = {**properties("order-event"), "carrier": {"type": "string"}}
    words = properties("order-event")["type"]["enum"]
    at = ("properties",)
    assert changed("order-event", properties=more) == []
    assert changed("order-event", properties=more, required=[*required, "carrier"]) == [
        "carrier: the new field is required"
    ]
    assert changed("order-event", required=[*required, "amount"]) == ["amount: the field is required now"]
    assert changed("order-event", *at, "type", enum=[*words, "shipped"]) == []
    assert changed("order-event", *at, "type", enum=words[1:]) == ["type: `created` is refused now"]
    assert changed("order-event", *at, "quantity", maximum=10) == [
        "quantity: maximum is 10, it was 9007199254740991"
    ]
    assert changed("order-event", *at, "quantity", maximum=None) == []
    assert changed("order-event", *at, "quantity", type="string") == [
        "quantity: it may not be integer any more"
    ]


def test_a_condition_that_differs_is_named() -> None:
    assert changed("order-event", then={"required": ["currency"]}) == [
        "the record: look at its condition `then`, which is another"
    ]


def test_a_checkout_is_compared_with_a_commit() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("an export without its history")
    assert isinstance(changes_since("HEAD", ROOT), list)
