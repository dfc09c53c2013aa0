"""Where ``explain`` finds the decisions on an order: with a worker, or in what a replay wrote."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import orjson

from stream_attr.broker.secret import Secret
from stream_attr.cli.exits import Unusable
from stream_attr.core.settings import OFFICIAL
from stream_attr.processor.records import COMPARISONS, DECISIONS
from stream_attr.replay.receipt import Decision
from stream_attr.worker.order_path import UnaddressableIdError, order_path

__all__ = ["Found", "from_replay", "from_worker"]

WORKER_TIMEOUT_S = 10.0
ASK_AGAIN_S = 0.2


class Found(NamedTuple):
    """A decision, or what passes for one, and where it was found."""

    place: str
    decision: Decision


def from_replay(directory: Path, shop: str, order: str, profile: str) -> list[Found]:
    """All revisions of the order under the profile, as replay emitted them."""
    path = directory / f"{DECISIONS if profile == OFFICIAL else COMPARISONS}.jsonl"
    found: list[Found] = []
    needle = json.dumps(order, ensure_ascii=False).encode()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if needle not in line:
                    continue
                place = f"{path}, line {number}"
                try:
                    decision = orjson.loads(line)
                    whose = decision["shop_id"], decision["order_id"], decision["profile"]
                except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                    raise Unusable(f"{place}: no decision: {error!r}") from error
                if whose == (shop, order, profile):
                    found.append(Found(place, decision))
    except FileNotFoundError as error:
        raise Unusable(
            f"{path} is not there: run 'stream-attr replay --out {directory} …' first, which writes it"
        ) from error
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise Unusable(f"{path} has no decision on order {order} of shop {shop} under profile {profile}")
    return found


def from_worker(url: str, token: Secret | None, shop: str, order: str, patience_s: float) -> Found:
    """The last official decision; an order that is not known is asked for again for so many seconds."""
    try:
        address = url.rstrip("/") + order_path(shop, order)
    except UnaddressableIdError as error:
        raise Unusable(str(error)) from error
    deadline = time.monotonic() + patience_s
    while (answer := _ask(address, url, token)) is None:
        if time.monotonic() >= deadline:
            raise Unusable(
                f"no worker knows order {order} of shop {shop}: not judged yet, or refused (see dead-letters)"
            )
        time.sleep(ASK_AGAIN_S)
    try:
        return Found(address, orjson.loads(answer))
    except orjson.JSONDecodeError as error:
        raise Unusable(f"{address} did not answer with JSON: {error}") from error


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
            raise Unusable(f"the worker at {url} {lacking}: see --web-token-file") from error
        raise Unusable(f"{address} answered {error.code} {error.reason}") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise Unusable(f"no worker answers at {url}: {reason}; is that its --web-port?") from error
    except HTTPException as error:
        raise Unusable(f"what answers at {url} is no web server: {error!r}") from error
    return answer
