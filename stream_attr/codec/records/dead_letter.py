"""Dead letters as JSON bytes (RULEBOOK 11)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

from stream_attr.codec.encoding import encode_json
from stream_attr.codec.refusal import RefusedRecord
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
        {
            "code": refusal.code.value,
            "message": refusal.message,
            "field": refusal.field,
            "topic": topic,
            "partition": partition if file is None else None,
            "offset": offset if file is None else None,
            "file": file,
            "line": None if file is None else offset,
            "key_base64": None if key is None else b64encode(key).decode(),
            "value_base64": None if kept is None else b64encode(kept).decode(),
            "length": None if value is None else len(value),
            "sha256": None if value is None else sha256(value).hexdigest(),
        }
    )
