"""The last decision on an order, from a worker's web API."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from http.client import HTTPException

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
    """Return the last official decision on an order; retry an order that is not known yet for ``wait_s``.

    ``url``: any worker's web address. Raises UnusableError.
    """
    try:
        address = url.rstrip("/") + order_path(shop, order)
    except UnaddressableIdError as error:
        raise UnusableError(str(error)) from error
    deadline = time.monotonic() + wait_s
    while (body := _get(address, url, token)) is None:
        if time.monotonic() >= deadline:
            raise UnusableError(
                f"no decision yet on order {order} of shop {shop}: its events were not processed yet, "
                "or refused (see dead-letters)"
            )
        time.sleep(RETRY_INTERVAL_S)
    try:
        return FoundDecision(address, orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise UnusableError(f"{address}: the response is not JSON: {error}") from error


def _get(address: str, url: str, token: Secret | None) -> bytes | None:
    """Return the body of the response; None: not found."""
    request = urllib.request.Request(address)
    if token is not None:  # a redirect must not carry it to another host
        request.add_unredirected_header("Authorization", f"Bearer {token.reveal()}")
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as response:
            body: bytes = response.read()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            return None
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
