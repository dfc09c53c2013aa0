"""``replay`` over whole files: sorted, shuffled and repeated input end in the same decisions.

The verdicts of other projects and the real dialogues are not part of this project; they are read from the
folder ``STREAM_ATTR_SHARED_DATA`` names, else from ``shared/data`` beside the checkout.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stream_attr.cli import main

SHARED = Path(os.environ.get("STREAM_ATTR_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
shared_data = pytest.mark.skipif(
    not (SHARED / "external").is_dir(), reason="NOT RUN: no shared data here; set STREAM_ATTR_SHARED_DATA"
)
VERDICT = (
    *("status", "outcome", "silence", "placing", "payment", "credit", "assists", "amount", "quantity"),
    *("refund_requested", "refund_completed", "created_ts", "paid_ts", "cancelled_ts", "final_at"),
)
Verdicts = dict[str, dict[str, Any]]


def command(*words: str | int | Path) -> None:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output


def verdicts(out: Path, *words: str | Path) -> Verdicts:
    """Replay, and return the last verdict per order and profile; of the agents picked, who they are."""
    command("replay", *words, "--out", out)
    found: Verdicts = {}
    for name in ("attribution-decisions", "attribution-comparisons"):
        for line in (out / f"{name}.jsonl").read_bytes().splitlines():
            decision = json.loads(line)
            verdict = {field: decision[field] for field in VERDICT}
            for picked in ("placing", "payment"):
                verdict[picked] = (verdict[picked] or {}).get("agent_id")
            found[f"{decision['shop_id']}|{decision['order_id']}|{decision['profile']}"] = verdict
    return found


def rewritten(folder: Path, source: Path, how: str) -> list[str | Path]:
    """Options for chat and orders of a folder, their lines shuffled or repeated."""
    chance = random.Random(how)
    words: list[str | Path] = []
    for kind in ("chat", "orders"):
        lines = (source / f"{kind}.jsonl").read_bytes().splitlines(keepends=True)
        if how == "shuffled":
            chance.shuffle(lines)
        elif how == "repeated":
            lines = [line for line in lines for _ in range(2)]
        path = folder / f"{how}-{kind}.jsonl"
        path.write_bytes(b"".join(lines))
        words += [f"--{kind}", path]
    return words


def test_generated_traffic_shuffled_or_repeated_ends_as_sorted(tmp_path: Path) -> None:
    traffic = tmp_path / "traffic"
    command("generate", "--seed", 3, "--events", 20_000, "--days", 15, "--shops", 2, "--out", traffic)
    known: list[str | Path] = ["--roster", traffic / "roster.jsonl", "--settings", traffic / "settings.jsonl"]
    as_sorted = verdicts(tmp_path / "a", *rewritten(tmp_path, traffic, "sorted"), *known)
    assert len(as_sorted) > 600
    assert verdicts(tmp_path / "b", *rewritten(tmp_path, traffic, "repeated"), *known) == as_sorted
    shuffled = rewritten(tmp_path, traffic, "shuffled")
    assert verdicts(tmp_path / "c", *shuffled, *known, "--allowed-lateness", "60d") == as_sorted


@shared_data
def test_all_70_verdicts_of_other_projects_come_out_in_any_order(tmp_path: Path) -> None:
    source = SHARED / "external"
    # Two of its orders are of 2027, which no clock has reached yet.
    known: list[str | Path] = ["--settings", source / "settings.jsonl", "--accept-future"]
    as_sorted = verdicts(tmp_path / "a", *rewritten(tmp_path, source, "sorted"), *known)
    expected = [json.loads(line) for line in (source / "expected.jsonl").read_bytes().splitlines()]
    assert len(expected) == 70
    for one in expected:
        verdict = as_sorted[f"ext:1|{one['order_id']}|official"]
        credit = (verdict["credit"] or {}).get("agent_id")
        assert (verdict["placing"], verdict["payment"], credit) == (one["agent_id"],) * 3, one
    assert verdicts(tmp_path / "b", *rewritten(tmp_path, source, "repeated"), *known) == as_sorted
    # The file spans three years: its events are in no order only for one who waits that long.
    shuffled = rewritten(tmp_path, source, "shuffled")
    assert verdicts(tmp_path / "c", *shuffled, *known, "--allowed-lateness", "1200d") == as_sorted


@shared_data
def test_real_dialogues_pass_the_check_and_are_replayed(tmp_path: Path) -> None:
    chat = SHARED / "uneed" / "chat.jsonl"
    command("check", "--chat", chat)
    # The dialogues hold no orders: whoever buys half an hour after the last word owes it to the shop's agent.
    said = [json.loads(line) for line in chat.read_bytes().splitlines()]
    last = {line["buyer_id"]: line for line in said}
    orders = tmp_path / "orders.jsonl"
    with orders.open("w") as file:
        for buyer_id, line in last.items():
            ids = {"shop_id": line["shop_id"], "buyer_id": buyer_id, "order_id": f"o-{buyer_id}"}
            for seconds, kind in ((1800, "created"), (1860, "paid")):
                event = {"event_id": f"{buyer_id}-{kind}", "type": kind, "ts": line["ts"] + seconds * 1000}
                file.write(json.dumps(ids | event | {"amount": 9900}) + "\n")
    found = verdicts(tmp_path / "out", "--chat", chat, "--orders", orders)
    assert len(found) == len(last)
    for buyer_id, line in last.items():
        assert found[f"{line['shop_id']}|o-{buyer_id}|official"]["credit"]["agent_id"] == line["agent_id"]
