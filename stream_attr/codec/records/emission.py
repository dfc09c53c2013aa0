"""Emitted records: the content is encoded first and alone, and its digest shows whether it is new.

What tells one emission from another (revision, reason, watermark) is put behind it (RULEBOOK 10).
"""

from __future__ import annotations

from typing import Final

import msgspec
from xxhash import xxh3_64_intdigest

_dumps: Final = msgspec.json.Encoder().encode


def digest_of(said: bytes) -> int:
    """Return a 63-bit digest of what a record says."""
    return xxh3_64_intdigest(said) >> 1


def emission(said: bytes, revision: int, reason: str, watermark: int) -> bytes:
    """Return a whole record: what it says, and of which revision it is."""
    return b'%b,"revision":%d,"reason":"%b","watermark":%d}' % (
        said[:-1],
        revision,
        reason.encode(),
        max(watermark, 0),
    )
