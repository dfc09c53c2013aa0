"""All metrics of a gateway: names, labels and meanings; served at ``/metrics``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from stream_attr.gateway.checks import Result

__all__ = ["GatewayMetrics"]

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class GatewayMetrics:
    """Counters since the gateway started."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._requests = Counter(
            "stream_attr_gateway_requests",
            "Requests by what became of them: `kept`, `handshake`, or why refused. `platform` is empty where "
            "the address is none of ours.",
            ["platform", "result"],
            registry=registry,
        )
        self._bytes = Counter(
            "stream_attr_gateway_kept_bytes",
            "Bytes of bodies that Kafka has acknowledged.",
            ["platform"],
            registry=registry,
        )
        self._keeping = Histogram(
            "stream_attr_gateway_keep_seconds",
            "Time until Kafka acknowledged a request: the platform waits for it.",
            registry=registry,
            buckets=_SECONDS,
        )
        self._away = Gauge(
            "stream_attr_gateway_broker_away",
            "1 while Kafka acknowledges nothing: requests are answered 503, and platforms retry. Else 0.",
            registry=registry,
        )

    def answered(self, platform: str, result: Result) -> None:
        """Record what became of a request."""
        self._requests.labels(platform, result).inc()

    def kept(self, platform: str, size: int, seconds: float) -> None:
        """Record a body that Kafka has acknowledged."""
        self._bytes.labels(platform).inc(size)
        self._keeping.observe(seconds)

    def away(self, is_away: bool) -> None:
        """Set whether Kafka acknowledges nothing."""
        self._away.set(is_away)
