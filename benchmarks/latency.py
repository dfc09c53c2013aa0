"""From an event's being produced to its decision's being read: at rest, and at half of the full load.

Generated events are sent as fast as is asked for, each with the time at which it is handed to the client as
its ``ts``; a ``read_committed`` reader, in a process of its own, notes when it has the decision that an
order's ``created`` or ``paid`` has brought about. Loader, worker, broker and reader share this machine.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from engines import PARTITIONS, WORKER, Traffic, apache_kafka, rate
from plots import draw_latencies
from running import Worker
from stream_attr.contract.topics import CHAT, DECISIONS, ORDERS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded.broker import embedded_broker
from stream_attr.kafka.publish import Inputs, publish
from table import Row

__all__ = ["run"]

EVENTS = 500_000
"""As many as may be sent."""
DAYS = 15
STEP_S = 0.005
"""The loader sends what is due this often."""
AT_REST = 100
"""Events a second; each has been judged long before the next comes."""
SECONDS = 15.0
SETTLED_S = 3.0
"""What is sent before is not counted: caches are cold."""
AT_REST_MS, LOADED_MS = 100, 250
CAUSES = ("created", "paid")


def run(plots: Path) -> list[Row]:
    """Measure on each broker, and draw the curves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        traffic = Traffic.generate(folder / "traffic", EVENTS, DAYS)
        rows: list[Row] = []
        curves: dict[str, list[float]] = {}
        with embedded_broker() as broker:
            _on("embedded broker", broker.bootstrap, folder, traffic, rows, curves)
        kafka = apache_kafka()
        try:
            with kafka.cluster(folder / "kafka") as running:
                _on("Apache Kafka", running.bootstrap, folder, traffic, rows, curves)
        except kafka.KafkaUnavailable as reason:
            print(f"not measured on Apache Kafka: {reason}", file=sys.stderr)
    draw_latencies(curves, plots / "latency.svg")
    return rows


def _on(
    broker: str,
    bootstrap: str,
    folder: Path,
    traffic: Traffic,
    rows: list[Row],
    curves: dict[str, list[float]],
) -> None:
    full = rate(WORKER, bootstrap, folder, traffic, reports=True)
    for load, events_s, promised_ms in (
        ("at rest", AT_REST, AT_REST_MS),
        ("at half of the full load", full / 2, LOADED_MS),
    ):
        waited = curves[f"{broker}, {load}"] = _measure(bootstrap, folder, traffic, events_s)
        [*_, later] = statistics.quantiles(waited, n=100, method="inclusive")
        rows.append(
            Row(
                f"from produced to decided, {load}, {broker}",
                f"99 % within {later:.0f} ms",
                f"99 % within {promised_ms} ms",
                note=f"{events_s:,.0f} events/s, {len(waited):,} decisions; half of them within "
                f"{statistics.median(waited):.0f} ms, all within {waited[-1]:.0f}",
                met=later <= promised_ms,
            )
        )


def _measure(bootstrap: str, folder: Path, traffic: Traffic, events_s: float) -> list[float]:
    """Load one worker for some seconds; returns milliseconds, sorted.

    Raises:
        AssertionError: it does not come up, or some decisions do not come out.
    """
    prefix = f"{uuid.uuid4().hex[:8]}-"
    create_topics(bootstrap, partitions=PARTITIONS, prefix=prefix)
    known = {kind: (str(traffic.path(kind)),) for kind in ("roster", "settings")}
    publish(bootstrap, Inputs(**known), prefix=prefix, send_refused=True)
    with tempfile.TemporaryDirectory(dir=folder) as data:
        worker = Worker(bootstrap, prefix, Path(data) / "worker")
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        reader = context.Process(target=_read, args=(bootstrap, prefix + DECISIONS, theirs), daemon=True)
        with worker.running():
            reader.start()
            try:
                ours.recv()
                sent = _load(bootstrap, prefix, traffic, events_s)
                ours.send("no more")
                read = ours.recv()
            finally:
                reader.kill()
    waited = [(read[cause] - at) * 1000 for cause, at in sent.items() if cause in read]
    if len(waited) < 0.99 * len(sent):
        raise AssertionError(f"of {len(sent)} decisions {len(waited)} came")
    return sorted(waited)


def _load(bootstrap: str, prefix: str, traffic: Traffic, events_s: float) -> dict[tuple[str, str], float]:
    """Send events as they are due; returns when each order's ``created`` and ``paid`` was sent."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "log_level": 0,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    sent: dict[tuple[str, str], float] = {}
    events = _events(traffic)
    begun = time.time()
    count = 0
    while (now := time.time()) < begun + SETTLED_S + SECONDS:
        due = int((now - begun) * events_s)
        for topic, event in (next(events) for _ in range(due - count)):
            now = time.time()
            event["ts"] = int(now * 1000)
            if event.get("type") in CAUSES and "order_id" in event and now > begun + SETTLED_S:
                sent.setdefault((event["order_id"], event["type"]), now)
            key = f"{event.get('shop_id')}|{event.get('buyer_id')}"
            producer.produce(prefix + topic, orjson.dumps(event), key)
        count = max(due, count)
        producer.poll(0)
        time.sleep(STEP_S)
    producer.flush()
    return sent


def _events(traffic: Traffic) -> Iterator[tuple[str, dict[str, Any]]]:
    """Chat and orders by their generated time; bad records and repeats are left out."""
    found = []
    seen = set()
    for topic, kind in ((CHAT, "chat"), (ORDERS, "orders")):
        for line in traffic.path(kind).read_bytes().splitlines():
            try:
                event = orjson.loads(line)
                if isinstance(event["ts"], int) and event["event_id"] not in seen:
                    found.append((event["ts"], topic, event))
                    seen.add(event["event_id"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue
    found.sort(key=lambda one: one[0])
    return ((topic, event) for _, topic, event in found)


def _read(bootstrap: str, topic: str, pipe: Any) -> None:
    """Note when each cause's decision was read; ends when nothing more has come for a while."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "latency",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    consumer.poll(1.0)
    pipe.send("reading")
    read: dict[tuple[str, str], float] = {}
    last_record = None
    while last_record is None or time.time() - last_record < 2.0:
        messages = consumer.consume(1_000, timeout=0.01)
        now = time.time()
        for message in messages:
            decision = orjson.loads(message.value())
            read.setdefault((decision["order_id"], decision["reason"]), now)
        if pipe.poll() or last_record is not None:
            last_record = now if messages or last_record is None else last_record
    pipe.send(read)
