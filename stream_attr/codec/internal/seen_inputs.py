"""What a worker has noticed of a partition's inputs, as bytes: stored with its progress, decides nothing."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from stream_attr.codec.versions import require_readable
from stream_attr.contract.records.fields import Versioned

VERSION: Final = 1
SEEN_INPUTS_KEY: Final = b"\x00inputs"
"""Key of the record in a partition's changelog; it lies behind the progress."""


class SeenInputs(Struct, gc=False):
    """What was noticed, by topic."""

    murmur2: dict[str, tuple[int, int]] = {}
    """How many keys the worker looked at last, in all of its partitions, and how many of them lie where
    murmur2 puts them."""
    other_content: dict[str, int] = {}
    """How many events repeated an id with other content, since the partition has a changelog."""
    version: int = VERSION


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(SeenInputs).decode
_decode_version: Final = msgspec.json.Decoder(Versioned).decode


def encode_seen_inputs(seen: SeenInputs) -> bytes:
    """Return the record's value."""
    return _encode(seen)


def decode_seen_inputs(data: bytes | None) -> SeenInputs:
    """Return what a record's value says; without one, that nothing was noticed yet.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    if data is None:
        return SeenInputs()
    require_readable(_decode_version(data).version, VERSION, "record of seen inputs", SEEN_INPUTS_KEY)
    return _decode(data)
