"""Asks for one list of one account: windows that overlap, of each the pages from the last to the first.

An order that is changed while its window is read leaves it, and all after it move up: read from the last page
to the first some come twice, read from the first to the last some never come. How far it has come is recorded
when all of a window is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from stream_attr.adapters.calls import Call, Cursor, Listing, Queue
from stream_attr.adapters.skips import SkippedError
from stream_attr.gateway.http_calls import CallFailedError
from stream_attr.gateway.platform_client import Answer, PlatformClient
from stream_attr.gateway.positions import Positions

__all__ = ["OVERLAP_S", "CursorPull", "Keeping", "ListPull", "QueuePull"]

OVERLAP_S: Final = 120
"""How much of a window is asked for again: what a platform shows late, and clocks that differ."""
_SETTLED_S: Final = 5
"""How long ago a window ends at least."""
_MOST: Final = 2_000
"""Of a window; where there are more it is halved, as platforms serve only so many pages of one."""
_SHORTEST_S: Final = 60


class Keeping(NamedTuple):
    """Where replies go."""

    keep: Callable[[bytes], None]
    """Sends a reply as it came."""
    settle: Callable[[], None]
    """Returns when all that was sent is acknowledged."""


class ListPull:
    """One list of what was changed."""

    def __init__(
        self, listing: Listing, client: PlatformClient, keeping: Keeping, positions: Positions, name: str
    ) -> None:
        """``name``: of the list among the positions."""
        self._listing, self._client, self._keeping = listing, client, keeping
        self._positions, self._name = positions, name

    def until_s(self) -> int | None:
        """Up to when it was asked for."""
        return self._positions.get(self._name)

    def step(self, now_s: int, since_s: int) -> bool:
        """Ask for one window; whether another one is due at once. ``since_s``: where it begins at first.

        Raises:
            CallFailedError: something of it cannot be had now; then all of it is asked for again.
        """
        done = self.until_s()
        begin = since_s if done is None else done - OVERLAP_S
        least = begin if done is None else done
        end = min(begin + max(self._listing.span_s, 2 * OVERLAP_S), now_s - _SETTLED_S)
        if end <= least:
            return False
        first, total = self._counted(begin, end)
        while total > _MOST and end - least > _SHORTEST_S:
            end = least + (end - least) // 2
            first, total = self._counted(begin, end)
        pages = -(-total // self._listing.page_size)
        for page in range(pages, 1, -1):
            self._keeping.keep(self._page(begin, end, page).body)
        now_there = total
        if pages > 1:
            first, now_there = self._counted(begin, end)
        if pages:
            self._keeping.keep(first.body)
        self._keeping.settle()
        if now_there > total:  # shown late, and it moved others behind what was read
            return True
        self._positions.set(self._name, end)
        return end < now_s - _SETTLED_S

    def _counted(self, begin_s: int, end_s: int) -> tuple[Answer, int]:
        """Return the first page of a window, and how many the window has."""
        first = self._page(begin_s, end_s, 1)
        try:
            return first, self._listing.total(first.document)
        except SkippedError as error:
            method = self._listing.call(begin_s, end_s, 1).method
            raise CallFailedError(f"{method} does not say how many there are: {error}") from error

    def _page(self, begin_s: int, end_s: int, page: int) -> Answer:
        return _answer(self._client, self._listing.call(begin_s, end_s, page))


class QueuePull:
    """Messages that the platform keeps until they are confirmed; confirmed are those that are kept."""

    def __init__(self, queue: Queue, client: PlatformClient, keeping: Keeping) -> None:
        self._queue, self._client, self._keeping = queue, client, keeping
        self._until_s: int | None = None

    def until_s(self) -> int | None:
        """When it was found empty the last time; None: not since the start."""
        return self._until_s

    def step(self, now_s: int, since_s: int) -> bool:  # noqa: ARG002 -- a queue begins where it stands
        """Take some messages; whether there may be more.

        Raises:
            CallFailedError: they cannot be had or confirmed now; what is not confirmed comes again.
        """
        answer = _answer(self._client, self._queue.take)
        try:
            ids = self._queue.ids(answer.document)
        except SkippedError as error:
            raise _unreadable(self._queue.take, error) from error
        if not ids:
            self._until_s = now_s
            return False
        self._keeping.keep(answer.body)
        self._keeping.settle()
        _answer(self._client, self._queue.confirm(ids))
        return True


class CursorPull:
    """Messages after a mark, which is recorded once they are kept."""

    def __init__(
        self, cursor: Cursor, client: PlatformClient, keeping: Keeping, positions: Positions, name: str
    ) -> None:
        """``name``: of the mark among the positions."""
        self._cursor, self._client, self._keeping = cursor, client, keeping
        self._positions, self._name = positions, name
        self._until_s: int | None = None

    def until_s(self) -> int | None:
        """When there was nothing more the last time; None: not since the start."""
        return self._until_s

    def step(self, now_s: int, since_s: int) -> bool:  # noqa: ARG002 -- it begins where it stands
        """Take some messages; whether there is more.

        Raises:
            CallFailedError: they cannot be had now.
        """
        mark = self._positions.mark(self._name)
        call = self._cursor.call(mark)
        answer = _answer(self._client, call)
        try:
            after, more = self._cursor.after(answer.document)
            has_any = self._cursor.has_any(answer.document)
        except SkippedError as error:
            raise _unreadable(call, error) from error
        if has_any:
            self._keeping.keep(answer.body)
            self._keeping.settle()
        if after:
            self._positions.set(self._name, after)
        if not more or after in {"", mark}:
            self._until_s = now_s
            return False
        return True


def _unreadable(call: Call, error: SkippedError) -> CallFailedError:
    return CallFailedError(f"{call.method} answers with something unreadable: {error}")


def _answer(client: PlatformClient, call: Call) -> Answer:
    answer = client.ask(call)
    if answer is None:
        raise CallFailedError(
            f"{call.method} says that there is no such list: check what the account may ask for"
        )
    return answer
