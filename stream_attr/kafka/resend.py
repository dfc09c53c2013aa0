"""Dead letters sent again: which of them, under which key, and why others are held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.records.tick import decode_tick
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.versions import NewerVersionError
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS
from stream_attr.kafka.dead_letters import DeadLetter, Found, Selection
from stream_attr.kafka.publish import record_key
from stream_attr.processor.intake import AHEAD_OF_CLOCK_MS
from stream_attr.rules.vocabulary import Code

__all__ = ["Account", "Held", "Resending", "Rules", "Why", "resend"]

_EXAMPLES = 10

_DECODERS: dict[str, Callable[[bytes | None], Any]] = {
    CHAT: decode_chat,
    ORDERS: decode_order,
    RULINGS: decode_ruling,
    TICKS: decode_tick,
    ROSTER: decode_roster,
    SETTINGS: decode_settings,
}
_EVENTS = (CHAT, ORDERS, RULINGS)
_GLOBAL_TOPICS = (SETTINGS, ROSTER)


class Why(StrEnum):
    """Why a dead letter is held back, with the remedy."""

    TOMBSTONE = "a tombstone: there is nothing to send"
    PART = "only a part of the record is kept: have its sender send it again, within 256 KiB"
    ALTERED = (
        "its bytes do not match the length and SHA-256 that it names: send corrected records with "
        "'stream-attr publish'"
    )
    REFUSED = (
        "it would be refused again unchanged: correct it ('stream-attr dead-letters list --values' writes "
        "the records) and send it with 'stream-attr publish'"
    )
    KEY = "its key is not that of its value: --fix-key sends it under the value's"
    AHEAD = "its time is still more than 10 minutes in the future: try again later"
    TOO_LATE = (
        "it is older than the history that was kept, and will be refused again unless the workers have been "
        "started with a longer --history-days since: name its code with --code to send it all the same"
    )
    GLOBAL_TOPICS = (
        "of settings and roster the record sent last counts, so it would undo a later one for the same day: "
        "name its topic with --topic to send it all the same"
    )
    NOWHERE = "a tick belongs to a partition, and the one it names does not exist"
    TOO_LONG = "it is longer than the broker accepts"


class Held(NamedTuple):
    """A dead letter that is held back."""

    why: Why
    detail: str = ""
    """The refusal to be expected; empty where there would be none."""


class Resending(NamedTuple):
    """A dead letter as it is sent again."""

    letter: DeadLetter
    key: bytes | None
    partition: int | None
    """None: the partition that its key determines."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be sent again."""

    now_ms: int
    fix_key: bool = False
    """Whether a record whose key contradicts its value is sent under the value's key."""
    insisted: frozenset[str] = frozenset()
    """Codes and topics that the user named explicitly: sent in spite of a warning."""
    partitions: Mapping[str, int] = field(default_factory=dict)
    """Number of partitions by topic; of a topic that is absent here, every partition exists."""

    def judge(self, letter: DeadLetter) -> Resending | Held:
        """Decide how a dead letter is sent again, or why it is held back."""
        value = letter.value
        if value is None:
            return Held(Why.TOMBSTONE)
        if not letter.is_complete:
            return Held(Why.PART)
        if not letter.is_original:
            return Held(Why.ALTERED)
        try:
            event = _DECODERS[letter.topic](value)
        except RefusedRecord as refusal:
            return Held(Why.REFUSED, f"{refusal.code.value}: {refusal.message}")
        except NewerVersionError as error:
            return Held(Why.REFUSED, str(error))
        return self._held(letter, event) or self._addressed(letter)

    def _held(self, letter: DeadLetter, event: Any) -> Held | None:
        if letter.topic in _GLOBAL_TOPICS:
            return None if letter.topic in self.insisted else Held(Why.GLOBAL_TOPICS)
        if event.ts > self.now_ms + AHEAD_OF_CLOCK_MS:
            return Held(Why.AHEAD)
        # A worker gives an order up only once its events are older than the history it keeps.
        given_up = letter.code is Code.INCOMPLETE_ORDER and letter.partition is not None
        if (given_up or letter.code is Code.TOO_LATE) and letter.code.value not in self.insisted:
            return Held(Why.TOO_LATE)
        return None

    def _addressed(self, letter: DeadLetter) -> Resending | Held:
        partition = letter.partition
        if partition is not None and partition >= self.partitions.get(letter.topic, partition + 1):
            partition = None
        if letter.topic == TICKS:
            return Held(Why.NOWHERE) if partition is None else Resending(letter, letter.key, partition)
        key = (record_key(letter.topic, letter.document) or "").encode()
        if letter.partition is not None and letter.topic in _EVENTS and letter.key != key:
            return Resending(letter, key, None) if self.fix_key else Held(Why.KEY)
        return Resending(letter, key if partition is None else letter.key, partition)


@dataclass(slots=True)
class _Some:
    """Dead letters held back for one reason."""

    count: int = 0
    first: list[tuple[DeadLetter, str]] = field(default_factory=list)
    """The first few, each with the refusal to be expected."""


@dataclass(slots=True)
class Account:
    """The result: what was sent, and what was not."""

    sent: Counter[str] = field(default_factory=Counter)
    """By code; in a dry run: what would be sent."""
    repeats: Counter[str] = field(default_factory=Counter)
    """The same record as one sent before it in this run, by code."""
    held: Counter[str] = field(default_factory=Counter)
    """Held back, by code."""
    why: dict[Why, _Some] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        """All codes that were found."""
        return sorted(self.sent.keys() | self.repeats.keys() | self.held.keys())

    def hold(self, letter: DeadLetter, held: Held) -> None:
        """Count a dead letter that is held back."""
        self.held[letter.code.value] += 1
        some = self.why.setdefault(held.why, _Some())
        some.count += 1
        if len(some.first) < _EXAMPLES:
            some.first.append((letter, held.detail))


def resend(
    found: Iterable[Found],
    selection: Selection,
    rules: Rules,
    send: Callable[[Resending], bool],
    progress: Callable[[int], None] = lambda _: None,
    account: Account | None = None,
) -> Account:
    """Call ``send`` for each selected dead letter that may be sent, once per record; returns the account.

    ``send`` returns False for a record longer than the broker accepts. ``progress`` is called with the number
    of dead letters read.
    """
    account = Account() if account is None else account
    seen: set[bytes] = set()
    for count, one in enumerate(found, 1):
        progress(count)
        if one not in selection:
            continue
        letter = one.letter
        judged = rules.judge(letter)
        if isinstance(judged, Held):
            account.hold(letter, judged)
        elif (identity := _identity(judged)) in seen:
            account.repeats[letter.code.value] += 1
        elif send(judged):
            seen.add(identity)
            account.sent[letter.code.value] += 1
        else:
            account.hold(letter, Held(Why.TOO_LONG))
    return account


def _identity(resending: Resending) -> bytes:
    """Identify a record; a tick has no key and is a record of its own on each partition."""
    letter = resending.letter
    place = (letter.topic, resending.key, letter.partition if letter.topic == TICKS else None)
    return blake2b(repr(place).encode() + (letter.value or b""), digest_size=16).digest()
