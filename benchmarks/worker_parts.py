"""Where the time of a worker goes, from a fetch to the commit: by clocks in it, and by what its threads take.

The worker is started on empty topics and frozen while these are filled, so that what is measured begins with
the first record and ends with the last. All CPU time of the process is shared out: that of Python's threads
by the clocks of `clocked_worker`, and what these leave by what the thread is for; of others by their names.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import clocked_worker
from engines import PARTITIONS, Traffic, apache_kafka
from plots import draw_parts
from running import BY_EVENTS, PATIENT, Worker
from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded.broker import embedded_broker
from table import Row

__all__ = ["run"]

EVENTS = 200_000
DAYS = 15
ROUNDS = 3
NAMED = 0.9
"""The parts that have a name are so much of what the process takes."""
LOOK_EVERY_S = 0.5

FETCHING = "fetching: network, protocol"
DECODING = "decoding"
LOOP = "loops of Faust and asyncio"
HANDING_OVER = "handing over between threads"
CLIENT = "librdkafka's threads: batches, network"
ALL_ELSE = "all else"
PARTS = (
    FETCHING,
    clocked_worker.SPLITTING,
    clocked_worker.MERGING,
    DECODING,
    clocked_worker.JUDGING,
    clocked_worker.STORE,
    clocked_worker.QUEUEING_CHANGES,
    clocked_worker.QUEUEING_OUTPUTS,
    clocked_worker.COMMITTING,
    CLIENT,
    clocked_worker.BOOKKEEPING,
    HANDING_OVER,
    LOOP,
    ALL_ELSE,
)


def run(plots: Path) -> list[Row]:
    """Measure decisions alone and all outputs in turn, and draw the means in microseconds for each event."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        traffic = Traffic.generate(folder / "traffic", EVENTS, DAYS)
        kafka = apache_kafka()
        try:
            broker, bootstrap = "Apache Kafka", stack.enter_context(kafka.cluster(folder / "kafka")).bootstrap
        except kafka.KafkaUnavailable as reason:
            print(f"not measured on Apache Kafka: {reason}", file=sys.stderr)
            broker, bootstrap = "embedded broker", stack.enter_context(embedded_broker()).bootstrap
        decoding = _decoding(traffic)
        found: dict[str, list[Counter[str]]] = {"decisions alone": [], "all outputs": []}
        for _ in range(ROUNDS):
            for name, parts in found.items():
                words = ["--decisions-only"] if name == "decisions alone" else []
                parts.append(_parts(bootstrap, folder, traffic, words))
    means = {name: _each(parts, decoding) for name, parts in found.items()}
    draw_parts(means, plots / "worker_parts.svg")
    return [_row(f"{name}, {broker}", found[name], means[name]) for name in found]


def _row(name: str, rounds: list[Counter[str]], parts: dict[str, float]) -> Row:
    wholes = [each.total() / EVENTS * 1_000_000 for each in rounds]
    whole = sum(parts.values())
    return Row(
        f"where a worker's time goes, {name}",
        f"{whole:.1f} µs of CPU an event",
        spread=f"{min(wholes):.1f} to {max(wholes):.1f}",
        note=", ".join(f"{part} {each:.1f}" for part, each in parts.items()),
        met=parts[ALL_ELSE] <= (1 - NAMED) * whole,
    )


def _each(rounds: list[Counter[str]], decoding: float) -> dict[str, float]:
    """Microseconds for each event, by part; ``decoding``: of these."""
    seconds = sum(rounds, Counter[str]())
    parts = {part: seconds[part] / len(rounds) / EVENTS * 1_000_000 for part in PARTS}
    parts[DECODING] = decoding
    parts[clocked_worker.JUDGING] -= decoding
    return parts


def _parts(bootstrap: str, folder: Path, traffic: Traffic, words: list[str]) -> Counter[str]:
    """Seconds of CPU time for all of the traffic, by what a worker spends them on; decoding is in judging."""
    prefix = f"{uuid.uuid4().hex[:8]}-"
    create_topics(bootstrap, partitions=PARTITIONS, prefix=prefix)
    clocks = folder / "clocks"
    words = [*BY_EVENTS, "--session-timeout", PATIENT, *words]
    program = (clocked_worker.__file__, str(clocks))
    worker = Worker(bootstrap, prefix, folder / prefix, *words, program=program)
    with worker.running():
        while len(worker.held()) != PARTITIONS:
            time.sleep(0.1)
        worker.freeze()
        traffic.publish(bootstrap, prefix)
        before = worker.threads()
        worker.go_on()
        while worker.metric("stream_attr_records_total") < traffic.events:
            time.sleep(LOOK_EVERY_S)
        after, main = worker.threads(), worker.pid
    spent = {int(number): parts for number, parts in json.loads(clocks.read_text(encoding="utf-8")).items()}
    seconds = Counter[str]()
    for thread, until in after.items():
        number, name = thread
        parts = spent.get(number, {})
        seconds.update(parts)
        rest = _rest(name, parts, is_main=number == main)
        seconds[rest] += max(0.0, until - before.get(thread, 0.0) - sum(parts.values()))
    return seconds


def _rest(name: str, parts: dict[str, float], *, is_main: bool) -> str:
    """What a thread does besides its parts that have clocks."""
    if is_main:
        return LOOP
    if clocked_worker.JUDGING in parts:
        return HANDING_OVER
    if clocked_worker.SPLITTING in parts:
        return FETCHING
    if name.startswith("rdk:"):
        return CLIENT
    return clocked_worker.STORE if name.startswith("rocksdb:") else ALL_ELSE


def _decoding(traffic: Traffic) -> float:
    """Microseconds of CPU time to decode an event, by itself."""
    seconds = 0.0
    for kind, decode in (("chat", decode_chat), ("orders", decode_order)):
        lines = traffic.path(kind).read_bytes().splitlines()
        begun = time.process_time()
        for line in lines:
            try:
                decode(line)
            except RefusedRecord:
                continue
        seconds += time.process_time() - begun
    return seconds / traffic.events * 1_000_000
