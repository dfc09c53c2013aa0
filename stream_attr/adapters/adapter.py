"""An adapter: what it takes and gives, and how sure we are of it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from stream_attr.adapters.calls import Api
from stream_attr.adapters.collector import Adapted, Collector
from stream_attr.adapters.connection import Connection
from stream_attr.adapters.reading import parse
from stream_attr.adapters.signatures import Signature
from stream_attr.adapters.units import Fields

__all__ = ["SURENESS", "SURENESS_IN_CHINESE", "Adapter", "Sureness"]


class Sureness(StrEnum):
    """How we know what a platform sends."""

    FIXTURES = "fixtures"
    DOCUMENTS = "documents"
    EXPERIMENTAL = "experimental"


SURENESS: Final = {
    Sureness.FIXTURES: "read from the platform's published source code or its own test data",
    Sureness.DOCUMENTS: "read from the platform's documents or official SDK; no real payload has been seen",
    Sureness.EXPERIMENTAL: "partly a guess, from third parties: see a real payload before you rely on it",
}
"""What each means, for people."""

SURENESS_IN_CHINESE: Final = {
    Sureness.FIXTURES: "读自平台公开的源代码或其测试数据",
    Sureness.DOCUMENTS: "读自平台文档或官方 SDK；没有见过真实报文",
    Sureness.EXPERIMENTAL: "部分靠第三方推测：先看到真实报文，再依赖它",
}
"""The same for the Chinese pages."""


class Adapter(NamedTuple):
    """How the payloads of one platform become events."""

    platform: str
    """As in ``raw.<platform>`` and before the colon of event ids."""
    name: str
    gives: frozenset[str]
    """``chats``, ``orders``."""
    sureness: Sureness
    read: Callable[[object, Collector], None]
    """Reads a parsed payload; raises SkippedError where nothing of it can be read."""
    fields: Fields
    """The unit of every amount and time that it reads."""
    details: tuple[tuple[str, str], ...] = ()
    """What it asks ``enrich`` for: the name of each resource, and the platform's call that answers."""
    signature: Signature | None = None
    """How it signs over HTTP; None: it does not, or does not come over HTTP."""
    api: Api | None = None
    """How its own API is asked; None: nobody here signs calls for it."""
    shared_inbox: bool = False
    """Whether messages wait for whoever answers: give what it adapts to a ``SharedInbox``."""

    def adapt(self, payload: object, connection: Connection, received_ts: int | None = None) -> Adapted:
        """Return the events of a payload, and a counted reason for every part that gives none.

        Pure but for the callbacks of the connection; never raises for what is in the payload.

        ``payload``: bytes or text of JSON, or what was parsed from it. ``received_ts``: when it first came.
        """
        collector = Collector(connection, received_ts)
        with collector.part():
            self.read(parse(payload), collector)
        return collector.done()
