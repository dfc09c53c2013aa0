"""Passwords and tokens: read from a file or the environment, and never shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stream_attr.errors import UnusableError

__all__ = ["Secret", "UnusableSecretError", "checked_token", "read_secret"]

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""What may stand behind ``Bearer`` in a header (RFC 6750)."""
_SHORTEST_TOKEN = 16


class UnusableSecretError(UnusableError, ValueError):
    """A secret cannot be had from where it was said to be; the message says why, without it."""


class Secret:
    """A text that appears in no ``repr``, message or log by mistake."""

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
    """The secret in a file (its line end is no part of it) or in a variable of the environment, if there.

    Raises:
        UnusableSecretError: both are given, or what is given cannot be read or is empty.
    """
    told = os.environ.get(variable)
    if file is None:
        return Secret(told) if told else None
    if told:
        raise UnusableSecretError(f"both {option} and {variable} are given: leave one out")
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise UnusableSecretError(f"{option} {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UnusableSecretError(f"{option} {file} is not in UTF-8") from None
    if not text:
        raise UnusableSecretError(f"{option} {file} is empty")
    if "\n" in text:
        raise UnusableSecretError(f"{option} {file} has more than one line")
    return Secret(text)


def checked_token(token: Secret, where: str) -> Secret:
    """Return a bearer token that can be sent and is not guessed.

    Raises:
        UnusableSecretError: it is too short, or has characters that a header cannot hold.
    """
    text = token.reveal()
    if len(text) < _SHORTEST_TOKEN:
        raise UnusableSecretError(f"{where} has less than {_SHORTEST_TOKEN} characters")
    if not _TOKEN.fullmatch(text):
        raise UnusableSecretError(f"{where} has other characters than A-Z a-z 0-9 . _ ~ + / -")
    return token
