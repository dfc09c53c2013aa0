"""All metrics of a worker: names, labels and meanings; served at ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from stream_attr.processor.ports import Batch, Output

__all__ = ["Metrics"]

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)


class Metrics:
    """Counters since the worker started, and gauges of the partitions that it holds now."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._records = Counter(
            "stream_attr_records",
            "Input records judged, whatever the result; ticks included.",
            ["partition"],
            registry=registry,
        )
        self._events = Counter(
            "stream_attr_events",
            "Events accepted, including late ones, without repeats.",
            ["topic"],
            registry=registry,
        )
        self._late = Counter(
            "stream_attr_late_events",
            "Accepted events that were older than the watermark.",
            ["topic"],
            registry=registry,
        )
        self._repeats = Counter(
            "stream_attr_repeated_events",
            "Events whose `event_id` was seen before: they changed nothing.",
            ["topic"],
            registry=registry,
        )
        self._decisions = Counter(
            "stream_attr_decisions",
            "Decisions emitted, every revision of them; `profile` is `official` or `comparison`.",
            ["profile", "outcome", "reason"],
            registry=registry,
        )
        self._reports = Counter(
            "stream_attr_reports",
            "Reception facts, inquiries, agent days and service tasks emitted, every revision of them.",
            ["topic"],
            registry=registry,
        )
        self._dead_letters = Counter(
            "stream_attr_dead_letters",
            "Records that could not be used, settings and roster included.",
            ["code"],
            registry=registry,
        )
        self._pending = Gauge(
            "stream_attr_pending_decisions",
            "Official decisions that are still pending 待定.",
            ["partition"],
            registry=registry,
        )
        self._buyers = Gauge("stream_attr_buyers", "Buyers with state.", ["partition"], registry=registry)
        self._state = Gauge(
            "stream_attr_state_bytes", "Estimated size of the local store.", ["partition"], registry=registry
        )
        self._watermark = Gauge(
            "stream_attr_watermark_seconds",
            "The watermark, epoch seconds: everything due before it is done. Absent before the first event.",
            ["partition"],
            registry=registry,
        )
        self._lag = Gauge(
            "stream_attr_lag_records",
            "Records of the topic that are not judged and committed yet.",
            ["topic", "partition"],
            registry=registry,
        )
        self._open_records = Gauge(
            "stream_attr_open_transaction_records",
            "High watermark minus last stable offset: offsets behind the begin of an open transaction. "
            "They cannot be read before it ends, and are not part of the lag.",
            ["topic", "partition"],
            registry=registry,
        )
        self._open_seconds = Gauge(
            "stream_attr_open_transaction_seconds",
            "Seconds since the last stable offset moved, while it is below the high watermark; 0 without "
            "an open transaction.",
            ["topic", "partition"],
            registry=registry,
        )
        self._lost = Counter(
            "stream_attr_lost_records",
            "Offsets skipped because retention had deleted them before they were judged. Any value above "
            "0 means verdicts that rest on a part of the input; it rises only with `--lost-input "
            "continue` (and for old ticks, which do not matter).",
            ["topic", "partition"],
            registry=registry,
        )
        self._murmur2 = Gauge(
            "stream_attr_murmur2_keys_ratio",
            "Share of a topic's keys that lie where murmur2, the partitioner of Kafka's Java clients, puts "
            "them: of the last 1,000 different ones that were sampled. Absent before the first 50.",
            ["topic"],
            registry=registry,
        )
        self._differ = Gauge(
            "stream_attr_partitioners_differ",
            "1 while the keys of one of chat, orders and rulings lie where murmur2 puts them (99 % and "
            "more), and those of another do not: those of one buyer are judged apart. Else 0.",
            registry=registry,
        )
        self._judging = Histogram(
            "stream_attr_judging_seconds", "Time to judge one batch.", registry=registry, buckets=_SECONDS
        )
        self._committing = Histogram(
            "stream_attr_commit_seconds",
            "Time to commit one batch: outputs, state and progress.",
            registry=registry,
            buckets=_SECONDS,
        )
        self._inputs = self._lag, self._open_records, self._open_seconds
        self._topics: dict[int, set[str]] = {}

    def judged(self, partition: int, batch: Batch, records: int, judging_s: float, commit_s: float) -> None:
        """Record a batch that was judged and committed."""
        self._records.labels(partition).inc(records)
        self._judging.observe(judging_s)
        self._committing.observe(commit_s)
        self.counted(partition, batch)

    def counted(self, partition: int, batch: Batch) -> None:
        """Record the processor's statistics of a committed batch."""
        stats = batch.stats
        for counter, counts in (
            (self._events, stats.events),
            (self._late, stats.late),
            (self._repeats, stats.repeats),
            (self._reports, stats.reports),
            (self._dead_letters, stats.dead_letters),
        ):
            for label, count in counts.items():
                counter.labels(label).inc(count)
        for (profile, outcome, reason), count in stats.decisions.items():
            self._decisions.labels(profile, outcome, reason).inc(count)
        self._pending.labels(partition).set(stats.pending)
        self._buyers.labels(partition).set(stats.buyers)
        if stats.watermark is not None:
            self._watermark.labels(partition).set(stats.watermark / 1000)

    def refused(self, dead_letters: Iterable[Output]) -> None:
        """Record refused settings and roster records."""
        for dead_letter in dead_letters:
            self._dead_letters.labels(orjson.loads(dead_letter.value)["code"]).inc()

    def lost(self, partition: int, topic: str, records: int) -> None:
        """Record input that was deleted before it was judged."""
        self._lost.labels(topic, partition).inc(records)

    def input(
        self, partition: int, topic: str, lag: int, open_records: int = 0, open_seconds: float = 0.0
    ) -> None:
        """Set the lag of a topic, the offsets that cannot be read yet, and for how long."""
        self._topics.setdefault(partition, set()).add(topic)
        for gauge, value in zip(self._inputs, (lag, open_records, open_seconds), strict=True):
            gauge.labels(topic, partition).set(value)

    def partitioners(self, shares: Mapping[str, float], *, differ: bool) -> None:
        """Set by topic the share of keys that lie where murmur2 puts them, and whether the topics differ."""
        for topic, share in shares.items():
            self._murmur2.labels(topic).set(share)
        self._differ.set(differ)

    def state(self, partition: int, size: int) -> None:
        """Set the size of a local store in bytes."""
        self._state.labels(partition).set(size)

    def forget(self, partition: int) -> None:
        """Remove the gauges of a partition that this worker no longer holds."""
        for gauge in (self._pending, self._buyers, self._state, self._watermark):
            gauge.remove(partition)
        for topic in self._topics.pop(partition, ()):
            for gauge in self._inputs:
                gauge.remove(topic, partition)

    def exposition(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
