"""How commands end: 0 done, 1 something else failed (a broker, say), 2 wrong usage or an unusable file."""

from __future__ import annotations

import click

__all__ = ["Unusable"]


class Unusable(click.ClickException):
    """What the user named cannot be used: a file, a port. The message names it; the exit status is 2.

    (``click.UsageError`` has that status too, and shows how the command is used.)
    """

    exit_code = 2
