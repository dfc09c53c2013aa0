"""Passwords and tokens: read from a file or the environment, and never shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stream_attr.errors import UnusableError

__all__ = ["Secret", "UnusableSecretError", "checked_token", "read_secret", "read_secret_file"]

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""What may follow ``Bearer`` in a header (RFC 6750)."""
_MIN_TOKEN_LENGTH = 16


class UnusableSecretError(UnusableError, ValueError):
    """A secret cannot be read from the place given, or is not usable; the message never contains it."""


class Secret:
    """A text that no ``repr``, message or log shows by mistake."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the client or the comparison that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not to be stored or sent")


def read_secret(file: Path | None, option: str, variable: str) -> Secret | None:
    """The secret in a file (without its line end) or in an environment variable; None: neither is given.

    Raises:
        UnusableSecretError: both are given, or the one given cannot be read or is empty.
    """
    in_environment = os.environ.get(variable)
    if file is None:
        return Secret(in_environment) if in_environment else None
    if in_environment:
        raise UnusableSecretError(f"both {option} and {variable} are given: leave one out")
    return read_secret_file(file, option)


def read_secret_file(file: Path, named_by: str) -> Secret:
    """The secret in a file, without its line end. ``named_by``: the option or field that names the file.

    Raises:
        UnusableSecretError: it cannot be read, is empty, or has several lines.
    """
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise UnusableSecretError(f"{named_by} {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UnusableSecretError(f"{named_by} {file} is not in UTF-8") from None
    if not text:
        raise UnusableSecretError(f"{named_by} {file} is empty")
    if "\n" in text:
        raise UnusableSecretError(f"{named_by} {file} has more than one line")
    return Secret(text)


def checked_token(token: Secret, where: str) -> Secret:
    """Return a bearer token that fits into a header and is long enough not to be guessed.

    Raises:
        UnusableSecretError: it is too short, or has characters that a header cannot have.
    """
    text = token.reveal()
    if len(text) < _MIN_TOKEN_LENGTH:
        raise UnusableSecretError(f"{where} has fewer than {_MIN_TOKEN_LENGTH} characters")
    if not _TOKEN.fullmatch(text):
        raise UnusableSecretError(f"{where} has other characters than A-Z a-z 0-9 . _ ~ + / -")
    return token
