"""What the commands of ``stream-attr pay`` share: the ledger, and who acts."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from stream_attr.cli.database import Where, ledger_module

__all__ = ["BY", "looked", "noted", "opened"]

BY = click.option("--by", metavar="NAME", required=True, help="Who does it; it is kept.")


@contextmanager
def opened(where: Where) -> Iterator[Any]:
    """Open the ledger, and keep what the block has done to it.

    Raises UnusableError where there is none, or it is of another version.
    """
    require_schema = ledger_module("database.schema").require_schema
    with (
        ledger_module("database.connect").Database(*where, create=False) as database,
        database.connection(application="stream-attr pay") as connection,
    ):
        require_schema(connection)
        yield connection


def looked(connection: Any, about: str) -> None:
    """Have the audit say that somebody looked at pay: the user of the database, and of this machine."""
    noted(connection, None, "look at pay", about)


def noted(connection: Any, by: str | None, action: str, about: str) -> None:
    """Have the audit say what was done, and by whom; None: the user of the database, and of this machine."""
    login = by or f"{connection.info.user} ({_user()}, command line)"
    ledger_module("audit").note(connection, login, action, None, about)


def _user() -> str:
    """Return who runs this; a machine may not know the name of its user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown user"
