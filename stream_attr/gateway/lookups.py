"""Asks for what a payload lacks, over HTTP, and remembers the answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from stream_attr.adapters.calls import Call
from stream_attr.adapters.reading import parse, root
from stream_attr.adapters.skips import SkippedError
from stream_attr.errors import StreamAttrError
from stream_attr.gateway.connections import ConnectedAccount, Lookup
from stream_attr.gateway.http_calls import CallFailedError, Http
from stream_attr.gateway.platform_client import PlatformClient
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["LookupAwayError", "Lookups"]

BRIDGE: Final = "bridge"
_REMEMBERED: Final = 10_000
_OTHER_ID_S: Final = 86_400
"""How long another id of a buyer is believed: it may be given one later."""
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
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        """``tell``: called for each, with resource and ``asked``, ``known``, ``absent`` or ``failed``."""
        self._account = account
        self._http = Http(timeout_s)
        self._client = None if account.api is None else PlatformClient(account.api, self._http, now_ms=now_ms)
        self._tell = tell
        self._now_ms = now_ms
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self.received_ms = 0
        """When the payload came that is being read."""

    def close(self) -> None:
        """Close what is open."""
        self._http.close()

    def enrich(self, resource: str, key: str) -> bytes | None:
        """Return a document of the platform; None: there is none, or nobody to ask.

        Raises:
            LookupAwayError: it could not be had now.
        """
        lookup = self._account.enrich.get(resource)
        if lookup is not None:
            return self._document(resource, key, lookup.keep_s, lambda: self._fetched(key, lookup))
        api = self._account.api
        if api is None or resource not in api.api.details:
            return None
        return self._document(resource, key, 0, lambda: self._asked(resource, key))

    def bridge(self, native: str) -> str | None:
        """Return the buyer of an id of the platform; None: not known, or nobody to ask.

        Raises:
            LookupAwayError: it could not be had now.
        """
        lookup = self._account.bridge
        if lookup is None:
            return self._other_id(native)
        fetch = lambda: self._fetched(native, lookup)  # noqa: E731
        document = self._document(BRIDGE, native, lookup.keep_s, fetch)
        if document is None:
            return None
        try:
            return msgspec.json.decode(document, type=_Bridged).buyer_id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LookupAwayError(
                f'{self._named(BRIDGE)} answers something else than {{"buyer_id": "…"}}'
            ) from error

    def _other_id(self, native: str) -> str | None:
        """Ask the platform for another id of a buyer, if the connection names it."""
        api = self._account.api
        if api is None or api.buyer is None:
            return None
        call, read = api.buyer
        document = self._document(BRIDGE, native, _OTHER_ID_S, lambda: self._answered(call(native)))
        try:
            return None if document is None else read(root(parse(document)))
        except SkippedError as error:
            raise LookupAwayError(f"{self._named('buyer')} answers something unreadable: {error}") from error

    def _document(
        self, resource: str, key: str, keep_s: int, ask: Callable[[], bytes | None]
    ) -> bytes | None:
        known = self._known.get((resource, key))
        if known is not None and known.asked_ms + 1000 * keep_s >= self.received_ms:
            self._known.move_to_end((resource, key))
            self._tell(resource, "known")
            return known.document
        asked_ms = self._now_ms()
        try:
            document = ask()
        except CallFailedError as error:
            self._tell(resource, "failed")
            raise LookupAwayError(f"{self._named(resource)} {error}") from error
        self._tell(resource, "absent" if document is None else "asked")
        self._known[resource, key] = _Known(asked_ms, document)
        self._known.move_to_end((resource, key))
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return document

    def _fetched(self, key: str, lookup: Lookup) -> bytes | None:
        """Get a document from where the integrator says."""
        headers = {name: secret.reveal() for name, secret in lookup.headers.items()}
        status, document = self._http.call("GET", lookup.url.replace("{id}", quote(key, safe="")), headers)
        if status in _ABSENT:
            return None
        if status != 200:
            raise CallFailedError(f"answers with status {status} for {key}")
        return document

    def _asked(self, resource: str, key: str) -> bytes | None:
        """Get a document by a signed call of the platform's own API."""
        assert self._account.api is not None
        return self._answered(self._account.api.api.details[resource](key))

    def _answered(self, call: Call) -> bytes | None:
        assert self._client is not None
        answer = self._client.ask(call)
        return None if answer is None else answer.body

    def _named(self, resource: str) -> str:
        account = self._account
        what = (
            resource if resource == BRIDGE else f"enrich.{resource}" if resource in account.enrich else "api"
        )
        return f"`{what}` of connection {account.name} of {account.adapter.platform}"
