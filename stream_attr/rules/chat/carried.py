"""Carried questions: what a buyer asked a colleague, or just before midnight (RULEBOOK 4)."""

from __future__ import annotations

from collections.abc import Sequence

from stream_attr.rules.chat.message import BUYER, Message


def past_midnight(
    messages: Sequence[Message],
    handed_over: Sequence[int],
    ineffective_flags: int,
    first_ts: int,
    pause_ms: int,
) -> int | None:
    """Return the ``ts`` of the question that the day before leaves to a day; None: there is none.

    ``messages`` and ``handed_over``: those of the pair's reception of the day before, and the times of the
    questions handed over that count there; sorted. ``ineffective_flags``: any of them keeps an agent message
    of that day from being effective. ``first_ts``: this day's first message. ``pause_ms``: a chat that rests
    so long is another one.
    """
    last_ts = messages[-1].ts if messages else 0
    if handed_over:
        last_ts = max(last_ts, handed_over[-1])
    if first_ts - last_ts >= pause_ms:
        return None
    asked_ts: int | None = None
    answered_ts = -1
    for message in reversed(messages):
        if message.side == BUYER:
            asked_ts = message.ts
        elif not message.flags & ineffective_flags:
            answered_ts = message.ts
            break
    for ts in handed_over:
        if ts > answered_ts:  # at the same time it comes before the answer
            return ts if asked_ts is None else min(asked_ts, ts)
    return asked_ts
