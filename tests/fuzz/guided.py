"""``python -m tests.fuzz.guided``: atheris looks for bytes that are answered with anything but a dead letter.

It begins from the examples of ``schemas/``, is told which branches of decoders and processor a record has
reached, and goes on from those that reached new ones, by spoiling their fields or their bytes. The first byte
of an input says which topic it lies on; the rest is the value, of which the key is made where it can be.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["stream_attr"]):
    import orjson

    from stream_attr.contract.topics import CHAT, DEAD_LETTERS, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS
    from stream_attr.processor import Options, Processor, ShopRegistry
    from stream_attr.processor.ports import Output, Record
    from stream_attr.testing import MemoryStore

from tests.fuzz.sent import Sent, spoilt

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
CORPUS = Path(".cache/fuzz")
"""Where what has reached something new is kept, for the next time."""
KINDS = {
    CHAT: "chat-event",
    ORDERS: "order-event",
    TICKS: "tick",
    SETTINGS: "settings",
    ROSTER: "roster",
    RULINGS: "ruling",
}
TOPICS = tuple(KINDS)
NOW = 1_794_412_800_000
"""The wall clock, 2026-11-12: the examples' events are past then, and ticks cannot run away."""
LARGEST_OUTPUT = 1 << 20
BEGIN_ANEW_AFTER = 5_000
SHOWN_EVERY = 100_000


class Target:
    """A partition that is fed one record after the other."""

    def __init__(self) -> None:
        self._records = 0
        self._answers: Counter[str] = Counter()
        self._begin()

    def __call__(self, data: bytes) -> None:
        """Judge one record.

        Raises:
            AssertionError: it has more than one dead letter, or an output that fits into no topic.
            Exception: whatever escapes is what is looked for.
        """
        if not data:
            return
        if self._records % BEGIN_ANEW_AFTER == 0:
            self._begin()
        topic, value = TOPICS[data[0] % len(TOPICS)], data[1:]
        self._records += 1
        record = Record(topic, 0, self._records, NOW, _key(topic, value), value)
        if topic in (SETTINGS, ROSTER):
            refusal = self._registry.apply(record)
            outputs = [] if refusal is None else [refusal]
        else:
            batch = self._processor.process([record], frozenset())
            outputs = batch.outputs
            self._store.apply(batch.changes)
        letters = [output for output in outputs if _is_of(output, record)]
        assert len(letters) <= 1, "more than one dead letter of a record"
        assert all(len(o.key) + len(o.value) <= LARGEST_OUTPUT for o in outputs), "too large for its topic"
        self._answers[orjson.loads(letters[0].value)["code"] if letters else f"accepted on {topic}"] += 1
        if self._records % SHOWN_EVERY == 0:
            told = ", ".join(f"{count:,} {answer}" for answer, count in self._answers.most_common())
            print(f"{self._records:,} records: {told}", file=sys.stderr)

    def _begin(self) -> None:
        self._registry = ShopRegistry()
        self._store = MemoryStore()
        self._processor = Processor(self._registry, self._store, Options(clock=lambda: NOW, now=lambda: NOW))


def _key(topic: str, value: bytes) -> bytes | None:
    """Return the key that an integrator would give the record, where its value lets one."""
    try:
        said = orjson.loads(value)
        parts = (
            (said["shop_id"], said["buyer_id"]) if topic in (CHAT, ORDERS, RULINGS) else (said["shop_id"],)
        )
        return "|".join(parts).encode()
    except (ValueError, TypeError, KeyError):
        return None


def _is_of(output: Output, record: Record) -> bool:
    if output.topic != DEAD_LETTERS:
        return False
    letter = orjson.loads(output.value)
    return bool(letter["topic"] == record.topic and letter["offset"] == record.offset)


def _mutate(data: bytes, largest: int, seed: int) -> bytes:
    """Spoil a field of what is a record still, or leave it to libFuzzer what to do with the bytes."""
    chance = Random(seed)
    if data and chance.random() < 0.5:
        try:
            value = spoilt(chance, Sent(TOPICS[data[0] % len(TOPICS)], None, data[1:])).value or b""
        except (ValueError, TypeError, AttributeError):  # the bytes are no JSON object
            value = b""
        if 0 < len(value) < largest:
            return data[:1] + value
    mutated: bytes = atheris.Mutate(data, largest)
    return mutated


def _write_corpus(folder: Path) -> None:
    for number, topic in enumerate(TOPICS):
        for example in sorted((EXAMPLES / KINDS[topic]).glob("*.json")):
            (folder / f"{topic}-{example.stem}").write_bytes(bytes([number]) + example.read_bytes())


def main() -> None:
    """Fuzz; the arguments are libFuzzer's, as ``-runs=1000000``."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    _write_corpus(CORPUS)
    atheris.Setup([*sys.argv, "-max_len=4096", str(CORPUS)], Target(), custom_mutator=_mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
