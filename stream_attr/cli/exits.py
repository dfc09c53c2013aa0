"""How commands end: 0 done, 2 what was named cannot be used or not be reached, 1 something else failed."""

from __future__ import annotations

import click

from stream_attr.codec.visible import visible

__all__ = ["Failed", "Unusable"]


class Failed(click.ClickException):  # noqa: TID251 -- here
    """The command fails with status 1; it shows a message of one or more lines, each of them on one line."""

    def __init__(self, *lines: str, exit_code: int | None = None) -> None:
        super().__init__("\n".join(map(visible, lines)))
        if exit_code is not None:
            self.exit_code = exit_code


class Unusable(Failed):
    """What the user named cannot be used: a file, a port, a broker. The message names it, the status is 2.

    (``click.UsageError`` has that status too, and shows how the command is used.)
    """

    exit_code = 2
