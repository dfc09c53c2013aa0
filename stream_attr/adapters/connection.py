"""What an integrator says of a connected account: its shops, what it passes on, where to ask for more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from stream_attr.adapters.reading import Document, checked_id, parse
from stream_attr.adapters.skips import Reason, SkippedError

__all__ = ["Bridge", "Connection", "Enrich"]

Enrich = Callable[[str, str], object]
"""Called with the name of a resource and an id, gives that document of the platform: JSON as bytes or text,
or parsed; None: there is none, or not now. An adapter names its resources (``Adapter.details``)."""

Bridge = Callable[[str], str | None]
"""Called with a buyer's id on the platform, or where the platform has none with an order's, gives the id that
the buyer has in the shop's other events; None: not known."""


def _nothing(_: str, __: str) -> None:
    return None


def _nobody(_: str) -> None:
    return None


class Connection(NamedTuple):
    """One connected account of a platform."""

    shop_id: str | None = None
    """The shop of what does not name one, and of everything where ``shops`` is empty."""
    shops: Mapping[str, str] = {}
    """By the id that a shop has on the platform: its ``shop_id``, for an application that serves several."""
    with_text: bool = False
    """Whether events carry what was written; otherwise its length."""
    enrich: Enrich = _nothing
    bridge: Bridge = _nobody

    def shop(self, native: str | None = None) -> str:
        """Return the shop of an id that the platform gives it; None: the payload does not say."""
        found = self.shops.get(native) if self.shops and native is not None else self.shop_id
        if found is None:
            raise SkippedError(Reason.UNKNOWN_SHOP, "shop")
        return found

    def buyer(self, native: str | None, order_id: str | None = None) -> str:
        """Return the buyer of an id that the platform gives, or of an order of which it gives none."""
        asked = native or order_id
        found = self.bridge(asked) if asked else None
        if found is not None:
            return checked_id(found, "bridge")
        if native is None:
            raise SkippedError(Reason.NO_BUYER, "buyer")
        return native

    def detail(self, resource: str, key: str) -> Document:
        """Return a document of the platform that a payload lacks."""
        found = parse(self.enrich(resource, key))
        if not isinstance(found, Mapping):
            raise SkippedError(Reason.NEEDS_DETAIL, resource)
        return found
