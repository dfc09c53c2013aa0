"""Options of every command that uses the ledger's database."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import click

from stream_attr.cli.optional import optional_module
from stream_attr.cli.params import FOLDER
from stream_attr.kafka.secret import Secret, read_secret

__all__ = ["IN_DATA_DIR", "Where", "database_options", "ledger_module"]

DATABASE_VARIABLE = "STREAM_ATTR_DATABASE"
_PASSWORD_FILE = "--database-password-file"
_PASSWORD_VARIABLE = "PGPASSWORD"
"""libpq's own."""
IN_DATA_DIR = "ledger"
"""The folder of the embedded one."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Where(NamedTuple):
    """Where the ledger's database is, as ``stream_attr.ledger.database.connect.Database`` takes it."""

    address: str | None
    """None: the embedded one."""
    folder: Path
    """Of the embedded one."""
    password: Secret | None = None
    """None: the address has it, or libpq finds it."""


def ledger_module(name: str, extra: str = "ledger") -> ModuleType:
    """Import a module of ``stream_attr.ledger``. Raises as `optional_module`."""
    return optional_module(f"ledger.{name}", extra, "the ledger")


def database_options(command: _Command) -> _Command:
    """Add ``--database``, its password's file and ``--data-dir``, given to the command as one ``where``."""

    @functools.wraps(command)
    def with_database(
        *arguments: Any,
        database: str | None,
        database_password_file: Path | None,
        data_dir: Path,
        **others: Any,
    ) -> Any:
        password = None
        if database_password_file is not None:
            if database is None:
                raise click.UsageError(f"{_PASSWORD_FILE} goes with --database: the embedded one has none.")
            password = read_secret(database_password_file, _PASSWORD_FILE, _PASSWORD_VARIABLE)
        where = Where(database, data_dir / IN_DATA_DIR, password)
        return command(*arguments, where=where, **others)

    address = click.option(
        "--database",
        metavar="URL",
        envvar=DATABASE_VARIABLE,
        show_envvar=True,
        help="Address of a PostgreSQL, postgresql://USER@HOST:PORT/DATABASE; its password in a file, in "
        "PGPASSWORD or in ~/.pgpass.  [default: an embedded one in the data directory]",
    )
    password = click.option(
        _PASSWORD_FILE,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="STREAM_ATTR_DATABASE_PASSWORD_FILE",
        show_envvar=True,
        help="File with the password of --database on one line.",
    )
    folder = click.option(
        "--data-dir",
        type=FOLDER,
        default="data",
        show_default=True,
        envvar="STREAM_ATTR_DATA_DIR",
        show_envvar=True,
        help="Folder of the embedded database.",
    )
    return address(password(folder(with_database)))  # type: ignore[return-value]
