"""The worker against other engines that do the same judging, with all outputs, on both brokers."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from engines import AIOKAFKA, CONFLUENT, FAUST, QUIX, WORKER, Engine, Traffic, apache_kafka, rate
from plots import draw_engines
from stream_attr.kafka.embedded.broker import embedded_broker
from table import Row

__all__ = ["run"]

EVENTS = 100_000
SLOW_EVENTS = 8_000
"""For plain Faust."""
DAYS = 15
ROUNDS = 3
EMBEDDED, KAFKA = "embedded broker", "Apache Kafka"
PROMISED = {FAUST: 10.0, QUIX: 1.3, AIOKAFKA: None, CONFLUENT: 0.7}


def run(plots: Path) -> list[Row]:
    """Measure every engine on every broker, in turn, and draw it."""
    rates: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = Traffic.generate(folder / "whole", EVENTS, DAYS)
        part = whole.first(SLOW_EVENTS, folder / "part")
        with embedded_broker() as broker:
            rates[EMBEDDED] = _in_turn(broker.bootstrap, folder, whole, part)
        kafka = apache_kafka()
        try:
            with kafka.cluster(folder / "kafka") as running:
                rates[KAFKA] = _in_turn(running.bootstrap, folder, whole, part)
        except kafka.KafkaUnavailable as reason:
            print(f"not measured on Apache Kafka: {reason}", file=sys.stderr)
    draw_engines(rates, plots / "engines.svg")
    return [_row(broker, engine, found) for broker, found in rates.items() for engine in PROMISED]


def _in_turn(bootstrap: str, folder: Path, whole: Traffic, part: Traffic) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {engine.name: [] for engine in (WORKER, *PROMISED)}
    for _ in range(ROUNDS):
        for engine in (WORKER, *PROMISED):
            traffic = part if engine is FAUST else whole
            found[engine.name].append(rate(engine, bootstrap, folder, traffic, reports=True))
    return found


def _row(broker: str, engine: Engine, found: dict[str, list[float]]) -> Row:
    ours, theirs = found[WORKER.name], found[engine.name]
    ratios = [mine / peers for mine, peers in zip(ours, theirs, strict=True)]
    ratio, promised = statistics.median(ratios), PROMISED[engine]
    return Row(
        f"worker against {engine.name}, all outputs, {broker}",
        f"{ratio:.2f} times",
        "" if promised is None else f"at least {promised:g} times",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"{statistics.mean(ours):,.0f} events/s against {statistics.mean(theirs):,.0f}",
        met=None if promised is None else ratio >= promised,
    )
