"""The root of this package's errors: each message says what is wrong, and the remedy."""

from __future__ import annotations

__all__ = ["StreamAttrError", "UnusableError"]


class StreamAttrError(Exception):
    """Something failed; a command shows each of its arguments on a line and ends with exit code 1."""

    exit_code = 1


class UnusableError(StreamAttrError):
    """What the caller named cannot be used: a file, an address, an id; a command ends with exit code 2."""

    exit_code = 2
