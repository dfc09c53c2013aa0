"""Messages and what was said of orders, as they lie in state: without what repeats itself.

Messages are kept as columns, times as distances: of the 24 bytes of a message some 15 are left. Words of
which there are few are kept as their numbers; a word is never removed from the list, and new ones go to its
end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import sub
from typing import Final

from msgspec import Struct

from stream_attr.core.decision import (
    AWAITING_PAYMENT,
    CANCELLED,
    CREDITED,
    FINAL,
    PENDING,
    SILENT,
    UNPAID,
    Verdict,
)
from stream_attr.core.message import AGENT, TEXT_SHIFT, Message
from stream_attr.core.placed import Emitted
from stream_attr.core.said import Said

_WORDS: tuple[str | None, ...] = (
    *(None, PENDING, FINAL),
    *(AWAITING_PAYMENT, CREDITED, SILENT, CANCELLED, UNPAID),
    *("none", "semi", "full"),
    *("placing", "payment", "followup", "order"),
    *("created", "paid", "cancelled", "refund", "chat", "settings", "timer", "late_event"),
)
_NAMED: Final = (1 << TEXT_SHIFT) - 1
_NUMBERS: Final = {word: number for number, word in enumerate(_WORDS)}


class Messages(Struct, array_like=True, gc=False):
    """Messages of one agent, sorted: one column per field."""

    since: list[int]
    """Milliseconds since the message before; of the first one since the epoch."""
    marks: list[int]
    """The flags that have names, shifted by one for the side."""
    prefix: str
    """What all event ids begin with."""
    event_ids: list[str]
    """The rest of each."""
    characters: list[int]
    product_ids: dict[int, str]
    """By index; most messages name none."""
    matched: dict[int, bytes]
    """Flags of the text patterns, by index; most messages match none."""

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Messages:
        """Return the columns of some messages; of none, where there are none."""
        if not messages:
            return cls([], [], "", [], [], {}, {})
        times, sides, event_ids, flags, characters, products = zip(*messages, strict=True)
        prefix = _beginning(min(event_ids), max(event_ids))
        skipped = len(prefix)
        return cls(
            [times[0], *map(sub, times[1:], times)],
            [(flag & _NAMED) << 1 | side for side, flag in zip(sides, flags, strict=True)],
            prefix,
            [event_id[skipped:] for event_id in event_ids],
            list(characters),
            {index: product for index, product in enumerate(products) if product is not None},
            {index: _packed(flag >> TEXT_SHIFT) for index, flag in enumerate(flags) if flag > _NAMED},
        )

    def messages(self) -> list[Message]:
        """Return the messages themselves."""
        product_of = self.product_ids.get
        prefix = self.prefix
        columns = zip(accumulate(self.since), self.marks, self.event_ids, self.characters, strict=True)
        messages = [
            Message(ts, mark & AGENT, prefix + event_id, mark >> 1, characters, product_of(index))
            for index, (ts, mark, event_id, characters) in enumerate(columns)
        ]
        for index, packed in self.matched.items():
            message = messages[index]
            matched = int.from_bytes(packed, "big") << TEXT_SHIFT
            messages[index] = message._replace(flags=message.flags | matched)
        return messages


class Told(Struct, array_like=True, gc=False):
    """What was last told of a reception, and what a closing has told of its day."""

    day: int
    closed_ts: int | None
    fact: Said | None
    inquiry: Said | None


class LastVerdict(Struct, array_like=True, gc=False):
    """The last revision that was emitted of an order under a profile. Words are numbers."""

    revision: int
    reason: int
    status: int
    outcome: int
    silence: int
    placing: str | None
    payment: str | None
    credit: str | None
    basis: int
    assists: list[tuple[int, str]]
    amount: int
    quantity: int
    refund_requested: int
    refund_completed: int
    created_ts: int
    paid_after: int | None
    """Milliseconds after the creation, as the two below."""
    cancelled_after: int | None
    final_after: int

    @classmethod
    def of(cls, emitted: Emitted) -> LastVerdict:
        """Return what is kept of a revision."""
        verdict = emitted.verdict
        created_ts = verdict.created_ts
        return cls(
            emitted.revision,
            _NUMBERS[emitted.reason],
            _NUMBERS[verdict.status],
            _NUMBERS[verdict.outcome],
            _NUMBERS[verdict.silence],
            verdict.placing,
            verdict.payment,
            verdict.credit,
            _NUMBERS[verdict.basis],
            [(_NUMBERS[kind], agent_id) for kind, agent_id in verdict.assists],
            verdict.amount,
            verdict.quantity,
            verdict.refund_requested,
            verdict.refund_completed,
            created_ts,
            None if verdict.paid_ts is None else verdict.paid_ts - created_ts,
            None if verdict.cancelled_ts is None else verdict.cancelled_ts - created_ts,
            verdict.final_at - created_ts,
        )

    def emitted(self) -> Emitted:
        """Return the revision itself."""
        created_ts = self.created_ts
        verdict = Verdict(
            _word(self.status),
            _word(self.outcome),
            _WORDS[self.silence],
            self.placing,
            self.payment,
            self.credit,
            _WORDS[self.basis],
            tuple((_word(kind), agent_id) for kind, agent_id in self.assists),
            self.amount,
            self.quantity,
            self.refund_requested,
            self.refund_completed,
            created_ts,
            None if self.paid_after is None else created_ts + self.paid_after,
            None if self.cancelled_after is None else created_ts + self.cancelled_after,
            created_ts + self.final_after,
        )
        return Emitted(self.revision, _word(self.reason), verdict)


def _beginning(first: str, last: str) -> str:
    """Return what two texts begin with, and so all that sort between them."""
    length = 0
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        length += 1
    return first[:length]


def _packed(bits: int) -> bytes:
    return bits.to_bytes(bits.bit_length() // 8 + 1, "big")


def _word(number: int) -> str:
    word = _WORDS[number]
    assert word is not None
    return word
