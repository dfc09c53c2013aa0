"""How a processor runs, and which buyers are its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import END_OF_TIME, HOUR_MS, MINUTE_MS

FACT_BYTES: Final = 512
"""What a fact of a buyer who is kept decoded takes of memory, about (`Options.cached_facts`)."""


@dataclass(frozen=True, slots=True)
class Share:
    """One of several processors that share the buyers of the same records: each judges its own.

    All follow the same watermark, as each counts every record: those of other shares come to it as a
    `ForeignRecord`. It answers for a record that is refused where that comes to it whole.
    """

    index: int
    processors: int

    def of(self, buyer_id: bytes) -> int:
        """Return the index of the share that a buyer is in, in every shop: the CRC-32 of the id in UTF-8."""
        return crc32(buyer_id) % self.processors

    def has(self, key: bytes) -> bool:
        """Whether the buyer of a record key, ``shop_id|buyer_id``, is its own."""
        return self.of(key[key.index(b"|") + 1 :]) == self.index

    def has_buyer(self, buyer_id: str) -> bool:
        """Whether a buyer is its own."""
        return self.of(buyer_id.encode()) == self.index


@dataclass(frozen=True, slots=True)
class Options:
    """How a processor runs; none of it changes what is decided of events that come in time."""

    allowed_lateness_ms: int = 5 * MINUTE_MS
    retention: Retention = field(default_factory=Retention)
    cached_facts: int = 100_000
    """So many facts of buyers are kept decoded between batches: some half a kilobyte of memory each."""
    due_soon_ms: int = HOUR_MS
    """What is due so soon after the watermark is remembered in memory; all else lies in the store."""
    commits: bool = True
    """Whether a batch holds all that it changed. A caller that commits nothing, and starts from scratch after
    a crash, gets only the buyers that leave the cache, and has to store them; it cannot find orders."""
    clock: Callable[[], int] | None = None
    """Wall clock, epoch milliseconds, for `future_timestamp` alone. None: nothing is in the future."""
    now: Callable[[], int] | None = None
    """Wall clock, epoch milliseconds, for service tasks alone: none is opened that fell due long ago.
    None: no task is emitted."""
    latest_watermark: int = END_OF_TIME
    """Where the watermark stops, whatever comes; epoch milliseconds."""
    files: Mapping[str, tuple[str, ...]] | None = None
    """Names of the files that records come from, by topic; None: they come from Kafka, with keys."""
    share: Share | None = None
    """Which buyers to judge; None: all."""
    reports: bool = True
    """Whether facts, inquiries and agents' days are emitted besides decisions."""
    report_every_ms: int = 10 * MINUTE_MS
    """How long after a change facts, inquiries and figures are emitted, in event time, by a partition that is
    behind."""
    caught_up_every_ms: int | None = MINUTE_MS
    """The same by a partition that has caught up. None: every one counts as behind."""
    partition: int = 0
    partitions: int = 1
    """This one, and how many exchange records on the internal topics."""
