"""The last decision on an order, from a worker's web API."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import NamedTuple

import orjson

from stream_attr.contract.order_path import UnaddressableIdError, order_path
from stream_attr.errors import UnusableError
from stream_attr.explain.verify import FoundDecision
from stream_attr.kafka.secret import Secret

__all__ = ["decision_from_worker"]

REQUEST_TIMEOUT_S = 10.0
RETRY_INTERVAL_S = 0.2


def decision_from_worker(
    url: str, token: Secret | None, shop: str, order: str, wait_s: float
) -> FoundDecision:
    """Return the last official decision on an order.

    An order that is not known yet, or whose partition does not answer, is asked for again for ``wait_s``.
    ``url``: any worker's web address. Raises UnusableError.
    """
    try:
        address = url.rstrip("/") + order_path(shop, order)
    except UnaddressableIdError as error:
        raise UnusableError(str(error)) from error
    deadline = time.monotonic() + wait_s
    while isinstance(body := _get(address, url, token), _NotYet):
        if time.monotonic() >= deadline:
            raise UnusableError(
                body.reason
                or f"no decision yet on order {order} of shop {shop}: its events were not processed yet, "
                "or refused (see dead-letters)"
            )
        time.sleep(RETRY_INTERVAL_S)
    try:
        return FoundDecision(address, orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise UnusableError(f"{address}: the response is not JSON: {error}") from error


class _NotYet(NamedTuple):
    """There is no decision yet, or a partition cannot tell, with the worker's reason."""

    reason: str | None


def _get(address: str, url: str, token: Secret | None) -> bytes | _NotYet:
    """Return the body of the response."""
    request = urllib.request.Request(address)
    if token is not None:  # a redirect must not carry it to another host
        request.add_unredirected_header("Authorization", f"Bearer {token.reveal()}")
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as response:
            body: bytes = response.read()
    except urllib.error.HTTPError as error:
        answer = error.read() if error.code == 503 else b""
        error.close()
        if error.code == 404:
            return _NotYet(None)
        if error.code == 503:
            return _NotYet(_reason(answer) or f"{address}: HTTP status 503 {error.reason}")
        if error.code == 401:
            problem = "needs a token" if token is None else "rejects this token"
            raise UnusableError(f"the worker at {url} {problem}: see --web-token-file") from error
        raise UnusableError(f"{address}: HTTP status {error.code} {error.reason}") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise UnusableError(f"no worker responds at {url}: {reason}; is that its --web-port?") from error
    except HTTPException as error:
        raise UnusableError(f"{url} is not a web server: {error!r}") from error
    return body


def _reason(answer: bytes) -> str | None:
    """Return the ``error`` of a response, if it is a worker's."""
    try:
        return str(orjson.loads(answer)["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
