"""The web path of an order, ``/orders/{shop_id}/{order_id}``: each id is one percent-encoded segment."""

from __future__ import annotations

from urllib.parse import quote

from stream_attr.contract.topics import DECISIONS
from stream_attr.errors import UnusableError

__all__ = ["ORDER_ROUTE", "UnaddressableIdError", "order_path"]

ORDER_ROUTE = "/orders/{shop_id:[^/]+}/{order_id:[^/]+}"
"""For aiohttp's router, which matches before it decodes ``%2F``. Its own ``{name}`` would refuse braces."""

_DOT_SEGMENTS = (".", "..")


class UnaddressableIdError(UnusableError, ValueError):
    """An id cannot be a segment of a web path; the message says which and why."""


def order_path(shop_id: str, order_id: str) -> str:
    """Return the path, percent-encoded, with a leading slash.

    Raises:
        UnaddressableIdError: an id is empty, not Unicode, or a dot segment, which clients and proxies take
            out of a path, encoded or not.
    """
    return f"/orders/{_segment('shop_id', shop_id)}/{_segment('order_id', order_id)}"


def _segment(field: str, value: str) -> str:
    if not value:
        raise UnaddressableIdError(f"{field} is empty")
    if value in _DOT_SEGMENTS:
        raise UnaddressableIdError(
            f"{field} {value!r} cannot be asked for over HTTP, where it names a directory: "
            f"read its record of topic {DECISIONS}"
        )
    try:
        return quote(value, safe="")
    except UnicodeEncodeError as error:
        raise UnaddressableIdError(f"{field} {value!r} is not Unicode text") from error
