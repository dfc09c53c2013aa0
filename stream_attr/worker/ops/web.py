"""The HTTP endpoints of a worker, on Faust's own web server.

``GET /health``: the process is alive. ``GET /ready``: 200 once every assigned partition is restored, and
while the broker answers; else 503 with the reason. Where something makes verdicts wrong though the worker
is well, it has ``warnings``, sentences; the status is the same. ``GET /metrics``. ``GET
/orders/{shop_id}/{order_id}``: the last decision with its receipt, from whichever worker holds it; 404 once
every partition was asked and none holds it, else 503 with the partitions that did not answer. Each id is
one percent-encoded segment. Errors are JSON: ``{"error": ...}``. With a token, all but the first two
require it: ``Authorization: Bearer …``, else 401.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
from aiohttp.web import Request as WebRequest
from aiohttp.web import Response as WebResponse
from aiohttp.web import StreamResponse, middleware
from faust.web import Request, Response, View
from yarl import URL

from stream_attr.contract.order_path import ORDER_ROUTE, UnaddressableIdError, order_path
from stream_attr.kafka.secret import Secret
from stream_attr.worker.startup.topics_check import INPUTS
from stream_attr.worker.task.assignment import OrderLookup

__all__ = ["add_routes", "guard"]

logger = logging.getLogger(__name__)

_PEER_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_LOCAL_ONLY = "local"
"""Query flag of a request from another worker: it is not forwarded."""
_WITHOUT_IT = "partitions"
"""In the response to such a request: the partitions that do not hold the order."""
_NO_ANSWER = OrderLookup(None)
_RETRY_AFTER_S = 2
"""A rebalance takes about so long; restoring can take longer."""
_JSON = "application/json"
_OPEN = frozenset({"/health", "/ready"})
"""Paths for probes, which have no token."""
_SCHEME = "bearer"

_Handler = Callable[[WebRequest], Awaitable[StreamResponse]]


def add_routes(app: Any) -> None:
    """Add the pages to the app's web server."""
    app.page("/health")(health)
    app.page("/ready")(ready)
    app.page("/metrics")(metrics)
    app.page(ORDER_ROUTE)(order)


def guard(token: Secret | None) -> Any:
    """Middleware before every path, known or not: 401 without the token. None: all requests pass."""

    @middleware
    async def check(request: WebRequest, handler: _Handler) -> StreamResponse:
        if token is None or request.path in _OPEN or _bears(request, token):
            return await handler(request)
        return WebResponse(
            body=orjson.dumps({"error": "a bearer token is needed: Authorization: Bearer TOKEN"}),
            status=401,
            content_type=_JSON,
            headers={"WWW-Authenticate": 'Bearer realm="stream-attr"'},
        )

    return check


def _bears(request: WebRequest, token: Secret) -> bool:
    """Whether the request has the token; compared in constant time."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(errors="replace"), token.reveal().encode())
    return right and scheme.lower() == _SCHEME


async def health(view: View, _request: Request) -> Response:
    """The process is alive."""
    return view.json({"status": "ok"})


async def ready(view: View, _request: Request) -> Response:
    """Whether every assigned partition is restored and judges, and the broker answers."""
    app = view.app
    held = sorted(partition.number for partition in app.partitions)
    reason = (
        app.broker_health.lost
        or app.unreadable.reason
        or app.partitions.why_not_ready(app.config.session_timeout_s)
    )
    warning = app.partitioners.warning
    warnings = {} if warning is None else {"warnings": [warning]}
    if reason is None:
        return view.json({"status": "ready", "partitions": held, **warnings})
    return view.json({"status": "waiting", "reason": reason, "partitions": held, **warnings}, status=503)


async def metrics(view: View, _request: Request) -> Response:
    """Metrics in the text format of Prometheus."""
    app = view.app
    for partition in app.partitions:
        for topic in INPUTS:
            if (lag := partition.lag(topic)) is not None:
                name, still_open = app.config.topic(topic), partition.open_transactions
                app.metrics.input(
                    partition.number, topic, lag, still_open.records(name), still_open.seconds(name)
                )
        app.metrics.state(partition.number, partition.state_size)
    app.metrics.partitioners(app.partitioners.shares, differ=app.partitioners.warning is not None)
    return view.bytes(app.metrics.exposition(), content_type="text/plain")


async def order(view: View, request: Request, shop_id: str, order_id: str) -> Response:
    """The last official decision on an order."""
    try:
        path = order_path(shop_id, order_id)
    except UnaddressableIdError as refusal:
        return view.bytes(orjson.dumps({"error": str(refusal)}), content_type=_JSON, status=400)
    app = view.app
    local_only = _LOCAL_ONLY in request.query
    found, without_it = await app.partitions.find_order(shop_id, order_id)
    if found is None and not local_only:
        found, of_peers = await _request_from_peers(app, path)
        without_it |= of_peers
    if found is not None:
        return view.bytes(found, content_type=_JSON)
    status, headers = 404, {}
    answer: dict[str, Any] = {"error": f"no decision on order {order_id} of shop {shop_id}"}
    if local_only:
        answer[_WITHOUT_IT] = sorted(without_it)
    elif unknown := sorted(set(range(app.partitions.total)) - without_it):
        status, headers = 503, {"Retry-After": str(_RETRY_AFTER_S)}
        lost = app.broker_health.lost
        answer = {"error": _cannot_tell(order_id, shop_id, unknown, lost), "partitions": unknown}
    return view.bytes(orjson.dumps(answer), content_type=_JSON, status=status, headers=headers)


def _cannot_tell(order_id: str, shop_id: str, partitions: list[int], lost: str | None) -> str:
    """Return why it is not known whether there is a decision. ``lost``: what is wrong with the broker."""
    named = ", ".join(map(str, partitions))
    which = f"partition {named} does" if len(partitions) == 1 else f"partitions {named} do"
    return (
        f"cannot tell whether there is a decision on order {order_id} of shop {shop_id}: {which} not answer "
        f"(held by no worker, being restored, or busy); {lost or 'retry'}"
    )


async def _request_from_peers(app: Any, path: str) -> OrderLookup:
    """Request an order from every other worker, as the group's assignment names them."""
    peers = set(app.assignor.external_topics_metadata()) - {str(URL(app.config.url))}
    answers = await asyncio.gather(*(_request(app, peer, path) for peer in peers))
    found = next((answer.found for answer in answers if answer.found is not None), None)
    return OrderLookup(found, frozenset().union(*(answer.without_it for answer in answers)))


async def _request(app: Any, peer: str, path: str) -> OrderLookup:
    token = app.config.web_token
    headers = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
    shown = "another worker"
    try:
        address = URL(peer)
        shown = f"worker {address.host}:{address.port}"
        url = address.with_user(None).joinpath(path[1:], encoded=True).with_query({_LOCAL_ONLY: "1"})
        async with app.http_client.get(
            url, headers=headers, timeout=_PEER_TIMEOUT, allow_redirects=False
        ) as response:
            if response.status in (401, 403):
                app.web_log.log(
                    logging.WARNING,
                    f"refusals by {shown}",
                    "%s does not accept this worker's web token",
                    shown,
                )
            if response.status == 200:
                return OrderLookup(await response.read())
            if response.status == 404:
                return OrderLookup(None, _without_it(await response.read()))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:  # ValueError: a peer's URL is invalid
        # Not the error itself: aiohttp's may quote the request, whose headers hold the token.
        app.web_log.log(
            logging.WARNING,
            f"failed requests to {shown}",
            "%s does not answer: %s",
            shown,
            getattr(error, "strerror", None) or type(error).__name__,
        )
    return _NO_ANSWER


def _without_it(body: bytes) -> frozenset[int]:
    """Return the partitions that a worker's response names; an older program names none."""
    try:
        return frozenset(map(int, orjson.loads(body)[_WITHOUT_IT]))
    except (ValueError, TypeError, KeyError):
        return frozenset()
