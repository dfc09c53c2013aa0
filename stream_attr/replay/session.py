"""One replay: settings and roster, then the events, to the end of time or to a given one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from stream_attr.broker.lines import LinesFile
from stream_attr.core.buyer import Retention
from stream_attr.core.days import MINUTE_MS
from stream_attr.processor import Book, Options, Processor
from stream_attr.processor.records import CHAT, ORDERS, ROSTER, SETTINGS, Output, Record
from stream_attr.processor.watermark import END_OF_TIME
from stream_attr.replay.memory import MemoryStore
from stream_attr.replay.sources import chunks

CHUNK = 20_000
"""Records judged in one go; what they bring about is written before the next."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """File names by kind; ``.gz`` is unpacked, ``-`` is standard input."""

    chat: Sequence[str] = ()
    orders: Sequence[str] = ()
    roster: Sequence[str] = ()
    settings: Sequence[str] = ()

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The file names by topic."""
        return {
            CHAT: tuple(self.chat),
            ORDERS: tuple(self.orders),
            ROSTER: tuple(self.roster),
            SETTINGS: tuple(self.settings),
        }


def replay(
    inputs: Inputs,
    *,
    until: int | None = None,
    allowed_lateness_ms: int = 5 * MINUTE_MS,
    retention: Retention | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Output]:
    """Judge files and yield every output in the order of its emission.

    ``until``: where the watermark stops, epoch milliseconds; None: the end of the input is the end of time.
    ``progress`` is told how many events have been taken. Raises UnusableFileError.
    """
    names = inputs.names
    with ExitStack() as stack:
        files = {
            topic: [stack.enter_context(LinesFile(name)) for name in some] for topic, some in names.items()
        }
        book = Book(names)
        for topic in (SETTINGS, ROSTER):
            for index, lines in enumerate(files[topic]):
                for number, value in lines:
                    refused = book.apply(Record(topic, index, number, 0, None, value))
                    if refused is not None:
                        yield refused
        options = Options(
            allowed_lateness_ms=allowed_lateness_ms,
            retention=retention or Retention(),
            files=names,
            latest_watermark=END_OF_TIME if until is None else until,
            commits=False,
        )
        store = MemoryStore()
        processor = Processor(book, store, options)
        taken = 0
        for records, ended in chunks({CHAT: files[CHAT], ORDERS: files[ORDERS]}, CHUNK):
            batch = processor.process(records, ended)
            store.apply(batch.changes)
            taken += len(records)
            yield from batch.outputs
            progress(taken)
        yield from processor.finish().outputs
