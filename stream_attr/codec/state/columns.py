"""Messages and emitted verdicts, to the shapes in which they are stored and back.

Words are kept as the numbers that `rules.vocabulary` gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stream_attr.codec.state.layout import LastVerdict, Messages
from stream_attr.rules.buyer.emitted import Emitted
from stream_attr.rules.chat.message import AGENT, TEXT_SHIFT, Message
from stream_attr.rules.order.decision import Verdict
from stream_attr.rules.vocabulary import STATE_NUMBERS, STATE_WORDS

_WORDS: Final = dict(STATE_WORDS)
_NUMBERS: Final = dict(STATE_NUMBERS)
_NAMED: Final = (1 << TEXT_SHIFT) - 1


def to_columns(messages: Sequence[Message]) -> Messages:
    """Return the columns of some sorted messages; of none, where there are none."""
    since: list[int] = []
    marks: list[int] = []
    event_ids: list[str] = []
    characters: list[int] = []
    product_ids: dict[int, str] = {}
    matched: dict[int, bytes] = {}
    before = 0
    for ts, side, event_id, flags, length, product_id in messages:
        since.append(ts - before)
        before = ts
        if product_id is not None:
            product_ids[len(marks)] = product_id
        if flags > _NAMED:
            matched[len(marks)] = _packed(flags >> TEXT_SHIFT)
        marks.append((flags & _NAMED) << 1 | side)
        event_ids.append(event_id)
        characters.append(length)
    prefix = _beginning(min(event_ids), max(event_ids)) if event_ids else ""
    skipped = len(prefix)
    rests = [event_id[skipped:] for event_id in event_ids]
    return Messages(since, marks, prefix, rests, characters, product_ids, matched)


def from_columns(columns: Messages) -> list[Message]:
    """Return the messages themselves."""
    marks, rests, characters = columns.marks, columns.event_ids, columns.characters
    prefix, product_ids = columns.prefix, columns.product_ids
    messages = []
    ts = 0
    for index, since in enumerate(columns.since):
        ts += since
        mark = marks[index]
        messages.append(
            Message(
                ts,
                mark & AGENT,
                prefix + rests[index],
                mark >> 1,
                characters[index],
                product_ids.get(index),
            )
        )
    for index, packed in columns.matched.items():
        message = messages[index]
        matched = int.from_bytes(packed, "big") << TEXT_SHIFT
        messages[index] = message._replace(flags=message.flags | matched)
    return messages


def to_last_verdict(emitted: Emitted) -> LastVerdict:
    """Return what is kept of a revision."""
    verdict = emitted.verdict
    created_ts = verdict.created_ts
    return LastVerdict(
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
        None if verdict.deposit_ts is None else verdict.deposit_ts - created_ts,
        [_NUMBERS[notice] for notice in verdict.notices],
        verdict.ruling,
    )


def to_emitted(last: LastVerdict) -> Emitted:
    """Return the revision itself."""
    created_ts = last.created_ts
    verdict = Verdict(
        _word(last.status),
        _word(last.outcome),
        _WORDS[last.silence],
        last.placing,
        last.payment,
        last.credit,
        _WORDS[last.basis],
        tuple([(_word(kind), agent_id) for kind, agent_id in last.assists]),
        last.amount,
        last.quantity,
        last.refund_requested,
        last.refund_completed,
        created_ts,
        None if last.paid_after is None else created_ts + last.paid_after,
        None if last.cancelled_after is None else created_ts + last.cancelled_after,
        created_ts + last.final_after,
        None if last.deposit_after is None else created_ts + last.deposit_after,
        tuple([_word(notice) for notice in last.notices]),
        last.ruling,
    )
    return Emitted(last.revision, _word(last.reason), verdict)


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
