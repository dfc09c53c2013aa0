"""What a worker answers over HTTP, on Faust's own web server.

``GET /health`` the process answers; ``GET /ready`` 200 once every assigned partition is recovered, and while
the broker answers, else 503 with the reason; ``GET /metrics``; ``GET /orders/{shop_id}/{order_id}`` the last
decision with its receipt, from whichever worker holds it, else 404. Errors are JSON: ``{"error": ...}``.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
import orjson
from faust.web import Request, Response, View
from yarl import URL

from stream_attr.worker.layout import INPUTS

__all__ = ["add_routes"]

logger = logging.getLogger(__name__)

_PEER_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_LOCAL_ONLY = "local"
"""Query flag of a question that one worker asks another: it is not passed on."""
_JSON = "application/json"


def add_routes(app: Any) -> None:
    """Add the pages to the app's web server."""
    app.page("/health")(health)
    app.page("/ready")(ready)
    app.page("/metrics")(metrics)
    app.page("/orders/{shop_id}/{order_id}")(order)


async def health(view: View, _request: Request) -> Response:
    """Answer."""
    return view.json({"status": "ok"})


async def ready(view: View, _request: Request) -> Response:
    """Whether every assigned partition is recovered and judges, and the broker answers."""
    app = view.app
    held = sorted(partition.number for partition in app.partitions)
    reason = app.contact.lost or app.partitions.why_not_ready(app.config.session_timeout_s)
    if reason is None:
        return view.json({"status": "ready", "partitions": held})
    return view.json({"status": "waiting", "reason": reason, "partitions": held}, status=503)


async def metrics(view: View, _request: Request) -> Response:
    """Metrics in the text format of Prometheus."""
    app = view.app
    for partition in app.partitions:
        for topic in INPUTS:
            if (lag := partition.merge.lag(topic)) is not None:
                app.metrics.lag(partition.number, topic, lag)
        app.metrics.state(partition.number, partition.state_size)
    return view.bytes(app.metrics.exposition(), content_type="text/plain")


async def order(view: View, request: Request, shop_id: str, order_id: str) -> Response:
    """The last official decision on an order."""
    try:
        found = await view.app.partitions.find_order(shop_id, order_id)
    except TimeoutError:
        error = {"error": view.app.contact.lost or "a batch is in hand for too long; try again"}
        return view.bytes(orjson.dumps(error), content_type=_JSON, status=503)
    if found is None and _LOCAL_ONLY not in request.query:
        found = await _ask_peers(view.app, shop_id, order_id)
    if found is None:
        error = {"error": f"no decision on order {order_id} of shop {shop_id}"}
        return view.bytes(orjson.dumps(error), content_type=_JSON, status=404)
    return view.bytes(found, content_type=_JSON)


async def _ask_peers(app: Any, shop_id: str, order_id: str) -> bytes | None:
    """Ask every other worker once; they are known from the group's assignment."""
    own = URL(app.config.url)
    peers = {URL(url) for url in app.assignor.external_topics_metadata()} - {own}
    answers = await asyncio.gather(*(_ask(app, peer, shop_id, order_id) for peer in peers))
    return next((answer for answer in answers if answer is not None), None)


async def _ask(app: Any, peer: URL, shop_id: str, order_id: str) -> bytes | None:
    url = (peer / "orders" / shop_id / order_id).with_query({_LOCAL_ONLY: "1"})
    try:
        async with app.http_client.get(url, timeout=_PEER_TIMEOUT) as response:
            return await response.read() if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError) as error:
        logger.warning("worker %s does not answer: %r", peer, error)
        return None
