"""What partitions tell each other: records of the internal topics, as MessagePack.

``buyer-days`` holds what buyers add to the figures of a day, keyed by shop, and how far each partition has
come, sent to every partition. ``agent-day-closings`` answers a buyer's partition when an agent last spoke on
a day that is over.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from stream_attr.core.part import Ends, Part


class BuyerDay(Struct, array_like=True, tag=1, gc=False):
    """What one buyer adds to a shop's figures of one day."""

    shop_id: str
    buyer_id: str
    day: int
    partition: int
    """The buyer's, where closings are to be sent to."""
    timezone: str
    ends: Ends
    parts: dict[str, Part]
    """By agent id; empty: nothing any more."""
    reason: str = "chat"
    """What brought it about; last, see `but_for_reason`."""


class Passed(Struct, array_like=True, tag=2, gc=False):
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
_stated: Final = msgspec.msgpack.Decoder(BuyerDay | Passed)
_closing: Final = msgspec.msgpack.Decoder(Closing)


def encode_between(record: BuyerDay | Passed | Closing) -> bytes:
    """Return a record's bytes."""
    return _encoder.encode(record)


def but_for_reason(stated: bytes, reason: str) -> bytes:
    """Return what of a buyer-day's bytes is compared with what was stated before."""
    return stated[: -1 - len(reason)]


def decode_stated(value: bytes) -> BuyerDay | Passed:
    """Return a record of ``buyer-days``."""
    told: BuyerDay | Passed = _stated.decode(value)
    return told


def decode_closing(value: bytes) -> Closing:
    """Return a record of ``agent-day-closings``."""
    return _closing.decode(value)
