"""Candidates of an interval and who is picked among them (RULEBOOK 5)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.reference.receptions import Event, Reception, in_order


@dataclass(frozen=True)
class Figures:
    """What an agent's messages in one interval amount to."""

    agent_id: str
    messages: int
    rounds: int
    first_ts: int
    last_ts: int
    product_page: bool
    ordered_product: bool
    initiator: str

    def receipt(self) -> dict[str, Any]:
        return {
            "messages": self.messages,
            "rounds": self.rounds,
            "first_ts": self.first_ts,
            "last_ts": self.last_ts,
            "product_page": self.product_page,
            "ordered_product": self.ordered_product,
        }


def counted_within(receptions: list[Reception], from_ts: int, to_ts: int) -> dict[str, list[Event]]:
    """Return per agent, in order, what counts of its creditable receptions in ``[from_ts, to_ts)``."""
    found: dict[str, list[Event]] = {}
    for reception in receptions:
        if reception.creditable:
            inside = [m for m in reception.counted if from_ts <= m["ts"] < to_ts]
            if inside:
                found.setdefault(reception.agent_id, []).extend(inside)
    return {agent_id: in_order(messages) for agent_id, messages in found.items()}


def handed_over_within(receptions: list[Reception], agent_id: str, from_ts: int, to_ts: int) -> list[Event]:
    """Return the questions handed over to an agent in creditable receptions in ``[from_ts, to_ts)``."""
    return [
        question
        for reception in receptions
        if reception.creditable and reception.agent_id == agent_id
        for question in reception.handed_over
        if from_ts <= question["ts"] < to_ts
    ]


def figures_of(
    agent_id: str, messages: list[Event], handed_over: list[Event], product_ids: frozenset[str]
) -> Figures:
    """Count what the rules ask of an agent's messages in one interval.

    Questions that were ``handed_over`` in it bear on the rounds alone.
    """
    from_buyer = [m for m in messages if m["sender"] == "buyer"]
    return Figures(
        agent_id=agent_id,
        messages=len(messages),
        rounds=rounds_of(in_order([*messages, *handed_over])),
        first_ts=messages[0]["ts"],
        last_ts=messages[-1]["ts"],
        product_page=any(m.get("entry") == "product_page" for m in from_buyer),
        ordered_product=any(m.get("product_id") in product_ids for m in from_buyer),
        initiator=messages[0]["sender"],
    )


def rounds_of(turns: list[Event]) -> int:
    """Count the effective agent messages that follow right after one of the buyer, or a question of it."""
    return sum(
        before["sender"] == "buyer" and after["sender"] == "agent" for before, after in pairwise(turns)
    )


def spoke(messages: list[Event], side: str) -> bool:
    return any(m["sender"] == side for m in messages)


def candidates_within(
    receptions: list[Reception], from_ts: int, to_ts: int, product_ids: frozenset[str], product_priority: str
) -> dict[str, Figures]:
    """Return the candidates of ``[from_ts, to_ts)`` with their figures, after product priority."""
    candidates = {
        agent_id: figures_of(
            agent_id, messages, handed_over_within(receptions, agent_id, from_ts, to_ts), product_ids
        )
        for agent_id, messages in counted_within(receptions, from_ts, to_ts).items()
        if spoke(messages, "agent")
    }
    if product_priority == "off":
        return candidates
    preferred = {
        agent_id: figures
        for agent_id, figures in candidates.items()
        if (figures.product_page if product_priority == "product_page" else figures.ordered_product)
    }
    return preferred or candidates


def pick(candidates: dict[str, Figures], rule: str) -> Figures | None:
    """Return the candidate a rule picks; of what is still tied, the smaller agent id."""

    def rank(figures: Figures) -> tuple[int, int, str]:
        if rule == "most_rounds":
            return -figures.rounds, -figures.last_ts, figures.agent_id
        return 0, -figures.last_ts, figures.agent_id

    return min(candidates.values(), key=rank) if candidates else None


def qualified_followups(
    receptions: list[Reception],
    paid_ts: int,
    minutes_ms: int,
    admitted: set[str],
    product_ids: frozenset[str],
) -> dict[str, Figures]:
    """Return who qualifies for the silent follow-up in ``(paid_ts, paid_ts + minutes_ms]``."""
    from_ts, to_ts = paid_ts + 1, paid_ts + minutes_ms + 1
    return {
        agent_id: figures_of(
            agent_id, messages, handed_over_within(receptions, agent_id, from_ts, to_ts), product_ids
        )
        for agent_id, messages in counted_within(receptions, from_ts, to_ts).items()
        if spoke(messages, "buyer") and spoke(messages, "agent") and messages[0]["sender"] in admitted
    }
