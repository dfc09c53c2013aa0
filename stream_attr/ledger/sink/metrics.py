"""All metrics of a sink: names, labels and meanings; served at ``/metrics``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from stream_attr.ledger.sink.batch import Batch, Source
from stream_attr.ledger.sink.status import Status

__all__ = ["SinkMetrics"]

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)


class SinkMetrics:
    """Counters since the sink started, and gauges of the partitions that it holds now."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._stored = Counter(
            "stream_attr_ledger_records",
            "Records written to the ledger, repeats of smaller revision included.",
            ["topic"],
            registry=registry,
        )
        self._unstored = Counter(
            "stream_attr_ledger_unstored_records",
            "Records that the ledger cannot store: they are in the table `unstored`, with why. Any value "
            "above 0 means figures without them.",
            ["topic"],
            registry=registry,
        )
        self._lost = Counter(
            "stream_attr_ledger_lost_records",
            "Offsets skipped because retention had deleted them before they were read.",
            ["topic", "partition"],
            registry=registry,
        )
        self._fenced = Counter(
            "stream_attr_ledger_fenced_batches",
            "Batches not written because another sink had written their records, as after a rebalance.",
            registry=registry,
        )
        self._lag = Gauge(
            "stream_attr_ledger_lag_records",
            "Records of the topic that are not in the ledger yet.",
            ["topic", "partition"],
            registry=registry,
        )
        self._watermark = Gauge(
            "stream_attr_ledger_watermark_seconds",
            "The last watermark of the topic's records, epoch seconds: reports are as of it.",
            ["topic", "partition"],
            registry=registry,
        )
        self._ready = Gauge(
            "stream_attr_ledger_ready",
            "1 while the ledger is being filled, else 0: `/ready` says why.",
            registry=registry,
        )
        self._away = Gauge(
            "stream_attr_ledger_database_away",
            "1 while the sink waits for the database, else 0.",
            registry=registry,
        )
        self._writing = Histogram(
            "stream_attr_ledger_write_seconds",
            "Time to write one batch, its transaction included.",
            registry=registry,
            buckets=_SECONDS,
        )

    def watch(self, status: Status) -> None:
        """Tell from now on whether the ledger is being filled."""
        self._ready.set_function(lambda: status.why_not() is None)

    def written(self, batch: Batch, seconds: float) -> None:
        """Record a batch that was written."""
        for topic, count in batch.stored.items():
            self._stored.labels(topic).inc(count)
        for record, _ in batch.unstored:
            self._unstored.labels(record.topic).inc()
        for source, watermark in batch.watermarks.items():
            self._watermark.labels(*source).set(watermark / 1000)
        self._writing.observe(seconds)

    def fenced(self) -> None:
        """Record a batch that another sink had written."""
        self._fenced.inc()

    def lost(self, source: Source, records: int) -> None:
        """Record offsets that were deleted before they were read."""
        self._lost.labels(*source).inc(records)

    def lag(self, source: Source, records: int) -> None:
        """Set how far the ledger is behind a partition."""
        self._lag.labels(*source).set(records)

    def away(self, is_away: bool) -> None:
        """Set whether the database is waited for."""
        self._away.set(is_away)

    def forget(self) -> None:
        """Remove the gauges of partitions, which others may hold now."""
        self._lag.clear()
        self._watermark.clear()

    def exposition(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
