"""Versions of the records that only this program reads: in the internal topics and in the changelog.

JSON records have a field ``version``, a buyer's state has its version as its first element. All others begin
with a version byte, which is below the first byte of every unversioned record. Unversioned records are of
version 1.
"""

from __future__ import annotations

from typing import Final

from stream_attr.errors import StreamAttrError

_UNVERSIONED: Final = 0x20
"""Records without a version byte begin with at least this: MessagePack's arrays and maps, JSON, an id."""


class NewerVersionError(StreamAttrError):
    """A record was written by a newer version of this program than this one can read."""

    def __init__(self, kind: str, found: int, readable: int, key: bytes | None = None) -> None:
        """``key``: the record's in the changelog; None: the caller that knows its place adds it (`at`)."""
        super().__init__(kind, found, readable, key)
        self._kind = kind
        self._found = found
        self._readable = readable
        self._place = None if key is None else f"buyer-state-changelog, key {_shown(key)}"

    def at(self, topic: str, partition: int, offset: int) -> None:
        """Add where the record lies, unless that is known."""
        self._place = self._place or f"{topic}, partition {partition}, offset {offset}"

    def __str__(self) -> str:
        place = "" if self._place is None else f"topic {self._place}: "
        return (
            f"{place}this {self._kind} is of version {self._found}, which a newer program wrote, "
            f"and this one reads versions up to {self._readable}. Nothing was committed: update this worker, "
            "then start it again"
        )


def versioned(version: int, body: bytes) -> bytes:
    """Return a record's value: its version byte and its body."""
    return bytes((version,)) + body


def body_of(value: bytes, readable: int, kind: str, key: bytes | None = None) -> bytes:
    """Return a record's value without its version byte.

    Raises:
        NewerVersionError: its version is above ``readable``.
    """
    if not value or value[0] >= _UNVERSIONED:
        return value
    if value[0] > readable:
        raise NewerVersionError(kind, value[0], readable, key)
    return value[1:]


def require_readable(found: int, readable: int, kind: str, key: bytes | None = None) -> None:
    """Raise unless a version can be read.

    Raises:
        NewerVersionError: it cannot.
    """
    if found > readable:
        raise NewerVersionError(kind, found, readable, key)


def _shown(key: bytes) -> str:
    """Return a key without the control characters that distinguish the kinds of keys."""
    text = key.decode(errors="backslashreplace")
    return "".join(character for character in text if character.isprintable())
