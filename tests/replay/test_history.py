"""How long history is kept reaches all that a replay judges by: decisions, and the figures of days."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_attr.contract.topics import AGENT_DAILY
from stream_attr.replay.run import Inputs, replay
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import DAY_MS

NOON = 1_793_505_600_000
"""2026-11-01 12:00:00 in Shanghai."""
LATE_BY_DAYS = 50


def chat(number: int, buyer: str, sender: str, ts: int) -> dict[str, object]:
    ids = {"event_id": f"c{number}", "shop_id": "jd:1", "buyer_id": buyer, "agent_id": "anna"}
    return {**ids, "ts": ts, "sender": sender, "text": "hello"}


def order(number: int, kind: str, ts: int, order_id: str = "o-1", buyer: str = "b-1") -> dict[str, object]:
    ids = {"event_id": f"o{number}", "shop_id": "jd:1", "buyer_id": buyer, "order_id": order_id}
    return {**ids, "ts": ts, "type": kind, "amount": 100}


def written(folder: Path, name: str, records: list[dict[str, object]]) -> tuple[str]:
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return (str(folder / name),)


@pytest.mark.parametrize("processes", [1, 2])
def test_chat_that_comes_late_within_the_history_revises_the_figures_of_its_day(
    tmp_path: Path, processes: int
) -> None:
    later = NOON + LATE_BY_DAYS * DAY_MS
    inputs = Inputs(
        chat=written(
            tmp_path,
            "chat.jsonl",
            [
                chat(1, "b-1", "buyer", NOON - 2_000),
                chat(2, "b-1", "agent", NOON - 1_000),
                chat(3, "b-3", "buyer", later),
                chat(4, "b-2", "buyer", NOON + 1_000),
                chat(5, "b-2", "agent", NOON + 2_000),
            ],
        ),
        orders=written(
            tmp_path,
            "orders.jsonl",
            [
                order(1, "created", NOON),
                order(2, "paid", NOON + 1_000),
                order(3, "created", later - 1, "o-2", "b-3"),
            ],
        ),
    )
    outputs = replay(inputs, retention=Retention(90 * DAY_MS, 90 * DAY_MS), processes=processes)
    key = b"jd:1|anna|2026-11-01"
    days = [
        json.loads(output.value) for output in outputs if (output.topic, output.key) == (AGENT_DAILY, key)
    ]
    assert [day["revision"] for day in days] == [1, 2, 3, 4]
    assert (days[-1]["reason"], days[-1]["status"]) == ("late_event", "final")
    assert [day["sales"]["orders"] for day in days[-2:]] == [1, 1]
    assert [day["workload"]["consults"] for day in days[-2:]] == [1, 2]
