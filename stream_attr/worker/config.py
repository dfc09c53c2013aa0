"""What a worker is told from outside, and the two objects that do its judging."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.processor.ports import Judge, Output, Record, Store

__all__ = ["Clock", "Judging", "LostInput", "ShopRegistry", "StoreKind", "Transactions", "WorkerConfig"]


class StoreKind(enum.StrEnum):
    """Where a partition's state lies on this machine; its truth is the changelog topic either way."""

    ROCKSDB = "rocksdb"
    MEMORY = "memory"


class Clock(enum.StrEnum):
    """What moves a partition that has been quiet: ticks of the wall clock, or nothing but its events."""

    WALL = "wall"
    EVENTS = "events"


class Transactions(enum.StrEnum):
    """Whether a batch is one Kafka transaction; ``auto`` is ``on`` except on the embedded broker."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class LostInput(enum.StrEnum):
    """What to do where records that were not judged yet are gone: deleted, or with a topic made anew."""

    STOP = "stop"
    CONTINUE = "continue"


class ShopRegistry(Protocol):
    """The shops' settings and rosters, all versions of them, as every judge of this worker reads them."""

    def apply(self, record: Record) -> Output | None:
        """Take in one settings or roster record; a refused one changes nothing and yields a dead letter."""


@dataclass(frozen=True, slots=True)
class Judging:
    """The pure side of a worker: one book for all partitions, and a judge for each."""

    registry: ShopRegistry
    judge: Callable[[int, int, Store], Judge]
    """Makes the judge of a partition, one of so many, over that partition's store."""


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Everything a worker is told; durations in the unit that the name says."""

    broker: str = "127.0.0.1:9092"
    """``host:port``, several separated by commas."""
    security: Security = UNSECURED
    app_id: str = "stream-attr"
    """Consumer group and prefix of the transactional ids: one id, one owner of each partition."""
    topic_prefix: str = ""
    data_dir: Path = Path("data")
    store: StoreKind = StoreKind.ROCKSDB
    clock: Clock = Clock.WALL
    transactions: Transactions = Transactions.AUTO
    allowed_lateness_ms: int = 5 * 60_000
    history_days: int = 35
    order_retention_days: int = 45
    reports: bool = True
    """Whether facts, inquiries and agents' days are told beside decisions."""
    lost_input: LostInput = LostInput.STOP
    web_host: str = "127.0.0.1"
    """Interface that the web server binds; one that others reach needs a ``web_token``."""
    web_port: int = 6066
    web_url: str | None = None
    """Where other workers reach this one; None: ``http://<web_host>:<web_port>``."""
    web_token: Secret | None = None
    """What a question must bear, but for those of ``/health`` and ``/ready``; None: nothing."""
    session_timeout_s: float = 10.0
    """A worker that has been silent for so long loses its partitions (Apache Kafka: 6 s at least)."""
    cache_mib: int = 512
    """Memory for buyers who are kept decoded and for blocks and write buffers of the local stores, MiB."""
    batch_records: int = 2_000
    """Records judged and committed together at most."""
    linger_ms: int = 25
    """How long a partition that has caught up gathers events before it commits them together."""
    idle_tick_ms: int = 60_000
    """A partition without events for so long is sent a tick (``clock`` ``wall`` only)."""
    batch_threads: int = 4
    """Batches of different partitions that may be under way at one time."""

    @property
    def group(self) -> str:
        """The consumer group."""
        return self.topic_prefix + self.app_id

    @property
    def url(self) -> str:
        """Where other workers reach this one."""
        return self.web_url or f"http://{self.web_host}:{self.web_port}"

    def topic(self, name: str) -> str:
        """The topic's name on the broker."""
        return self.topic_prefix + name
