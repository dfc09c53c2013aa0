"""The demo's console: the ledger in a browser while it fills, by a link with which anybody logs in once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stream_attr.cli.console_user import console_module
from stream_attr.cli.database import IN_DATA_DIR, ledger_module
from stream_attr.cli.demo_worker import DemoProcess, demo_console
from stream_attr.cli.lab import lab_module
from stream_attr.console.roles import Role
from stream_attr.errors import UnusableError
from stream_attr.kafka.embedded import server
from stream_attr.kafka.security import UNSECURED

__all__ = ["DemoConsole", "missing_for_console", "running_console"]

LOGIN = "demo"


def missing_for_console() -> str | None:
    """Return what is not installed and how to install it, in a sentence; None: a console can be had."""
    try:
        console_module("app")
    except UnusableError as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class DemoConsole:
    """A console that runs, and how to get in."""

    process: DemoProcess
    link: str
    """Its address, with a secret that can be used once."""
    bootstrap: str
    events: Path

    def store_events(self) -> None:
        """Store what has come on the topics, so that rules can be tried on it.

        Raises:
            StreamAttrError: it cannot be read, or written.
        """
        _store(self.bootstrap, self.events)


@contextmanager
def running_console(bootstrap: str, folder: Path) -> Iterator[DemoConsole]:
    """Run ``stream-attr console`` on the demo's ledger, which must be ready, and its broker.

    Raises:
        StreamAttrError: it does not come up.
    """
    port, events = server.free_port(), folder / "events"
    _store(bootstrap, events)  # nothing yet, but a folder of stored events
    with demo_console(bootstrap, port, folder, events) as process:
        process.await_ready()
        accounts = console_module("accounts").Accounts
        with (
            ledger_module("database.connect").Database(None, folder / "data" / IN_DATA_DIR) as database,
            database.connection(autocommit=True) as connection,
        ):
            accounts(connection).add(LOGIN, "Demo", Role.ADMIN, ())
            secret = accounts(connection).link(LOGIN)
        yield DemoConsole(process, f"{process.url}/link?token={secret}", bootstrap, events)


def _store(bootstrap: str, events: Path) -> None:
    exporting = lab_module("export")
    exporting.export(exporting.Broker(bootstrap, UNSECURED, ""), events)
