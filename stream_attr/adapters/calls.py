"""Calls of a platform's API: what is asked, how it is signed and what its reply says. Pure, as adapters are.

A platform's own module (``…_api.py``) fills in an ``Api``. HTTP, secrets and clock are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from stream_attr.adapters.reading import Document, word_or_none
from stream_attr.adapters.signatures import Keys
from stream_attr.adapters.skips import SkippedError

__all__ = [
    "Api",
    "Asked",
    "Buyer",
    "Call",
    "Cursor",
    "Listing",
    "Problem",
    "Queue",
    "beijing",
    "error_text",
    "form",
]

_GMT8: Final = timezone(timedelta(hours=8))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TEXT: Final = 120


class Call(NamedTuple):
    """A call before it is signed."""

    method: str
    fields: Mapping[str, Any]


class Asked(NamedTuple):
    """A signed call, to be posted."""

    path: str
    """With its query, after the API's address."""
    body: bytes
    content_type: str


class Problem(NamedTuple):
    """What a reply says that is no answer."""

    text: str
    """The platform's codes, and the beginning of what it says."""
    is_absent: bool = False
    """Whether there is no such document, and asking again will not change that."""


class Listing(NamedTuple):
    """A list of what was changed in a window of time."""

    name: str
    call: Callable[[int, int, int], Call]
    """Of begin and end, in epoch seconds, and a page from 1."""
    total: Callable[[Document], int]
    """How many the window has, by any of its pages. Raises SkippedError where it does not say."""
    page_size: int
    span_s: int
    """The longest window that it takes."""


class Queue(NamedTuple):
    """Messages that the platform keeps until they are confirmed."""

    name: str
    take: Call
    ids: Callable[[Document], Sequence[str]]
    """Of the messages of a reply; none: the queue is empty."""
    confirm: Callable[[Sequence[str]], Call]


class Cursor(NamedTuple):
    """Messages after a mark that the platform gives with each reply."""

    name: str
    call: Callable[[str], Call]
    """Of the mark; "" begins with the oldest that there are."""
    after: Callable[[Document], tuple[str, bool]]
    """The mark that a reply gives, and whether there is more after it."""
    has_any: Callable[[Document], bool]
    """Whether a reply has messages. All three raise SkippedError for a reply that does not say."""


class Buyer(NamedTuple):
    """Another id of a buyer, by which other events of the shop may know the same one."""

    call: Callable[[str], Call]
    """Of the id that the platform's payloads name."""
    read: Callable[[Document], str | None]
    """None: there is none. Raises SkippedError for a reply that does not say."""


class Api(NamedTuple):
    """What can be asked of a platform."""

    url: str
    keys: tuple[str, ...]
    """The names of the secrets that sign a call."""
    signed: Callable[[Call, Keys, int], Asked]
    """Signs a call at a time in epoch milliseconds."""
    failed: Callable[[Document], Problem | None]
    """What is wrong by a reply; None: it is an answer."""
    details: Mapping[str, Callable[[str], Call]]
    """By the name of a resource (``Adapter.details``), the call for an id."""
    lists: tuple[Listing, ...] = ()
    queue: Queue | None = None
    cursor: Cursor | None = None
    buyers: Mapping[str, Buyer] = {}
    """By the name of an id that a buyer has, too."""

    def pulled(self) -> tuple[str, ...]:
        """Return the names of all that ``pull`` can ask for; a queue is only asked if it is named."""
        named = [one.name for one in (*self.lists, self.cursor, self.queue) if one is not None]
        return tuple(named)


def form(fields: Mapping[str, str]) -> Asked:
    """Return fields as a form, which is posted to the API's address itself."""
    return Asked("", urlencode(fields).encode(), "application/x-www-form-urlencoded;charset=utf-8")


def beijing(now_ms: int, *, digits: str = "") -> str:
    """Return an instant as China's clocks show it; ``digits``: ``milliseconds`` with its offset too."""
    shown = (_EPOCH + timedelta(seconds=now_ms // 1000)).astimezone(_GMT8).strftime("%Y-%m-%d %H:%M:%S")
    return f"{shown}.{now_ms % 1000:03}+0800" if digits else shown


def error_text(reply: Document, *names: str) -> str:
    """Return the codes of a reply, and what it says, as one line."""
    words = []
    for name in names:
        try:
            value = word_or_none(reply, name)
        except SkippedError:
            continue
        words += [value[:_LONGEST_TEXT]] if value else []
    return " ".join(" ".join(words).split()) or "an error without a code"
