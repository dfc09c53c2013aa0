"""What platforms ask of an address before they send anything to it: pure functions.

Each returns the answer to a request that only asks, and None for every other request.
"""

from __future__ import annotations

import json
import re
from typing import Final

from stream_attr.adapters.encryption import UnopenedError, opened_by_wechat
from stream_attr.adapters.signatures import Keys, Request, same, signed_by_wechat, wechat_sign

__all__ = ["pinged_by_woocommerce", "verified_by_wechat", "verified_by_wecom"]

_PING: Final = re.compile(rb"webhook_id=\d{1,20}", re.ASCII)


def pinged_by_woocommerce(request: Request, keys: Keys) -> bytes | None:  # noqa: ARG001 -- a ping is unsigned
    """Answer what WooCommerce posts when a webhook is saved: its number, as a form, unsigned."""
    return b"" if _PING.fullmatch(request.body) else None


def verified_by_wechat(request: Request, keys: Keys) -> bytes | None:
    """Answer WeChat's GET with its ``echostr``: ``signature`` is over token, timestamp and nonce."""
    query = request.query
    echo = query.get("echostr")
    if request.body or not echo:
        return None
    expected = wechat_sign(keys["token"], query.get("timestamp", ""), query.get("nonce", ""))
    return echo.encode() if same(query.get("signature", ""), expected) else None


def verified_by_wecom(request: Request, keys: Keys) -> bytes | None:
    """Answer WeCom's GET with what its ``echostr`` holds: it is signed and encrypted as bodies are."""
    echo = request.query.get("echostr")
    if request.body or not echo:
        return None
    as_body = request._replace(body=json.dumps({"Encrypt": echo}).encode())
    if not signed_by_wechat(as_body, keys):
        return None
    try:
        return opened_by_wechat(as_body.body, keys)
    except UnopenedError:
        return None
