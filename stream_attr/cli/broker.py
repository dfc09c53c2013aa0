"""``stream-attr broker``: the embedded broker alone, in the foreground."""

from __future__ import annotations

import click

from stream_attr.cli.params import PORT
from stream_attr.cli.terminal import echo
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.embedded.broker import embedded_broker


@click.command(name="broker")
@click.option("--port", type=PORT, default=9092, show_default=True, help="Loopback port to listen on.")
def command(port: int) -> None:
    """Run the embedded Kafka-compatible broker until Ctrl-C. It keeps all in memory: for trials only."""
    try:
        with embedded_broker(port) as broker:
            echo(f"Kafka-compatible broker on {broker.bootstrap}, in memory; Ctrl-C ends it", err=True)
            status = broker.process.wait()
    except KeyboardInterrupt:
        return
    raise StreamAttrError(f"the broker ended by itself with status {status}")
