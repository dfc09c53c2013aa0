"""How far a partition has been read, as bytes: stored with the state it belongs to."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct


class Progress(Struct, gc=False):
    """Where a partition's reading stands."""

    offsets: dict[str, int]
    """Next offset by input topic."""
    seen: dict[str, int]
    """Greatest ``ts`` of the accepted events, by topic."""
    watermark: int | None
    """Epoch milliseconds; None before the first."""
    version: int = 1


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Progress).decode


def encode_progress(progress: Progress) -> bytes:
    """Return a progress record's value."""
    return _encode(progress)


def decode_progress(data: bytes) -> Progress:
    """Return the progress of a record's value."""
    return _decode(data)
