"""What crosses the processor's border: records in, a batch of outputs and changed state out.

The processor does not know the broker, and has a clock only where `Options` gives it one. Its caller (the
Faust worker, or the local driver) passes it records of one partition in order, commits the batch that it
returns, and passes it more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.ruling import RulingEvent

PROGRESS_KEY: Final = b"\x00progress"
"""Key of a partition's progress record in its changelog; no buyer key begins with a control character."""


class Record(Struct, frozen=True, gc=False):
    """One record of an input topic, as it lies in the log."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Kafka timestamp, milliseconds."""
    key: bytes | None
    value: bytes | None
    event: ChatEvent | OrderEvent | RulingEvent | None = None
    """The decoded value, where the caller had to decode it already; None: not decoded."""


class ForeignRecord(Struct, frozen=True, gc=False):
    """A record of another share: another processor judges it, here it moves the watermark alone (`Share`)."""

    topic: str
    ts: int | None
    """Of its event; None: the record is refused."""
    rated_ts: int | None = None
    """Of a rating."""


AnyRecord: TypeAlias = Record | ForeignRecord


class Output(Struct, array_like=True, frozen=True, gc=False):
    """One record to be written: topic (unprefixed), key, value."""

    topic: str
    key: bytes
    value: bytes
    partition: int | None = None
    """Where it has to go; None: the partition of its key."""


class Place(NamedTuple):
    """Where an output stands among those of all processors that judge a share of the same records each."""

    records: int
    """How many records had been processed, its cause or the one that moved the watermark included."""
    due: int = -1
    """The timer that caused it; -1: the record itself."""
    buyer: bytes = b""
    """Key of the buyer whose timer it was."""


def after(prefix: bytes) -> bytes:
    """Return a key after all that begin with a prefix; keys are UTF-8, which has no 0xff."""
    return prefix + b"\xff"


NO_POSITIONS: Final[Mapping[str, int]] = MappingProxyType({})
"""The position of each topic is behind its last record."""


class Store(Protocol):
    """The state of one partition as bytes, by key: buyers, and what else the processor stores."""

    def get(self, key: bytes) -> bytes | None:
        """Return what is stored under a key, or None."""

    def items(self, begin: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is stored from one key up to another one (None: to the last), by key.

        Without the caller's own records, and without what is written while it yields.
        """

    def write_derived(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Write (None: delete) what is derived from the state: not committed, for this processor only."""


@dataclass(slots=True)
class Stats:
    """What one call of the processor counted, for metrics; nothing is decided by it."""

    events: dict[str, int] = field(default_factory=dict)
    """Accepted events by topic, late ones included, repeats not."""
    late: dict[str, int] = field(default_factory=dict)
    """Of these, the ones older than the watermark, by topic."""
    repeats: dict[str, int] = field(default_factory=dict)
    """Events whose id was known already, by topic."""
    other_content: dict[str, int] = field(default_factory=dict)
    """Of these, the ones that say something else than what is kept, by topic."""
    decisions: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Decisions emitted, by (``official`` or ``comparison``, outcome, reason)."""
    reports: dict[str, int] = field(default_factory=dict)
    """Facts, inquiries, agents' days and service tasks emitted, by topic."""
    dead_letters: dict[str, int] = field(default_factory=dict)
    """Dead letters by code."""
    pending: int = 0
    """Official decisions that are pending after this call, in this partition."""
    buyers: int = 0
    """Buyers with state after this call, in this partition."""
    watermark: int | None = None
    """The partition's watermark after this call, epoch milliseconds; None before the first event."""


@dataclass(slots=True)
class Batch:
    """What one call of the processor returns, to be committed as a whole."""

    outputs: list[Output] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    """The place of each output; kept only by a processor that judges a share."""
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    """Buyer key to its new state; None deletes it."""
    progress: bytes = b""
    """Value of the record ``PROGRESS_KEY``: next offset per topic, and the watermark."""
    stats: Stats = field(default_factory=Stats)


class Judge(Protocol):
    """The processor of one partition, as its caller sees it."""

    def restore(self, progress: bytes | None, recreated: Collection[str] = ()) -> dict[str, int]:
        """Start from a stored progress record (None: from nothing) and the store's items.

        Returns the next offset per input topic; a topic not named starts at its beginning, as do those that
        were ``recreated`` since.
        """

    def process(
        self, records: Iterable[Record], at_end: frozenset[str], positions: Mapping[str, int] = NO_POSITIONS
    ) -> Batch:
        """Judge records of this partition, already merged by event time.

        ``at_end`` names the topics that are read to their end once these records are done: they hold the
        watermark back no longer. ``positions``: the offsets at which reading goes on after these records, by
        topic, where offsets without a record lie behind the last one; progress keeps them.
        """

    def keep_decoded(self, facts: int) -> None:
        """Keep so many facts of buyers decoded between batches from now on; may be called from any thread."""

    def refresh(self, shop_id: str) -> Batch:
        """Judge again what is pending of a shop whose settings or roster have changed."""

    def find_order(self, shop_id: str, order_id: str) -> bytes | None:
        """Return the last official decision on an order as JSON; None: this partition holds none."""
