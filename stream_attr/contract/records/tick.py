"""A record of ``ticks`` (RULEBOOK 6)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from stream_attr.contract.records.fields import Instant, Version, field, instant
from stream_attr.contract.schema import RecordSchema

TICK_VERSION: Final = 1


class Tick(Struct, gc=False):
    """It is now ts on this partition: moves the watermark of a partition on which nothing happens."""

    ts: Annotated[Instant, instant("The time it is, less the lateness that is allowed.")]
    version: Annotated[
        Version,
        field(
            "Version of this record; 1 where it is left out. A worker that meets a later one than it "
            "knows ends.",
            const=TICK_VERSION,
        ),
    ] = TICK_VERSION


SCHEMA: Final = RecordSchema("tick", "Tick", Tick)
