"""Ticks for the idle partitions of this worker: the wall clock's way into event time (RULEBOOK 6).

Besides, the wall clock is read for the check on future timestamps, and for service tasks, which are not
created long after they were due.
"""

from __future__ import annotations

import asyncio
import logging
import time

import orjson
from confluent_kafka import KafkaError, Message, Producer

from stream_attr.contract.records.tick import TICK_VERSION
from stream_attr.contract.topics import TICKS
from stream_attr.kafka.clients import LOGGED
from stream_attr.kafka.clock_steps import CLIENTS
from stream_attr.wall_clock import wall_clock_ms
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.ops.broker_health import BrokerHealth
from stream_attr.worker.startup.topics_check import EVENTS, INPUTS
from stream_attr.worker.task.assignment import Assignment

__all__ = ["send_ticks"]

logger = logging.getLogger(__name__)


async def send_ticks(config: WorkerConfig, partitions: Assignment, broker_health: BrokerHealth) -> None:
    """Send a tick to each partition that has been idle for ``idle_tick_ms`` and has no lag; never returns.

    While a transaction is open on its events it gets none: records that cannot be read yet belong before the
    tick. A tick's time is the wall clock minus the allowed lateness. A partition that stays idle gets one per
    idle time.
    """
    idle_s = config.idle_tick_ms / 1000
    producer = Producer({**config.security.rdkafka(config.broker), **LOGGED})
    CLIENTS.add(producer)
    ticked: dict[int, float] = {}
    while True:
        await asyncio.sleep(min(1.0, idle_s / 4))
        now = time.monotonic()
        for partition in partitions if broker_health.lost is None else ():
            since = max(partition.busy_at, ticked.get(partition.number, 0.0))
            held = any(partition.open_transactions.records(config.topic(topic)) for topic in EVENTS)
            if now - since >= idle_s and not held and all(partition.lag(topic) == 0 for topic in INPUTS):
                ticked[partition.number] = now
                producer.produce(
                    config.topic(TICKS),
                    orjson.dumps(
                        {"ts": wall_clock_ms() - config.allowed_lateness_ms, "version": TICK_VERSION}
                    ),
                    partition=partition.number,
                    on_delivery=_report,
                )
        producer.poll(0)


def _report(error: KafkaError | None, message: Message) -> None:
    if error is not None:
        logger.warning("a tick for partition %s was not sent: %s", message.partition(), error.str())
