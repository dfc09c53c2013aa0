"""Addresses of a Kafka cluster and prefixes of its topics, as users type them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable

__all__ = [
    "BROKER_VARIABLE",
    "DEFAULT_BOOTSTRAP",
    "PREFIX_VARIABLE",
    "checked_bootstrap",
    "checked_prefix",
    "topics_command",
]

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
BROKER_VARIABLE = "STREAM_ATTR_BROKER"
PREFIX_VARIABLE = "STREAM_ATTR_TOPIC_PREFIX"

_ADDRESS = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+(?:%\w+)?\]):(\d{1,5})", re.ASCII)
_PREFIX = re.compile(r"[\w.-]*", re.ASCII)
_MAX_PREFIX_LENGTH = 200
"""A topic's name has at most 249 characters, the longest of the contract 23."""


def checked_bootstrap(text: str) -> str:
    """Return ``HOST:PORT,…`` without spaces.

    Raises:
        ValueError: it is not a list of addresses.
    """
    addresses = [address.strip() for address in text.split(",")]
    for address in addresses:
        matched = _ADDRESS.fullmatch(address)
        if matched is None:
            raise ValueError(f"{address!r} is not HOST:PORT, like {DEFAULT_BOOTSTRAP}")
        if not 1 <= int(matched[2]) <= 65_535:
            raise ValueError(f"the port of {address!r} is not in 1 to 65535")
    return ",".join(addresses)


def checked_prefix(text: str) -> str:
    """Return a prefix of topic names.

    Raises:
        ValueError: it is too long, or has characters that topic names cannot have.
    """
    if not _PREFIX.fullmatch(text):
        raise ValueError(f"{text!r} has other characters than a topic's name may have: A-Z a-z 0-9 . _ -")
    if len(text) > _MAX_PREFIX_LENGTH:
        raise ValueError(f"it has {len(text)} characters, more than {_MAX_PREFIX_LENGTH}")
    return text


def topics_command(bootstrap: str, prefix: str, platforms: Iterable[str] = ()) -> str:
    """The command that creates or checks the topics of this installation, and of these platforms.

    It names each option whose default would be another value, in this environment or in a new terminal.
    """
    words = ["stream-attr", "topics", "create"]
    if bootstrap != DEFAULT_BOOTSTRAP or os.environ.get(BROKER_VARIABLE):
        words += ["--broker", bootstrap]
    if prefix or os.environ.get(PREFIX_VARIABLE):
        words += ["--topic-prefix", prefix]
    for platform in platforms:
        words += ["--raw", platform]
    return shlex.join(words)
