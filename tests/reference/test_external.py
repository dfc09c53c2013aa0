"""Verdicts that other projects' attribution tests assert, restated in our contract: all must come out.

The data is not part of this project; it is read from the folder ``STREAM_ATTR_SHARED_DATA`` names, else from
``shared/data`` beside the checkout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.reference.model import judge

_BESIDE = Path(__file__).parents[3] / "shared" / "data"
EXTERNAL = Path(os.environ.get("STREAM_ATTR_SHARED_DATA", _BESIDE)) / "external"

pytestmark = pytest.mark.skipif(
    not EXTERNAL.is_dir(),
    reason="NOT RUN: the 70 verdicts of other projects are not here; set STREAM_ATTR_SHARED_DATA",
)


def lines(name: str) -> list[dict[str, Any]]:
    with (EXTERNAL / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_placing_payment_and_credit_agent_equal_all_70_verdicts() -> None:
    decisions = judge(lines("chat.jsonl"), lines("orders.jsonl"), lines("settings.jsonl"), [], None)
    expected = {line["order_id"]: line["agent_id"] for line in lines("expected.jsonl")}
    judged = {order_id: decision for (_, order_id, _), decision in decisions.items()}
    assert len(expected) == 70
    for role in ("placing", "payment", "credit"):
        agents = {order_id: (judged[order_id][role] or {}).get("agent_id") for order_id in expected}
        assert agents == expected, role
