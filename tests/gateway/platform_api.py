"""A platform's API as far as ``enrich`` and ``bridge`` ask it: documents over HTTP, behind a key."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

KEY = "an-api-key"


class PlatformApi:
    """``GET /RESOURCE/ID`` gives a document, or 404; 401 without the key, 503 while it is away."""

    def __init__(self, documents: Mapping[tuple[str, str], Any]) -> None:
        self.documents = dict(documents)
        self.away = False
        self.asked: list[tuple[str, str]] = []
        self.connections = 0
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                api.connections += 1
                super().setup()

            def do_GET(self) -> None:
                _, resource, key = self.path.split("/")
                asked = resource, unquote(key)
                api.asked.append(asked)
                document = api.documents.get(asked)
                status = (
                    503 if api.away else 401 if self.headers["X-Key"] != KEY else 200 if document else 404
                )
                body = json.dumps(document).encode() if status == 200 else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def platform_api(documents: Mapping[tuple[str, str], Any]) -> Iterator[PlatformApi]:
    """One that answers while the context lasts."""
    api = PlatformApi(documents)
    thread = threading.Thread(target=api.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.server.shutdown()
        api.server.server_close()
        thread.join()
