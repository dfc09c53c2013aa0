"""Metrics as they are exposed, and ``docs/metrics.md``, which must name each of them and no other."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from stream_attr.console.metrics import ConsoleMetrics
from stream_attr.contract.topics import CHAT
from stream_attr.gateway.adapt_metrics import AdaptMetrics
from stream_attr.gateway.metrics import GatewayMetrics
from stream_attr.gateway.pull_metrics import PullMetrics
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.processor.ports import Batch, Output
from stream_attr.worker.ops.metrics import Metrics

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
"""The rows of all but the worker are made of their metrics (``tests/docs/test_tables.py``)."""
ROW = re.compile(
    r"^\| `(?P<name>stream_attr_(?!ledger_|gateway_|adapt_|pull_|console_)\w+)` \| (?P<kind>\w+) "
    r"\|(?P<labels>[^|]*)\|",
    re.MULTILINE,
)


@pytest.fixture
def metrics():
    """After one of everything, in partition 3."""
    metrics = Metrics()
    batch = Batch()
    batch.stats.events = {CHAT: 5}
    batch.stats.late = {CHAT: 2}
    batch.stats.repeats = {CHAT: 1}
    batch.stats.decisions = {("official", "silent", "paid"): 4}
    batch.stats.reports = {"reception-facts": 3}
    batch.stats.dead_letters = {"not_json": 1}
    batch.stats.watermark = 1_793_500_000_000
    metrics.judged(3, batch, records=6, judging_s=0.01, commit_s=0.02)
    metrics.refused([Output("dead-letters", b"", orjson.dumps({"code": "bad_value"}))])
    metrics.lost(3, CHAT, 7)
    metrics.input(3, CHAT, 8, 4, 2.5)
    metrics.state(3, 9)
    metrics.partitioners({CHAT: 1.0}, differ=False)
    return metrics


def exposed(metrics):
    """Name, kind and labels of all that is exposed; those that end with ``_created`` are the client's own."""
    found = set()
    for family in metrics.registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found.add((name, family.type, frozenset(labels)))
    return found


def test_the_document_names_every_metric_with_its_kind_and_labels(metrics):
    documented = {
        (row["name"], row["kind"], frozenset(re.findall(r"`(\w+)`", row["labels"])))
        for row in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    }
    assert documented == exposed(metrics)


def test_names_that_the_document_speaks_of_elsewhere_are_there(metrics):
    parts = (metrics, SinkMetrics(), GatewayMetrics(), AdaptMetrics("jd"), PullMetrics(), ConsoleMetrics())
    names = {name for part in parts for name, _, _ in exposed(part)}
    assert set(re.findall(r"stream_attr_\w+", DOCUMENT.read_text(encoding="utf-8"))) == names


def test_what_was_counted_is_what_is_exposed(metrics):
    text = metrics.exposition().decode()
    for line in (
        'stream_attr_records_total{partition="3"} 6.0',
        'stream_attr_events_total{topic="chat-events"} 5.0',
        'stream_attr_late_events_total{topic="chat-events"} 2.0',
        'stream_attr_repeated_events_total{topic="chat-events"} 1.0',
        'stream_attr_decisions_total{outcome="silent",profile="official",reason="paid"} 4.0',
        'stream_attr_dead_letters_total{code="not_json"} 1.0',
        'stream_attr_dead_letters_total{code="bad_value"} 1.0',
        'stream_attr_lost_records_total{partition="3",topic="chat-events"} 7.0',
        'stream_attr_lag_records{partition="3",topic="chat-events"} 8.0',
        'stream_attr_open_transaction_records{partition="3",topic="chat-events"} 4.0',
        'stream_attr_open_transaction_seconds{partition="3",topic="chat-events"} 2.5',
        'stream_attr_state_bytes{partition="3"} 9.0',
        'stream_attr_watermark_seconds{partition="3"} 1.7935e+09',
    ):
        assert line in text.splitlines()


def test_a_partition_that_has_left_leaves_its_counters_and_no_gauge(metrics):
    metrics.forget(3)
    gauges = [family for family in metrics.registry.collect() if family.type == "gauge"]
    samples = [sample for family in gauges for sample in family.samples]
    assert not [sample for sample in samples if "partition" in sample.labels]
    assert 'stream_attr_records_total{partition="3"} 6.0' in metrics.exposition().decode()
