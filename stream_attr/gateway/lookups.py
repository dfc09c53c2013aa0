"""Asks for what a payload lacks, over HTTP, and remembers the answers."""

from __future__ import annotations

import http.client
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from stream_attr.errors import StreamAttrError
from stream_attr.gateway.connections import ConnectedAccount, Lookup

__all__ = ["LookupAwayError", "Lookups"]

BRIDGE: Final = "bridge"
_REMEMBERED: Final = 10_000
_LONGEST: Final = 8 << 20
"""Bytes of an answer."""
_ABSENT: Final = frozenset({404, 410})


class LookupAwayError(StreamAttrError):
    """A document could not be had now; what needs it waits."""


class _Bridged(msgspec.Struct):
    buyer_id: str


class _Known(NamedTuple):
    asked_ms: int
    document: bytes | None


class Lookups:
    """The calls of one connection.

    A payload says "look now": an answer that was asked for before the payload came may not know what it
    tells, and is used for it only as long as its ``keep_s`` allows.
    """

    def __init__(
        self,
        account: ConnectedAccount,
        timeout_s: float,
        tell: Callable[[str, str], None],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """``tell``: told of each call by resource and ``asked``, ``known``, ``absent`` or ``failed``."""
        self._account = account
        self._timeout_s = timeout_s
        self._tell = tell
        self._now_ms = now_ms
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}
        self.received_ms = 0
        """When the payload came that is being read."""

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def enrich(self, resource: str, key: str) -> bytes | None:
        """Return a document of the platform; None: there is none, or nobody to ask.

        Raises:
            LookupAwayError: it could not be had now.
        """
        lookup = self._account.enrich.get(resource)
        return None if lookup is None else self._document(resource, key, lookup)

    def bridge(self, native: str) -> str | None:
        """Return the buyer of an id of the platform; None: not known, or nobody to ask.

        Raises:
            LookupAwayError: it could not be had now.
        """
        lookup = self._account.bridge
        document = None if lookup is None else self._document(BRIDGE, native, lookup)
        if document is None:
            return None
        try:
            return msgspec.json.decode(document, type=_Bridged).buyer_id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LookupAwayError(
                f'{self._named(BRIDGE)} answers something else than {{"buyer_id": "…"}}'
            ) from error

    def _document(self, resource: str, key: str, lookup: Lookup) -> bytes | None:
        known = self._known.get((resource, key))
        if known is not None and known.asked_ms + 1000 * lookup.keep_s >= self.received_ms:
            self._known.move_to_end((resource, key))
            self._tell(resource, "known")
            return known.document
        asked_ms = self._now_ms()
        try:
            document = self._ask(resource, key, lookup)
        except LookupAwayError:
            self._tell(resource, "failed")
            raise
        self._tell(resource, "absent" if document is None else "asked")
        self._known[resource, key] = _Known(asked_ms, document)
        self._known.move_to_end((resource, key))
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return document

    def _ask(self, resource: str, key: str, lookup: Lookup) -> bytes | None:
        url = urlsplit(lookup.url.replace("{id}", quote(key, safe="")))
        place = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        headers = {name: secret.reveal() for name, secret in lookup.headers.items()}
        origin = url.scheme, url.netloc
        for kept_open in (True, False):
            connection = self._open.pop(origin, None) if kept_open else None
            if kept_open and connection is None:
                continue
            if connection is None:
                kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
                connection = kind(url.netloc, timeout=self._timeout_s)
            try:
                connection.request("GET", place, headers={"Accept": "application/json", **headers})
                answer = connection.getresponse()
                document = answer.read(_LONGEST + 1)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if kept_open:  # the other side may have closed it meanwhile
                    continue
                raise LookupAwayError(f"{self._named(resource)} does not answer: {error}") from error
            if answer.status == 200 and len(document) <= _LONGEST:
                self._open[origin] = connection
                return document
            connection.close()
            if answer.status in _ABSENT:
                return None
            why = f"status {answer.status}" if answer.status != 200 else f"more than {_LONGEST:,} bytes"
            raise LookupAwayError(f"{self._named(resource)} answers with {why} for {key}")
        raise AssertionError("the second attempt returns or raises")

    def _named(self, resource: str) -> str:
        account = self._account
        what = resource if resource == BRIDGE else f"enrich.{resource}"
        return f"`{what}` of connection {account.name} of {account.adapter.platform}"
