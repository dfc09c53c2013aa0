"""How it grows: with events, buyers and workers; and how long a worker with many buyers takes to start."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from engines import PARTITIONS, Traffic, apache_kafka
from plots import draw_growth, draw_memory
from running import BY_EVENTS, PATIENT, Spent, Worker, cpu_s, timed
from stream_attr.contract.topics import (
    AGENT_DAILY,
    BUYER_DAYS,
    CHANGELOG,
    CHAT,
    CLOSINGS,
    COMPARISONS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ORDERS,
    SETTINGS,
)
from stream_attr.kafka.admin import create_topics
from stream_attr.worker.config import WorkerConfig
from table import Row
from traffic import file_words, generated

__all__ = ["buyers", "events", "workers"]

MILLIONS = (1, 4, 16)
DAYS = 60
"""Of every number of events: of fewer, nothing would have expired."""
DAYS_OF_A_MILLION = 15
YEAR_DAYS = 365
LINEAR = 1.10
FLAT = 1.15
BUYERS = 1_000_000
SMALL_CACHE_MIB = 128
"""Full with a quarter of these buyers."""
NEAREST = 9
"""Samples whose median is the memory with so many buyers."""
ORDER_OF_EVERY = 3
"""One buyer in so many places an order."""
TEN_DAYS_MS = 10 * 86_400_000
BEGIN_TS = 1_793_548_800_000
RESTART_S = 20.0
LOOK_EVERY_S = 1.0
PURPOSES = {
    "inputs": (CHAT, ORDERS),
    "changelog": (CHANGELOG,),
    "decisions": (DECISIONS, COMPARISONS),
    "facts, inquiries, figures": (FACTS, INQUIRIES, AGENT_DAILY),
    "between partitions": (BUYER_DAYS, CLOSINGS),
}


def events(plots: Path) -> list[Row]:
    """Replay 1, 4 and 16 million events in one process, and a shop's year in two."""
    found = {}
    for millions in MILLIONS:
        with tempfile.TemporaryDirectory() as name:
            found[millions] = _replay(Path(name), millions * 1_000_000, DAYS, 1)
    each = {millions: spent.cpu_s / millions for millions, spent in found.items()}
    growth = max(each.values()) / each[MILLIONS[0]]
    year_events = 1_000_000 * YEAR_DAYS // DAYS_OF_A_MILLION
    with tempfile.TemporaryDirectory() as name:
        year = _replay(Path(name), year_events, YEAR_DAYS, 2)
    draw_growth([(millions, spent.cpu_s) for millions, spent in found.items()], plots / "events.svg")
    return [
        Row(
            f"CPU time for each event, {', '.join(map(str, MILLIONS))} million events",
            f"at most {growth:.2f} of that of {MILLIONS[0]} million",
            f"at most {LINEAR:.2f}",
            note=f"{', '.join(f'{millions} M: {spent.cpu_s:.0f} s' for millions, spent in found.items())}; "
            f"{DAYS} days each",
            met=growth <= LINEAR,
        ),
        Row(
            "a year of a large shop, replay in two processes, decisions alone",
            f"{year.wall_s / 60:.1f} minutes",
            note=f"{year_events:,} events, {year.cpu_s:.0f} s of CPU time",
        ),
    ]


def _replay(folder: Path, count: int, days: int, processes: int) -> Spent:
    inputs = generated(folder, count, days)
    return timed(
        *(
            "replay",
            *file_words(inputs),
            "--out",
            str(folder / "out"),
            "--overwrite",
            "--decisions-only",
            "--processes",
            str(processes),
        )
    )


def buyers(plots: Path, count: int = BUYERS) -> list[Row]:
    """Judge so many buyers on Apache Kafka; then restart the worker on its store, and without it.

    And judge them with so little cache that it is full before half of them have come: memory that still grows
    is not bounded by it.
    """
    default_mib = WorkerConfig().cache_mib
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with apache_kafka().cluster(folder / "kafka") as kafka:
            worker, sent = _worker_for_buyers(kafka.bootstrap, folder / "data", count, default_mib)
            with worker.running():
                begun = time.perf_counter()
                curve = _memory_curve(worker, sent)
                rate = sent / (time.perf_counter() - begun)
                state = worker.metric("stream_attr_state_bytes")
            with worker.running() as restarted:
                resident = worker.resident_mb()
            shutil.rmtree(folder / "data")
            with worker.running() as rebuilt:
                progress = worker.output()
            worker, sent = _worker_for_buyers(kafka.bootstrap, folder / "small", count, SMALL_CACHE_MIB)
            with worker.running():
                small = _memory_curve(worker, sent)
    curves = {f"--cache-mib {default_mib}": curve, f"--cache-mib {SMALL_CACHE_MIB}": small}
    draw_memory(curves, plots / "buyers.svg")
    known = curve[-1][0]
    growth = _around(small, 1.0) / _around(small, 0.5)
    return [
        Row(
            "state of a buyer in the local store",
            f"{state / known:,.0f} bytes",
            note=f"{known:,.0f} buyers, {sent:,} events, {rate:,.0f} events/s",
        ),
        Row(
            "resident memory of a worker",
            f"{growth:.2f} of that with half of the buyers",
            f"at most {FLAT:.2f}",
            note=f"--cache-mib {SMALL_CACHE_MIB}, full by then: {_around(small, 1.0):,.0f} MB, "
            f"{_around(small, 0.5):,.0f} with half of them; {default_mib}, not yet full: "
            f"{_around(curve, 1.0):,.0f} and {_around(curve, 0.5):,.0f}, and {resident:,.0f} after a restart",
            met=growth <= FLAT,
        ),
        Row(
            "restart on the local store",
            f"{restarted:.1f} s",
            f"at most {RESTART_S:.0f} s",
            note=f"until ready, {known:,.0f} buyers",
            met=restarted <= RESTART_S,
        ),
        Row(
            "rebuild from the changelog",
            f"{rebuilt:.1f} s",
            note=f"until ready; {len(re.findall('restoring, at', progress))} lines of progress in the log",
        ),
    ]


def _worker_for_buyers(bootstrap: str, data: Path, count: int, cache_mib: int) -> tuple[Worker, int]:
    """A worker, not started, whose topics hold so many buyers' events; and how many events these are."""
    prefix = f"{uuid.uuid4().hex[:8]}-"
    create_topics(bootstrap, partitions=PARTITIONS, prefix=prefix)
    sent = _send_buyers(bootstrap, prefix, count)
    return Worker(bootstrap, prefix, data, *BY_EVENTS, "--cache-mib", str(cache_mib)), sent


def _memory_curve(worker: Worker, sent: int) -> list[tuple[float, float]]:
    """Buyers known and resident megabytes, every second until all that was sent has been judged."""
    curve = []
    while worker.metric("stream_attr_records_total") < sent:
        curve.append((worker.metric("stream_attr_buyers"), worker.resident_mb()))
        time.sleep(LOOK_EVERY_S)
    curve.append((worker.metric("stream_attr_buyers"), worker.resident_mb()))
    return curve


def _around(curve: list[tuple[float, float]], share: float) -> float:
    """The megabytes with about a share of all buyers: it goes up and down with each flush of a store."""
    wanted = share * curve[-1][0]
    nearest = sorted(curve, key=lambda point: abs(point[0] - wanted))[:NEAREST]
    return statistics.median(size for _, size in nearest)


def _send_buyers(bootstrap: str, prefix: str, count: int) -> int:
    """Send two messages of each buyer, and of some an order, over ten days; returns how many events."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "log_level": 0,
            "batch.size": 256 * 1024,
            "queue.buffering.max.messages": 1_000_000,
        }
    )

    def send(topic: str, key: str, value: object) -> None:
        while True:
            try:
                producer.produce(prefix + topic, json.dumps(value).encode(), key)
            except BufferError:
                producer.poll(0.1)
            else:
                return

    send(SETTINGS, "jd:1", {"shop_id": "jd:1", "effective_from": "2026-01-01", "preset": "jd_cloud"})
    producer.flush()
    sent = 0
    for number in range(count):
        ts = BEGIN_TS + TEN_DAYS_MS * number // count
        buyer = f"b-{number:07x}"
        key = f"jd:1|{buyer}"
        who = {"shop_id": "jd:1", "buyer_id": buyer}
        chat = who | {"agent_id": f"kf-{number % 40:02}"}
        for place, sender in enumerate(("buyer", "agent")):
            event = chat | {
                "event_id": f"c-{sent}",
                "ts": ts + place * 20_000,
                "sender": sender,
                "text": "在吗",
            }
            send(CHAT, key, event)
            sent += 1
        if number % ORDER_OF_EVERY == 0:
            for place, kind in enumerate(("created", "paid")):
                order = who | {"order_id": f"o-{number:07x}", "type": kind, "amount": 9_900}
                if kind == "created":
                    order |= {"quantity": 1, "product_ids": ["p-1"]}
                send(ORDERS, key, order | {"event_id": f"e-{sent}", "ts": ts + 60_000 * (place + 1)})
                sent += 1
        producer.poll(0)
    producer.flush()
    return sent


def workers(_plots: Path, events_sent: int = 200_000) -> list[Row]:
    """Two workers against one on Apache Kafka, and how much of the machine the broker takes meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        traffic = Traffic.generate(folder / "traffic", events_sent, DAYS_OF_A_MILLION)
        with apache_kafka().cluster(folder / "kafka") as kafka:
            found = [_together(kafka, folder, traffic, count) for count in (1, 2, 1, 2)]
            written = _written(folder / "kafka", events_sent * len(found))
    alone = statistics.mean(rate for rate, _ in found[::2])
    both = statistics.mean(rate for rate, _ in found[1::2])
    return [
        Row(
            "two workers against one, all outputs, Apache Kafka",
            f"{both / alone:.2f} times",
            note=f"{both:,.0f} against {alone:,.0f} events/s on {os.cpu_count()} cores, of which the broker "
            f"took {found[1][1]:.2f} (with one worker {found[0][1]:.2f})",
        ),
        Row(
            "written to Kafka for each event, not compressed",
            f"{sum(written.values()) - written['inputs']:,.0f} bytes",
            note=", ".join(f"{name} {size:,.0f}" for name, size in written.items()),
        ),
    ]


def _written(state: Path, count: int) -> dict[str, float]:
    """Bytes in the logs of all topics for each of so many events, by what the topics are for."""
    sizes = dict.fromkeys(PURPOSES, 0)
    for log in state.glob("**/*.log"):
        for purpose, topics in PURPOSES.items():
            if any(re.fullmatch(rf"\w+-{topic}-\d+", log.parent.name) for topic in topics):
                sizes[purpose] += log.stat().st_size
    return {purpose: size / count for purpose, size in sizes.items()}


def _together(kafka: Any, folder: Path, traffic: Traffic, count: int) -> tuple[float, float]:
    """Events a second of so many workers that begin together, and how many cores the broker takes."""
    prefix = f"{uuid.uuid4().hex[:8]}-"
    create_topics(kafka.bootstrap, partitions=PARTITIONS, prefix=prefix)
    with ExitStack() as stack:
        together = []
        for number in range(count):
            data = folder / f"{prefix}{number}"
            together.append(Worker(kafka.bootstrap, prefix, data, *BY_EVENTS, "--session-timeout", PATIENT))
            stack.enter_context(together[-1].running())
        while any(len(worker.held()) != PARTITIONS // count for worker in together):
            time.sleep(0.1)
        for worker in together:
            worker.freeze()
        traffic.publish(kafka.bootstrap, prefix)
        for worker in together:
            worker.go_on()
        [node] = kafka.nodes
        begun, before = time.perf_counter(), cpu_s(node.pid)
        while sum(worker.metric("stream_attr_records_total") for worker in together) < traffic.events:
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
        return traffic.events / seconds, (cpu_s(node.pid) - before) / seconds
