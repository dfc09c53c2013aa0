"""Web servers of the gateway and of ``adapt``: one for platforms, one for those who watch."""

from __future__ import annotations

import hmac
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stream_attr.errors import UnusableError
from stream_attr.kafka.secret import Secret

__all__ = ["PortUnusableError", "serving", "watched"]

_AT_ONCE: Final = 1_000
"""Requests that are answered at one time; others get 503."""
_STOP_S: Final = 15
"""How long requests that are being answered may take once the server stops."""
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class PortUnusableError(UnusableError):
    """A port cannot be opened; the message says why."""


@contextmanager
def serving(app: Starlette, host: str, port: int, options: str) -> Iterator[int]:
    """Serve an application while the context lasts; yields the port, which the system chooses where it is 0.

    At the end no new connection is taken, and requests that are being answered are answered.
    ``options``: those that name host and port, for the message.

    Raises:
        PortUnusableError: the port is taken, or may not be opened.
    """
    listening = _bound(host, port, options)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",  # what is no HTTP can come at any rate
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_AT_ONCE,
            timeout_graceful_shutdown=_STOP_S,
        )
    )
    thread = threading.Thread(target=server.run, args=([listening],), name=f"web {port}", daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _bound(host: str, port: int, options: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise PortUnusableError(
            f"port {port} on {host} cannot be used: {error.strerror or error}; see {options}"
        ) from error


def watched(
    registry: CollectorRegistry, why_not: Callable[[], str | None], token: Secret | None
) -> Starlette:
    """Return ``GET /health``, ``/ready`` and ``/metrics``, as a worker has them.

    ``why_not``: why it is not ready; None: it is. With a token ``/metrics`` requires it, in constant time.
    """

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        reason = why_not()
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "waiting", "reason": reason}, 503)

    async def metrics(request: Request) -> Response:
        if token is not None:
            scheme, _, given = request.headers.get("Authorization", "").partition(" ")
            right = hmac.compare_digest(given.strip().encode(errors="replace"), token.reveal().encode())
            if not (right and scheme.lower() == "bearer"):
                return JSONResponse(
                    {"error": "a bearer token is needed: Authorization: Bearer TOKEN"},
                    401,
                    {"WWW-Authenticate": 'Bearer realm="stream-attr"'},
                )
        return Response(generate_latest(registry), media_type=_TEXT)

    pages = {"/health": health, "/ready": ready, "/metrics": metrics}
    return Starlette(routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()])
