"""How commands end: 0 done, 2 what was named cannot be used or not be reached, 1 something else failed."""

from __future__ import annotations

import click

from stream_attr.codec.visible import visible
from stream_attr.errors import StreamAttrError

__all__ = ["Failed"]


class Failed(click.ClickException):  # noqa: TID251 -- here
    """An error of ours as click shows it: each argument on a line of its own, and its exit code.

    (``click.UsageError`` has exit code 2 too, and shows how the command is used.)
    """

    def __init__(self, error: StreamAttrError) -> None:
        super().__init__("\n".join(visible(str(line)) for line in error.args))
        self.exit_code = error.exit_code
