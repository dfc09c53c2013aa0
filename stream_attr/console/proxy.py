"""Proxies before the console: who really asks, and whom a trusted one says that it has let in."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

__all__ = ["FromProxy", "Network", "address_of", "vouched_for"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOGIN: Final = "stream_attr.vouched_for"


class FromProxy:
    """Believes proxies of certain addresses, by the peer of the connection, and nobody else.

    Their ``X-Forwarded-For`` says who asks. A header of their own, where one is named, says as whom they have
    let somebody in: `vouched_for`. From others, and where it is there twice, it is as if it were not there.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[Network], header: str | None) -> None:
        self._app = app
        self._proxies = tuple(proxies)
        self._header = header.lower().encode("ascii") if header else None
        self._forwarded = ProxyHeadersMiddleware(app, [str(one) for one in proxies])  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = _address(scope)
        is_proxy = address is not None and any(address in one for one in self._proxies)
        if is_proxy:
            scope = {**scope, "client": (str(address), scope["client"][1])}
        if self._header is not None:
            given = [value for name, value in scope["headers"] if name == self._header]
            kept = [one for one in scope["headers"] if one[0] != self._header]
            login = _text(given[0]) if is_proxy and len(given) == 1 else None
            scope = {**scope, "headers": kept, _LOGIN: login}
        await (self._forwarded if is_proxy else self._app)(scope, receive, send)  # type: ignore[arg-type]


def address_of(request: Request) -> str:
    """Return who asks, by the connection, or by a trusted proxy's word; empty: that is not known."""
    return request.client.host if request.client else ""


def vouched_for(request: Request) -> str | None:
    """Return the login as which a trusted proxy has let somebody in; None: it says nothing."""
    found = request.scope.get(_LOGIN)
    return found if isinstance(found, str) else None


def _text(value: bytes) -> str | None:
    try:
        text = value.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None


def _address(scope: Scope) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the peer of the connection; None: it has no address, as on a Unix socket."""
    peer = scope.get("client")
    try:
        address = ipaddress.ip_address(peer[0]) if peer else None
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
