"""What was told of facts, inquiries and figures, and what is not told yet."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Said(Struct, array_like=True, frozen=True, gc=False):
    """The last revision that was emitted of a record."""

    revision: int
    digest: int
    """Of what it said."""
    final: bool


EVERY_DAY: Final = 0
"""The day that stands for all: settings or roster have changed."""


class Unsaid(Struct, array_like=True, frozen=True, gc=False):
    """Changes that have not been told yet."""

    since: int
    """The earliest day that they bear on."""
    reason: str
    """Of the last one."""
    late: bool
    """Whether some were older than the watermark."""
    orders: bool = True
    """Whether some are of orders, their verdicts, or settings, which bear on all receptions."""
