"""What the roll-up keeps of a shop's day, and how far the partitions have come, as bytes.

Each is a version byte and MessagePack.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, field

from stream_attr.codec.versions import body_of, versioned
from stream_attr.rules.buyer.emitted import LastEmitted
from stream_attr.rules.reports.contribution import Ends

VERSION: Final = 1


class DayState(Struct, array_like=True, gc=False):
    """A shop's day, but for what the buyers add to it: each has a key of its own."""

    shop_id: str
    day: int
    timezone: str
    ends: Ends
    said: dict[str, LastEmitted] = field(default_factory=dict)
    """The last revision that was told of each agent's figures, and of the shop's."""
    put_away: bool | list[str] | None = None
    """Whether its figures are no longer kept in memory; a list is what was written for "yes" once."""
    final_at: list[int] = []
    """When decisions in it become final, beyond ``ends``; known while it is put away."""


_encoder: Final = msgspec.msgpack.Encoder()
_day: Final = msgspec.msgpack.Decoder(DayState)
_watermarks: Final = msgspec.msgpack.Decoder(dict[int, int])


def encode_day(state: DayState) -> bytes:
    """Return a day's bytes."""
    return versioned(VERSION, _encoder.encode(state))


def decode_day(data: bytes, key: bytes) -> DayState:
    """Return the day of some bytes, which lie under a key of the changelog.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return _day.decode(body_of(data, VERSION, "shop's day", key))


def encode_watermarks(watermarks: dict[int, int]) -> bytes:
    """Return the bytes of how far each partition has come, epoch milliseconds."""
    return versioned(VERSION, _encoder.encode(watermarks))


def decode_watermarks(data: bytes, key: bytes) -> dict[int, int]:
    """Return how far each partition has come.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return _watermarks.decode(body_of(data, VERSION, "record of how far partitions have come", key))
