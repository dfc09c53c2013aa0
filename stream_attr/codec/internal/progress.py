"""A partition's progress as bytes: stored with the state that it belongs to."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from stream_attr.codec.versions import require_readable
from stream_attr.contract.records.fields import Versioned

VERSION: Final = 1


class Progress(Struct, gc=False):
    """How far a partition has been read."""

    offsets: dict[str, int]
    """Next offset by input topic."""
    seen: dict[str, int]
    """Greatest ``ts`` of the accepted events, by topic."""
    watermark: int | None
    """Epoch milliseconds; None before the first."""
    version: int = VERSION


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Progress).decode
_decode_version: Final = msgspec.json.Decoder(Versioned).decode


def encode_progress(progress: Progress) -> bytes:
    """Return a progress record's value."""
    return _encode(progress)


def decode_progress(data: bytes, key: bytes | None = None) -> Progress:
    """Return the progress of a record's value, which lies under a key of the changelog.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    require_readable(_decode_version(data).version, VERSION, "record of the partition's progress", key)
    return _decode(data)
