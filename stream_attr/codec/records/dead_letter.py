"""Dead letters as JSON bytes (RULEBOOK 11)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

from stream_attr.codec.encoding import encode_json
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.dead_letter import DeadLetter
from stream_attr.rules.vocabulary import Code

KEPT_OF_TOO_LARGE: Final = 64 * 1024
"""Bytes of a ``too_large`` record that its dead letter keeps."""


def encode_dead_letter(
    refusal: RefusedRecord,
    *,
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    file: str | None = None,
) -> bytes:
    """Return the dead letter of a refused record, which lay at an offset of a partition or a line of a file.

    With ``file`` given, ``offset`` is the line number, counted from 1.
    """
    kept = value if value is None or refusal.code != Code.TOO_LARGE else value[:KEPT_OF_TOO_LARGE]
    return encode_json(
        DeadLetter(
            refusal.code.value,
            refusal.message,
            refusal.field,
            topic,
            partition if file is None else None,
            offset if file is None else None,
            file,
            None if file is None else offset,
            None if key is None else b64encode(key).decode(),
            None if kept is None else b64encode(kept).decode(),
            None if value is None else len(value),
            None if value is None else sha256(value).hexdigest(),
        )
    )
