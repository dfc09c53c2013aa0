"""``pull`` as a service: the lists of all accounts in turn, each when it is due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final, NamedTuple

from stream_attr.adapters.calls import Api
from stream_attr.contract.raw_topics import raw_topic
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.gateway.connections import ConnectedAccount
from stream_attr.gateway.http_calls import CallFailedError, Http
from stream_attr.gateway.platform_client import ConnectedApi, PlatformClient
from stream_attr.gateway.positions import Positions
from stream_attr.gateway.pull_metrics import PullMetrics
from stream_attr.gateway.pulling import CursorPull, Keeping, ListPull, QueuePull
from stream_attr.gateway.waiting import Backoff
from stream_attr.gateway.web import serving, watched
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import Published, Sender, TopicsMissingError

__all__ = ["Pace", "pull"]

logger = logging.getLogger(__name__)

_CALL_S: Final = 10.0
_FOR_EVER_MS: Final = 2_147_483_647
"""The longest delivery timeout that the client takes: a broker that is away is waited for."""
_SILENT_S: Final = 10.0
_TRIES: Final = 6
"""Of a run that is to end by itself: so often a list may fail one time after the other."""


class Pace(NamedTuple):
    """When lists are asked for."""

    every_s: float
    since_s: int | None
    """Where to begin, instead of where it has come to; None: there, and at first a day ago."""
    once: bool
    """Whether to end when all lists are asked for up to now."""


class _StoppedError(Exception):
    """It is to stop while the broker is away: what is not acknowledged is asked for again."""


class _Source:
    """One list, and when it is due."""

    def __init__(self, labels: tuple[str, str, str], pull: ListPull | QueuePull | CursorPull) -> None:
        self.labels, self.pull = labels, pull
        self.due = 0.0
        self.is_done = False
        self.failed: str | None = None
        self.failures = 0
        self.backoff = Backoff()


def pull(
    accounts: Sequence[ConnectedAccount],
    topics: tuple[str, Security, str],
    web: tuple[str, int, Secret | None],
    positions: Positions,
    pace: Pace,
    stop: threading.Event,
) -> None:
    """Ask for what was changed, and keep the replies on the raw topics, until it is stopped or done.

    Raises:
        UnusableError: no account has an API that is asked.
        BrokerUnreachable, TopicsMissingError, PortUnusableError: on beginning.
        StreamAttrError: the broker refuses records; with ``once`` also if a list cannot be had.
    """
    metrics = PullMetrics()
    with ExitStack() as opened:
        runner = _Runner(accounts, topics, metrics, positions, pace, stop, opened)
        if not pace.once:
            host, port, token = web
            pages = watched(metrics.registry, lambda: runner.reason, token)
            opened.enter_context(serving(pages, host, port, "--web-host and --web-port"))
        runner.run()


def _pull(
    api: Api, name: str, client: PlatformClient, keeping: Keeping, positions: Positions, known: str
) -> ListPull | QueuePull | CursorPull:
    if api.queue is not None and api.queue.name == name:
        return QueuePull(api.queue, client, keeping)
    if api.cursor is not None and api.cursor.name == name:
        return CursorPull(api.cursor, client, keeping, positions, known)
    listing = next(one for one in api.lists if one.name == name)
    return ListPull(listing, client, keeping, positions, known)


class _Runner:
    def __init__(
        self,
        accounts: Sequence[ConnectedAccount],
        topics: tuple[str, Security, str],
        metrics: PullMetrics,
        positions: Positions,
        pace: Pace,
        stop: threading.Event,
        opened: ExitStack,
    ) -> None:
        self._metrics, self._pace, self._stop = metrics, pace, stop
        self._silent: str | None = None
        self._begun_s = int(time.time())
        asked = [(one, one.api) for one in accounts if one.api is not None and one.api.pulled]
        if not asked:
            raise UnusableError(
                "no connection has an `api` with lists to `pull`: see docs/guides/connecting.md"
            )
        platforms = sorted({one.adapter.platform for one, _ in asked})
        bootstrap, _, prefix = topics
        try:
            self._sender = Sender(
                *topics, map(raw_topic, platforms), Published(), _FOR_EVER_MS, self._progress
            )
        except TopicsMissingError as error:
            raise TopicsMissingError(
                f"no topic for each of {', '.join(platforms)} on {bootstrap}; create them with: "
                f"{topics_command(bootstrap, prefix, platforms)}"
            ) from error
        self._sources = []
        for account, api in asked:
            http = Http(_CALL_S)
            opened.callback(http.close)
            self._sources += self._of(account, api, PlatformClient(api, http), positions)

    def _of(
        self, account: ConnectedAccount, api: ConnectedApi, client: PlatformClient, positions: Positions
    ) -> list[_Source]:
        platform = account.adapter.platform
        made = []
        for name in api.pulled:
            labels = platform, account.name, name
            keeping = Keeping(lambda body, labels=labels: self._keep(labels, body), self._sender.flush)  # type: ignore[misc]
            known = f"{platform}/{account.name}/{name}"
            if self._pace.since_s is not None:
                positions.set(known, self._pace.since_s)
            made.append(_Source(labels, _pull(api.api, name, client, keeping, positions, known)))
            self._metrics.behind(labels, partial(self._behind_s, made[-1]))
        return made

    def _behind_s(self, source: _Source) -> float:
        return time.time() - (source.pull.until_s() or self._begun_s)

    @property
    def reason(self) -> str | None:
        """Why it does not get on; None: it does."""
        return self._silent or next((one.failed for one in self._sources if one.failed is not None), None)

    def run(self) -> None:
        for source in self._sources:
            platform, connection, name = source.labels
            logger.info("asks for %s of connection %s of %s", name, connection, platform)
        try:
            while not self._stop.is_set():
                now = time.monotonic()
                for source in self._sources:
                    if source.due <= now and not source.is_done and not self._stop.is_set():
                        self._step(source)
                if all(source.is_done for source in self._sources):
                    return
                due = min(source.due for source in self._sources if not source.is_done)
                self._stop.wait(max(0.0, due - time.monotonic()))
        except _StoppedError:
            pass

    def _step(self, source: _Source) -> None:
        now_s = int(time.time())
        try:
            more = source.pull.step(now_s, self._begun_s - 86_400)
        except CallFailedError as error:
            self._metrics.asked(source.labels, "failed")
            self._fail(source, str(error))
        else:
            self._metrics.asked(source.labels, "kept")
            source.failed, source.failures = None, 0
            source.backoff.done()
            source.is_done = self._pace.once and not more
            source.due = 0.0 if more else time.monotonic() + self._pace.every_s

    def _fail(self, source: _Source, why: str) -> None:
        platform, connection, name = source.labels
        failed = f"{name} of connection {connection} of {platform}: {why}"
        if failed != source.failed:
            logger.warning("%s; it is asked for again", failed)
        source.failed = failed
        source.failures += 1
        if self._pace.once and source.failures >= _TRIES:
            raise StreamAttrError(f"{failed}; run it again, it goes on from there")
        source.due = time.monotonic() + source.backoff.wait_s()

    def _keep(self, labels: tuple[str, str, str], body: bytes) -> None:
        platform, connection, _ = labels
        if not self._sender.send(raw_topic(platform), body, connection):
            raise StreamAttrError(
                f"a reply of {len(body):,} bytes is longer than {raw_topic(platform)} takes: raise its "
                "max.message.bytes"
            )
        self._metrics.kept(labels)

    def _progress(self, _acknowledged: int, silent_s: float) -> None:
        self._silent = None
        if silent_s >= _SILENT_S:
            self._silent = f"the broker has acknowledged nothing for {silent_s:.0f} s"
            if self._stop.is_set():
                raise _StoppedError
