"""Records of the internal topics, between partitions: a version byte and MessagePack.

``buyer-days`` holds what buyers add to the figures of a day, keyed by shop, and each partition's watermark,
sent to every partition. ``agent-day-closings`` brings a buyer's partition the time at which an agent last
spoke on a day that is over.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from stream_attr.codec.versions import body_of, versioned
from stream_attr.rules.reports.contribution import Contribution, Ends
from stream_attr.rules.reports.conversion import Inquiries
from stream_attr.rules.reports.deals import Deals
from stream_attr.rules.reports.workload import Workload
from stream_attr.rules.shop.days import MIDNIGHT

_LAYOUT: Final = 2
"""2: contributions with `self_ordered`, `ratings` and `satisfied`, days with their `day_cut`."""
_FIGURES: Final = 42
"""How many figures a contribution had when that layout was new."""
VERSION: Final = _LAYOUT + sum(len(one.__struct_fields__) for one in (Workload, Inquiries, Deals)) - _FIGURES
"""Each further figure makes a version, so that no older program takes a contribution for all there is."""


class BuyerDay(Struct, array_like=True, tag=1, gc=False):
    """What one buyer adds to a shop's figures of one day."""

    shop_id: str
    buyer_id: str
    day: int
    partition: int
    """The buyer's, to which closings are sent."""
    timezone: str
    ends: Ends
    contributions: dict[str, Contribution]
    """By agent id; empty: none any more."""
    reason: str = "chat"
    """Of the last change."""
    day_cut: str = MIDNIGHT
    """When the shop's days begin; the last field, see `without_reason`."""


class PartitionWatermark(Struct, array_like=True, tag=2, gc=False):
    """A partition's watermark: its contributions to days before are emitted, but for late events."""

    partition: int
    watermark: int


class Closing(Struct, array_like=True, gc=False):
    """When an agent sent the last effective message of a day, to any buyer."""

    buyer_id: str
    shop_id: str
    agent_id: str
    day: int
    last_ts: int
    """`NOBODY_SPOKE`: there is none."""


_encoder: Final = msgspec.msgpack.Encoder()
_buyer_day: Final = msgspec.msgpack.Decoder(BuyerDay | PartitionWatermark)
_closing: Final = msgspec.msgpack.Decoder(Closing)


def encode_internal(record: BuyerDay | PartitionWatermark | Closing) -> bytes:
    """Return a record's bytes."""
    return versioned(VERSION, _encoder.encode(record))


def without_reason(buyer_day: bytes, reason: str) -> bytes:
    """Return the part of a buyer-day's bytes by which a change is found.

    It lacks the day cut too, which does not change without the ends of the day.
    """
    return buyer_day[1 : -1 - len(reason) - 1 - len(MIDNIGHT)]


def decode_buyer_day(value: bytes, key: bytes | None = None) -> BuyerDay | PartitionWatermark:
    """Return a record of ``buyer-days``; ``key``: its key, where it is read from the changelog.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    record: BuyerDay | PartitionWatermark = _buyer_day.decode(
        body_of(value, VERSION, "record of a buyer's day", key)
    )
    return record


def decode_closing(value: bytes) -> Closing:
    """Return a record of ``agent-day-closings``.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return _closing.decode(body_of(value, VERSION, "closing of an agent's day"))
