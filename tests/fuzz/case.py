"""One case: hostile traffic judged, what must hold of it, and the same judged without what was refused."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from stream_attr.codec.records.dead_letter import KEPT_OF_TOO_LARGE
from stream_attr.codec.records.tick import peek_ts
from stream_attr.contract.topics import CHAT, DEAD_LETTERS, INTERNAL, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.ports import Output, Record
from stream_attr.rules.vocabulary import Code
from stream_attr.testing import MemoryStore
from stream_attr.worker.ops.dead_letter_log import DeadLetterLog
from tests.fuzz.sent import ACCEPTED, Sent
from tests.fuzz.traffic import SHOPS, Batch, traffic

__all__ = ["Outcome", "judge_case"]

PUBLIC = (CHAT, ORDERS, RULINGS, TICKS, ROSTER, SETTINGS)
LARGEST_OUTPUT = 1_000_000
"""Key and value: a topic takes records of 1 MiB unless it says otherwise."""
FORGOTTEN = "its order is kept no longer"
OF_ITS_ORDER = (" come to more than ", FORGOTTEN)
"""In the message of a refusal that hangs on what is known of an order: it is known then when it was sent."""

Place = tuple[str, int]
"""Topic and offset."""


@dataclass
class Outcome:
    """What became of a case."""

    records: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By code."""
    outputs: Counter[str] = field(default_factory=Counter)
    """By topic, dead letters aside."""
    accepted: list[Record] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Count another case too."""
        self.records += other.records
        self.refused += other.refused
        self.outputs += other.outputs


def judge_case(seed: str, records: int) -> Outcome:
    """Judge a case; AssertionError where something does not hold, or whatever escaped."""
    outcome = Outcome()
    batches = [
        _placed(batch, offsets) for offsets in [dict.fromkeys(PUBLIC, 0)] for batch in traffic(seed, records)
    ]
    hostile, good = _Judge(), _Judge()
    for batch, expected in batches:
        came = hostile.take(batch)
        refused = {
            place: letter for place, letter in came.letters.items() if letter["code"] != Code.INCOMPLETE_ORDER
        }
        everything = {(record.topic, record.offset): record for record in (*batch.knowledge, *batch.events)}
        assert refused.keys() <= everything.keys(), "a dead letter of a record that was not sent"
        for place, record in everything.items():
            _check(record, expected[place], refused.get(place))
        of_ticks = sum(
            record.topic == TICKS and (TICKS, record.offset) not in refused for record in batch.events
        )
        _count(came, refused, len(batch.events) - of_ticks)
        gone = {place for place, letter in refused.items() if not _hangs_on_its_order(letter)}
        alone = good.take(batch.without(gone))
        assert alone.letters.keys() == came.letters.keys() - gone
        assert alone.outputs == came.outputs, "what was refused has changed what is told"
        assert alone.changes == came.changes, "what was refused has changed what is kept"
        outcome.records += len(everything)
        outcome.refused.update(letter["code"] for letter in refused.values())
        outcome.outputs.update(output.topic for output in came.outputs)
        outcome.accepted += [record for place, record in everything.items() if place not in refused]
    assert hostile.end() == good.end()
    return outcome


@dataclass
class _Placed:
    """A batch as it lies in the topics."""

    now: int
    knowledge: list[Record]
    events: list[Record]
    restart: bool

    def without(self, gone: set[Place]) -> _Placed:
        """The same batch as if these records had never been sent."""
        return _Placed(
            self.now,
            [record for record in self.knowledge if (record.topic, record.offset) not in gone],
            [record for record in self.events if (record.topic, record.offset) not in gone],
            self.restart,
        )


def _placed(batch: Batch, offsets: dict[str, int]) -> tuple[_Placed, dict[Place, frozenset[str]]]:
    expected: dict[Place, frozenset[str]] = {}

    def place(sent: Sent) -> Record:
        offset = offsets[sent.topic]
        offsets[sent.topic] += 1
        expected[sent.topic, offset] = sent.expected
        return Record(sent.topic, 0, offset, sent.timestamp, sent.key, sent.value)

    placed = _Placed(
        batch.now,
        [place(one) for one in batch.knowledge],
        [place(one) for one in batch.events],
        batch.restart,
    )
    return placed, expected


@dataclass
class _Came:
    """What came out of a batch."""

    outputs: list[Output] = field(default_factory=list)
    """All but the dead letters."""
    letters: dict[Place, dict[str, Any]] = field(default_factory=dict)
    changes: list[dict[bytes, bytes | None]] = field(default_factory=list)
    counted: int = 0
    """Events that the processor has counted, accepted or repeated."""
    counted_letters: int = 0


class _Judge:
    """A worker without a broker: book, store and processor."""

    def __init__(self) -> None:
        self._now = 0
        self._registry = ShopRegistry()
        self._store = MemoryStore()
        self._progress: bytes | None = None
        self._emitted: list[Record] = []
        self._number = 0
        """Offset of what the partition tells itself next."""
        self._log = DeadLetterLog(clock=lambda: 0.0)
        self._start()

    def _start(self) -> None:
        options = Options(cached_facts=300, clock=lambda: self._now, now=lambda: self._now)
        self._processor = Processor(self._registry, self._store, options)
        self._processor.restore(self._progress)

    def take(self, batch: _Placed) -> _Came:
        """Judge a batch and what the partition had told itself before it."""
        self._now = batch.now
        came = _Came()
        if batch.restart:
            self._start()
        for record in batch.knowledge:
            version = {shop_id: self._registry.shop(shop_id).version for shop_id in SHOPS}
            letter = self._registry.apply(record)
            if letter is not None:
                self._keep(came, [letter])
            for shop_id in SHOPS:
                if self._registry.shop(shop_id).version != version[shop_id]:
                    self._commit(came, self._processor.refresh(shop_id))
        emitted, self._emitted = self._emitted, []
        self._commit(came, self._processor.process([*emitted, *batch.events], frozenset()))
        return came

    def end(self) -> tuple[list[Output], dict[bytes, bytes | None]]:
        """Let time end; return what is emitted then, and what is kept still."""
        batch = self._processor.finish()
        self._store.apply(batch.changes)
        return batch.outputs, dict(self._store.items())

    def _commit(self, came: _Came, batch: Any) -> None:
        self._store.apply(batch.changes)
        self._progress = batch.progress
        self._log.add(batch.outputs)
        self._keep(came, batch.outputs)
        came.changes.append(batch.changes)
        came.counted += sum(batch.stats.events.values()) + sum(batch.stats.repeats.values())
        came.counted_letters += sum(batch.stats.dead_letters.values())

    def _keep(self, came: _Came, outputs: Iterable[Output]) -> None:
        for output in outputs:
            assert len(output.key) + len(output.value) <= LARGEST_OUTPUT, (
                f"{output.topic}: too large for a topic"
            )
            if output.topic == DEAD_LETTERS:
                letter = json.loads(output.value)
                place = letter["topic"], letter["offset"]
                assert place not in came.letters, f"two dead letters of {place}"
                came.letters[place] = letter
                continue
            came.outputs.append(output)
            if output.topic in INTERNAL:
                self._emitted.append(Record(output.topic, 0, self._number, 0, output.key, output.value))
                self._number += 1


def _check(record: Record, expected: frozenset[str], letter: dict[str, Any] | None) -> None:
    """What is to be said of one record and its dead letter, if it has one."""
    peek_ts(record.value)
    what = f"{record.topic}: {(record.value or b'')[:2_000]!r}, key {(record.key or b'')[:200]!r}"
    if letter is None:
        assert not expected or expected == ACCEPTED, f"accepted, not {sorted(expected)}: {what}"
        assert record.value is not None, what
        return
    if letter["message"].startswith(FORGOTTEN):
        assert not expected or expected == ACCEPTED, what  # but for its order it would have been
    else:
        assert not expected or letter["code"] in expected, f"{letter['code']}, not {sorted(expected)}: {what}"
    assert letter["code"] in _CODES, what
    assert isinstance(letter["message"], str), what
    assert letter["message"], what
    assert letter["field"] is None or isinstance(letter["field"], str), what
    assert letter["length"] == (None if record.value is None else len(record.value)), what
    assert letter["sha256"] == (None if record.value is None else sha256(record.value).hexdigest()), what
    assert _kept(letter["value_base64"], record.value, whole=letter["code"] != Code.TOO_LARGE), what
    assert _kept(letter["key_base64"], record.key, whole=letter["code"] != Code.TOO_LARGE), what


def _hangs_on_its_order(letter: dict[str, Any]) -> bool:
    return any(some in letter["message"] for some in OF_ITS_ORDER)


def _kept(encoded: str | None, sent: bytes | None, *, whole: bool) -> bool:
    """Whether a dead letter keeps what was sent; of too large a record the beginning."""
    if encoded is None or sent is None:
        return encoded is None and sent is None
    return b64decode(encoded) == (sent if whole else sent[:KEPT_OF_TOO_LARGE])


def _count(came: _Came, refused: dict[Place, dict[str, Any]], events: int) -> None:
    """Every event is accepted, or known already, or has its one dead letter."""
    of_orders = sum(_hangs_on_its_order(letter) for letter in refused.values())
    of_knowledge = sum(topic in (ROSTER, SETTINGS) for topic, _ in refused)
    assert came.counted + len(refused) - of_orders - of_knowledge == events
    assert came.counted_letters == len(came.letters) - of_knowledge


_CODES = frozenset(code.value for code in Code)
