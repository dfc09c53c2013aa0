"""``stream-attr ledger``: keeps the results in a PostgreSQL database that reports read."""

from __future__ import annotations

from pathlib import Path

import click

from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.ledger_files import fill, open_ledger
from stream_attr.cli.params import EXISTING_FOLDER, FilesCommand, broker_option, topic_prefix_option
from stream_attr.cli.process import stop_on_signals
from stream_attr.cli.secured import security_options
from stream_attr.cli.watched import Web, web_options
from stream_attr.collector import without_collector
from stream_attr.contract.topics import ROSTER, RULINGS, SETTINGS
from stream_attr.kafka.security import Security
from stream_attr.worker.ops.logs import set_up

_STOP_S = 20.0
"""What a sink may take to stop: less than orchestrators give it. A batch is written whole or not at all."""


@click.command(name="ledger", cls=FilesCommand)
@database_options
@click.option(
    "--rebuild", is_flag=True, help="Empty the ledger of all that came from records, and fill it again."
)
@click.option(
    "--from",
    "folder",
    metavar="FOLDER",
    type=EXISTING_FOLDER,
    help="Fill the ledger from what replay wrote to this folder, without a broker.",
)
@click.option("--settings", metavar="FILE…", multiple=True, help="With --from: settings records.")
@click.option("--roster", metavar="FILE…", multiple=True, help="With --from: roster records.")
@click.option("--rulings", metavar="FILE…", multiple=True, help="With --from: rulings.")
@broker_option
@topic_prefix_option
@security_options
@click.option(
    "--group",
    default="stream-attr-ledger",
    show_default=True,
    help="Consumer group; one per ledger. Its offsets are not used: the ledger has its own.",
)
@web_options(port=6067)
def command(
    where: Where,
    rebuild: bool,
    folder: Path | None,
    settings: tuple[str, ...],
    roster: tuple[str, ...],
    rulings: tuple[str, ...],
    broker: str,
    topic_prefix: str,
    security: Security,
    group: str,
    web: Web,
) -> None:
    """Write decisions, reports, settings and rulings to the ledger, a PostgreSQL database.

    Without --from: from the topics of a broker as they come, until SIGTERM, SIGHUP or Ctrl-C. Start as many
    as you like: they share the partitions. A database that is away is waited for.

    What the ledger has is not written again: a command that was interrupted is started again. A topic that
    was recreated, another broker or another folder is refused, unless --rebuild is given.
    """
    inputs = {SETTINGS: settings, ROSTER: roster, RULINGS: rulings}
    if folder is not None:
        with without_collector(), open_ledger(where) as database:
            fill(database, folder, inputs, rebuild=rebuild)
    elif any(inputs.values()):
        raise click.UsageError("--settings, --roster and --rulings go with --from; a broker has its topics.")
    else:
        _follow(where, (broker, security, topic_prefix, group), web, rebuild=rebuild)


def _follow(
    where: Where,
    source: tuple[str, Security, str, str],
    web: Web,
    *,
    rebuild: bool,
) -> None:
    """Fill the ledger from the topics, until a signal."""
    database_of = ledger_module("database.connect").Database
    service = ledger_module("sink.service")
    set_up()
    web.require()
    stop = stop_on_signals(within_s=_STOP_S)
    with database_of(*where) as database:
        service.follow(database, service.Topics(*source), service.Web(*web), stop, rebuild=rebuild)
