"""``stream-attr alerts``: tells people when a figure of the ledger leaves its limits, and when it is back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.params import PAUSE
from stream_attr.cli.process import stop_on_signals
from stream_attr.cli.terminal import echo
from stream_attr.errors import StreamAttrError
from stream_attr.ledger.texts import LANGUAGES


class NotDeliveredError(StreamAttrError):
    """A channel did not take a message; it is tried again."""


@click.command(name="alerts")
@click.option(
    "--rules",
    "file",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Rules and channels, as JSON.",
)
@click.option("--once", is_flag=True, help="Judge once and end, as a job of cron.")
@click.option(
    "--every",
    metavar="DURATION",
    type=PAUSE,
    default="1m",
    show_default=True,
    help="Without --once: how long to wait after each time.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing, and keep nothing.")
@click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@database_options
def command(file: Path, once: bool, every: int, dry_run: bool, language: str, where: Where) -> None:
    """Judge rules on figures of the ledger, and tell once when one begins to hold and once when it ends.

    Until SIGTERM, SIGHUP or Ctrl-C, unless --once is given. Sent alerts are recorded in the ledger, so a
    restart tells nothing twice; what a channel did not take is tried again.
    """
    rules = ledger_module("alerts.rules").read_rules(file)
    database_of = ledger_module("database.connect").Database
    require_schema = ledger_module("database.schema").require_schema
    if not dry_run:
        channels = ledger_module("alerts.channels", "alerts").open_channels(rules.channels, file.parent)
    with database_of(*where, create=False) as database:
        with database.connection(application="stream-attr alerts") as connection:
            require_schema(connection)
            if dry_run:
                _show(connection, rules.rules, language)
                return
        if once:
            _round(database, rules.rules, channels, language, once=True)
            return
        stop = stop_on_signals()
        while not stop.is_set():
            _round(database, rules.rules, channels, language, once=False)
            stop.wait(every / 1000)


def _show(connection: Any, rules: Any, language: str) -> None:
    """Show what each rule comes to, and the messages that would be sent."""
    judged_line = ledger_module("alerts.messages").line_of
    results, waiting = ledger_module("alerts.run").would_send(connection, rules, language)
    for judged, message in results:
        echo(judged_line(judged, language))
        if message is not None:
            _show_message(", ".join(judged.rule.channels), message)
    for channel, message in waiting:
        _show_message(f"{channel}, not delivered before", message)


def _show_message(channel: str, message: Any) -> None:
    for line in (f"> {channel}", message.title, *message.body.split("\n")):
        echo(f"    {line}")


def _round(database: Any, rules: Any, channels: Any, language: str, *, once: bool) -> None:
    """Judge and send once; without ``once`` what is in the way now is tried again."""
    away = ledger_module("database.connect").DatabaseAway
    other = ledger_module("alerts.run").OtherAlertsError
    try:
        with database.connection(autocommit=True, application="stream-attr alerts") as connection:
            done = ledger_module("alerts.run").run(connection, rules, channels, language)
    except (away, other) as error:
        if once:
            raise
        echo(f"Warning: {error}; it is tried again", err=True)
        return
    for one in done.sent:
        echo(f"sent to {one}", err=True)
    for one in done.unknown:
        echo(f"Warning: it is not known whether this arrived, to {one}", err=True)
    for one in done.dropped:
        echo(f"Warning: not sent, since the rules no longer have the channel, to {one}", err=True)
    for one in done.failed:
        echo(f"Warning: not delivered, and tried again the next time, to {one}", err=True)
    if done.failed and once:
        raise NotDeliveredError(
            f"{len(done.failed)} messages were not delivered: check the addresses of their channels"
        )
