"""The worker as a Faust app in Faust's own worker process: signals, shutdown, membership, web server."""

from __future__ import annotations

import asyncio
import gc
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faust
from confluent_kafka import KafkaException
from faust.app.base import BootStrategy
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from yarl import URL

from stream_attr.kafka.clock_steps import CLIENTS, watch_wall_clock
from stream_attr.kafka.connection import BrokerUnreachable, reason_of
from stream_attr.kafka.security import Security
from stream_attr.worker.config import Clock, Judging, WorkerConfig
from stream_attr.worker.context import WorkerContext
from stream_attr.worker.engine import signals, web_server
from stream_attr.worker.engine.rebalance import TableManager
from stream_attr.worker.engine.shutdown import bound_shutdown
from stream_attr.worker.engine.transport import Transport
from stream_attr.worker.ops import malloc, web
from stream_attr.worker.ops.broker_health import BrokerHealth, watch_broker
from stream_attr.worker.ops.dead_letter_log import DeadLetterLog
from stream_attr.worker.ops.logs import LOGGING, RateLimited, log_loop_error, set_up
from stream_attr.worker.ops.metrics import Metrics
from stream_attr.worker.ops.partitioners import PartitionerWatch
from stream_attr.worker.ops.retention import RetentionWatch
from stream_attr.worker.ops.unreadable import Unreadable
from stream_attr.worker.startup import descriptors, topics_check
from stream_attr.worker.startup.host_check import Claim
from stream_attr.worker.task.assignment import Assignment
from stream_attr.worker.task.shop_tables import GlobalTables
from stream_attr.worker.task.ticks import send_ticks
from stream_attr.worker.task.topic_ids import TopicIds, TopicRecreatedError

__all__ = ["AttributionApp", "build_app", "run"]

logger = logging.getLogger(__name__)

_HEARTBEATS_PER_SESSION = 8
_REQUEST_TIMEOUT_S = 90.0
"""Faust's default; it refuses a longer session timeout."""


class _Worker(faust.Worker):  # type: ignore[misc]
    """Faust's worker process, with less logging and a faster end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, loglevel="WARNING", logging_config=LOGGING, **kwargs)
        self.spinner = None

    async def on_first_start(self) -> None:
        """Log errors of the event loop like all others."""
        asyncio.get_running_loop().set_exception_handler(log_loop_error)
        await super().on_first_start()

    def _install_signal_handlers_unix(self) -> None:
        """Install the handlers of ``signals`` instead of Faust's."""
        signals.listen(self.loop, self._schedule_shutdown)

    async def stop(self) -> None:
        """Stop within a bounded time, whatever hangs."""
        if not self._stopped.is_set():
            bound_shutdown()
        await super().stop()

    async def _sentinel_task(self) -> None:
        """Do nothing: mode would sleep a second here before it closes the loop."""


class _NoProducer(BootStrategy):  # type: ignore[misc]
    """Faust's own producer is not started: each partition has one, with transactions."""

    enable_kafka_producer = False


class AttributionApp(faust.App):  # type: ignore[misc]
    """A Faust app that knows its partitions."""

    BootStrategy = _NoProducer
    logger = logging.getLogger("faust.app")

    config: WorkerConfig
    metrics: Metrics
    broker_health: BrokerHealth
    unreadable: Unreadable
    dead_letters: DeadLetterLog
    retention: RetentionWatch
    partitioners: PartitionerWatch
    partitions: Assignment
    global_tables: GlobalTables
    web_log: RateLimited
    pool: ThreadPoolExecutor
    reader: ThreadPoolExecutor
    """The thread that reads settings and rosters: it must not queue behind batches."""
    topic_ids: TopicIds
    inputs = topics_check.INPUTS

    def _new_web(self) -> web_server.Web:
        """Faust's web driver, with limits."""
        return web_server.Web(self)

    def _create_directories(self) -> None:
        """Do nothing: Faust's data directory is for its own tables; each store creates its directory."""

    async def on_start(self) -> None:
        """Start watching the broker; Faust runs what ``task`` was given only after the first recovery."""
        await super().on_start()
        self.add_future(watch_broker(self.broker_health, self.global_tables.broker_answers))
        self.add_future(watch_wall_clock(CLIENTS))
        self.add_future(malloc.keep_trimmed())
        self.add_future(self._watch_topics())

    async def _watch_topics(self) -> None:
        try:
            await self.topic_ids.watch()
        except TopicRecreatedError as error:
            logger.critical("%s", error)
            self.crash_soon(error)

    def crash_soon(self, error: BaseException) -> None:
        """Stop the whole worker because of an error that has been logged."""
        self._failing = asyncio.ensure_future(self.crash(error))


def build_app(config: WorkerConfig, judging: Judging) -> AttributionApp:
    """Build the app; nothing is consumed before it is started.

    Raises:
        BrokerUnreachable, TopicsCheckError: the broker is not ready for a worker; the message has the remedy.
        DescriptorsError: this process may open too few files.
    """
    limit = descriptors.raise_limit()
    found = topics_check.check_topics(config)
    descriptors.require(limit, found.partitions, found.brokers)
    app = AttributionApp(
        config.group,
        broker=[URL(f"kafka://{address.strip()}") for address in config.broker.split(",")],
        broker_credentials=_credentials(config.security),
        broker_session_timeout=config.session_timeout_s,
        broker_request_timeout=max(_REQUEST_TIMEOUT_S, config.session_timeout_s),
        broker_heartbeat_interval=config.session_timeout_s / _HEARTBEATS_PER_SESSION,
        consumer_auto_offset_reset="none",  # a missing offset is handled by lost_input
        store="memory://",
        TableManager=TableManager,
        Worker=_Worker,
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        canonical_url=config.url,
        web_bind=config.web_host,
        web_host=config.web_host,
        web_port=config.web_port,
        web_application_options={"middlewares": [web.guard(config.web_token)]},
        web_router_enabled=False,
        web_tables_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.config = config
    app.metrics = Metrics()
    app.dead_letters = DeadLetterLog()
    app.retention = RetentionWatch(found.retention_ms, config.topic_prefix)
    app.partitioners = PartitionerWatch(found.partitions, config.topic_prefix)
    app.broker_health = BrokerHealth(config.broker, config.session_timeout_s)
    app.unreadable = Unreadable()
    app.global_tables = GlobalTables(
        config, judging.registry, app.broker_health.login_refused, app.unreadable
    )
    app.topic_ids = TopicIds(config)
    app.web_log = RateLimited(web.logger)
    app.pool = ThreadPoolExecutor(1 + config.batch_threads, thread_name_prefix="batch")
    app.reader = ThreadPoolExecutor(1, thread_name_prefix="settings")
    app.transport = Transport(app.conf.broker_consumer, app)
    context = WorkerContext(
        config,
        judging,
        app.global_tables,
        app.metrics,
        app.broker_health,
        app.unreadable,
        app.dead_letters,
        app.partitioners,
        app.pool,
        partitions=found.partitions,
        transactions=found.transactions,
        topic_ids=app.topic_ids.known,
    )
    app.partitions = Assignment(context, app.crash_soon)
    for name in topics_check.INPUTS:
        app.topics.add(app.topic(config.topic(name)))
    web.add_routes(app)
    app.task(_report_dead_letters(app))
    app.task(_follow_global_tables(app))
    if config.clock is Clock.WALL:
        app.task(_tick(app))
    if not found.transactions:
        logger.warning("no transactions: after a crash, outputs may appear twice")
    return app


def _credentials(security: Security) -> Credentials | None:
    """The security settings as Faust takes them; None: no TLS and no log-in."""
    context = security.ssl_context()
    if security.password is not None:
        return SASLCredentials(
            username=security.user,
            password=security.password.reveal(),
            ssl_context=context,
            mechanism=security.mechanism.value,
        )
    return None if context is None else SSLCredentials(context)


def run(config: WorkerConfig, judging: Judging) -> int:
    """Run a worker until a signal or an error ends it; returns the exit code.

    Raises:
        UnusableError: it cannot be started; the message says why.
    """
    set_up()
    malloc.share_arenas()
    with Claim(config):
        try:
            app = build_app(config, judging)
        except KafkaException as error:
            raise BrokerUnreachable(f"broker {config.broker}: {reason_of(error)}") from error
        return _run(app)


def _run(app: AttributionApp) -> int:
    code: int | str | None = 1
    _tune_garbage_collector()
    try:
        app.Worker().execute_from_commandline()
    except SystemExit as end:
        code = end.code
    finally:
        signals.ending()
        app.pool.shutdown()
        app.reader.shutdown()
        app.global_tables.close()
        app.dead_letters.report(final=True)
    return code if isinstance(code, int) else 1


def _tune_garbage_collector() -> None:
    """Look for cycles rarely, and never among the objects of the start.

    Records, facts and states are many small objects without cycles; reference counting frees them. With
    Python's defaults (700, 10, 10) the collector visited them again and again: a quarter of the time, 17,000
    instead of 21,000 events/s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)


def _report_dead_letters(app: AttributionApp) -> Any:
    async def report() -> None:
        while True:
            await asyncio.sleep(1.0)
            app.dead_letters.report()

    return report


def _follow_global_tables(app: AttributionApp) -> Any:
    async def follow_global_tables() -> None:
        """Apply new settings and roster records, and have the partitions check for them."""
        loop = asyncio.get_running_loop()
        while not app.should_stop:
            if not app.global_tables.bootstrapped:
                await asyncio.sleep(0.1)
                continue
            if await loop.run_in_executor(app.reader, app.global_tables.follow):
                app.partitions.wake()

    return follow_global_tables


def _tick(app: AttributionApp) -> Any:
    async def tick() -> None:
        await send_ticks(app.config, app.partitions, app.broker_health)

    return tick
