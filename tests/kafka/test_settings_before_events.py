"""Settings that were sent before the events hold for them, also where a worker is waiting for both."""

from __future__ import annotations

import json

import pytest

from tests.kafka.verdicts import RealWorker, decisions, stream_attr
from tests.kafka.worker_process import until

DECISIONS = "attribution-decisions"
SHOPS = 20
T = 1_793_498_400_000
"""2026-11-01 10:00 in Shanghai."""
MINUTE_MS = 60_000
MIDNIGHT_S = 1_793_548_800


def shop(number):
    """Settings that tell automatic replies, and a buyer whose last answer was one: B's, after A's own."""
    ids = {"shop_id": f"jd:{number}", "buyer_id": "b-1"}
    settings = {**ids, "effective_from": "2026-10-01", "auto_reply": {"identify": True, "prefix": "^"}}
    del settings["buyer_id"]
    chat = [
        {**ids, "event_id": f"m{at}", "agent_id": who, "ts": T + at * MINUTE_MS, "sender": side, "text": text}
        for at, who, side, text in (
            (1, "A", "buyer", "?"), (2, "A", "agent", "!"), (3, "B", "buyer", "?"), (4, "B", "agent", "^!"),
        )
    ]  # fmt: skip
    paid = {**ids, "event_id": "e1", "order_id": "o-1", "type": "paid", "amount": 1, "ts": T + 6 * MINUTE_MS}
    return settings, chat, {**paid, "created_ts": T + 5 * MINUTE_MS}


@pytest.mark.kafka
def test_what_was_sent_first_is_known_first(broker, topic_prefix, tmp_path):
    target = ("--broker", broker.bootstrap, "--topic-prefix", topic_prefix)
    stream_attr("topics", "create", *target, "--partitions", "2")
    settings, chats, orders = zip(*map(shop, range(SHOPS)), strict=True)
    chat = sorted((event for one in chats for event in one), key=lambda event: event["ts"])
    files = []
    for kind, records in (("settings", settings), ("chat", chat), ("orders", orders)):
        (tmp_path / kind).write_text("".join(f"{json.dumps(one)}\n" for one in records))
        files += [f"--{kind}", str(tmp_path / kind)]
    worker = RealWorker(
        broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "events", "--accept-future")
    )
    worker.start()
    try:
        worker.until_ready()
        stream_attr("publish", *target, *files, "--until", "2026-11-02T00:00:00+08:00")
        until(lambda: worker.metric("stream_attr_watermark_seconds") == 2 * MIDNIGHT_S, worker)
        last = {one["shop_id"]: one for one in decisions(broker.bootstrap, topic_prefix + DECISIONS)}
    finally:
        worker.kill()
    assert {one["status"] for one in last.values()} == {"final"}
    assert {name: one["credit"]["agent_id"] for name, one in last.items()} == {
        f"jd:{number}": "A" for number in range(SHOPS)
    }
