"""Ticks from JSON bytes (RULEBOOK 6), and the time of any record without the rest of it."""

from __future__ import annotations

from typing import Final

import msgspec.inspect

from stream_attr.codec.decoding import decode
from stream_attr.codec.surrogates import mended
from stream_attr.codec.versions import require_readable
from stream_attr.contract.records.fields import Timed, Versioned
from stream_attr.contract.records.tick import TICK_VERSION, Tick

_tick: Final = msgspec.json.Decoder(Tick)


_version: Final = msgspec.json.Decoder(Versioned).decode


_peek: Final = msgspec.json.Decoder(Timed).decode


def peek_ts(value: bytes | None) -> int | None:
    """Return the ``ts`` of a record, or None where it has none that could be accepted; never raises."""
    try:
        return _peek(value).ts  # type: ignore[arg-type]
    except (ValueError, TypeError, RecursionError):
        whole = None if value is None else mended(value)
        return None if whole is None else peek_ts(whole)


def decode_tick(value: bytes | None) -> Tick:
    """Return the tick of a record's bytes.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return decode(_readable_tick, value)


def _readable_tick(value: bytes) -> Tick:
    require_readable(_version(value).version, TICK_VERSION, "tick")
    return _tick.decode(value)
