"""Screens that show what comes in: they ask every second, and get an answer when there is something new."""

from __future__ import annotations

from typing import Final, NamedTuple

from starlette.responses import Response

from stream_attr.console.links import changed
from stream_attr.console.visit import Visit
from stream_attr.ledger.reports.report import AsOf

__all__ = ["PARTS", "Live", "unchanged", "watch"]

PARTS: Final = ("mark", "part")
"""What only a page that asks by itself has in its address."""


class Live(NamedTuple):
    """How a page asks for what is new."""

    address: str
    is_part: bool
    """Whether only the part that is replaced is asked for."""


def _mark(as_of: AsOf, beside: str) -> str:
    """Return what changes as soon as the ledger has read a record of the topics, or what is beside them."""
    return "-".join((*(str(one.offsets) for one in as_of.topics), *([beside] if beside else [])))


def unchanged(visit: Visit, as_of: AsOf, beside: str = "") -> Response | None:
    """Return the answer to a page that has all that there is; None: it has not.

    ``beside``: what the page shows that comes by no topic, in short.
    """
    mark = visit.asked.one("mark")
    return Response(status_code=204) if mark is not None and mark == _mark(as_of, beside) else None


def watch(visit: Visit, as_of: AsOf, beside: str = "") -> Live:
    """Return where a page that shows this asks for more; ``beside``: see `unchanged`."""
    pairs = [(name, value) for name, value in visit.asked.pairs if name not in PARTS]
    address = changed(visit.request.url.path, pairs, part="live", mark=_mark(as_of, beside))
    return Live(address, visit.is_part)
