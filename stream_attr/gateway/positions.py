"""Up to where each list of a platform was asked for, in a file that survives a crash and a full disk."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from stream_attr.errors import UnusableError

__all__ = ["Positions"]


class Positions:
    """By the name of a list: epoch seconds, or the mark of a cursor.

    Raises:
        UnusableError: on construction and by ``set``, where the file cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            content = file.read_bytes() if file.exists() else b"{}"
            self._known = msgspec.json.decode(content, type=dict[str, int | str])
            self._write()  # so that a place which cannot be written is reported at once
        except msgspec.DecodeError as error:
            raise UnusableError(
                f"{file} is no file of positions ({error}): name another one, or remove it and say --since"
            ) from error
        except OSError as error:
            raise self._unusable(error) from error

    def get(self, name: str) -> int | None:
        """Return up to when a list was asked for; None: it never was."""
        known = self._known.get(name)
        return known if isinstance(known, int) else None

    def mark(self, name: str) -> str:
        """Return the mark after which messages are asked for; "": from the oldest on."""
        known = self._known.get(name)
        return known if isinstance(known, str) else ""

    def set(self, name: str, until: int | str) -> None:
        """Record up to when a list was asked for, or a mark."""
        self._known[name] = until
        try:
            self._write()
        except OSError as error:
            raise self._unusable(error) from error

    def _write(self) -> None:
        part = self._file.with_name(f"{self._file.name}.part")
        with part.open("wb") as opened:
            opened.write(msgspec.json.format(msgspec.json.encode(self._known, order="sorted")) + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(self._file)

    def _unusable(self, error: OSError) -> UnusableError:
        return UnusableError(
            f"{self._file} cannot be read or written: {error.strerror or error}; see --position"
        )
