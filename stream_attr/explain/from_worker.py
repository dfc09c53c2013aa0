"""The decision on an order, asked of a worker over HTTP."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import NamedTuple

import orjson

from stream_attr.contract.order_path import UnaddressableIdError, order_path
from stream_attr.errors import UnusableError
from stream_attr.explain.verify import Decision
from stream_attr.kafka.secret import Secret

__all__ = ["Found", "from_worker"]

WORKER_TIMEOUT_S = 10.0
ASK_AGAIN_S = 0.2


class Found(NamedTuple):
    """A decision, or what passes for one, and where it was found."""

    place: str
    decision: Decision


def from_worker(url: str, token: Secret | None, shop: str, order: str, patience_s: float) -> Found:
    """The last official decision; an order that is not known is asked for again for so many seconds."""
    try:
        address = url.rstrip("/") + order_path(shop, order)
    except UnaddressableIdError as error:
        raise UnusableError(str(error)) from error
    deadline = time.monotonic() + patience_s
    while (answer := _ask(address, url, token)) is None:
        if time.monotonic() >= deadline:
            raise UnusableError(
                f"no worker knows order {order} of shop {shop}: not judged yet, or refused (see dead-letters)"
            )
        time.sleep(ASK_AGAIN_S)
    try:
        return Found(address, orjson.loads(answer))
    except orjson.JSONDecodeError as error:
        raise UnusableError(f"{address} did not answer with JSON: {error}") from error


def _ask(address: str, url: str, token: Secret | None) -> bytes | None:
    """Return the answer, None for not found."""
    request = urllib.request.Request(address)
    if token is not None:  # and it does not go where a redirection leads
        request.add_unredirected_header("Authorization", f"Bearer {token.reveal()}")
    try:
        with urllib.request.urlopen(request, timeout=WORKER_TIMEOUT_S) as response:
            answer: bytes = response.read()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            return None
        if error.code == 401:
            lacking = "needs a token" if token is None else "does not take this token"
            raise UnusableError(f"the worker at {url} {lacking}: see --web-token-file") from error
        raise UnusableError(f"{address} answered {error.code} {error.reason}") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise UnusableError(f"no worker answers at {url}: {reason}; is that its --web-port?") from error
    except HTTPException as error:
        raise UnusableError(f"what answers at {url} is no web server: {error!r}") from error
    return answer
