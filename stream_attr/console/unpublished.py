"""Publishes rulings of granted appeals that were left: by a crash, or while the broker was away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout
from starlette.concurrency import run_in_threadpool

from stream_attr.errors import StreamAttrError
from stream_attr.kafka.writer import TopicWriter
from stream_attr.ledger.appeals.answering import publish_again

__all__ = ["publishing"]

logger = logging.getLogger(__name__)
EVERY_S: Final = 30.0


@asynccontextmanager
async def publishing(
    pool: ConnectionPool[Connection[Any]], writer: TopicWriter | None
) -> AsyncIterator[None]:
    """Publish what is left at once, and from time to time while the context lasts, if there is a writer."""
    if writer is None:
        yield
        return
    task = asyncio.create_task(_publish(pool, writer))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _publish(pool: ConnectionPool[Connection[Any]], writer: TopicWriter) -> None:
    while True:
        await run_in_threadpool(_once, pool, writer)
        await asyncio.sleep(EVERY_S)


def _once(pool: ConnectionPool[Connection[Any]], writer: TopicWriter) -> None:
    try:
        with pool.connection() as connection:
            count = publish_again(connection, writer)
    except (StreamAttrError, psycopg.Error, PoolTimeout) as error:
        logger.warning("rulings of granted appeals are not published yet: %s", type(error).__name__)
    else:
        if count:
            logger.info("published rulings of %d appeals that were left", count)
