"""The roll-up's state as bytes: a shop's day, and the watermarks of the partitions.

Each is a version byte and MessagePack.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, field

from stream_attr.codec.versions import body_of, versioned
from stream_attr.rules.buyer.emitted import LastEmitted
from stream_attr.rules.reports.contribution import Ends
from stream_attr.rules.shop.days import MIDNIGHT

VERSION: Final = 2
"""2: days with their `day_cut`."""


class DayState(Struct, array_like=True, gc=False):
    """A shop's day, without the buyers' contributions: each of these has a key of its own."""

    shop_id: str
    day: int
    timezone: str
    ends: Ends
    last_emitted: dict[str, LastEmitted] = field(default_factory=dict)
    """By agent id, and `TOTAL` for the shop."""
    unloaded: bool | None = None
    """Whether its figures are no longer kept in memory."""
    final_at: list[int] = []
    """When decisions in it become final, beyond ``ends``; kept while it is unloaded."""
    day_cut: str = MIDNIGHT


_encoder: Final = msgspec.msgpack.Encoder()
_day: Final = msgspec.msgpack.Decoder(DayState)
_watermarks: Final = msgspec.msgpack.Decoder(dict[int, int])


def encode_day(state: DayState) -> bytes:
    """Return a day's bytes."""
    return versioned(VERSION, _encoder.encode(state))


def decode_day(data: bytes, key: bytes) -> DayState:
    """Return a day from its bytes, which lie under a key of the changelog.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return _day.decode(body_of(data, VERSION, "shop's day", key))


def encode_watermarks(watermarks: dict[int, int]) -> bytes:
    """Return the bytes of the partitions' watermarks, epoch milliseconds."""
    return versioned(VERSION, _encoder.encode(watermarks))


def decode_watermarks(data: bytes, key: bytes) -> dict[int, int]:
    """Return the partitions' watermarks.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return _watermarks.decode(body_of(data, VERSION, "record of the partitions' watermarks", key))
