"""Which history a partition's state belongs to: who wrote its changelog since when, and from which topics.

Kafka tells histories apart by leader epochs (KIP-101). They do not do here: a broker that is restored from an
older copy counts them on from there, and compaction removes the record that a store stands behind. So each
owner of a partition begins an epoch of its own, and every batch says the last epochs and where each began:
two histories are the same up to an offset if the same epoch wrote what lies before it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from stream_attr.codec.events import Versioned
from stream_attr.codec.versions import require_readable

__all__ = ["LINEAGE_KEY", "Epoch", "Lineage", "decode_lineage", "encode_lineage", "new_epoch"]

LINEAGE_KEY: Final = b"\x00lineage"
"""Key of a partition's lineage in its changelog; the last record of every batch."""

_VERSION: Final = 1
_MOST_EPOCHS: Final = 16
"""A store of an epoch longer ago is built anew."""


class Epoch(NamedTuple):
    """What one owner of the partition has written."""

    name: str
    begin: int
    """Changelog offset; the epoch ends where the next one begins."""


class Lineage(Struct, frozen=True):
    """The history of a partition's state."""

    epochs: tuple[Epoch, ...] = ()
    """The last ones, the oldest first; no program of before there were epochs has written any."""
    topics: dict[str, str] = {}
    """Topic ids by name, without prefix: of what the progress counts its offsets on, and of the changelog."""
    version: int = _VERSION

    def epoch_at(self, offset: int) -> str | None:
        """Return the epoch that wrote what lies at a changelog offset; None: it is not known."""
        return next((epoch.name for epoch in reversed(self.epochs) if epoch.begin <= offset), None)

    def begun(self, epoch: str, offset: int, topics: Mapping[str, str], changelog: str) -> Lineage:
        """Return this history with an epoch that begins at an offset (unless it is the last one already).

        ``changelog``: the name of the changelog in ``topics``. In another changelog than before, a restored
        one, offsets mean nothing of what they did.
        """
        same = self.topics.get(changelog) == topics.get(changelog)
        epochs = self.epochs if same else ()
        if not epochs or epochs[-1].name != epoch:
            epochs = (*epochs, Epoch(epoch, offset))[-_MOST_EPOCHS:]
        return Lineage(epochs, dict(topics))

    def recreated(self, topics: Mapping[str, str], names: Collection[str]) -> list[str]:
        """Return which of these topics are others now, by their ids."""
        known = self.topics
        return [name for name in names if name in known and topics.get(name, known[name]) != known[name]]


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Lineage).decode
_decode_version: Final = msgspec.json.Decoder(Versioned).decode


def new_epoch() -> str:
    """Return a name that no other epoch has."""
    return secrets.token_hex(4)


def encode_lineage(lineage: Lineage) -> bytes:
    """Return a lineage record's value."""
    return _encode(lineage)


def decode_lineage(data: bytes | None) -> Lineage:
    """Return the lineage of a record's value; None: of a partition that has none yet.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    if data is None:
        return Lineage()
    require_readable(
        _decode_version(data).version, _VERSION, "record of the partition's lineage", LINEAGE_KEY
    )
    return _decode(data)
