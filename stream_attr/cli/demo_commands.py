"""The commands that ``demo --keep`` prints: to look at the decisions, and to send events of one's own."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stream_attr.cli.demo_sample import DEMO_SHOP, MONTH, STORY_ORDER, TIMEZONE
from stream_attr.kafka.address import BROKER_VARIABLE, DEFAULT_BOOTSTRAP
from stream_attr.rules.shop.days import MINUTE_MS, day_name, zone

__all__ = ["next_commands"]

BUYER, ORDER, AGENT = "b-new", "o-mine", "kf-06"
# Lies on another partition than the buyers of the story and of README.md, whose time stays as it is.
READ_DECISIONS = """\
import collections, json
from kafka import KafkaConsumer
topic = KafkaConsumer("attribution-decisions", bootstrap_servers="{bootstrap}", auto_offset_reset="earliest",
                      isolation_level="read_committed", consumer_timeout_ms=3000)
last = {{record.key: json.loads(record.value) for record in topic}}
print(collections.Counter(one["credit"]["agent_id"] for one in last.values() if one["credit"]))"""


def next_commands(bootstrap: str, url: str, data_dir: Path | None, now_ts: int) -> Iterator[str]:
    """Yield the lines to paste, comments included.

    ``data_dir``: of the ledger, if there is one; ``now_ts``: milliseconds, for events of today.
    """
    now_ts -= now_ts % MINUTE_MS
    activate = Path(sys.prefix) / "bin" / "activate"
    if activate.exists():
        yield f". {shlex.quote(str(activate))}"
    if bootstrap != DEFAULT_BOOTSTRAP:
        yield f"export {BROKER_VARIABLE}={bootstrap}"
    yield ""
    yield "# one decision of the demo, in words and as JSON"
    yield f"stream-attr explain {DEMO_SHOP} {STORY_ORDER} --url {url}"
    yield f"curl -s {url}/orders/{DEMO_SHOP}/{STORY_ORDER}; echo"
    yield ""
    yield "# other settings for the demo's shop from today on, then a chat and an order of your own"
    shop_zone = zone(TIMEZONE)
    today = day_name(shop_zone.day_of(now_ts))
    yield _publish("settings", {"shop_id": DEMO_SHOP, "effective_from": today, "preset": "chitu"})
    chat = {"shop_id": DEMO_SHOP, "buyer_id": BUYER, "agent_id": AGENT}
    question = {"event_id": "my-1", **chat, "ts": now_ts, "sender": "buyer", "text": "Is it in stock?"}
    answer = {"event_id": "my-2", **chat, "ts": now_ts + MINUTE_MS, "sender": "agent", "text": "It is."}
    yield _publish("chat", question, answer)
    ordered = now_ts + 5 * MINUTE_MS
    order = {"event_id": "my-3", "shop_id": DEMO_SHOP, "buyer_id": BUYER, "order_id": ORDER, "type": "paid"}
    yield _publish("orders", {**order, "ts": ordered, "created_ts": ordered, "amount": 12_900})
    yield f"stream-attr explain {DEMO_SHOP} {ORDER} --url {url}"
    if data_dir is not None:
        yield ""
        yield "# whose orders they are, out of the ledger"
        yield (
            f"stream-attr report orders --shop {DEMO_SHOP} --from {MONTH} --agent {AGENT} "
            f"--data-dir {shlex.quote(str(data_dir))}"
        )
    yield ""
    yield "# the last decision on each order, read from Kafka: orders per agent"
    yield "python -m pip install --quiet kafka-python"
    yield "python - <<'END'"
    yield from READ_DECISIONS.format(bootstrap=bootstrap).splitlines()
    yield "END"


def _publish(option: str, *records: dict[str, Any]) -> str:
    lines = " ".join(shlex.quote(json.dumps(record, ensure_ascii=False)) for record in records)
    return f"printf '%s\\n' {lines} | stream-attr publish --{option} -"
