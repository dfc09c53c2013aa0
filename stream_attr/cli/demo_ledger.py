"""What the demo ends with: reports and sheets out of a ledger that was filled from the demo's topics."""

from __future__ import annotations

import shlex
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream_attr.cli.database import IN_DATA_DIR, ledger_module
from stream_attr.cli.demo_sample import DEMO_SHOP, MONTH
from stream_attr.cli.demo_screen import DemoScreen
from stream_attr.cli.demo_worker import DemoProcess, demo_ledger
from stream_attr.cli.report import command as report
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.kafka.embedded import server

__all__ = ["DemoLedger", "missing_for_ledger", "running_ledger"]

REPORTS = (
    ("sales",),
    ("compare", "--by", "shop"),
    ("losses", "--kind", "payment_lost", "--agent", "kf-05"),
)
SHEETS = {"sales": "sales.xlsx", "orders": "orders.xlsx"}
SETTLED_S = 1.0
"""The ledger is filled when it has all decisions and nothing has come for so many seconds."""
PATIENCE_S = 60.0
"""How many seconds it may stand still before that."""


def missing_for_ledger() -> str | None:
    """Return what is not installed and how to install it, in a sentence; None: a ledger can be had."""
    try:
        for name in ("database.connect", "database.migrate", "formats.output"):
            ledger_module(name)
        ledger_module("database.embedded").program("postgres")
    except UnusableError as error:
        return str(error)
    return None


@contextmanager
def running_ledger(bootstrap: str, folder: Path) -> Iterator[DemoLedger]:
    """Run ``stream-attr ledger`` with an embedded database for as long as the context lasts."""
    with demo_ledger(bootstrap, server.free_port(), folder) as process:
        yield DemoLedger(process, folder / "data")


@dataclass(frozen=True, slots=True)
class DemoLedger:
    """What fills a ledger, and reports out of it."""

    process: DemoProcess
    data_dir: Path

    def print_reports(
        self, screen: DemoScreen, decisions: Collection[Mapping[str, Any]], sheets: Path
    ) -> None:
        """Print reports, and write sheets to a folder, once the ledger has the last decision on each order.

        Raises:
            StreamAttrError: it does not get them, or a sheet cannot be written.
        """
        self.process.await_ready()
        with ledger_module("database.connect").Database(None, self.data_dir / IN_DATA_DIR) as database:
            self._await_filled(database, decisions)
            for words in REPORTS:
                _report(screen, database.address, *words)
            for name, file in SHEETS.items():
                _report(screen, database.address, name, "--format", "xlsx", "--out", str(sheets / file))

    def _await_filled(self, database: Any, decisions: Collection[Mapping[str, Any]]) -> None:
        revisions = sum(one["revision"] for one in decisions)
        with database.connection(autocommit=True) as connection:
            before, since = None, time.monotonic()
            while True:
                self.process.check()
                state, now = connection.execute(_STATE).fetchone(), time.monotonic()
                if state != before:
                    before, since = state, now
                elif state[0] == revisions and now - since >= SETTLED_S:
                    return
                elif now - since >= PATIENCE_S:
                    raise StreamAttrError("the ledger did not get all decisions from the topics")
                time.sleep(0.1)


_STATE = (
    "SELECT (SELECT coalesce(sum(revision), 0) FROM decision WHERE profile = 'official'),"
    " (SELECT coalesce(sum(next), 0) FROM sink_offset)"
)


def _report(screen: DemoScreen, address: str, *words: str) -> None:
    """Run ``stream-attr report`` of the demo's month, after the command itself."""
    command = [*words, "--shop", DEMO_SHOP, "--from", MONTH]
    screen.print(f"\n$ stream-attr report {shlex.join(command)}", "bold")
    report.main([*command, "--database", address], standalone_mode=False)
