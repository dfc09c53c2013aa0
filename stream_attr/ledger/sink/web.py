"""The HTTP endpoints of a sink: ``GET /health``, ``/ready`` and ``/metrics``, as a worker has them.

``/ready`` is 200 while the ledger is being filled, else 503 with the reason. With a token, ``/metrics``
requires it: ``Authorization: Bearer …``, else 401.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import orjson

from stream_attr.errors import UnusableError
from stream_attr.kafka.secret import Secret
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.ledger.sink.status import Status

__all__ = ["PortUnusableError", "serving"]

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST_S: Final = 10.0


class PortUnusableError(UnusableError):
    """The web port cannot be opened; the message says why."""


@contextmanager
def serving(
    host: str, port: int, token: Secret | None, metrics: SinkMetrics, status: Status
) -> Iterator[int]:
    """Serve on a port while the context lasts; yields the port, which the system chooses where it is 0.

    Raises:
        PortUnusableError: it is taken, or may not be opened.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_S

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/health":
                self._answer(HTTPStatus.OK, {"status": "ok"})
            elif path == "/ready":
                held = [list(source) for source in status.sources]
                reason = status.why_not()
                if reason is None:
                    self._answer(HTTPStatus.OK, {"status": "ready", "partitions": held})
                else:
                    waiting = {"status": "waiting", "reason": reason, "partitions": held}
                    self._answer(HTTPStatus.SERVICE_UNAVAILABLE, waiting)
            elif not self._allowed():
                self._answer(
                    HTTPStatus.UNAUTHORIZED,
                    {"error": "a bearer token is needed: Authorization: Bearer TOKEN"},
                    {"WWW-Authenticate": 'Bearer realm="stream-attr"'},
                )
            elif path == "/metrics":
                self._send(HTTPStatus.OK, metrics.exposition(), _TEXT, {})
            else:
                self._answer(HTTPStatus.NOT_FOUND, {"error": "there are /health, /ready and /metrics"})

        def _allowed(self) -> bool:
            """Whether the request has the token; compared in constant time."""
            if token is None:
                return True
            scheme, _, given = self.headers.get("Authorization", "").partition(" ")
            right = hmac.compare_digest(given.strip().encode(errors="replace"), token.reveal().encode())
            return right and scheme.lower() == "bearer"

        def _answer(
            self, code: HTTPStatus, content: dict[str, Any], headers: dict[str, str] | None = None
        ) -> None:
            self._send(code, orjson.dumps(content), _JSON, headers or {})

        def _send(self, code: HTTPStatus, body: bytes, kind: str, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

        def version_string(self) -> str:
            return "stream-attr"

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise PortUnusableError(
            f"port {port} on {host} cannot be used: {error.strerror or error}; see --web-host and --web-port"
        ) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="web", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
