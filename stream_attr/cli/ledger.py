"""``stream-attr ledger``: keeps the results in a PostgreSQL database that reports read."""

from __future__ import annotations

from pathlib import Path

import click

from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.params import EXISTING_FOLDER, FilesCommand
from stream_attr.cli.progress import Progress
from stream_attr.cli.terminal import echo
from stream_attr.contract.topics import ROSTER, RULINGS, SETTINGS


@click.command(name="ledger", cls=FilesCommand)
@click.option(
    "--from",
    "folder",
    metavar="FOLDER",
    type=EXISTING_FOLDER,
    required=True,
    help="Fill the ledger from what replay wrote to this folder, without a broker.",
)
@click.option("--settings", metavar="FILE…", multiple=True, help="Settings records, as replay had them.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Roster records, as replay had them.")
@click.option("--rulings", metavar="FILE…", multiple=True, help="Rulings, as replay had them.")
@click.option(
    "--rebuild", is_flag=True, help="Empty the ledger of all that came from records, and fill it again."
)
@database_options
def command(
    folder: Path,
    settings: tuple[str, ...],
    roster: tuple[str, ...],
    rulings: tuple[str, ...],
    rebuild: bool,
    where: Where,
) -> None:
    """Write decisions, reports, settings and rulings to the ledger, a PostgreSQL database.

    What the ledger has is not written again: a command that was interrupted is started again. Records from
    another folder, or from another broker, are refused unless --rebuild is given.
    """
    database_of = ledger_module("database.connect").Database
    migrate = ledger_module("database.migrate").migrate
    sink = ledger_module("sink.folder")
    files = sink.Files(folder, {SETTINGS: settings, ROSTER: roster, RULINGS: rulings})
    progress = Progress("stored")
    with database_of(*where) as database:
        migrate(database)
        with database.connection(autocommit=True, application="stream-attr ledger") as connection:
            try:
                filled = sink.fill(connection, files, rebuild=rebuild, progress=progress)
            finally:
                progress.clear()
        counts = [f"{count:,} {topic}" for topic, count in filled.stored.items()]
        echo(f"{', '.join(counts) or 'nothing new'} in {database.name}", err=True)
        if filled.before:
            echo(f"{filled.before:,} records were there already", err=True)
        if lost := filled.unstored.total():
            echo(
                f"Warning: {lost:,} records cannot be stored; table unstored says which, and why",
                err=True,
            )
