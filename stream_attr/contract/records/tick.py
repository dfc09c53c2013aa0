"""A record of ``ticks`` (RULEBOOK 6)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from stream_attr.contract.records.fields import Instant, Version

TICK_VERSION: Final = 1


class Tick(Struct, gc=False):
    """A record of ``ticks``: it is now ``ts`` on this partition."""

    ts: Instant
    version: Version = TICK_VERSION
