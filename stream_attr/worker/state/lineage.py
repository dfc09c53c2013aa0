"""Which history a partition's state belongs to: who wrote its changelog since when, and from which topics.

Kafka distinguishes histories by leader epochs (KIP-101). They do not suffice here: a broker restored from an
older copy continues to count from there, and compaction removes the record before a store's offset. So each
owner of a partition starts an epoch of its own, and every batch names the last epochs and their first
offsets: two histories are equal up to an offset if the same epoch wrote the record before it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from stream_attr.codec.versions import require_readable
from stream_attr.contract.records.fields import Versioned
from stream_attr.processor.ports import Record

__all__ = [
    "LINEAGE_KEY",
    "Epoch",
    "Judged",
    "Lineage",
    "decode_lineage",
    "digest_of",
    "encode_lineage",
    "new_epoch",
]

LINEAGE_KEY: Final = b"\x00lineage"
"""Key of a partition's lineage in its changelog; the last record of every batch."""

_VERSION: Final = 1
_MAX_EPOCHS: Final = 16
"""A store of an older epoch is rebuilt from scratch."""


class Epoch(NamedTuple):
    """The records that one owner of the partition has written."""

    name: str
    begin: int
    """First changelog offset; the epoch ends where the next one begins."""


class Judged(NamedTuple):
    """The last judged record of an input."""

    offset: int
    digest: int
    """See `digest_of`."""


def digest_of(key: bytes | None, value: bytes | None, timestamp: int) -> int:
    """Return a 64-bit digest of a record."""
    return xxh3_64_intdigest(b"%d|%d|%b%b" % (timestamp, len(key or b""), key or b"", value or b""))


class Lineage(Struct, frozen=True):
    """The history of a partition's state."""

    epochs: tuple[Epoch, ...] = ()
    """The last epochs, oldest first; empty for state written before epochs existed."""
    topics: dict[str, str] = {}
    """Topic ids by name (without prefix): of the topics in the progress, and of the changelog."""
    judged: dict[str, Judged] = {}
    """The last judged record, by input."""
    version: int = _VERSION

    def epoch_at(self, offset: int) -> str | None:
        """Return the epoch that wrote the record at a changelog offset; None: unknown."""
        return next((epoch.name for epoch in reversed(self.epochs) if epoch.begin <= offset), None)

    def begun(
        self,
        epoch: str,
        offset: int,
        topics: Mapping[str, str],
        changelog: str,
        from_beginning: Collection[str] = (),
    ) -> Lineage:
        """Return this history with an epoch that begins at an offset (unless it is the last one already).

        ``changelog``: the name of the changelog in ``topics``; if its id has changed, earlier epochs are
        dropped, because their offsets mean nothing in the new topic. ``from_beginning``: inputs that are read
        again from their beginning.
        """
        same = self.topics.get(changelog) == topics.get(changelog)
        epochs = self.epochs if same else ()
        if not epochs or epochs[-1].name != epoch:
            epochs = (*epochs, Epoch(epoch, offset))[-_MAX_EPOCHS:]
        judged = {name: last for name, last in self.judged.items() if name not in from_beginning}
        return Lineage(epochs, dict(topics), judged)

    def having_judged(self, records: Iterable[Record]) -> Lineage:
        """Return this history after these records, the last of each topic last."""
        last = {record.topic: record for record in records}
        judged = {
            name: Judged(record.offset, digest_of(record.key, record.value, record.timestamp))
            for name, record in last.items()
        }
        return Lineage(self.epochs, self.topics, self.judged | judged)

    def recreated(self, topics: Mapping[str, str], names: Collection[str]) -> list[str]:
        """Return the topics whose ids have changed."""
        known = self.topics
        return [name for name in names if name in known and topics.get(name, known[name]) != known[name]]


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Lineage).decode
_decode_version: Final = msgspec.json.Decoder(Versioned).decode


def new_epoch() -> str:
    """Return a unique name of an epoch."""
    return secrets.token_hex(4)


def encode_lineage(lineage: Lineage) -> bytes:
    """Return a lineage record's value."""
    return _encode(lineage)


def decode_lineage(data: bytes | None) -> Lineage:
    """Decode a lineage record's value; None: the partition has none yet, which is an empty lineage.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    if data is None:
        return Lineage()
    require_readable(
        _decode_version(data).version, _VERSION, "record of the partition's lineage", LINEAGE_KEY
    )
    return _decode(data)
