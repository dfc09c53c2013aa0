"""Reports that people keep by a name: which one, and all its options."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from psycopg import Connection

from stream_attr.errors import UnusableError
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Saved", "SavedReports", "check_name"]

LONGEST_NAME = 128


class Saved(NamedTuple):
    """A report that is kept by a name."""

    name: str
    report: str
    """Such as ``sales``."""
    options: dict[str, list[str]]
    """By option, such as ``--shop``, its values as they were given."""


def check_name(name: str) -> None:
    """Raise UnusableError for what cannot be the name of a saved report."""
    if not name.isprintable() or not name.strip() or name.startswith("-") or len(name) > LONGEST_NAME:
        raise UnusableError(
            f"{name!r} is no name: take 1 to {LONGEST_NAME} characters that can be printed, the first no '-'"
        )


class SavedReports:
    """Those of a ledger."""

    of = Saved

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def save(self, one: Saved) -> None:
        """Keep a report, in place of what is kept by its name."""
        self._connection.execute(
            "INSERT INTO saved_report VALUES (%s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET"
            " (report, options, saved_ts) = (excluded.report, excluded.options, excluded.saved_ts)",
            (one.name, one.report, orjson.dumps(one.options).decode(), wall_clock_ms()),
        )

    def all(self) -> list[Saved]:
        """Return all of them, by name."""
        rows = self._connection.execute("SELECT name, report, options FROM saved_report ORDER BY name")
        return [Saved(*row) for row in rows]

    def find(self, name: str) -> Saved:
        """Return the one of a name. Raises UnusableError where there is none."""
        for one in self.all():
            if one.name == name:
                return one
        raise UnusableError(self._unknown(name))

    def delete(self, name: str) -> None:
        """Delete the one of a name. Raises UnusableError where there is none."""
        if not self._connection.execute("DELETE FROM saved_report WHERE name = %s", (name,)).rowcount:
            raise UnusableError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        names = ", ".join(one.name for one in self.all())
        return f"no report is saved as {name!r}; {f'there are {names}' if names else 'none is saved'}"
