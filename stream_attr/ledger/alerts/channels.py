"""Where alerts go: one address each, out of a file, which nothing shows or logs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import apprise

from stream_attr.kafka.secret import Secret
from stream_attr.ledger.alerts.messages import Message
from stream_attr.ledger.alerts.rules import UnusableRulesError

__all__ = ["Channel", "open_channels"]

_LOGGERS = ("apprise", "requests", "urllib3")
"""Their messages may have an address in them."""


class Channel:
    """One address."""

    def __init__(self, address: Secret) -> None:
        """Raise ValueError, without the address, where it is none that Apprise knows."""
        self._apprise = apprise.Apprise()
        if not self._apprise.add(address.reveal()):
            raise ValueError("it is no address that Apprise knows")

    def send(self, message: Message, *, begins: bool) -> bool:
        """Send a message; return whether it was taken."""
        kind = apprise.NotifyType.WARNING if begins else apprise.NotifyType.SUCCESS
        return bool(
            self._apprise.notify(
                message.body, title=message.title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
            )
        )


def open_channels(files: Mapping[str, str], folder: Path) -> dict[str, Channel]:
    """Return the channels by name; their files are relative to the folder of the rules.

    Raises:
        UnusableRulesError: a file cannot be read, or does not hold one address.
    """
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    found = {}
    for name, file in files.items():
        path = folder / file
        try:
            lines = path.read_text("utf-8").split()
        except OSError as error:
            raise UnusableRulesError(
                f"{path}, of channel {name!r}: cannot be read: {error.strerror or error}"
            ) from error
        except UnicodeDecodeError:
            raise UnusableRulesError(f"{path}, of channel {name!r}: it is not UTF-8") from None
        if len(lines) != 1:
            raise UnusableRulesError(f"{path}, of channel {name!r}: it has to hold one address and no more")
        try:
            found[name] = Channel(Secret(lines[0]))
        except ValueError as error:
            raise UnusableRulesError(
                f"{path}, of channel {name!r}: {error}: see docs/guides/alerts.md"
            ) from None
    return found
