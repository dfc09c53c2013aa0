"""The processor as a worker runs it."""

from __future__ import annotations

from dataclasses import replace

from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.ports import Store
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.wall_clock import wall_clock_ms
from stream_attr.worker.config import Clock, Judging, WorkerConfig

__all__ = ["processor_judging"]


def processor_judging(config: WorkerConfig) -> Judging:
    """One shop registry for all partitions, and a processor for each.

    With ``clock`` ``events`` there is no "now" for service tasks. Events of the future are refused in any
    case, unless ``accept_future``: one of them would make all that follows too late.
    """
    clock = None if config.accept_future else wall_clock_ms
    registry = ShopRegistry()
    options = Options(
        allowed_lateness_ms=config.allowed_lateness_ms,
        reports=config.reports,
        retention=Retention(config.history_days * DAY_MS, config.order_retention_days * DAY_MS),
        clock=clock,
        now=wall_clock_ms if config.clock is Clock.WALL else None,
    )

    def judge(partition: int, partitions: int, store: Store) -> Processor:
        return Processor(registry, store, replace(options, partition=partition, partitions=partitions))

    return Judging(registry, judge, clock)
