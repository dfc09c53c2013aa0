"""All metrics of ``pull``: names, labels and meanings; served at ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

__all__ = ["PullMetrics"]

_LABELS = ["platform", "connection", "list"]


class PullMetrics:
    """Counters since it started, and how far behind each list is."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._windows = Counter(
            "stream_attr_pull_windows",
            "Windows of lists by what became of them: `kept`, or `failed`, which is repeated.",
            [*_LABELS, "result"],
            registry=registry,
        )
        self._replies = Counter(
            "stream_attr_pull_replies",
            "Replies with something in them, sent to `raw.<platform>`.",
            _LABELS,
            registry=registry,
        )
        self._behind = Gauge(
            "stream_attr_pull_behind_seconds",
            "How long ago the last window ends that was asked for; of a queue, when it was last found empty.",
            _LABELS,
            registry=registry,
        )

    def asked(self, labels: tuple[str, str, str], result: str) -> None:
        """Record a window. ``labels``: platform, connection, list."""
        self._windows.labels(*labels, result).inc()

    def kept(self, labels: tuple[str, str, str]) -> None:
        """Record a reply that was sent on."""
        self._replies.labels(*labels).inc()

    def behind(self, labels: tuple[str, str, str], seconds: Callable[[], float]) -> None:
        """Say how to tell how far behind a list is, also while it does not get on."""
        self._behind.labels(*labels).set_function(seconds)
