"""``stream-attr adapt``: makes events of what a platform sent."""

from __future__ import annotations

import functools
from pathlib import Path

import click

from stream_attr.adapters.registry import ADAPTERS
from stream_attr.cli.connected import Connected, connected_options, gateway_module
from stream_attr.cli.params import FOLDER, TIME, FilesCommand
from stream_attr.cli.process import stop_on_signals
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError
from stream_attr.worker.ops.logs import set_up

_STOP_S = 30.0
"""What it may take to stop: less than orchestrators give it. What is not committed is done again."""


@click.command(name="adapt", cls=FilesCommand)
@click.argument("platform", type=click.Choice(sorted(ADAPTERS)), metavar="PLATFORM")
@connected_options(web_port=6069)
@click.option(
    "--since",
    metavar="TIME",
    type=TIME,
    help="Begin with what came at this time (RFC 3339 or epoch milliseconds), instead of going on.",
)
@click.option(
    "--from",
    "files",
    metavar="FILE…",
    multiple=True,
    help="Adapt raw records in JSON-lines files, once, instead of the topic.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=FOLDER,
    help="With --from: write chat.jsonl, orders.jsonl and raw-dead-letters.jsonl there, without a broker.",
)
def command(
    platform: str,
    connections: Path,
    connected: Connected,
    since: int | None,
    files: tuple[str, ...],
    out: Path | None,
) -> None:
    """Make chat and order events of raw.PLATFORM, until SIGTERM, SIGHUP or Ctrl-C.

    Start as many as you like: they share the partitions. What is repeated has the same event ids and changes
    nothing. What gives no event is counted by its reason; where something is wrong, it is a record of
    raw-dead-letters.
    """
    service = gateway_module("adapt_service")
    accounts = [
        one
        for one in gateway_module("connections").read_connections(connections)
        if one.adapter.platform == platform
    ]
    if not accounts:
        raise UnusableError(f"{connections} has no connection of {platform}")
    adapter = ADAPTERS[platform]
    if files:
        if since is not None:
            raise click.UsageError("--since is for the topic; it does not go with --from.")
        adapt = functools.partial(service.adapt_files, adapter, accounts, files)
        if out is not None:
            summary = f"{service.into_folder(out, adapt)}; in {out}"
        else:
            send, finish = service.into_topics(connected.topics)
            summary = f"{adapt(send)}; sent"
            finish()
        echo(summary, err=True)
        return
    if out is not None:
        raise click.UsageError("--out goes with --from.")
    connected.web.require()
    set_up()
    service.adapt_topic(
        adapter,
        accounts,
        connected.topics,
        connected.web,
        since_ms=since,
        stop=stop_on_signals(within_s=_STOP_S),
    )
