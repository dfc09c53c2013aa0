"""Asks a platform's own API: signed, within its rate, by secrets that may be renewed while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from stream_attr.adapters.calls import Api, Buyer, Call
from stream_attr.adapters.reading import Document, parse
from stream_attr.adapters.skips import SkippedError
from stream_attr.gateway.http_calls import CallFailedError, Http
from stream_attr.kafka.secret import UnusableSecretError, read_secret_file
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Answer", "ConnectedApi", "PlatformClient", "SecretFile"]


class SecretFile:
    """A secret that somebody may renew, as access tokens have to be.

    Raises:
        UnusableSecretError: on construction, if it cannot be used.
    """

    def __init__(self, file: Path, named_by: str) -> None:
        self._file, self._named_by = file, named_by
        self._secret = read_secret_file(file, named_by)
        self._seen = self._stamp()

    def reveal(self) -> str:
        """Return what the file holds now; while it cannot be read, what it held before."""
        stamp = self._stamp()
        if stamp != self._seen:
            try:
                self._secret = read_secret_file(self._file, self._named_by)
            except UnusableSecretError:
                return self._secret.reveal()
            self._seen = stamp
        return self._secret.reveal()

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


class ConnectedApi(NamedTuple):
    """The API of one account."""

    api: Api
    url: str
    secrets: Mapping[str, SecretFile]
    per_second: float
    """Calls of this account that are made at most."""
    pulled: tuple[str, ...]
    """The lists, or the queue, that ``pull`` asks for."""
    buyer: Buyer | None = None
    """Which other id of a buyer events are given; None: the one that payloads name."""


class Answer(NamedTuple):
    """A reply that is an answer."""

    body: bytes
    """As it came."""
    document: Document


class PlatformClient:
    """Makes the calls of one account."""

    def __init__(
        self,
        connected: ConnectedApi,
        http: Http,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self._connected, self._http = connected, http
        self._clock, self._sleep, self._now_ms = clock, sleep, now_ms
        self._next = clock()

    def ask(self, call: Call) -> Answer | None:
        """Return the answer to a call; None: the platform says that there is no such document.

        Waits first, if calls would come too fast.

        Raises:
            CallFailedError: it cannot be had now; the message begins with the call.
        """
        connected = self._connected
        self._sleep(max(0.0, self._next - self._clock()))
        self._next = max(self._next, self._clock()) + 1 / connected.per_second
        keys = {name: secret.reveal() for name, secret in connected.secrets.items()}
        asked = connected.api.signed(call, keys, self._now_ms())
        headers = {"Content-Type": asked.content_type}
        try:
            status, body = self._http.call("POST", connected.url + asked.path, headers, asked.body)
        except CallFailedError as error:
            raise CallFailedError(f"{call.method} {error}") from error
        if status != 200:
            raise CallFailedError(f"{call.method} answers with status {status}")
        try:
            document = parse(body)
            if not isinstance(document, Mapping):
                raise CallFailedError(f"{call.method} answers with something else than a JSON object")
            problem = connected.api.failed(document)
        except SkippedError as error:
            raise CallFailedError(f"{call.method} answers with something unreadable: {error}") from error
        if problem is None:
            return Answer(body, document)
        if problem.is_absent:
            return None
        raise CallFailedError(f"{call.method} says {problem.text}")
