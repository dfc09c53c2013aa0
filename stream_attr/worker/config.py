"""The configuration of a worker, and the interface of the objects that judge for it."""

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
    """Where a partition's local state is kept; the changelog topic is authoritative in either case."""

    ROCKSDB = "rocksdb"
    MEMORY = "memory"


class Clock(enum.StrEnum):
    """What advances the event time of an idle partition: ticks of the wall clock, or only its events."""

    WALL = "wall"
    EVENTS = "events"


class Transactions(enum.StrEnum):
    """Whether a batch is one Kafka transaction; ``auto`` is ``on`` except on the embedded broker."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class LostInput(enum.StrEnum):
    """What to do if records were lost before they were judged: by retention, or with a recreated topic."""

    STOP = "stop"
    CONTINUE = "continue"


class ShopRegistry(Protocol):
    """Settings and rosters of all shops, with their history, as all judges of this worker read them."""

    def apply(self, record: Record) -> Output | None:
        """Apply one settings or roster record; a refused one changes nothing and yields a dead letter."""


@dataclass(frozen=True, slots=True)
class Judging:
    """The pure side of a worker: one shop registry for all partitions, and a judge for each."""

    registry: ShopRegistry
    judge: Callable[[int, int, Store], Judge]
    """Makes a judge from the partition, the number of partitions, and the partition's store."""
    clock: Callable[[], int] | None = None
    """Wall clock, epoch milliseconds: what is of the future, the judges refuse. None: they accept it."""


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """All options of a worker; names end with the unit of a duration."""

    broker: str = "127.0.0.1:9092"
    """``host:port``, several separated by commas."""
    security: Security = UNSECURED
    app_id: str = "stream-attr"
    """Consumer group and prefix of the transactional ids: per id, each partition has one owner."""
    topic_prefix: str = ""
    data_dir: Path = Path("data")
    store: StoreKind = StoreKind.ROCKSDB
    clock: Clock = Clock.WALL
    accept_future: bool = False
    """Whether events and ticks ahead of the wall clock are taken: they are simulated."""
    transactions: Transactions = Transactions.AUTO
    allowed_lateness_ms: int = 5 * 60_000
    history_days: int = 35
    order_retention_days: int = 45
    reports: bool = True
    """Whether reception facts, inquiries, agent days and service tasks are emitted besides decisions."""
    lost_input: LostInput = LostInput.STOP
    web_host: str = "127.0.0.1"
    """Interface of the web server; one that other machines reach requires a ``web_token``."""
    web_port: int = 6066
    web_url: str | None = None
    """Where other workers reach this one; None: ``http://<web_host>:<web_port>``."""
    web_token: Secret | None = None
    """Bearer token of all requests but ``/health`` and ``/ready``; None: no token."""
    session_timeout_s: float = 10.0
    """A worker without heartbeats for so long loses its partitions (Apache Kafka: at least 6 s)."""
    cache_mib: int = 512
    """MiB for decoded buyers, and for blocks and write buffers of the local stores."""
    batch_records: int = 2_000
    """Maximum number of records judged and committed together."""
    linger_ms: int = 25
    """How long a partition without lag gathers events for one commit."""
    idle_tick_ms: int = 60_000
    """A partition without events for so long gets a tick (``clock`` ``wall`` only)."""
    batch_threads: int = 4
    """Batches of different partitions that may be processed in parallel."""

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
