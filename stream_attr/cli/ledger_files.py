"""Filling a ledger from files, as ``ledger --from`` and ``replay --ledger`` do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stream_attr.cli.database import Where, ledger_module
from stream_attr.cli.progress import Progress
from stream_attr.cli.terminal import echo

if TYPE_CHECKING:
    from stream_attr.ledger.database.connect import Database

__all__ = ["fill", "open_ledger"]


@contextmanager
def open_ledger(where: Where) -> Iterator[Database]:
    """Yield the ledger's database, its schema up to date; say what an administrator has yet to do.

    Raises:
        UnusableError: the libraries are not installed, or the database cannot be used.
    """
    database_of = ledger_module("database.connect").Database
    migrate = ledger_module("database.migrate").migrate
    with database_of(*where) as database:
        if (left_to_do := migrate(database)) is not None:
            echo(f"Warning: {left_to_do}", err=True)
        yield database


def fill(
    database: Database, folder: Path, inputs: Mapping[str, Sequence[str]], *, rebuild: bool = False
) -> None:
    """Write what ``replay`` wrote to a folder into the ledger, show the progress, and say what was written.

    ``inputs``: files of settings, roster and rulings, by topic; ``rebuild``: empty the ledger before. What is
    raised says ``stream_attr.ledger.sink.folder.fill``.
    """
    sink = ledger_module("sink.folder")
    progress = Progress("stored")
    emptied = ledger_module("sink.offsets").emptied
    with database.connection(autocommit=True, application="stream-attr ledger") as connection:
        try:
            filled = sink.fill(
                connection,
                sink.Files(folder, inputs),
                rebuild=rebuild,
                removed=lambda had: echo(emptied(had), err=True),
                progress=progress,
            )
        finally:
            progress.clear()
        if filled.stored:
            sink.analyze(connection)
        ledger_module("roll_up.kept").RollUp().make(connection, last_day=True)
    counts = [f"{count:,} {topic}" for topic, count in filled.stored.items()]
    echo(f"{', '.join(counts) or 'nothing new'} in {database.name}", err=True)
    if filled.before:
        echo(f"{filled.before:,} records were there already", err=True)
    if unstored := filled.unstored.total():
        topics = ", ".join(f"{count:,} {topic}" for topic, count in filled.unstored.items())
        echo(
            f"Warning: {unstored:,} record{'s' if unstored > 1 else ''} cannot be stored ({topics}): the "
            "table unstored says why; correct the files, then fill the ledger from all of them by --rebuild",
            err=True,
        )
