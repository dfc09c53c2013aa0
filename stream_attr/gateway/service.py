"""A gateway as a service: its two ports, its producer, and how it comes to an end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import NamedTuple

from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.gateway.connections import ConnectedAccount
from stream_attr.gateway.metrics import GatewayMetrics
from stream_attr.gateway.raw_sender import RawSender
from stream_attr.gateway.receiver import Receiver
from stream_attr.gateway.web import serving, watched
from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import Security

__all__ = ["Limits", "Topics", "Web", "receive"]

logger = logging.getLogger(__name__)


class Topics(NamedTuple):
    """The topics of an installation."""

    bootstrap: str
    security: Security
    prefix: str


class Web(NamedTuple):
    """The port of those who watch."""

    host: str
    port: int
    token: Secret | None


class Limits(NamedTuple):
    """What a gateway takes."""

    per_second: int
    """Requests of one connection."""
    max_age_ms: int
    """How old a signed time may be."""
    keep_ms: int
    """How long Kafka may take to acknowledge."""


def receive(
    accounts: Sequence[ConnectedAccount],
    topics: Topics,
    address: tuple[str, int],
    web: Web,
    limits: Limits,
    stop: threading.Event,
) -> None:
    """Keep what platforms send until it is stopped; what is being answered by then is answered.

    Raises:
        UnusableError: every connection is one that is asked, and sends nothing.
        BrokerUnreachable, TopicsMissingError, PortUnusableError: on beginning.
        StreamAttrError: the producer can never send again; another process can.
    """
    metrics = GatewayMetrics()
    accounts = [one for one in accounts if one.keys]
    if not accounts:
        raise UnusableError("no connection has `secret_files`: there is nothing to receive; see pull")
    platforms = {one.adapter.platform for one in accounts}
    with RawSender(*topics, platforms, limits.keep_ms, metrics.away) as sender:

        def why_not() -> str | None:
            if stop.is_set():
                return "it is stopping"
            return "the broker is away" if sender.away else None

        receiver = Receiver(
            accounts, sender, metrics, per_second=limits.per_second, max_age_ms=limits.max_age_ms
        )
        pages = watched(metrics.registry, why_not, web.token)
        with (
            serving(pages, web.host, web.port, "--web-host and --web-port"),
            serving(receiver.app, *address, "--host and --port") as port,
        ):
            for one in accounts:
                logger.info("%s:%d takes /%s/%s", address[0], port, one.adapter.platform, one.name)
            while not stop.wait(0.2):
                if sender.failure is not None:
                    raise StreamAttrError(
                        f"nothing can be sent any more: {sender.failure.str()}; start again"
                    )
