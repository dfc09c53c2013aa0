"""What all partitions of a worker share."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor

from stream_attr.contract.topics import CHANGELOG
from stream_attr.worker.config import Judging, WorkerConfig
from stream_attr.worker.ops.broker_health import BrokerHealth
from stream_attr.worker.ops.dead_letter_log import DeadLetterLog
from stream_attr.worker.ops.metrics import Metrics
from stream_attr.worker.ops.partitioners import PartitionerWatch
from stream_attr.worker.ops.unreadable import Unreadable
from stream_attr.worker.state.memory_budget import Memory
from stream_attr.worker.task.shop_tables import GlobalTables

__all__ = ["WorkerContext"]


class WorkerContext:
    """Configuration, shared tables, metrics, health and threads."""

    def __init__(
        self,
        config: WorkerConfig,
        judging: Judging,
        global_tables: GlobalTables,
        metrics: Metrics,
        broker_health: BrokerHealth,
        unreadable: Unreadable,
        dead_letters: DeadLetterLog,
        partitioners: PartitionerWatch,
        pool: Executor,
        *,
        partitions: int,
        transactions: bool,
        topic_ids: Mapping[str, str],
    ) -> None:
        """``partitions``: of each keyed topic. ``topic_ids``: by name, of all consumed topics."""
        self.config = config
        self.memory = Memory(config.cache_mib)
        self.judging = judging
        self.global_tables = global_tables
        self.metrics = metrics
        self.broker_health = broker_health
        self.unreadable = unreadable
        self.dead_letters = dead_letters
        self.partitioners = partitioners
        self.pool = pool
        self.partitions = partitions
        self.transactions = transactions
        self.topic_ids = topic_ids
        self.changelog_id = topic_ids.get(CHANGELOG, "")
