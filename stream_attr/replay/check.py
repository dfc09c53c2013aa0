"""What of files would go to the dead letters, found without judging anything (RULEBOOK 11, 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import orjson
from msgspec import UNSET

from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, SETTINGS
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.replay.run import Inputs
from stream_attr.rules.vocabulary import Code

__all__ = ["Problem", "check"]


class Problem(NamedTuple):
    """One line that would be a dead letter."""

    file: str
    line: int
    code: str
    field: str | None
    """The field it is about, a dotted path; None: the record as such."""
    message: str

    def __str__(self) -> str:
        """Return it as compilers print it: ``FILE:LINE: code: field: message``, or without a field."""
        message = self.message.removeprefix(f"`{self.field}`: ")
        parts = (f"{self.file}:{self.line}", self.code, self.field, message)
        return ": ".join(part for part in parts if part is not None)


def check(inputs: Inputs, *, progress: Callable[[int], None] = lambda _: None) -> Iterator[Problem]:
    """Yield every problem, file by file: settings, roster, chat, orders, then orders never created.

    Settings and roster are taken as `replay` takes them, history and all: a second record that names another
    time zone is one. ``progress`` is called with the number of lines read. Raises UnusableFileError, before
    anything is yielded where a file cannot be opened.
    """
    names = inputs.names
    with ExitStack() as stack:
        files = {
            topic: [stack.enter_context(LinesFile(name)) for name in some] for topic, some in names.items()
        }
        registry = ShopRegistry(names)
        incomplete = _IncompleteOrders()
        read = 0
        for topic in (SETTINGS, ROSTER, CHAT, ORDERS):
            for index, lines in enumerate(files[topic]):
                for number, value in lines:
                    try:
                        if topic == CHAT:
                            decode_chat(value)
                        elif topic == ORDERS:
                            incomplete.see(decode_order(value), lines.name, number)
                        elif letter := registry.apply(Record(topic, index, number, 0, None, value)):
                            yield _of_dead_letter(orjson.loads(letter.value))
                    except RefusedRecord as refusal:
                        yield Problem(lines.name, number, refusal.code, refusal.field, refusal.message)
                    read += 1
                    progress(read)
        yield from incomplete.problems()


def _of_dead_letter(letter: dict[str, Any]) -> Problem:
    return Problem(letter["file"], letter["line"], letter["code"], letter["field"], letter["message"])


class _IncompleteOrders:
    """Orders of which no creation has been seen, with the records that wait for it (RULEBOOK 2)."""

    def __init__(self) -> None:
        self._created: set[tuple[str, str, str]] = set()
        self._waiting: dict[tuple[str, str, str], dict[str, tuple[str, int]]] = {}
        """By order and event id, so that a repeated event waits once: the file and the line."""

    def see(self, event: OrderEvent, file: str, line: int) -> None:
        """Learn of an order event."""
        order = (event.shop_id, event.buyer_id, event.order_id)
        if order in self._created:
            return
        if event.type == "created" or (event.type == "paid" and event.created_ts is not UNSET):
            self._created.add(order)
            self._waiting.pop(order, None)
        else:
            self._waiting.setdefault(order, {}).setdefault(event.event_id, (file, line))

    def problems(self) -> Iterator[Problem]:
        """Yield what waits for nothing, in the order in which it was read."""
        for (_, _, order_id), events in self._waiting.items():
            for file, line in events.values():
                yield Problem(
                    file,
                    line,
                    Code.INCOMPLETE_ORDER,
                    "order_id",
                    f"no file has the creation of order {order_id} by this buyer",
                )
