"""What every fault test asks at its end: is what the topics say last what ``replay`` says of the same input?

Asked are all records of ``Losses``; each of them counts what a fault has lost or made contradictory.
"""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from stream_attr.codec.internal.progress import decode_progress
from stream_attr.contract.topics import (
    AGENT_DAILY,
    CHANGELOG,
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ORDERS,
    TICKS,
)
from stream_attr.processor.ports import PROGRESS_KEY
from tests.kafka.verdicts import last, last_of_file, last_reports, verdicts
from tests.kafka.worker_process import LONGEST_S, WorkerProcess, messages, read, until

KEYS = {
    DECISIONS: ("shop_id", "order_id", "profile"),
    COMPARISONS: ("shop_id", "order_id", "profile"),
    INQUIRIES: ("shop_id", "buyer_id", "agent_id", "day"),
    FACTS: ("shop_id", "buyer_id", "agent_id", "day"),
    AGENT_DAILY: ("shop_id", "agent_id", "day"),
}
"""What a reader keeps the last record of, by topic."""


@dataclass
class Losses:
    """What does not come out as ``replay`` has it; all empty is well."""

    unlike_replay: list[str] = field(default_factory=list)
    """Keys whose last record is missing, or another than that of the replay, by topic."""
    not_judged: list[str] = field(default_factory=list)
    """Partitions of the inputs that have not been judged to their end."""
    dead_letters: list[str] = field(default_factory=list)
    """Refused records without a dead letter, with two of them, or with another than that of the replay."""
    contradicting: list[str] = field(default_factory=list)
    """Keys whose revisions a reader does not see as 1, 2, 3 …, each once, each superseding the one before."""

    @property
    def lost(self) -> int:
        """All but the contradictions."""
        return len(self.unlike_replay) + len(self.not_judged) + len(self.dead_letters)


def until_emitted_as_replayed(
    worker: WorkerProcess,
    replayed: Path,
    *,
    receipts: bool = True,
    brought_back: str = "",
) -> Losses:
    """Wait until nothing is missing, or that is not to be expected any more; returns what is.

    ``replayed``: the folder that ``replay`` wrote. Without ``receipts`` decisions are compared but for what
    they say of candidates: chat that comes in after a decision emits nothing new where no verdict changes.
    Dead letters with the code ``brought_back`` are not compared.
    """
    losses = Losses()

    def nothing_lost() -> bool:
        nonlocal losses
        losses = losses_of(
            worker.bootstrap, worker.prefix, replayed, receipts=receipts, brought_back=brought_back
        )
        return losses == Losses() or bool(losses.contradicting)

    try:
        until(nothing_lost, worker)
    except AssertionError:
        if not worker.runs():
            raise
    return losses


def losses_of(
    bootstrap: str, prefix: str, replayed: Path, *, receipts: bool = True, brought_back: str = ""
) -> Losses:
    """Compare the topics, as a ``read_committed`` reader sees them now, with the files of a replay."""
    losses = Losses()
    for topic in KEYS:
        told = [json.loads(value) for _, value in read(bootstrap, prefix + topic) if value is not None]
        losses.unlike_replay += unlike(topic, told, replayed / f"{topic}.jsonl", receipts=receipts)
        losses.contradicting += contradictions(topic, told)
    losses.not_judged = not_judged(bootstrap, prefix)
    letters = [json.loads(value or b"") for _, value in read(bootstrap, prefix + DEAD_LETTERS)]
    letters = [one for one in letters if one["code"] != brought_back]
    losses.dead_letters = _wrong_letters(letters, replayed / f"{DEAD_LETTERS}.jsonl")
    return losses


def contradictions(topic: str, told: Iterable[dict[str, Any]]) -> list[str]:
    """Keys of a topic whose revisions do not follow one another, in the order in which they are read."""
    found = []
    before: dict[tuple[str, ...], int] = {}
    for one in told:
        key = tuple(one[name] for name in KEYS[topic])
        revision = before.get(key, 0) + 1
        previous = f"{'|'.join(key)}|{revision - 1}" if revision > 1 else None
        if one["revision"] != revision or ("supersedes" in one and one["supersedes"] != previous):
            found.append(f"{topic} {'|'.join(key)}: {one['revision']} after {before.get(key)}")
        before[key] = one["revision"]
    return found


def unlike(topic: str, told: list[dict[str, Any]], file: Path, *, receipts: bool = True) -> list[str]:
    """Keys of a topic whose last record is not that of the replay's file, with both."""
    if topic in (DECISIONS, COMPARISONS):
        ours, theirs = last(told), last_of_file(file)
        if not receipts:
            ours, theirs = verdicts(ours), verdicts(theirs)
    else:
        ours = last_reports(told)
        with file.open("rb") as lines:
            theirs = last_reports(json.loads(line) for line in lines)
    return [
        f"{topic} {key}: {ours.get(key)} instead of {theirs.get(key)}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def _wrong_letters(letters: list[dict[str, Any]], file: Path) -> list[str]:
    places = collections.Counter((one["topic"], one["partition"], one["offset"]) for one in letters)
    twice = [f"{place} has {count} dead letters" for place, count in places.items() if count > 1]
    with file.open("rb") as lines:
        theirs = collections.Counter(map(_letter, map(json.loads, lines)))
    ours = collections.Counter(map(_letter, letters))
    return [
        *twice,
        *(f"no dead letter {letter}" for letter in theirs - ours),
        *(f"a dead letter {letter}" for letter in ours - theirs),
    ]


def _letter(one: dict[str, Any]) -> tuple[str, str | None, str]:
    return one["code"], one["field"], one["sha256"]


def not_judged(bootstrap: str, prefix: str) -> list[str]:
    """Partitions whose progress is not where their inputs ended; markers of transactions are no records."""
    before = _ends(bootstrap, prefix)
    progress = _progress(bootstrap, prefix + CHANGELOG)
    after = _ends(bootstrap, prefix)  # more ticks may have come in the meantime
    wrong = []
    for (topic, number), end in before.items():
        judged = progress[number].offsets.get(topic, 0) if number in progress else 0
        if not end <= judged <= after[topic, number]:
            wrong.append(f"{topic} {number}: judged up to {judged} of {end}")
    return wrong


def _ends(bootstrap: str, prefix: str) -> dict[tuple[str, int], int]:
    """Where the inputs end, but for those that hold nothing."""
    ends = {}
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "ends"})
    try:
        for topic in (CHAT, ORDERS, TICKS):
            known = consumer.list_topics(prefix + topic, timeout=LONGEST_S).topics[prefix + topic]
            for number in known.partitions:
                place = TopicPartition(prefix + topic, number)
                begin, end = consumer.get_watermark_offsets(place, timeout=LONGEST_S)
                if begin != end:
                    ends[topic, number] = end
    finally:
        consumer.close()
    return ends


def _progress(bootstrap: str, topic: str) -> dict[int, Any]:
    """The last progress record of each partition of a changelog."""
    return {
        message.partition(): decode_progress(message.value())
        for message in messages(bootstrap, topic)
        if message.key() == PROGRESS_KEY
    }
