"""The schemes that a ledger pays by: their versions never change."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
from psycopg import Connection

from stream_attr.contract.records.pay_scheme import PayScheme
from stream_attr.errors import UnusableError
from stream_attr.ledger.figures import FIGURES, Figure
from stream_attr.ledger.formulas import Kind, Total
from stream_attr.pay.reading import WrongSchemeError, encode_scheme, read_scheme
from stream_attr.pay.versions import scheme_of
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["ATTAINMENT", "Schemes", "Stored", "read", "read_file", "who"]

ATTAINMENT: Final = "attainment."
"""Begins the key of how much of a goal is reached; the figure's key ends it."""
_MOST_NAME: Final = 64


def _has_goal_to_pay_by(figure: Figure) -> bool:
    """Whether targets and actual values of several accounts of a person add up."""
    return (
        isinstance(figure.formula, Total)
        and figure.kind in (Kind.MONEY, Kind.COUNT)
        and not any(str(key).startswith("silent.") for key in figure.formula)
    )


_UNITS: Final = {
    **{key: one.kind.value for key, one in FIGURES.items()},
    **{f"{ATTAINMENT}{key}": "rate" for key, one in FIGURES.items() if _has_goal_to_pay_by(one)},
}


class Stored(NamedTuple):
    """A version of a scheme, and who put it when."""

    scheme: PayScheme
    put_by: str
    put_ts: int


def read(value: bytes) -> PayScheme:
    """Return the scheme of a document that names figures of the ledger.

    Raises WrongSchemeError, which names the field.
    """
    return read_scheme(value, _UNITS)


def read_file(file: Path) -> PayScheme:
    """Return the scheme of a file. Raises WrongSchemeError, which names file and field."""
    try:
        return read(file.read_bytes())
    except WrongSchemeError as error:
        raise WrongSchemeError(f"{file}: {error}", error.field) from error


def who(name: str) -> str:
    """Return the name of somebody who acts, spaces made single. Raises UnusableError where it is none."""
    found = " ".join(name.split())
    if not found or not found.isprintable() or len(found) > _MOST_NAME:
        raise UnusableError(f"--by {name!r} is nobody's name: write 1 to {_MOST_NAME} characters")
    return found


class Schemes:
    """Those of a ledger."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def put(self, scheme: PayScheme, by: str) -> bool:
        """Keep a version of a scheme; returns whether it is new.

        Raises UnusableError where the version is there and says something else, or is not the next one.
        """
        document = encode_scheme(scheme)
        known = {one.scheme.version: one.scheme for one in self.all(scheme.scheme_id)}
        if scheme.version in known:
            if encode_scheme(known[scheme.version]) == document:
                return False
            raise UnusableError(
                f"version {scheme.version} of scheme {scheme.scheme_id} is there and says something else, "
                f"and a version never changes: give it the version {max(known) + 1}"
            )
        expected = max(known, default=0) + 1
        if scheme.version != expected:
            raise UnusableError(
                f"scheme {scheme.scheme_id} has no version {expected} yet: give it that, not {scheme.version}"
            )
        self._connection.execute(
            "INSERT INTO pay_scheme VALUES (%s, %s, %s::date, %s, %s, %s)",
            (
                scheme.scheme_id,
                scheme.version,
                scheme.effective_from,
                document.decode(),
                who(by),
                wall_clock_ms(),
            ),
        )
        return True

    def all(self, scheme_id: str | None = None) -> list[Stored]:
        """Return the versions of a scheme, or of all, by scheme and version."""
        rows = self._connection.execute(
            "SELECT document, put_by, put_ts FROM pay_scheme"
            " WHERE %(id)s::text IS NULL OR scheme_id = %(id)s ORDER BY scheme_id, version",
            {"id": scheme_id},
        )
        return [Stored(read(orjson.dumps(document)), by, ts) for document, by, ts in rows]

    def held(self, scheme_id: str, month: str) -> PayScheme:
        """Return the version that a month is paid by. Raises UnusableError where there is none."""
        return scheme_of(month, scheme_id, [one.scheme for one in self.all(scheme_id)])

    def version(self, scheme_id: str, version: int) -> PayScheme:
        """Return one version. Raises UnusableError where it is not there."""
        for one in self.all(scheme_id):
            if one.scheme.version == version:
                return one.scheme
        raise UnusableError(
            f"there is no version {version} of scheme {scheme_id}: see stream-attr pay scheme list"
        )
