"""``stream-attr gateway``: receives what platforms send, and keeps it on ``raw.<platform>``."""

from __future__ import annotations

from pathlib import Path

import click

from stream_attr.cli.connected import Connected, connected_options, gateway_module
from stream_attr.cli.params import DURATION, PORT
from stream_attr.cli.process import stop_on_signals
from stream_attr.worker.ops.logs import set_up

_STOP_S = 30.0
"""What it may take to stop: less than orchestrators give it."""


@click.command(name="gateway")
@connected_options(web_port=6068)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Interface that platforms reach, by a proxy that ends TLS.",
)
@click.option("--port", type=PORT, default=8088, show_default=True, help="Port that platforms reach.")
@click.option(
    "--rate",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="Requests per second of one connection; more are answered 429.",
)
@click.option(
    "--max-age",
    type=DURATION,
    default="1d",
    show_default=True,
    help="How old the time may be that a platform signs. Platforms may repeat a request for hours.",
)
@click.option(
    "--keep-timeout",
    type=DURATION,
    default="4s",
    show_default=True,
    help="How long Kafka may take to acknowledge; then the answer is 503. Many platforms wait for 5 seconds.",
)
def command(
    connections: Path,
    connected: Connected,
    host: str,
    port: int,
    rate: int,
    max_age: int,
    keep_timeout: int,
) -> None:
    """Receive webhooks at /PLATFORM/CONNECTION, until SIGTERM, SIGHUP or Ctrl-C.

    A request is verified over its raw bytes, kept on the topic raw.PLATFORM, and answered once Kafka has
    acknowledged it: a crash loses nothing that was answered with 200. stream-attr adapt makes events of it.
    Start as many as you like behind a load balancer.
    """
    service = gateway_module("service")
    accounts = gateway_module("connections").read_connections(connections)
    connected.web.require()
    set_up()
    service.receive(
        accounts,
        service.Topics(*connected.topics),
        (host, port),
        service.Web(*connected.web),
        service.Limits(rate, max_age, max(keep_timeout, 100)),
        stop_on_signals(within_s=_STOP_S),
    )
