"""The worker beside an application in Kafka Streams (``peers/kafka_streams``), on Apache Kafka.

The application knows one rule; the shop has settings by which all rules of ours come to that one, and every
order's verdict is compared. Both judge the same events, one after the other, from topics filled beforehand.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import orjson

from engines import REPOSITORY, WORKER, Engine, Traffic, apache_kafka, judge
from running import cpu_s, resident_mb
from stream_attr.rules.vocabulary import CREDITED, SILENT
from table import Row

__all__ = ["ONE_RULE", "built", "compare", "one_rule", "run"]

EVENTS = (200_000, 500_000)
DAYS = 15
ROUNDS = 2
SAMPLE_EVERY_S = 0.1
"""By a thread of its own: a read of decisions that trickle in may last for seconds."""
PROMISED = {(500_000, False): 1.0, (500_000, True): 0.5}
"""By events, and whether all outputs are emitted."""
OUTPUTS = {False: "decisions alone", True: "all outputs"}
PROJECT = REPOSITORY / "benchmarks" / "peers" / "kafka_streams"
JAR = PROJECT / "target" / "peer.jar"
ONE_RULE = {
    "shop_id": "jd:10086",
    "effective_from": "2026-01-01",
    "preset": "jd_cloud",
    "validity": {"hours": 24},
    "carried_questions": False,
    "filters": {
        name: {"enabled": False} for name in ("agent_offline", "broadcast", "forwarded", "monologue")
    },
}
"""Settings by which a paid order is the last one's who chatted; without a roster everybody's chat counts."""


class Sample(NamedTuple):
    """What was to be seen of a process."""

    ts: int
    cpu_s: float
    resident_mb: float

    @classmethod
    def of(cls, pid: int) -> Sample:
        """What is to be seen now."""
        return cls(time.time_ns() // 1_000_000, cpu_s(pid), resident_mb(pid))


class Pace(NamedTuple):
    """How fast events were judged."""

    rate: float
    """Events a second."""
    cpu_us: float
    """Microseconds of the process's CPU time an event."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process's."""

    whole: Pace
    second_half: Pace
    resident_mb: float
    decisions: dict[bytes, bytes]


def run(_plots: Path) -> list[Row]:
    """Measure the application, and the worker with decisions alone and with all outputs, in turn."""
    kafka = apache_kafka()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            streams = built()
            with kafka.cluster(folder / "kafka") as running:
                return [
                    row for events in EVENTS for row in _beside(streams, running.bootstrap, folder, events)
                ]
        except kafka.KafkaUnavailable as reason:
            print(f"not measured against Kafka Streams: {reason}", file=sys.stderr)
            return []


def built() -> Engine:
    """The application, made by Maven.

    Raises:
        KafkaUnavailable: Java or Maven is missing, or an artifact could not be had.
    """
    kafka = apache_kafka()
    if reason := kafka.why_not():
        raise kafka.KafkaUnavailable(reason)
    kafka.maven(PROJECT / "pom.xml", "package")
    return Engine("Kafka Streams", _words, 0)


def _words(bootstrap: str, prefix: str, data: Path, _traffic: Traffic) -> list[str]:
    return ["java", "-Xmx1g", "-jar", str(JAR), bootstrap, prefix, str(data)]


def one_rule(folder: Path, events: int) -> Traffic:
    """Traffic of a shop with the one rule."""
    traffic = Traffic.generate(folder, events, DAYS)
    traffic.path("settings").write_bytes(orjson.dumps(ONE_RULE))
    traffic.path("roster").write_bytes(b"")
    return traffic


def compare(ours: Mapping[bytes, bytes], theirs: Mapping[bytes, bytes]) -> tuple[int, list[str]]:
    """Compare the last decisions of each order: how many paid ones, and for which the verdicts differ.

    What was excluded is left out: that is another rule.
    """
    paid, differing = 0, []
    for key, value in ours.items():
        mine, other = orjson.loads(value), orjson.loads(theirs[key])
        if mine["outcome"] in {CREDITED, SILENT}:
            paid += 1
            agent_id = None if mine["credit"] is None else mine["credit"]["agent_id"]
            if (mine["outcome"], agent_id) != (other["outcome"], other["agent_id"]):
                differing.append(key.decode())
    return paid, differing


def _beside(streams: Engine, bootstrap: str, folder: Path, events: int) -> list[Row]:
    traffic = one_rule(folder / str(events), events)
    theirs: list[Run] = []
    ours: dict[bool, list[Run]] = {reports: [] for reports in OUTPUTS}
    for _ in range(ROUNDS):
        theirs.append(_run(streams, bootstrap, folder, traffic, reports=True))
        for reports, runs in ours.items():
            runs.append(_run(WORKER, bootstrap, folder, traffic, reports=reports))
            paid, differing = compare(runs[-1].decisions, theirs[-1].decisions)
            if differing:
                raise AssertionError(f"{len(differing)} of {paid} orders differ, such as {differing[0]}")
    return [_row(events, reports, runs, theirs, paid) for reports, runs in ours.items()]


def _run(engine: Engine, bootstrap: str, folder: Path, traffic: Traffic, *, reports: bool) -> Run:
    samples: list[Sample] = []

    def sample(pid: int) -> None:
        with suppress(OSError, ValueError):  # it has ended
            while True:
                samples.append(Sample.of(pid))
                time.sleep(SAMPLE_EVERY_S)

    judged = judge(
        *(engine, bootstrap, folder, traffic),
        reports=reports,
        started=lambda pid: Thread(target=sample, args=[pid], daemon=True).start(),
    )
    decided = sorted(judged.decided_ts.values())
    return Run(
        _pace(decided, samples, traffic),
        _pace(decided[len(decided) // 2 :], samples, traffic),
        max(sample.resident_mb for sample in samples),
        judged.decisions,
    )


def _pace(decided: Sequence[int], samples: Sequence[Sample], traffic: Traffic) -> Pace:
    """While some orders were first decided; they stand for as large a part of the events as of the orders."""
    events = traffic.events * len(decided) / traffic.orders
    begin, end = (
        min(samples, key=lambda sample: abs(sample.ts - ts)).cpu_s for ts in (decided[0], decided[-1])
    )
    return Pace(events / (decided[-1] - decided[0]) * 1000, (end - begin) / events * 1_000_000)


def _row(events: int, reports: bool, ours: Sequence[Run], theirs: Sequence[Run], paid: int) -> Row:
    ratios = [mine.whole.rate / other.whole.rate for mine, other in zip(ours, theirs, strict=True)]
    spent = [mine.whole.cpu_us / other.whole.cpu_us for mine, other in zip(ours, theirs, strict=True)]
    ratio, promised = statistics.median(ratios), PROMISED.get((events, reports))
    return Row(
        f"worker against Kafka Streams with one rule, {OUTPUTS[reports]}, {events:,} events",
        f"{ratio:.2f} times, for {statistics.median(spent):.2f} of its CPU",
        "" if promised is None else f"at least {promised:g} times",
        f"{min(ratios):.2f} to {max(ratios):.2f}, {min(spent):.2f} to {max(spent):.2f}",
        f"{_summary(ours)} against {_summary(theirs)}; the same verdicts on {paid:,} paid orders",
        met=None if promised is None else ratio >= promised,
    )


def _summary(runs: Sequence[Run]) -> str:
    whole, second = ([getattr(run, part) for run in runs] for part in ("whole", "second_half"))
    resident = statistics.median(run.resident_mb for run in runs)
    return f"{_median(whole)}, in the second half {_median(second)}, {resident:,.0f} MB resident"


def _median(paces: Sequence[Pace]) -> str:
    rate = statistics.median(pace.rate for pace in paces)
    cpu_us = statistics.median(pace.cpu_us for pace in paces)
    return f"{rate:,.0f} events/s at {cpu_us:.0f} µs of CPU"
