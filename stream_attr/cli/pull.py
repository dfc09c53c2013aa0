"""``stream-attr pull``: asks platforms for what was changed, and keeps the replies on ``raw.<platform>``."""

from __future__ import annotations

from pathlib import Path

import click

from stream_attr.cli.connected import Connected, connected_options, gateway_module
from stream_attr.cli.params import DURATION, TIME
from stream_attr.cli.process import stop_on_signals
from stream_attr.worker.ops.logs import set_up

_STOP_S = 30.0
"""What it may take to stop: less than orchestrators give it. What is not kept is asked for again."""


@click.command(name="pull")
@connected_options(web_port=6070)
@click.option(
    "--position",
    metavar="FILE",
    required=True,
    envvar="STREAM_ATTR_PULL_POSITION",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where it is recorded up to when each list was asked for; keep it.",
)
@click.option(
    "--since",
    metavar="TIME",
    type=TIME,
    help="Begin there (RFC 3339 or epoch milliseconds), instead of going on; at first it is a day ago. "
    "Messages that are marked by a cursor begin with the oldest that the platform has.",
)
@click.option(
    "--every",
    type=DURATION,
    default="1m",
    show_default=True,
    help="How long to wait when a list is asked for up to now. Beyond 15 minutes some events have no time.",
)
@click.option("--once", is_flag=True, help="End when all lists are asked for up to now, without a web port.")
def command(
    connections: Path,
    connected: Connected,
    position: Path,
    since: int | None,
    every: int,
    once: bool,
) -> None:
    """Ask platforms for changed orders and refunds, and for messages, until SIGTERM, SIGHUP or Ctrl-C.

    Of every connection with an `api` the lists are asked for in windows of time that overlap, by signed calls
    within their rate; what fails is asked for again, ever later. The replies go to raw.PLATFORM as they came,
    and how far it has come is recorded once Kafka has acknowledged them. Run one for a file of connections;
    what comes twice changes nothing. stream-attr adapt makes events of it.
    """
    service = gateway_module("pull_service")
    accounts = gateway_module("connections").read_connections(connections)
    if not once:
        connected.web.require()
    set_up()
    service.pull(
        accounts,
        connected.topics,
        connected.web,
        gateway_module("positions").Positions(position),
        service.Pace(max(every, 1000) / 1000, None if since is None else since // 1000, once),
        stop_on_signals(within_s=_STOP_S),
    )
