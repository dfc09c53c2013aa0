"""HTTP to an API of a platform or of the integrator: connections are kept open, redirects not followed."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from stream_attr.errors import StreamAttrError

__all__ = ["CallFailedError", "Http", "Reply"]

LONGEST: Final = 8 << 20
"""Bytes of a reply that are read."""


class CallFailedError(StreamAttrError):
    """Nothing usable came back; later it may. The message says why, and quotes no secret."""


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class Http:
    """Keeps one connection open to each address; not for several threads."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def call(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Return what an address answers.

        Raises:
            CallFailedError: nobody does, or more than 8 MiB.
        """
        url = urlsplit(address)
        origin = url.scheme, url.netloc
        kept = self._open.pop(origin, None)
        for connection in (kept, self._new(url)):
            if connection is None:
                continue
            try:
                place = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
                connection.request(method, place, body, {"Accept": "application/json", **headers})
                answer = connection.getresponse()
                content = answer.read(LONGEST + 1)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if connection is kept:  # the other side may have closed it meanwhile
                    continue
                raise CallFailedError(f"does not answer: {error}") from error
            if len(content) > LONGEST:
                connection.close()
                raise CallFailedError(f"answers with more than {LONGEST:,} bytes")
            if answer.status == 200:
                self._open[origin] = connection
            else:
                connection.close()
            return Reply(answer.status, content)
        raise AssertionError("the second attempt returns or raises")

    def _new(self, url: SplitResult) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        return kind(url.netloc, timeout=self._timeout_s)
