"""Faust's web server with limits on connections and request time; requests are never logged."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, NamedTuple

import orjson
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import AppRunner, BaseRequest, RequestHandler, Response, Server, StreamResponse
from faust.web.drivers.aiohttp import Web as FaustWeb

from stream_attr.worker.ops.logs import RateLimited

__all__ = ["LIMITS", "LimitedRunner", "Limits", "Web"]

logger = logging.getLogger(__name__)

_SHUTDOWN_S = 5.0
"""How long open requests may take when the worker stops."""


class Limits(NamedTuple):
    """Limits for clients of the server."""

    connections: int
    """Open at one time. One more closes the connection with the oldest last response."""
    request_s: float
    """From a connection's start or last response to the end of its next response, idle time included."""


LIMITS = Limits(connections=100, request_s=20.0)
"""Prometheus, probes, peers and people need a handful; each connection takes a file descriptor."""


class LimitedRunner(AppRunner):
    """Runs an application on a server with limits."""

    def __init__(self, *arguments: Any, limits: Limits = LIMITS, **others: Any) -> None:
        super().__init__(*arguments, access_log=None, shutdown_timeout=_SHUTDOWN_S, **others)
        self._limits = limits

    async def _make_server(self) -> Server:
        made = await super()._make_server()
        return _LimitedServer(made.request_handler, request_factory=made.request_factory, limits=self._limits)


class Web(FaustWeb):  # type: ignore[misc]
    """Faust's web driver with that runner."""

    def __init__(self, *arguments: Any, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self._runner = LimitedRunner(self.web_app)


class _LimitedServer(Server):
    """Creates the protocol of each connection, and keeps track of open ones."""

    def __init__(self, *arguments: Any, limits: Limits, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.limits = limits
        self.log = RateLimited(logger)
        self.by_last_response: dict[_Connection, None] = {}
        """Open connections; the one with the oldest last response comes first."""

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), access_log=None)


class _Connection(RequestHandler):
    """aiohttp's protocol of one connection.

    aiohttp waits an hour for the head of a request, and without limit for a client that does not read the
    response. It logs a malformed request with a traceback that quotes the request, its token included.
    """

    __slots__ = ("_server", "_timeout")

    def __init__(self, server: _LimitedServer, **others: Any) -> None:
        super().__init__(server, **others)
        self._server = server
        self._timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._begin_request()
        if len(self._server.by_last_response) > self._server.limits.connections:
            self._server.log.log(
                logging.WARNING,
                "web connections over the limit",
                "more than %d web connections: closing the one that has been idle longest",
                self._server.limits.connections,
            )
            next(iter(self._server.by_last_response)).abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception as error:  # asyncio would log it with the traceback
            self._malformed(error)
            self.abort()

    async def finish_response(
        self, request: BaseRequest, resp: StreamResponse, start_time: float | None
    ) -> tuple[StreamResponse, bool]:
        finished = await super().finish_response(request, resp, start_time)
        self._begin_request()
        return finished

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 -- aiohttp's signature; it quotes the request
    ) -> StreamResponse:
        if isinstance(exc, HttpProcessingError):
            self._malformed(exc)
            error = "this is not an HTTP request"
        else:
            self.log_exception("a web request failed", exc_info=exc)
            error = "the request failed; the worker's log says where"
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response is sent already")
        response = Response(
            body=orjson.dumps({"error": error}), status=status, content_type="application/json"
        )
        response.force_close()
        return response

    def log_exception(self, *_: Any, exc_info: BaseException | None = None) -> None:
        self._server.log.log(
            logging.ERROR,
            f"failed web requests ({type(exc_info).__name__})",
            "a web request failed",
            exc_info=exc_info,
        )

    def abort(self) -> None:
        """Close the connection, dropping unsent and unread data."""
        transport = self.transport
        self._end()
        self.force_close()
        if transport is not None:
            transport.abort()

    def _malformed(self, error: Exception) -> None:
        peer = self.peername
        self._server.log.log(
            logging.WARNING,
            "malformed web requests",
            "refused a malformed web request from %s: %s",
            peer[0] if isinstance(peer, tuple) else "an unknown address",
            type(error).__name__,
        )

    def _begin_request(self) -> None:
        self._end()
        if self.transport is not None:
            self._server.by_last_response[self] = None
            self._timeout = self._loop.call_later(self._server.limits.request_s, self._too_slow)

    def _end(self) -> None:
        self._server.by_last_response.pop(self, None)
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def _too_slow(self) -> None:
        self.abort()
