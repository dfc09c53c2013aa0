"""All metrics of ``adapt``: names, labels and meanings; served at ``/metrics``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from stream_attr.adapters.skips import WORTH_A_LOOK, Skip

__all__ = ["AdaptMetrics"]


class AdaptMetrics:
    """Counters since it started, and gauges of the partitions that it holds now."""

    def __init__(self, platform: str) -> None:
        registry = self.registry = CollectorRegistry()
        self._platform = platform
        self._payloads = Counter(
            "stream_attr_adapt_payloads", "Payloads read.", ["platform"], registry=registry
        )
        self._events = Counter(
            "stream_attr_adapt_events",
            "Events that payloads gave, repeats included.",
            ["platform", "topic"],
            registry=registry,
        )
        self._skipped = Counter(
            "stream_attr_adapt_skipped",
            "Parts of payloads that gave no event, by the reasons of docs/adapters.",
            ["platform", "reason"],
            registry=registry,
        )
        self._letters = Counter(
            "stream_attr_adapt_dead_letters",
            "Those of them whose reason says that something is wrong; each is on `raw-dead-letters`.",
            ["platform", "reason"],
            registry=registry,
        )
        self._lookups = Counter(
            "stream_attr_adapt_lookups",
            "Documents that `enrich` and `bridge` were asked for: `asked`, `known` from before, `absent`, or "
            "`failed`, which is repeated.",
            ["platform", "resource", "result"],
            registry=registry,
        )
        self._waiting = Gauge(
            "stream_attr_adapt_waiting",
            "1 while a document that is needed cannot be had, and nothing is read; else 0.",
            ["platform"],
            registry=registry,
        )
        self._lag = Gauge(
            "stream_attr_adapt_lag_records",
            "Records of `raw.<platform>` that are not adapted yet.",
            ["platform", "partition"],
            registry=registry,
        )
        self._lost = Counter(
            "stream_attr_adapt_lost_records",
            "Offsets skipped because retention had deleted them before they were read.",
            ["platform", "partition"],
            registry=registry,
        )
        self.waits(False)

    def took(self) -> None:
        """Record a payload."""
        self._payloads.labels(self._platform).inc()

    def gave(self, topic: str) -> None:
        """Record an event. ``topic``: without prefix."""
        self._events.labels(self._platform, topic).inc()

    def skipped(self, skip: Skip) -> None:
        """Record a part that gave no event."""
        self._skipped.labels(self._platform, skip.reason).inc()
        if skip.reason in WORTH_A_LOOK:
            self._letters.labels(self._platform, skip.reason).inc()

    def looked_up(self, resource: str, result: str) -> None:
        """Record a call of ``enrich`` or ``bridge``."""
        self._lookups.labels(self._platform, resource, result).inc()

    def waits(self, waiting: bool) -> None:
        """Set whether a document that is needed cannot be had."""
        self._waiting.labels(self._platform).set(waiting)

    def lag(self, partition: int, records: int) -> None:
        """Set how far it is behind."""
        self._lag.labels(self._platform, partition).set(records)

    def lost(self, partition: int, records: int) -> None:
        """Record offsets that were deleted before they were read."""
        self._lost.labels(self._platform, partition).inc(records)

    def summary(self) -> str:
        """Return what was counted since it started, as a sentence."""
        made = [f"{count:,} {topic}" for topic, count in _counts(self._events, "topic")]
        counted = f"{sum(count for _, count in _counts(self._payloads, 'platform')):,} payloads, "
        counted += ", ".join(made) or "no event"
        skipped = [f"{count:,} {reason}" for reason, count in _counts(self._skipped, "reason")]
        return f"{counted}; parts without an event: {', '.join(skipped)}" if skipped else counted

    def forget(self) -> None:
        """Remove the gauges of partitions, which others may hold now."""
        self._lag.clear()


def _counts(counter: Counter, label: str) -> list[tuple[str, int]]:
    """Return what a counter has counted, by one of its labels, in order."""
    (family,) = counter.collect()
    found = [one for one in family.samples if one.name.endswith("_total")]
    return sorted((one.labels[label], int(one.value)) for one in found)
