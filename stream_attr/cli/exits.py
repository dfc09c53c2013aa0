"""How commands end: 0 done, 2 what was named cannot be used or not be reached, 1 something else failed."""

from __future__ import annotations

import click

__all__ = ["Unusable"]


class Unusable(click.ClickException):
    """What the user named cannot be used: a file, a port, a broker. The message names it, the status is 2.

    (``click.UsageError`` has that status too, and shows how the command is used.)
    """

    exit_code = 2
