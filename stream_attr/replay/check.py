"""What of files would go to the dead letters, and audits, without judging anything (RULEBOOK 11, 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import orjson

from stream_attr.audit import Audit, AuditWarning, Place
from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import ShopRegistry
from stream_attr.processor.intake import refuse_future
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


def check(
    inputs: Inputs,
    *,
    wall_clock_ts: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Problem | AuditWarning]:
    """Yield every problem, file by file: settings, roster, chat, orders, rulings, then orders never created.

    Then come the warnings of the audits. Settings and roster are taken as `replay` takes them, history and
    all: a second record that names another time zone is a problem. ``wall_clock_ts``: see `Plan`.
    ``progress`` is called with the number of lines read so far.

    Raises:
        UnusableFileError: before anything is yielded where a file cannot be opened.
    """
    names = inputs.names
    clock = None if wall_clock_ts is None else partial(int, wall_clock_ts)
    with ExitStack() as stack:
        files = {
            topic: [stack.enter_context(LinesFile(name)) for name in some] for topic, some in names.items()
        }
        registry = ShopRegistry(names)
        topics = (SETTINGS, ROSTER, CHAT, ORDERS, RULINGS)
        all_files = [lines.name for topic in topics for lines in files[topic]]
        audit = stack.enter_context(
            Audit(all_files, has_chat=bool(inputs.chat), has_roster=bool(inputs.roster))
        )
        read = 0
        file = -1
        for topic in topics:
            for index, lines in enumerate(files[topic]):
                file += 1
                for number, value in lines:
                    try:
                        if topic == CHAT:
                            chat = decode_chat(value)
                            refuse_future(chat.ts, clock)
                            audit.add_chat(chat, Place(file, number))
                        elif topic == ORDERS:
                            order = decode_order(value)
                            refuse_future(order.ts, clock)
                            audit.add_order(order, Place(file, number))
                        elif topic == RULINGS:
                            ruling = decode_ruling(value)
                            refuse_future(ruling.ts, clock)
                            audit.add_ruling(ruling, Place(file, number))
                        elif letter := registry.apply(Record(topic, index, number, 0, None, value)):
                            yield _of_dead_letter(orjson.loads(letter.value))
                        elif topic == ROSTER:
                            audit.add_roster(decode_roster(value))
                    except RefusedRecord as refusal:
                        yield Problem(lines.name, number, refusal.code, refusal.field, refusal.message)
                    read += 1
                    progress(read)
        incomplete, warnings = audit.finish()
        for (at, line), order_id in incomplete:
            yield Problem(
                all_files[at],
                line,
                Code.INCOMPLETE_ORDER,
                "order_id",
                f"no file has the creation of order {order_id} by this buyer",
            )
        yield from warnings


def _of_dead_letter(letter: dict[str, Any]) -> Problem:
    return Problem(letter["file"], letter["line"], letter["code"], letter["field"], letter["message"])
