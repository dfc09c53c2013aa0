"""Checks the verdict of a decision against its own receipt, so that anybody can (RULEBOOK 10).

A receipt cannot show whether the messages that it counts exist, nor which agents wrote between creation and
payment (the assists ``payment`` and ``followup``): this is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

__all__ = [
    "Decision",
    "FoundDecision",
    "agents_of",
    "credited_agents",
    "of_last_buyer",
    "ranked",
    "verify",
]

Decision = Mapping[str, Any]
"""A record of ``attribution-decisions`` or ``attribution-comparisons``, as JSON gives it."""

Figures = Mapping[str, Any]


class FoundDecision(NamedTuple):
    """A decision that is not checked yet, and where it was found: a URL, or a file and line."""

    place: str
    decision: Decision


def agents_of(part: Any) -> set[str]:
    """Return the ids of all agents whom a decision, or a part of one, names."""
    if isinstance(part, list):
        return {agent for one in part for agent in agents_of(one)}
    if not isinstance(part, dict):
        return set()
    own = part.get("agent_id")
    return {agent for one in part.values() for agent in agents_of(one)} | ({own} if own else set())


def credited_agents(decision: Decision) -> set[str]:
    """Return the ids of the agents who have the credit; empty: nobody has it."""
    return agents_of(decision["credit"])


def of_last_buyer(found: Sequence[FoundDecision]) -> tuple[list[FoundDecision], list[str]]:
    """Return the decisions on the last record's buyer, and the other buyers under whom the order's id stands.

    ``found``: at least one, the oldest first; what is not a decision stays among them.
    """

    def buyer(one: FoundDecision) -> object:
        return one.decision.get("buyer_id") if isinstance(one.decision, Mapping) else None

    last = buyer(found[-1])
    others = {str(buyer(one)) for one in found} - {str(last)}
    return [one for one in found if buyer(one) == last], sorted(others)


def ranked(decision: Decision, interval: str, rule: str) -> list[tuple[str, Figures]]:
    """Return the candidates of ``placing`` or ``payment`` with their figures, in the order of a rule.

    ``rule``: ``last_chat`` or ``most_rounds`` (RULEBOOK 5); on a tie the smaller agent id comes first.
    """
    found = _candidates(decision, interval)
    if rule == "most_rounds":
        return sorted(found, key=lambda one: (-one[1]["rounds"], -one[1]["last_ts"], one[0]))
    return sorted(found, key=lambda one: (-one[1]["last_ts"], one[0]))


def verify(decision: Decision) -> list[str]:
    """Return what in a decision its receipt does not support, one sentence each; empty: it supports all.

    Raises KeyError or TypeError for JSON that is not a decision.
    """
    return [
        *_verify_pick(decision, "placing", "the order was placed", decision["created_ts"]),
        *_verify_pick(decision, "payment", "the payment", decision["paid_ts"]),
        *_verify_product_priority(decision),
        *_verify_followup(decision),
        *_verify_credit(decision),
        *_verify_state(decision),
        *_verify_assists(decision),
        *_verify_order_and_sums(decision),
    ]


def _candidates(decision: Decision, interval: str) -> list[tuple[str, Figures]]:
    return [(one["agent_id"], one[interval]) for one in decision["candidates"] if one[interval] is not None]


def _verify_pick(decision: Decision, interval: str, event: str, end_ts: int | None) -> Iterator[str]:
    picked = decision[interval]
    found = _candidates(decision, interval)
    if decision["outcome"] == "excluded":
        if picked or found:
            yield f"{interval}: there are candidates, though the order is excluded"
        return
    if end_ts is None:
        if picked or found:
            yield f"{interval}: there are candidates, though {event} has not happened"
        return
    for agent_id, figures in found:
        if not figures["first_ts"] <= figures["last_ts"] < end_ts:
            yield f"{interval}: not all messages of {agent_id} are before {event}"
        if not 0 <= figures["rounds"] <= figures["messages"]:  # a question handed over is no message
            rounds, messages = figures["rounds"], figures["messages"]
            yield f"{interval}: {messages} messages of {agent_id} cannot make {rounds} rounds"
    if picked is None:
        if found:
            yield f"{interval}: nobody was picked, though {found[0][0]} is a candidate"
        return
    order = ranked(decision, interval, picked["rule"])
    if not order:
        yield f"{interval}: {picked['agent_id']} was picked, but nobody is a candidate"
        return
    agent_id, figures = order[0]
    if agent_id != picked["agent_id"]:
        yield f"{interval}: the rule {picked['rule']} picks {agent_id}, not {picked['agent_id']}"
    elif (figures["last_ts"], figures["rounds"]) != (picked["last_ts"], picked["rounds"]):
        yield f"{interval}: the figures of {agent_id} are not those of the candidate"


def _verify_product_priority(decision: Decision) -> Iterator[str]:
    """If an agent was discarded for another's product, all candidates of some interval have that product."""
    left_out = [one["agent_id"] for one in decision["discarded"] if one["reason"] == "other_product"]
    if not left_out:
        return
    for interval in ("placing", "payment"):
        found = [figures for _, figures in _candidates(decision, interval)]
        for ground in ("product_page", "ordered_product"):
            if found and all(figures[ground] for figures in found):
                return
    yield f"product priority: {left_out[0]} was left out, but no interval has only candidates with it"


def _verify_followup(decision: Decision) -> Iterator[str]:
    found = _candidates(decision, "followup")
    if found and (decision["paid_ts"] is None or decision["placing"] or decision["payment"]):
        yield "follow-up: agents qualify, though the order is not a paid full-silent one"
        return
    for agent_id, figures in found:
        if figures["first_ts"] <= decision["paid_ts"]:
            yield f"follow-up: {agent_id} spoke before the payment"
        if figures["messages"] < 2:
            yield f"follow-up: {agent_id} qualifies, though only one side can have spoken"


def _verify_credit(decision: Decision) -> Iterator[str]:
    credit, placing, payment = decision["credit"], decision["placing"], decision["payment"]
    followup = sorted(
        _candidates(decision, "followup"), key=lambda one: (one[1]["first_ts"], one[0])
    )  # the earliest, then the smaller id
    if decision["paid_ts"] is None or decision["outcome"] == "excluded":
        if credit:
            what = "excluded" if decision["outcome"] == "excluded" else "not paid"
            yield f"credit: the order is {what}, and nobody can have the credit"
        return
    if ruling := decision.get("ruling"):
        if (credit and credit["basis"]) != (ruling["agent_id"] and "ruling"):
            yield "credit: its basis is not the ruling that holds"
        elif credit and credit["agent_id"] != ruling["agent_id"]:
            yield f"credit: the ruling gives it to {ruling['agent_id']}, not to {credit['agent_id']}"
        return
    due: tuple[str, str] | None
    if credit is None:
        # Without credit the decision does not name the rule: some rule must give the credit to nobody.
        if followup:
            yield f"credit: {followup[0][0]} qualifies for the follow-up, but nobody has the credit"
        elif placing and payment:
            yield "credit: nobody has it, though there are a placing and a payment agent"
        return
    rule = credit["rule"]
    if placing and rule in ("order", "order_first"):
        due = placing["agent_id"], "placing"
    elif payment and rule in ("payment", "order_first"):
        due = payment["agent_id"], "payment"
    elif followup:
        due = followup[0][0], "followup"
    else:
        due = None
    if due is None:
        yield f"credit: by the rule {rule} nobody has it, not {credit['agent_id']}"
    elif due != (credit["agent_id"], credit["basis"]):
        yield (
            f"credit: by the rule {rule} it is {due[0]}'s (basis {due[1]}), "
            f"not {credit['agent_id']}'s (basis {credit['basis']})"
        )


def _verify_state(decision: Decision) -> Iterator[str]:
    paid = decision["paid_ts"] is not None
    outcome = decision["outcome"]
    if outcome == "excluded":
        paid = False
    elif paid:
        due = "credited" if decision["credit"] else "silent"
        if outcome != due:
            yield f"outcome: {outcome}, but the order is paid and {due}"
    elif outcome not in ("awaiting_payment", "unpaid", "cancelled"):
        yield f"outcome: {outcome}, but the order is not paid"
    elif outcome == "cancelled" and decision["cancelled_ts"] is None:
        yield "outcome: cancelled, but the order has no cancellation"
    silence: str | None = "none"
    if not decision["placing"]:
        silence = None if not paid else "semi" if decision["payment"] else "full"
    if decision["silence"] != silence:
        yield f"silence: {decision['silence']}, but by the placing and payment agents it is {silence}"
    if decision["status"] == "pending" and decision["watermark"] >= decision["final_at"]:
        yield "status: pending, though the watermark has reached final_at"
    if decision["final_at"] <= max(decision["created_ts"], (decision["paid_ts"] if paid else None) or 0):
        yield "final_at: before the order's own events"


def _verify_assists(decision: Decision) -> Iterator[str]:
    assists = [(one["kind"], one["agent_id"]) for one in decision["assists"]]
    credited = credited_agents(decision)
    placing = decision["placing"] and decision["placing"]["agent_id"]
    due = sorted(
        agent_id for agent_id, _ in _candidates(decision, "placing") if agent_id not in {placing, *credited}
    )
    found = [agent_id for kind, agent_id in assists if kind == "order"]
    if found != due:
        yield f"assists: {due} assisted with the order, not {found}"
    for kind, agent_id in assists:
        if agent_id in credited:
            yield f"assists: {agent_id} has the credit and assists nobody"
        if kind not in ("order", "followup" if decision["paid_ts"] is None else "payment"):
            yield f"assists: an order that is {decision['outcome']} cannot have the kind {kind}"
    if assists != sorted(set(assists)):
        yield "assists: not sorted, or one of them twice"


def _verify_order_and_sums(decision: Decision) -> Iterator[str]:
    agents = [one["agent_id"] for one in decision["candidates"]]
    if agents != sorted(set(agents)):
        yield "candidates: not sorted, or one of them twice"
    left_out = [(one["agent_id"], one["day"]) for one in decision["discarded"]]
    if any(one >= other for one, other in pairwise(left_out)):
        yield "discarded: not sorted, or one of them twice"
    if decision["net_amount"] != decision["amount"] - decision["refund_completed"]:
        yield "money: the net amount is not the amount less the completed refunds"
    yield from _verify_refunds(decision)
    stem = f"{decision['shop_id']}|{decision['order_id']}|{decision['profile']}|"
    revision = decision["revision"]
    if decision["decision_id"] != f"{stem}{revision}":
        yield f"decision_id: not that of revision {revision}"
    if decision["supersedes"] != (f"{stem}{revision - 1}" if revision > 1 else None):
        yield f"supersedes: not the decision before revision {revision}"


def _verify_refunds(decision: Decision) -> Iterator[str]:
    """Decisions of the first edition name neither refunds nor notices."""
    refunds = decision.get("refunds")
    if refunds is not None and not decision.get("refunds_cut", False):
        for name, completed in (("refund_requested", False), ("refund_completed", True)):
            if decision[name] != sum(one["amount"] for one in refunds if one["completed"] is completed):
                yield f"money: {name} is not the sum of the refunds that count"
    notices = decision.get("notices")
    if notices is None:
        return
    if notices != sorted(set(notices)):
        yield "notices: not sorted, or one of them twice"
    amount, completed = decision["amount"], decision["refund_completed"]
    ended_twice = decision["paid_ts"] is not None and decision["cancelled_ts"] is not None
    due = {"over_refunded": completed > amount, "paid_and_cancelled": ended_twice and completed < amount}
    for notice, is_due in due.items():
        if (notice in notices) is not is_due:
            yield f"notices: {notice} {'is missing' if is_due else 'does not hold'}"
