"""What partitions tell each other: records of the internal topics, a version byte and MessagePack.

``buyer-days`` holds what buyers add to the figures of a day, keyed by shop, and how far each partition has
come, sent to every partition. ``agent-day-closings`` answers a buyer's partition when an agent last spoke on
a day that is over.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from stream_attr.codec.versions import body_of, versioned
from stream_attr.rules.reports.contribution import Contribution, Ends

VERSION: Final = 1


class BuyerDay(Struct, array_like=True, tag=1, gc=False):
    """What one buyer adds to a shop's figures of one day."""

    shop_id: str
    buyer_id: str
    day: int
    partition: int
    """The buyer's, where closings are to be sent to."""
    timezone: str
    ends: Ends
    contributions: dict[str, Contribution]
    """By agent id; empty: nothing any more."""
    reason: str = "chat"
    """What brought it about; last, see `without_reason`."""


class PartitionWatermark(Struct, array_like=True, tag=2, gc=False):
    """How far a partition has come: all that is on time of what lies before has been told."""

    partition: int
    watermark: int


class Closing(Struct, array_like=True, gc=False):
    """When an agent last spoke effectively on a day, to anybody."""

    buyer_id: str
    shop_id: str
    agent_id: str
    day: int
    last_ts: int
    """`NOBODY_SPOKE`: not at all."""


_encoder: Final = msgspec.msgpack.Encoder()
_buyer_day: Final = msgspec.msgpack.Decoder(BuyerDay | PartitionWatermark)
_closing: Final = msgspec.msgpack.Decoder(Closing)


def encode_internal(record: BuyerDay | PartitionWatermark | Closing) -> bytes:
    """Return a record's bytes."""
    return versioned(VERSION, _encoder.encode(record))


def without_reason(stated: bytes, reason: str) -> bytes:
    """Return what of a buyer-day's bytes is compared with what was stated before.

    Without the version byte, so that what an unversioned record stated is not stated again.
    """
    return stated[1 : -1 - len(reason)]


def decode_buyer_day(value: bytes, key: bytes | None = None) -> BuyerDay | PartitionWatermark:
    """Return a record of ``buyer-days``; ``key``: its key, where it lies in the changelog.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    told: BuyerDay | PartitionWatermark = _buyer_day.decode(
        body_of(value, VERSION, "record of a buyer's day", key)
    )
    return told


def decode_closing(value: bytes) -> Closing:
    """Return a record of ``agent-day-closings``.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return _closing.decode(body_of(value, VERSION, "closing of an agent's day"))
