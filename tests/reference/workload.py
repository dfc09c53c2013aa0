"""What one agent, or a shop, had to do on one day (RULEBOOK 8)."""

from __future__ import annotations

from typing import Any

from tests.reference.facts import PRESENCE_MS, Fact
from tests.reference.rates import mean, rate
from tests.reference.receptions import Reception

SATISFIED = 4
"""The least score of a buyer who is satisfied."""


def workload_figures(facts: list[Fact], receptions: list[Reception]) -> dict[str, Any]:
    """Count the facts of an agent's, or a shop's, day and the receptions they are of."""
    unfiltered = [f for f in facts if f["filtered"] is None]
    received = {f["buyer_id"] for f in unfiltered}
    asking = {f["buyer_id"] for f in unfiltered if f["buyer_messages"] > 0 or f["handed_over"]}
    unreplied = asking - {f["buyer_id"] for f in unfiltered if f["replied"]}
    buyer_messages = sum(f["buyer_messages"] for f in unfiltered)
    agent_messages = sum(f["agent_messages"] for f in unfiltered)
    first_responses = [f["first_response_ms"] for f in unfiltered if f["first_response_ms"] is not None]
    response_ms_sum = sum(f["response_ms_sum"] for f in unfiltered)
    responses = sum(f["response_count"] for f in unfiltered)
    scores = [f["rating"] for f in unfiltered if f["rating"] is not None]
    satisfied = [score for score in scores if score >= SATISFIED]
    return {
        "consults": len({f["buyer_id"] for f in facts}),
        "receptions": len(received),
        "unreplied": len(unreplied),
        "reply_rate": rate(len(received) - len(unreplied), len(received)),
        "buyer_messages": buyer_messages,
        "agent_messages": agent_messages,
        "answer_question_ratio": rate(agent_messages, buyer_messages),
        "agent_characters": sum(f["agent_characters"] for f in unfiltered),
        "first_response_ms": mean(sum(first_responses), len(first_responses)),
        "first_response_ms_sum": sum(first_responses),
        "first_responses": len(first_responses),
        "response_ms": mean(response_ms_sum, responses),
        "response_ms_sum": response_ms_sum,
        "responses": responses,
        "slow_receptions": sum(f["slow"] for f in unfiltered),
        "ratings": len(scores),
        "satisfied": len(satisfied),
        "satisfaction": rate(len(satisfied), len(scores)),
        "max_simultaneous": max_simultaneous([r for r in receptions if r.filtered is None]),
    }


def max_simultaneous(receptions: list[Reception]) -> int:
    """Return the most buyers present at one time, each in closed intervals around each of its messages.

    That many are present at the beginning of some interval.
    """
    messages = [(r.buyer_id, m["ts"]) for r in receptions for m in r.messages]
    return max((_present(messages, ts - PRESENCE_MS) for _, ts in messages), default=0)


def _present(messages: list[tuple[str, int]], instant: int) -> int:
    return len({buyer_id for buyer_id, ts in messages if abs(ts - instant) <= PRESENCE_MS})
