"""Revisions of reports and tasks: the content is encoded first, and its digest shows whether it is new.

Revision, reason and watermark, in which two emissions of the same content differ, follow it (RULEBOOK 10).
"""

from __future__ import annotations

from xxhash import xxh3_64_intdigest


def digest_of(content: bytes) -> int:
    """Return a 63-bit digest of a record's content."""
    return xxh3_64_intdigest(content) >> 1


def emission(content: bytes, revision: int, reason: str, watermark: int) -> bytes:
    """Return a record: its content, a JSON object, with revision, reason and watermark added to it."""
    return b'%b,"revision":%d,"reason":"%b","watermark":%d}' % (
        content[:-1],
        revision,
        reason.encode(),
        max(watermark, 0),
    )
