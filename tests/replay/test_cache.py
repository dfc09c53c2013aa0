"""How much a replay keeps decoded changes nothing of what it judges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_attr.contract.topics import INQUIRIES
from stream_attr.generate import Plan as Traffic
from stream_attr.generate import write
from stream_attr.processor.ports import Output
from stream_attr.replay.run import Inputs, replay
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS

END_TS = 1_794_412_800_000
NOON = 1_793_505_600_000
"""2026-11-01 12:00:00 in Shanghai."""
NAMES = ("chat", "orders", "roster", "settings")
FEW_FACTS = 2_000


def test_a_replay_with_little_memory_emits_what_one_with_much_emits(tmp_path: Path) -> None:
    write(Traffic(seed=7, events=20_000, days=12, end_ts=END_TS, shops=2), tmp_path)
    inputs = Inputs(**{name: [str(tmp_path / f"{name}.jsonl")] for name in NAMES})
    much, little = list(replay(inputs)), list(replay(inputs, cached_facts=FEW_FACTS))
    assert last(little) == last(much)
    assert sorted(map(revision, little)) == sorted(map(revision, much))


@pytest.mark.parametrize("cached_facts", [1_000_000, 0])
def test_an_order_that_was_created_before_it_is_known_changes_an_inquiry_that_is_final(
    tmp_path: Path, cached_facts: int
) -> None:
    """Chat on 1 November, an order on the 2nd that ``paid`` alone makes known, on the 3rd."""
    placed, paid = NOON + DAY_MS, NOON + DAY_MS + 20 * HOUR_MS
    seen = {"shop_id": "jd:1", "buyer_id": "b-1"}
    chat = [
        {**seen, "event_id": f"c{number}", "agent_id": "A", "ts": ts, "sender": sender}
        for number, (ts, sender) in enumerate(
            [
                (NOON, "buyer"),
                (NOON + 1_000, "agent"),
                (placed - HOUR_MS, "buyer"),
                (placed - HOUR_MS + 1_000, "agent"),
            ]
        )
    ]
    order = {**seen, "event_id": "o1", "order_id": "o-1", "type": "paid", "amount": 100, "ts": paid}
    others = [
        {"shop_id": "jd:1", "buyer_id": "b-2", "event_id": f"x{number}", "agent_id": "A", "sender": "buyer"}
        | {"ts": ts}
        for number, ts in enumerate([paid - MINUTE_MS, paid + HOUR_MS])
    ]
    (tmp_path / "chat.jsonl").write_text("".join(json.dumps(one) + "\n" for one in [*chat, *others]))
    orders = [
        {**order, "event_id": "o2", "order_id": "o-2", "buyer_id": "b-2", "ts": paid - MINUTE_MS},
        {**order, "created_ts": placed},
    ]
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(one) + "\n" for one in orders))
    inputs = Inputs(chat=[str(tmp_path / "chat.jsonl")], orders=[str(tmp_path / "orders.jsonl")])
    outputs = list(replay(inputs, cached_facts=cached_facts))
    inquiry = json.loads(last(outputs)[INQUIRIES, b"jd:1|b-1|A|2026-11-01"])
    assert (inquiry["kind"], inquiry["outcome"], inquiry["order_ids"]) == ("inquiry", "paid", ["o-1"])


def last(outputs: list[Output]) -> dict[tuple[str, bytes], bytes]:
    return {(output.topic, output.key): output.value for output in outputs}


def revision(output: Output) -> tuple[str, bytes, bytes]:
    return output.topic, output.key, output.value
