"""Why receptions around an order did not make their agents candidates (RULEBOOK 10, ``discarded``)."""

from __future__ import annotations

from stream_attr.rules.chat.message import AGENT, Message
from stream_attr.rules.order.decision import Discarded, Figures
from stream_attr.rules.order.intervals import Interval
from stream_attr.rules.order.served import Served, within


def discarded_of(
    served: list[Served], looked_at: list[tuple[Interval, dict[str, Figures]]], followup: Interval
) -> tuple[Discarded, ...]:
    found = []
    for agent_id, held, spoken, _ in served:
        if len(held) == 1 and any(agent_id in chosen for _, chosen in looked_at):
            continue
        for day, reception, result in held:
            if result.reason is None and any(
                agent_id in chosen and within(result.spoken, interval) for interval, chosen in looked_at
            ):
                continue
            if any(within(reception.messages, interval) for interval, _ in looked_at):
                reason = result.reason or _why_not(result.spoken, spoken, looked_at, followup)
                found.append(Discarded(agent_id, day, reason))
    return tuple(found)


def _why_not(
    counted: list[Message],
    spoken: list[Message],
    looked_at: list[tuple[Interval, dict[str, Figures]]],
    followup: Interval,
) -> str:
    """Return why a creditable reception did not make its agent a candidate.

    ``counted``: its messages that count; ``spoken``: those and the ones of its agent's other days.
    """
    for interval, _ in looked_at:
        if any(message.side == AGENT for message in within(counted, interval)):
            if interval != followup:
                return "other_product"
            sides = {message.side for message in within(spoken, followup)}
            return "followup_not_admitted" if len(sides) == 2 else "followup_one_sided"
    return "no_effective_message"
