"""Fills the ledger from the files that ``stream-attr replay`` wrote, without a broker.

The offset of a record is its line, and a file is known by a digest of its content: the same files give the
same ledger, however often they are read, wherever they lie, and wherever it was interrupted before. Others
are refused.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Identifier
from xxhash import xxh3_128

from stream_attr.contract.topics import DEAD_LETTERS, DECISIONS, OUTPUTS
from stream_attr.files.jsonl import LinesFile, UnusableFileError
from stream_attr.ledger.sink.batch import Batch, Source, prepare, write
from stream_attr.ledger.sink.offsets import FILE, claim, empty
from stream_attr.ledger.sink.tables import FILLED
from stream_attr.processor.ports import Record

__all__ = ["Files", "Filled", "analyze", "fill"]

BATCH_RECORDS: Final = 20_000
BATCH_BYTES: Final = 16 << 20
"""A batch is written when it has so many records, or so many bytes of them."""
_FIRST_RECORDS: Final = 2_000
"""Those of the first batch, for which the database waits. Each next one may have four times as many: large
ones cost less, as of an order's revisions in a batch only the last is written as the decision that holds."""
_AHEAD: Final = 2
"""Batches that are made ready while the database is at another one."""
_SWITCH_S: Final = 0.0002
"""How long the thread that makes batches ready may keep the one waiting that talks with the database. It has
little to do, hundreds of times per batch; with Python's 5 ms each time the database would mostly wait."""
_NOT_KNOWN: Final = -1
"""The timestamp of a record of a file, as Kafka writes one that is not available."""
_CHUNK: Final = 1 << 20
_ANALYZE: Final = SQL("ANALYZE {}").format(SQL(", ").join(Identifier(one) for one in FILLED))


@dataclass(frozen=True, slots=True)
class Files:
    """What to fill the ledger from."""

    folder: Path
    """Where ``replay`` wrote its results."""
    inputs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Files of records of ``shop-settings``, ``agent-roster`` and ``rulings``, by topic."""


@dataclass(slots=True)
class Filled:
    """What was written, and what was there before."""

    stored: Counter[str] = field(default_factory=Counter)
    """Records by topic."""
    unstored: Counter[str] = field(default_factory=Counter)
    """Records that could not be stored, by topic."""
    before: int = 0
    """Records that the ledger had already."""


class _File(NamedTuple):
    name: str
    digest: str
    written_ts: int
    """Epoch milliseconds."""


def fill(
    connection: Connection[Any],
    files: Files,
    *,
    rebuild: bool = False,
    removed: Callable[[Mapping[str, int]], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Filled:
    """Write all records of the files that the ledger does not have yet.

    ``rebuild``: empty it before; ``removed`` is called with what it had, see
    `stream_attr.ledger.sink.offsets.empty`. ``progress`` is called with the number of records written so far.

    Raises:
        UnusableFileError: a file cannot be read, or is not what ``replay`` writes; the message names it.
        OtherSourceError: the ledger was filled from other files, or from a broker.
        FencedError: another sink fills it at the same time.
        psycopg.Error: the database refuses, or is away.
    """
    found = _found(files)
    filled = Filled()
    with ExitStack() as stack:
        opened = {source: stack.enter_context(LinesFile(file.name)) for source, file in found.items()}
        if rebuild:
            removed(empty(connection))
        begins = claim(connection, {source: FILE + file.digest for source, file in found.items()})
        prepare(connection)
        batches = _batches(opened, found, begins, filled)
        stack.enter_context(_quick_turns())
        ahead = stack.enter_context(ThreadPoolExecutor(1, "read-ahead"))
        coming = deque(ahead.submit(next, batches, None) for _ in range(_AHEAD))
        done = 0
        while (batch := coming.popleft().result()) is not None:
            coming.append(ahead.submit(next, batches, None))
            write(connection, batch)
            filled.stored += batch.stored
            filled.unstored += Counter(record.topic for record, _ in batch.unstored)
            done += len(batch)
            progress(done)
    return filled


def analyze(connection: Connection[Any]) -> None:
    """Have the database gather statistics of its tables, after much has been written.

    It does so by itself within minutes. Until then it reads large tables as if they were small ones, which
    can take a hundred times as long.

    Raises:
        psycopg.Error: the database is away.
    """
    connection.execute(_ANALYZE)


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let threads take turns as often as the one needs that talks with the database."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _found(files: Files) -> dict[Source, _File]:
    """Return the files by topic, and their number among those of the topic."""
    if not (files.folder / f"{DECISIONS}.jsonl").is_file():
        raise UnusableFileError(
            f"{files.folder}: it has no {DECISIONS}.jsonl: name a folder that stream-attr replay wrote"
        )
    names: dict[Source, str] = {}
    for topic, some in files.inputs.items():
        names |= {(topic, number): name for number, name in enumerate(some)}
    for topic in OUTPUTS:
        file = files.folder / f"{topic}.jsonl"
        if file.exists():
            names[topic, 0] = str(file)
    return {source: _read(name) for source, name in names.items()}


def _read(name: str) -> _File:
    digest = xxh3_128()
    try:
        with Path(name).open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        written_ts = Path(name).stat().st_mtime_ns // 1_000_000
    except OSError as error:
        raise UnusableFileError(f"{name}: {error.strerror or error}") from error
    return _File(name, digest.hexdigest(), written_ts)


def _batches(
    opened: Mapping[Source, LinesFile],
    found: Mapping[Source, _File],
    begins: Mapping[Source, int],
    filled: Filled,
) -> Iterator[Batch]:
    """Yield what the ledger does not have, file by file, each in its own order, ready to be written."""
    batch = Batch(begins)
    most = min(_FIRST_RECORDS, BATCH_RECORDS)
    records = size = 0
    for source, lines in opened.items():
        topic, number = source
        begin = begins[source]
        of_replay = topic in OUTPUTS
        timestamp = _NOT_KNOWN if of_replay and topic != DEAD_LETTERS else found[source].written_ts
        for line, value in lines:
            if line < begin:
                filled.before += 1
                continue
            record = Record(topic, number, line, timestamp, None, value)
            batch.add(record)
            if of_replay and batch.unstored and batch.unstored[-1][0] is record:
                why = batch.unstored[-1][1]
                raise UnusableFileError(
                    f"{lines.name}, line {line}: {why}; write the folder again with stream-attr replay"
                )
            records += 1
            size += len(value)
            if records >= most or size >= BATCH_BYTES:
                yield batch.ready()
                batch, records, size = batch.following(), 0, 0
                most = min(4 * most, BATCH_RECORDS)
    if records:
        yield batch.ready()
