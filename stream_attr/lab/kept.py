"""What the lab found, kept in a file or a database to be looked at again."""

from __future__ import annotations

import msgspec

from stream_attr.errors import UnusableError
from stream_attr.lab.result import LabResult

__all__ = ["decode_result", "encode_result"]

_decode = msgspec.json.Decoder(LabResult).decode


def encode_result(result: LabResult) -> bytes:
    """Return a result as JSON."""
    return msgspec.json.encode(result)


def decode_result(value: bytes, name: str) -> LabResult:
    """Return the result that was kept; ``name``: of where it was, for the message.

    Raises UnusableError where it is none.
    """
    try:
        return _decode(value)
    except msgspec.DecodeError as error:
        raise UnusableError(f"{name} is not what stream-attr lab run --keep writes: {error}") from None
