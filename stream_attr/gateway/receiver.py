"""Receives webhooks at ``/PLATFORM/CONNECTION``: verified, kept, and only then answered with 200.

400 and above mean that nothing was kept. Platforms repeat what was not answered with 200.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stream_attr.adapters.signatures import Request
from stream_attr.gateway.checks import Result, has_token, refusal
from stream_attr.gateway.connections import OWN_TOKEN, ConnectedAccount
from stream_attr.gateway.metrics import GatewayMetrics
from stream_attr.gateway.rate import Rate
from stream_attr.gateway.raw_record import BY, BY_SIGNATURE, BY_TOKEN, PATH
from stream_attr.gateway.raw_sender import NotKeptError, RawSender, TooLargeError
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["MAX_BODY", "Receiver"]

MAX_BODY: Final = 900_000
"""Bytes of a body: with its headers it fits into a record as Kafka takes it by default."""
_BODY_S: Final = 10.0
"""How long a body may take to come."""
_RETRY_AFTER_S: Final = "5"
_NOT_KEPT: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
_STATUS: Final = {
    Result.KEPT: 200,
    Result.HANDSHAKE: 200,
    Result.UNSIGNED: 401,
    Result.TOO_OLD: 401,
    Result.UNKNOWN: 404,
    Result.TOO_SLOW: 408,
    Result.TOO_LARGE: 413,
    Result.TOO_MANY: 429,
    Result.UNAVAILABLE: 503,
}
_SENTENCE: Final = {
    Result.UNSIGNED: "the signature or token is missing or wrong",
    Result.TOO_OLD: "the signed time is missing, too old or ahead",
    Result.UNKNOWN: "no such connection: the address is /PLATFORM/CONNECTION",
    Result.TOO_SLOW: "the body did not come in time",
    Result.TOO_LARGE: f"the body is longer than {MAX_BODY:,} bytes",
    Result.TOO_MANY: "too many requests: try again later",
    Result.UNAVAILABLE: "it could not be kept: try again later",
}


class Receiver:
    """The web application of a gateway."""

    def __init__(
        self,
        accounts: Iterable[ConnectedAccount],
        sender: RawSender,
        metrics: GatewayMetrics,
        *,
        per_second: int,
        max_age_ms: int,
    ) -> None:
        """``per_second``: requests of one connection; ``max_age_ms``: how old a signed time may be."""
        self._accounts = {(one.adapter.platform, one.name): (one, Rate(per_second)) for one in accounts}
        self._sender = sender
        self._metrics = metrics
        self._max_age_ms = max_age_ms
        self.app = Starlette(
            routes=[Route("/{platform}/{name}", self._receive, methods=["GET", "HEAD", "POST"])]
        )

    async def _receive(self, http: HttpRequest) -> Response:
        found = self._accounts.get((http.path_params["platform"], http.path_params["name"]))
        if found is None:
            return self._answer("", Result.UNKNOWN)
        account, rate = found
        platform = account.adapter.platform
        try:
            async with asyncio.timeout(_BODY_S):
                body = await _body(http)
        except (TimeoutError, ClientDisconnect):
            return self._answer(platform, Result.TOO_SLOW)
        if body is None:
            return self._answer(platform, Result.TOO_LARGE)
        request = Request(body, dict(http.headers), dict(http.query_params), http.url.path)
        if (echo := _handshake(account, request, http.method)) is not None:
            return self._answer(platform, Result.HANDSHAKE, echo)
        now_ms = wall_clock_ms()
        if http.method != "POST":
            return self._answer(platform, Result.UNSIGNED)
        if (refused := refusal(account, request, now_ms, self._max_age_ms)) is not None:
            return self._answer(platform, refused)
        if not rate.allows():
            return self._answer(platform, Result.TOO_MANY)
        begun = time.monotonic()
        try:
            await self._sender.keep(platform, account.name, body, _kept_headers(account, request), now_ms)
        except TooLargeError:
            return self._answer(platform, Result.TOO_LARGE)
        except NotKeptError:
            return self._answer(platform, Result.UNAVAILABLE)
        self._metrics.kept(platform, len(body), time.monotonic() - begun)
        signature = account.adapter.signature
        return self._answer(platform, Result.KEPT, b"" if signature is None else signature.reply)

    def _answer(self, platform: str, result: Result, content: bytes = b"") -> Response:
        self._metrics.answered(platform, result)
        status = _STATUS[result]
        if sentence := _SENTENCE.get(result):
            headers = {"Retry-After": _RETRY_AFTER_S} if status in {429, 503} else {}
            return JSONResponse({"error": sentence}, status, headers)
        media = "application/json" if content.startswith(b"{") else "text/plain"
        return Response(content, status, media_type=media)


def _handshake(account: ConnectedAccount, request: Request, method: str) -> bytes | None:
    """Return the answer to a request that only asks whether the address is ours; None: it is another."""
    if method == "HEAD":  # as Intercom does
        return b""
    signature = account.adapter.signature
    if signature is None or signature.handshake is None:
        return None
    return signature.handshake(request, account.revealed())


async def _body(http: HttpRequest) -> bytes | None:
    """Return the body as it came; None: it is too large."""
    announced = http.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in http.stream():
        size += len(chunk)
        if size > MAX_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _kept_headers(account: ConnectedAccount, request: Request) -> Mapping[str, str]:
    """Return what is kept beside a body: path, query and headers, without what lets somebody in."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    kept = {name: value for name, value in request.headers.items() if name not in _NOT_KEPT}
    own = account.keys.get(OWN_TOKEN)
    by = BY_TOKEN if own is not None and has_token(request, own.reveal()) else BY_SIGNATURE
    return {PATH: request.path + query, BY: by, **kept}
