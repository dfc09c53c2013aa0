"""The record of an order that is kept no longer, as bytes: until when its id is remembered."""

from __future__ import annotations

from typing import Final

from stream_attr.codec.versions import body_of, versioned

VERSION: Final = 1


def encode_forgotten(until: int) -> bytes:
    """Return the record; ``until``: a watermark, epoch milliseconds."""
    return versioned(VERSION, until.to_bytes(8, "big"))


def decode_forgotten(data: bytes, key: bytes) -> int:
    """Return until when an order's id is remembered, from the record that lies under a key.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return int.from_bytes(body_of(data, VERSION, "record of an order that is kept no longer", key), "big")
