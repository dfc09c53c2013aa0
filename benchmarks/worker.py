"""The worker against plain Faust, and with all outputs against decisions alone."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from engines import FAUST, WORKER, Traffic, apache_kafka, rate
from stream_attr.kafka.embedded.broker import embedded_broker
from table import Row

__all__ = ["run"]

EVENTS = 100_000
PEER_EVENTS = 8_000
DAYS = 15
TARGET = 8.0
ALL_OUTPUTS = 2 / 3
"""Speed falls by less than a third with facts, inquiries and figures."""


def run() -> list[Row]:
    """Measure on the embedded broker, and on Apache Kafka where it can be run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = Traffic.generate(folder / "whole", EVENTS, DAYS)
        part = whole.first(PEER_EVENTS, folder / "part")
        with embedded_broker() as broker:
            rows = _compare("embedded broker", broker.bootstrap, folder, whole, part, rounds=2)
        kafka = apache_kafka()
        try:
            with kafka.cluster(folder / "kafka") as running:
                rows += _compare("Apache Kafka", running.bootstrap, folder, whole, part, rounds=1)
        except kafka.KafkaUnavailable as reason:
            print(f"not measured on Apache Kafka: {reason}", file=sys.stderr)
    return rows


def _compare(
    broker: str, bootstrap: str, folder: Path, whole: Traffic, part: Traffic, *, rounds: int
) -> list[Row]:
    """Worker and peer in turn, decisions alone; then the worker with all its outputs."""
    ours, theirs, all_outputs = [], [], []
    for _ in range(rounds):
        ours.append(rate(WORKER, bootstrap, folder, whole, reports=False))
        theirs.append(rate(FAUST, bootstrap, folder, part, reports=False))
        all_outputs.append(rate(WORKER, bootstrap, folder, whole, reports=True))
    ratios = [mine / peers for mine, peers in zip(ours, theirs, strict=True)]
    ratio = statistics.mean(ratios)
    return [
        Row(
            f"worker against plain Faust, {broker}",
            f"{ratio:.1f} times",
            f"at least {TARGET:.0f} times",
            f"{min(ratios):.1f} to {max(ratios):.1f}" if rounds > 1 else "",
            f"{_mean(ours)} events/s against {_mean(theirs)}",
            met=ratio >= TARGET,
        ),
        Row(
            f"worker with all outputs, {broker}",
            f"{statistics.mean(all_outputs) / statistics.mean(ours):.2f} of decisions alone",
            f"at least {ALL_OUTPUTS:.2f}",
            "",
            f"{_mean(all_outputs)} events/s",
            met=statistics.mean(all_outputs) / statistics.mean(ours) >= ALL_OUTPUTS,
        ),
    ]


def _mean(rates: list[float]) -> str:
    return f"{statistics.mean(rates):,.0f}"
